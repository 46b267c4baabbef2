/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of ranks that know how long an operation took, and not for whom they waited in it. */
#include "alloc_fail.h"
#include "random.h"
#include "session/mail.h"
#include "test_session_job.h"

enum { RANKS = 4, WINDOWS = 4, SAMPLED = 5 };

static uint64_t random_state = RANDOM_SEED;

static uint64_t random_below(uint64_t limit)
{
    return random_bits(&random_state) % limit;
}

/* Everything of a run. */
struct told {
    struct job *job;
    dxt_window *last; /* the last dispatch */
    uint64_t number;
    uint32_t late;
    uint64_t late_ns;
};

static void keep_window(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    struct told *told = context;
    dxt_window *sum = told->last;
    const dxt_window *w = diagnoses[0].window;
    on_diagnosis(&told->job->records, diagnoses, count);
    assert_int_equal(w->origin, DXT_ORIGIN_DURATION);
    assert_int_equal(diagnoses[1].window->origin, DXT_ORIGIN_BARRIER);
    memcpy(sum->wait, w->wait, RANKS * RANKS * sizeof *w->wait);
    sum->ops = w->ops;
    sum->samples_each = w->samples_each;
    sum->unit = w->unit;
    assert_null(w->ticks_per_second);
}

static struct told *new_told(uint32_t durations)
{
    struct told *told = calloc(1, sizeof *told);
    assert_non_null(told);
    told->job = new_job_with(RANKS, DXT_EP_OPERATORS, durations);
    told->late = DXT_NO_RANK;
    assert_int_equal(dxt_window_create(RANKS, "dispatch", &told->last), DXT_OK);
    return told;
}

static void start_told(struct told *told)
{
    for (uint32_t r = 0; r < RANKS; r++) {
        dxt_session_config config = config_of(told->job, r, DXT_SESSION_SYNC);
        config.interval_ops = 100;
        config.alone = 1;
        config.origin = DXT_ORIGIN_BARRIER; /* of what is counted */
        config.on_diagnosis = keep_window;
        config.on_diagnosis_context = told;
        start(told->job, r, &config);
    }
}

static void end_told(struct told *told)
{
    end_job(told->job);
    dxt_window_free(told->last);
    free(told);
}

/* One step: dispatch by durations, every SAMPLED-th told; combine by source. */
static void step(struct told *told, uint32_t absent)
{
    uint64_t come[RANKS], leave = 0;
    for (uint32_t r = 0; r < RANKS; r++) {
        come[r] = 1000 + random_below(100) + (r == told->late ? told->late_ns : 0);
        if (come[r] > leave) leave = come[r];
    }
    for (uint32_t r = RANKS; r-- > 0;) {
        if (r == absent) continue;
        dxt_probe *probe = told->job->probes[r];
        if (told->number % SAMPLED == 0)
            dxt_probe_duration(probe, DXT_DISPATCH, told->number,
                               ticks(told->job, r, leave + 500 - come[r]));
        dxt_probe_op op;
        dxt_probe_begin(&op, probe, DXT_COMBINE);
        for (uint32_t s = 0; s < RANKS; s++) dxt_probe_wait(&op, s, ticks(told->job, r, 1000), 1);
        dxt_probe_end(&op);
        assert_int_equal(dxt_session_step(told->job->sessions[r]), DXT_OK);
    }
    told->number++;
}

static void run_told(struct told *told, int steps, uint32_t absent)
{
    for (int k = 0; k < steps; k++) step(told, absent);
}

static void a_late_rank_is_named_without_a_source(void **state)
{
    (void)state;
    struct told *told = new_told(128);
    told->late = 2;
    told->late_ns = 20000;
    start_told(told);
    run_told(told, 100 * WINDOWS, DXT_NO_RANK);
    assert_int_equal(atomic_load(&told->job->records.count), WINDOWS);
    const struct record *record = last_record(told->job);
    assert_int_equal(told->last->unit, DXT_UNIT_NS);
    assert_int_equal(told->last->samples_each, 100 / SAMPLED);
    assert_in_range(told->last->ops, 95, 105);
    const dxt_finding *late = find(record, DXT_DISPATCH, DXT_LATE_RANK);
    assert_non_null(late);
    assert_int_equal(late->rank, 2);
    assert_true(late->wait > 19000 && late->wait < 21000);
    assert_int_equal(record->found_count[DXT_DISPATCH], 1);
    assert_int_equal(record->found_count[DXT_COMBINE], 0);
    for (uint32_t r = 0; r < RANKS; r++) {
        double wait = dxt_window_value(told->last, r, 2);
        if (r != 2) assert_true(wait > 19000 && wait < 21000);
        assert_true(dxt_window_value(told->last, 2, r) < 50);
    }
    end_told(told);
}

static void a_silent_rank_is_not_observed(void **state)
{
    (void)state;
    struct told *told = new_told(128);
    told->late = 2;
    told->late_ns = 20000;
    start_told(told);
    run_told(told, 200, DXT_NO_RANK);
    run_told(told, 200, 1);
    const struct record *record = last_record(told->job);
    assert_non_null(find(record, DXT_DISPATCH, DXT_SILENT_RANK));
    assert_int_equal(find(record, DXT_DISPATCH, DXT_LATE_RANK)->rank, 2);
    assert_int_equal(told->last->wait[0 * RANKS + 1], DXT_NOT_OBSERVED);
    assert_int_equal(told->last->wait[1 * RANKS + 2], 0);
    assert_int_equal(told->last->samples_each, 100 / SAMPLED);
    end_told(told);
}

/* What a mail that could not be collected told comes again in the next. */
static void a_mail_that_got_lost_costs_no_operation(void **state)
{
    (void)state;
    struct told *told = new_told(128);
    struct faulty faulty = {.publish_status = DXT_OK};
    int64_t samples = 0;
    put_before(told->job, 3, &faulty);
    start_told(told);
    for (int window = 0; window < 6; window++) {
        run_told(told, 99, DXT_NO_RANK);
        faulty.publish_status = window == 2 ? DXT_ERR_IO : DXT_OK;
        run_told(told, 1, DXT_NO_RANK);
        if (window > 0 && window != 2) samples += told->last->samples_each;
    }
    /* Window 2 ends without rank 3, whose operations the next one still has. */
    assert_true(samples >= (6 - 2) * 100 / SAMPLED);
    end_told(told);
    dxt_gather_destroy(faulty.inner);
}

/* On one rank the numbers are those of other operations. */
static void unequal_numbers_are_inconclusive(void **state)
{
    (void)state;
    struct told *told = new_told(128);
    told->late = 2;
    told->late_ns = 20000;
    start_told(told);
    for (int k = 0; k < 100 * WINDOWS; k++) {
        step(told, DXT_NO_RANK);
        if (k % SAMPLED == 0) dxt_probe_operator(told->job->probes[1], 0)->durations--;
        if (k % SAMPLED == 0) dxt_probe_duration(told->job->probes[1], 0, told->number + 1, 500);
    }
    const struct record *record = last_record(told->job);
    assert_int_equal(record->found_count[DXT_DISPATCH], 0);
    assert_int_equal(told->last->samples_each, 0);
    for (int c = 0; c < RANKS * RANKS; c++) assert_int_equal(told->last->wait[c], DXT_NOT_OBSERVED);
    end_told(told);
}

static void without_a_clock_rate_waits_are_ticks(void **state)
{
    (void)state;
    struct told *told = new_told(128);
    for (uint32_t r = 0; r < RANKS; r++) told->job->probes[r]->ticks_per_second = 1000000000;
    told->late = 2;
    told->late_ns = 20000;
    start_told(told);
    for (uint32_t r = 0; r < RANKS; r++) told->job->probes[r]->ticks_per_second = 1000000000;
    run_told(told, 100, DXT_NO_RANK);
    assert_int_equal(told->last->unit, DXT_UNIT_NS);
    end_told(told);
    told = new_told(128);
    for (uint32_t r = 0; r < RANKS; r++) told->job->probes[r]->ticks_per_second = 0;
    start_told(told);
    for (uint64_t number = 0; number < 100; number++)
        for (uint32_t r = RANKS; r-- > 0;) {
            dxt_probe_duration(told->job->probes[r], DXT_DISPATCH, number, r == 1 ? 5 : 105);
            assert_int_equal(dxt_session_step(told->job->sessions[r]), DXT_OK);
        }
    assert_int_equal(told->last->unit, DXT_UNIT_CYCLES);
    assert_int_equal(told->last->wait[0 * RANKS + 1], 100 * 100);
    assert_int_equal(told->last->wait[1 * RANKS + 0], 0);
    end_told(told);
}

/* Ranks that are behind leave out another part of their operations, and still have many in common
 * with the others. */
static void more_than_a_mail_holds_is_thinned_out(void **state)
{
    (void)state;
    struct told *told = new_told(4096);
    start_told(told);
    for (uint32_t r = RANKS; r-- > 0;) {
        dxt_probe *probe = told->job->probes[r];
        for (uint64_t number = 0; number < 3000 + 1100 * (uint64_t)(r == 3); number++)
            dxt_probe_duration(probe, DXT_DISPATCH, number, ticks(told->job, r, 100 * (r != 1)));
        for (int k = 0; k < 100; k++)
            assert_int_equal(dxt_session_step(told->job->sessions[r]), DXT_OK);
    }
    assert_in_range(told->last->samples_each, 3000 / 8 - 60, 3000 / 4 + 60);
    assert_true(dxt_window_value(told->last, 0, 1) == 100);
    end_told(told);
}

/* ---- mails ---- */

/* A mail of rank 1 of 2 with three durations of the first of two operators; SIZE receives its
 * bytes.
 */
static uint64_t *new_mail(size_t *size)
{
    static const dxt_mail_first none[2];
    uint64_t since[2] = {0}, next[2] = {7, 7};
    dxt_duration scratch[8];
    dxt_probe *probe = NULL;
    dxt_snapshot *snapshot = NULL;
    const dxt_mail_head head = {
        .rank = 1, .ranks = 2, .operators = 2, .sequence = 4, .node = -1, .gpu = -1};
    assert_int_equal(dxt_probe_create_durations(2, 2, 8, &probe), DXT_OK);
    assert_int_equal(dxt_snapshot_create(2, 2, &snapshot), DXT_OK);
    for (uint64_t number = 10; number < 13; number++) dxt_probe_duration(probe, 0, number, 5);
    assert_int_equal(dxt_probe_snapshot(probe, snapshot), DXT_OK);
    uint64_t *mail = calloc(1, dxt_session_duration_mail_size(2, 2));
    assert_non_null(mail);
    size_t plain = dxt_mail_encode(mail, &head, snapshot, none);
    *size = dxt_mail_add_durations(mail, probe, since, next, scratch);
    assert_int_equal(*size, plain + (2 + 3 * 2) * sizeof *mail);
    assert_int_equal(next[0], 13);
    assert_int_equal(next[1], 7);
    dxt_snapshot_destroy(snapshot);
    dxt_probe_destroy(probe);
    return mail;
}

/* tests/python/test_timed.py has the same numbers: what a rank has measured one of so many of goes
 * with what another one had to thin out. */
static void what_a_mail_keeps_is_what_python_measures(void **state)
{
    (void)state;
    enum { NOTED = 4096 };
    static const uint64_t kept[] = {2, 3, 4, 5, 9, 15, 21, 24, 25};
    static const dxt_mail_first none[1];
    static dxt_duration scratch[NOTED];
    const dxt_mail_head head = {
        .rank = 1, .ranks = 2, .operators = 1, .sequence = 4, .node = -1, .gpu = -1};
    uint64_t since[1] = {0}, next[1] = {0};
    uint32_t count;
    dxt_probe *probe = NULL;
    dxt_snapshot *snapshot = NULL;
    assert_int_equal(dxt_probe_create_durations(1, 2, NOTED, &probe), DXT_OK);
    assert_int_equal(dxt_snapshot_create(1, 2, &snapshot), DXT_OK);
    for (uint64_t number = 0; number < NOTED; number++) dxt_probe_duration(probe, 0, number, 5);
    assert_int_equal(dxt_probe_snapshot(probe, snapshot), DXT_OK);
    uint64_t *mail = calloc(1, dxt_session_duration_mail_size(2, 1));
    assert_non_null(mail);
    dxt_mail_encode(mail, &head, snapshot, none);
    dxt_mail_add_durations(mail, probe, since, next, scratch);
    const dxt_duration *told = dxt_mail_durations(mail, 0, &count);
    assert_int_equal(count, 1012);
    for (size_t k = 0; k < sizeof kept / sizeof kept[0]; k++)
        assert_int_equal(told[k].number, kept[k]);
    assert_int_equal(told[count - 1].number, 4094);
    free(mail);
    dxt_snapshot_destroy(snapshot);
    dxt_probe_destroy(probe);
}

static void mails_with_wrong_durations_are_refused(void **state)
{
    (void)state;
    const dxt_mail_head expect = {.rank = 1, .ranks = 2, .operators = 2, .sequence = 4};
    dxt_mail_head head;
    size_t size;
    uint32_t count;
    uint64_t *mail = new_mail(&size);
    assert_null(dxt_mail_decode(mail, size, &expect, &head));
    assert_int_equal(head.duration_words, 2 + 3 * 2);
    const dxt_duration *told = dxt_mail_durations(mail, 0, &count);
    assert_int_equal(count, 3);
    assert_true(told[2].number == 12 && told[2].ticks == 5);
    dxt_mail_durations(mail, 1, &count);
    assert_int_equal(count, 0);
    /* The words of the part begin with the count of the first operator. */
    uint64_t *words = mail + size / sizeof *mail - head.duration_words;
    static const uint64_t wrong[] = {0, 2, 4, DXT_MAIL_DURATIONS + 1, UINT64_MAX};
    for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
        words[0] = wrong[w];
        assert_non_null(dxt_mail_decode(mail, size, &expect, &head));
    }
    words[0] = 3;
    assert_null(dxt_mail_decode(mail, size, &expect, &head));
    assert_non_null(dxt_mail_decode(mail, size - 8, &expect, &head));
    free(mail);
    assert_int_equal(dxt_session_duration_mail_size(0, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_rank_is_named_without_a_source),
        cmocka_unit_test(a_silent_rank_is_not_observed),
        cmocka_unit_test(a_mail_that_got_lost_costs_no_operation),
        cmocka_unit_test(unequal_numbers_are_inconclusive),
        cmocka_unit_test(without_a_clock_rate_waits_are_ticks),
        cmocka_unit_test(mails_with_wrong_durations_are_refused),
        cmocka_unit_test(more_than_a_mail_holds_is_thinned_out),
        cmocka_unit_test(what_a_mail_keeps_is_what_python_measures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
