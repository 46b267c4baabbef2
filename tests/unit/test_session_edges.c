/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions at the edges: clocks that are set, peers that send nonsense, forks and crashes. */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <deepxtrace/deepxtrace.h>

#include "base/base.h"
#include "session/beat.h"
#include "session/collect.h"
#include "test_session_job.h"

#define MS INT64_C(1000000)
#define HOUR_NS (INT64_C(3600000) * MS)

/* ---- when windows end ---- */

/* Windows whose ends are seen 1 ms late, by a wall clock that is ahead by so much. */
static void run_beat(dxt_beat *beat, int windows, int64_t ahead_ns)
{
    for (int w = 0; w < windows; w++) {
        uint64_t before = beat->sequence;
        int64_t due_ns = beat->due_ns;
        dxt_beat_next(beat, due_ns + MS, due_ns + MS + ahead_ns);
        assert_int_equal(beat->sequence, before + 1);
        assert_true(beat->due_ns - due_ns >= beat->interval_ns / 2);
        assert_true(beat->due_ns - due_ns <= beat->interval_ns * 3 / 2);
    }
}

static void windows_end_at_multiples_of_the_wall_clock(void **state)
{
    (void)state;
    dxt_beat beat;
    dxt_beat_start(&beat, 100 * MS, 777 * MS, 12345 * MS);
    assert_int_equal(beat.sequence, 123);
    assert_int_equal(beat.due_ns, 777 * MS + 55 * MS);
    run_beat(&beat, 40, (12345 - 777) * MS);
    assert_int_equal(beat.sequence, 163);
    assert_int_equal(beat.due_ns, 832 * MS + 4000 * MS);
}

static void a_clock_that_is_set_loses_no_window(void **state)
{
    (void)state;
    static const int64_t jumps_ns[] = {HOUR_NS, -HOUR_NS, 30 * MS,       -30 * MS,     3 * MS,
                                       50 * MS, 0,        INT64_MAX / 2, INT64_MIN / 2};
    dxt_beat beat;
    dxt_beat_start(&beat, 100 * MS, 0, 5000 * MS);
    int64_t wall_ns = 5000 * MS;
    for (size_t i = 0; i < sizeof jumps_ns / sizeof jumps_ns[0]; i++) {
        run_beat(&beat, 3, wall_ns + jumps_ns[i]);
        run_beat(&beat, 3, wall_ns);
        assert_int_equal((beat.due_ns + wall_ns) % (100 * MS), 0);
        /* One that stays as it was set is followed: ends are at its multiples. */
        run_beat(&beat, DXT_BEAT_STEADY + 1, wall_ns + jumps_ns[i]);
        int64_t off_ns = (beat.due_ns + wall_ns + jumps_ns[i]) % (100 * MS);
        if (off_ns < 0) off_ns += 100 * MS;
        assert_true(off_ns <= 7 * MS || off_ns >= 93 * MS);
        run_beat(&beat, DXT_BEAT_STEADY + 1, wall_ns);
    }
}

/* A thread that was kept from running leaves the numbers out that have passed. */
static void late_ends_leave_numbers_out(void **state)
{
    (void)state;
    dxt_beat beat;
    dxt_beat_start(&beat, 100 * MS, 0, 1000 * MS);
    dxt_beat_next(&beat, 100 * MS + 99 * MS, 1199 * MS);
    assert_int_equal(beat.sequence, 11);
    assert_int_equal(beat.due_ns, 200 * MS);
    dxt_beat_next(&beat, 450 * MS, 1450 * MS);
    assert_int_equal(beat.sequence, 14);
    assert_int_equal(beat.due_ns, 500 * MS);
    /* Before 1970 there are no numbers, but there are windows. */
    dxt_beat_start(&beat, 100 * MS, 0, -1030 * MS);
    assert_int_equal(beat.sequence, 0);
    assert_int_equal(beat.due_ns, 30 * MS);
    run_beat(&beat, 5, -1030 * MS);
    assert_int_equal(beat.sequence, 5);
}

/* ---- ranks whose clocks are others ---- */

struct peers {
    struct job *job;
    dxt_collector *collector;
    uint64_t *mail;
    size_t size;
    int pauses;
};

static struct peers *new_peers(void)
{
    struct peers *peers = calloc(1, sizeof *peers);
    char instance[DXT_MAIL_TEXT] = "";
    assert_non_null(peers);
    peers->job = new_job(2);
    peers->size = dxt_session_mail_size(DXT_EP_OPERATORS, 2);
    peers->mail = calloc(1, peers->size);
    assert_int_equal(dxt_collector_create(peers->job->gathers[0], DXT_EP_OPERATORS, peers->size,
                                          instance, &peers->collector),
                     DXT_OK);
    return peers;
}

static void end_peers(struct peers *peers)
{
    dxt_collector_destroy(peers->collector);
    end_job(peers->job);
    free(peers->mail);
    free(peers);
}

static void post(struct peers *peers, uint32_t rank, uint64_t sequence)
{
    static const dxt_mail_first first[DXT_EP_OPERATORS];
    const dxt_mail_head head = {.rank = rank,
                                .ranks = 2,
                                .operators = DXT_EP_OPERATORS,
                                .sequence = sequence,
                                .node = -1,
                                .global_rank = -1,
                                .gpu = -1};
    dxt_snapshot *snapshot;
    assert_int_equal(dxt_snapshot_create(DXT_EP_OPERATORS, 2, &snapshot), DXT_OK);
    size_t size = dxt_mail_encode(peers->mail, &head, snapshot, first);
    assert_int_equal(dxt_gather_publish(peers->job->gathers[rank], sequence, peers->mail, size),
                     DXT_OK);
    dxt_snapshot_destroy(snapshot);
}

/* Nothing more comes by the deadline. */
static bool give_up(void *context, int64_t until_ns)
{
    struct peers *peers = context;
    (void)until_ns;
    peers->pauses++;
    return false;
}

/* Window `sequence` of rank 0, with mail `its` of rank 1 there. @return Whether it was waited for
 * although it was there. */
static bool collect(struct peers *peers, uint64_t sequence, uint64_t its)
{
    dxt_assembly assembly = {0};
    post(peers, 0, sequence);
    if (its) post(peers, 1, its);
    peers->pauses = 0;
    const dxt_collect_options options = {.sequence = sequence,
                                         .current = sequence,
                                         .deadline_ns = dxt_now_ns() + 2 * MS,
                                         .pause = give_up,
                                         .context = peers};
    assert_int_equal(dxt_collector_collect(peers->collector, &options), DXT_OK);
    dxt_collector_view(peers->collector, &assembly);
    assert_non_null(assembly.after[0]);
    assert_int_equal(assembly.after[1] != NULL, its != 0);
    dxt_collector_roll(peers->collector);
    return peers->pauses > 0;
}

static void ranks_with_other_clocks_are_heard_in_time(void **state)
{
    (void)state;
    static const int64_t ahead[] = {12000, -12000, 2, -2};
    for (size_t i = 0; i < sizeof ahead / sizeof ahead[0]; i++) {
        struct peers *peers = new_peers();
        uint64_t s = 100000;
        int waited = 0;
        for (int w = 0; w < 20; w++, s++) waited += collect(peers, s, s + (uint64_t)ahead[i]);
        /* Far ones are known at once; near ones might have been late. */
        assert_in_range(waited, 1, ahead[i] * ahead[i] > 100 ? 1 : 4);
        end_peers(peers);
    }
}

/* Its clock is set while it runs, and the rank misses a window after that. */
static void a_clock_that_is_set_again_is_followed(void **state)
{
    (void)state;
    struct peers *peers = new_peers();
    uint64_t s = 1000, its = 1000;
    for (int w = 0; w < 4; w++) assert_false(collect(peers, s++, its++));
    its += 5000;
    assert_true(collect(peers, s++, its++));
    for (int w = 0; w < 4; w++) assert_false(collect(peers, s++, its++));
    assert_true(collect(peers, s++, 0));
    its++;
    /* It is back, and what it says is of this window. */
    assert_false(collect(peers, s++, its++));
    its += 300;
    assert_false(collect(peers, s++, its++));
    for (int w = 0; w < 4; w++) assert_false(collect(peers, s++, its++));
    end_peers(peers);
}

typedef dxt_status collect_fn(dxt_collector *collector, const dxt_collect_options *options);

/* Window 103 without a mail of rank 1. @return Whether the rank counts as alive. */
static bool stays_alive(collect_fn *collect_window, int64_t silence_ns)
{
    struct peers *peers = new_peers();
    for (uint64_t s = 100; s < 103; s++) collect(peers, s, s);
    post(peers, 0, 103);
    const dxt_collect_options options = {.sequence = 103,
                                         .current = 103,
                                         .deadline_ns = dxt_now_ns(),
                                         .silence_ns = silence_ns,
                                         .last = true,
                                         .pause = give_up,
                                         .context = peers};
    dxt_assembly assembly = {0};
    assert_int_equal(collect_window(peers->collector, &options), DXT_OK);
    dxt_collector_view(peers->collector, &assembly);
    assert_null(assembly.after[1]);
    bool excused = assembly.excused[1];
    end_peers(peers);
    return excused;
}

/* On a busy machine a mail may miss a window, whether windows end by the clock or after calls;
 * silent is of whom nothing comes for a while. */
static void a_mail_that_misses_a_window_makes_nobody_silent(void **state)
{
    (void)state;
    assert_true(stays_alive(dxt_collector_collect, HOUR_NS));
    assert_false(stays_alive(dxt_collector_collect, 1));
    assert_true(stays_alive(dxt_collector_try, HOUR_NS));
    assert_false(stays_alive(dxt_collector_try, 1));
}

/* A rank that is so many windows ahead that mails of it are gone from its box is not silent. */
static void a_rank_that_is_far_ahead_is_not_silent(void **state)
{
    (void)state;
    struct peers *peers = new_peers();
    for (uint64_t s = 1; s < 4; s++) collect(peers, s, s);
    for (uint64_t s = 4; s <= 12; s++) post(peers, 1, s);
    for (uint64_t s = 4; s <= 13; s++) {
        dxt_assembly assembly = {0};
        post(peers, 0, s);
        const dxt_collect_options options = {.sequence = s,
                                             .current = s,
                                             .deadline_ns = dxt_now_ns(),
                                             .silence_ns = 1,
                                             .last = true,
                                             .pause = give_up,
                                             .context = peers};
        assert_int_equal(dxt_collector_try(peers->collector, &options), DXT_OK);
        dxt_collector_view(peers->collector, &assembly);
        assert_int_equal(assembly.after[1] != NULL, s > 12 - DXT_GATHER_DEPTH && s <= 12);
        assert_int_equal(assembly.after[1] != NULL || assembly.excused[1], s <= 12);
        dxt_collector_roll(peers->collector);
    }
    end_peers(peers);
}

/* ---- told once ---- */

static int messages;

static void count_message(void *context, dxt_log_level level, const char *message)
{
    (void)context, (void)level, (void)message;
    messages++;
}

static void nonsense_is_told_once(void **state)
{
    (void)state;
    struct faulty faulty = {.scramble = true};
    struct job *job = start_faulty_job(0, &faulty);
    messages = 0;
    dxt_set_log(count_message, NULL);
    for (int w = 0; w < 40; w++) {
        faulty.scramble = w % 8 != 7; /* a good one in between is no news */
        run_window(job, DXT_NO_RANK);
    }
    dxt_set_log(NULL, NULL);
    assert_int_equal(messages, 1);
    end_faulty_job(job, &faulty);
}

/* Failures that come and go: the first, second, fourth, eighth … is told, and its end. */
static void failures_that_come_and_go_are_told_less_and_less(void **state)
{
    (void)state;
    for (int of = 0; of < 2; of++) {
        struct faulty faulty = {.looks = 0};
        struct job *job = start_faulty_job(of, &faulty);
        messages = 0;
        dxt_set_log(count_message, NULL);
        for (int w = 0; w < 64; w++) {
            dxt_status status = w % 2 ? DXT_OK : DXT_ERR_IO;
            if (of == 0)
                faulty.collect_status = status;
            else
                faulty.publish_status = status;
            run_window(job, DXT_NO_RANK);
        }
        dxt_set_log(NULL, NULL);
        assert_int_equal(messages, 2 * 6); /* of 32 times: 1, 2, 4, 8, 16, 32 */
        end_faulty_job(job, &faulty);
    }
}

/* ---- forks and crashes ---- */

static dxt_status count_publish(void *context, uint64_t sequence, const void *mail, size_t size)
{
    (void)sequence, (void)mail, (void)size;
    atomic_fetch_add((atomic_int *)context, 1);
    return DXT_OK;
}

static dxt_status count_collect(void *context, uint32_t rank, uint64_t wanted, void *mail,
                                size_t capacity, size_t *size, uint64_t *sequence)
{
    (void)rank, (void)wanted, (void)mail, (void)capacity, (void)size, (void)sequence;
    atomic_fetch_add((atomic_int *)context, 1);
    return DXT_AGAIN;
}

static void a_session_of_a_forked_child_does_nothing(void **state)
{
    (void)state;
    atomic_int *calls = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(calls != MAP_FAILED);
    for (uint32_t rank = 0; rank < 2; rank++) {
        struct job *job = new_job(2);
        const dxt_gather_transport transport = {.struct_size = sizeof transport,
                                                .context = calls,
                                                .publish = count_publish,
                                                .collect = count_collect};
        dxt_gather_destroy(job->gathers[rank]);
        assert_int_equal(dxt_gather_create(rank, 2, &transport, &job->gathers[rank]), DXT_OK);
        dxt_session_config config = config_of(job, rank, DXT_SESSION_SYNC);
        start(job, rank, &config);
        atomic_store(calls, 0);
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            bool well = true;
            for (int i = 0; i < 3 * OPS; i++)
                well = well && dxt_session_step(job->sessions[rank]) == DXT_OK &&
                       dxt_session_first_step(job->sessions[rank]) == DXT_OK;
            dxt_session_destroy(job->sessions[rank]);
            _exit(well ? 0 : 1);
        }
        int how = -1;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_int_equal(how, 0);
        assert_int_equal(atomic_load(calls), 0);
        run_rank(job, rank, OPS);
        assert_true(atomic_load(calls) > 0);
        end_job(job);
    }
    munmap(calls, 4096);
}

static void leave_in_order(int number)
{
    _exit(100 + number);
}

static void crash(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    (void)diagnoses, (void)count;
    raise(*(const int *)context);
    _exit(1); /* it did not arrive */
}

static void a_crash_in_a_callback_reaches_the_handler(void **state)
{
    (void)state;
    static int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            signal(signals[i], leave_in_order);
            struct job *job = new_job(2);
            for (uint32_t r = 0; r < 2; r++) {
                dxt_session_config config = config_of(job, r, DXT_SESSION_ASYNC);
                config.on_diagnosis = crash;
                config.on_diagnosis_context = &signals[i];
                start(job, r, &config);
            }
            sleep(30);
            _exit(2);
        }
        int how = -1;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFEXITED(how));
        assert_int_equal(WEXITSTATUS(how), 100 + signals[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_end_at_multiples_of_the_wall_clock),
        cmocka_unit_test(a_clock_that_is_set_loses_no_window),
        cmocka_unit_test(late_ends_leave_numbers_out),
        cmocka_unit_test(ranks_with_other_clocks_are_heard_in_time),
        cmocka_unit_test(a_clock_that_is_set_again_is_followed),
        cmocka_unit_test(a_mail_that_misses_a_window_makes_nobody_silent),
        cmocka_unit_test(a_rank_that_is_far_ahead_is_not_silent),
        cmocka_unit_test(nonsense_is_told_once),
        cmocka_unit_test(failures_that_come_and_go_are_told_less_and_less),
        cmocka_unit_test(a_session_of_a_forked_child_does_nothing),
        cmocka_unit_test(a_crash_in_a_callback_reaches_the_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
