/* SPDX-License-Identifier: Apache-2.0 */
/* Synchronous sessions: exact numbers, faults of ranks, limits. */
#include "test_session_job.h"

#include <math.h>
#include <pthread.h>

#include "alloc_fail.h"

/* ------------------------------------------------------------------ synchronous --- */

static void injected_waits_come_back_exactly(void **state)
{
    (void)state;
    struct job *job = start_job(8, DXT_SESSION_SYNC);
    for (int window = 0; window < 3; window++) {
        for (uint32_t r = 8; r-- > 0;) {
            for (int i = 0; i < OPS; i++) {
                operate(job, r, 5, 23000000);
                assert_int_equal(dxt_session_step(job->sessions[r]), DXT_OK);
            }
        }
        const struct record *record = last_record(job);
        assert_int_equal(dxt_session_windows(job->sessions[0]), window + 1);
        assert_int_equal(dxt_session_windows(job->sessions[1]), 0);
        assert_int_equal(record->index, window);
        assert_true(record->has_begin && record->has_elapsed && !record->has_nodes);
        for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++) {
            assert_int_equal(record->ops[o], OPS);
            for (uint32_t i = 0; i < 64; i++) {
                uint32_t row = i / 8, column = i % 8;
                uint64_t ns = row == 5 ? 0 : column == 5 && o == DXT_DISPATCH ? 23000000 : 1000;
                assert_int_equal(record->missing[row], 0);
                assert_int_equal(record->wait[o][i], OPS * ticks(job, row, ns));
                assert_int_equal(record->samples[o][i], OPS);
                assert_int_equal(record->bytes[o][i], OPS * 4096);
                assert_true(fabs(record->value[o][i] - (double)ns) < 1e-3);
            }
        }
        const dxt_finding *late = find(record, DXT_DISPATCH, DXT_LATE_RANK);
        assert_non_null(late);
        assert_int_equal(late->rank, 5);
        assert_true(fabs(late->wait - 23e6) < 0.01 * 23e6);
        assert_int_equal(record->found_count[DXT_DISPATCH], 1);
    }
    end_job(job);
}

/* Rank 1 receives too much in dispatch and answers later than that in combine: told only by both
 * together. */
static void dispatch_and_combine_explain_each_other(void **state)
{
    (void)state;
    struct job *job = start_job(8, DXT_SESSION_SYNC);
    for (uint32_t r = 8; r-- > 0;) {
        for (int i = 0; i < OPS; i++) {
            for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++) {
                dxt_probe_op op;
                dxt_probe_begin(&op, job->probes[r], o);
                for (uint32_t s = 0; s < 8; s++) {
                    bool much = o == DXT_DISPATCH ? r == 1 && s != 1 : s == 1 && r != 1;
                    int64_t long_ns = o == DXT_DISPATCH ? 80000 : 200000;
                    dxt_probe_wait(&op, s, ticks(job, r, much ? long_ns : r == 1 ? 0 : 1000), 1);
                }
                dxt_probe_end(&op);
            }
            assert_int_equal(dxt_session_step(job->sessions[r]), DXT_OK);
        }
    }
    const dxt_finding *hot = find(last_record(job), DXT_DISPATCH, DXT_HOT_EXPERT);
    assert_non_null(hot);
    assert_int_equal(hot->rank, 1);
    end_job(job);
}

struct rank_thread {
    struct job *job;
    uint32_t rank;
    pthread_barrier_t *barrier;
    dxt_status status;
};

static void *run_rank_thread(void *argument)
{
    struct rank_thread *t = argument;
    for (int i = 0; i < 6 * OPS && t->status == DXT_OK; i++) {
        operate(t->job, t->rank, DXT_NO_RANK, 0);
        pthread_barrier_wait(t->barrier); /* operations synchronise */
        t->status = dxt_session_step(t->job->sessions[t->rank]);
    }
    return NULL;
}

static void ranks_may_be_threads(void **state)
{
    (void)state;
    struct job *job = new_job(4);
    pthread_t threads[4];
    pthread_barrier_t barrier;
    struct rank_thread ranks[4];
    pthread_barrier_init(&barrier, NULL, 4);
    for (uint32_t r = 0; r < 4; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        /* Every window is told in its own step, however late a thread comes. */
        config.deadline_ns = config.patience_ns = INT64_C(60000000000);
        config.node = (int32_t)r / 2;
        start(job, r, &config);
        ranks[r] = (struct rank_thread){job, r, &barrier, DXT_OK};
    }
    for (uint32_t r = 0; r < 4; r++)
        assert_int_equal(pthread_create(&threads[r], NULL, run_rank_thread, &ranks[r]), 0);
    for (uint32_t r = 0; r < 4; r++) {
        pthread_join(threads[r], NULL);
        assert_int_equal(ranks[r].status, DXT_OK);
    }
    pthread_barrier_destroy(&barrier);
    assert_int_equal(atomic_load(&job->records.count), 6);
    for (int w = 0; w < 6; w++) {
        const struct record *record = &job->records.kept[w];
        assert_true(record->has_nodes);
        for (uint32_t i = 0; i < 16; i++) {
            assert_int_equal(record->missing[i / 4], 0);
            assert_int_equal(record->samples[DXT_COMBINE][i], OPS);
            assert_int_equal(record->wait[DXT_COMBINE][i], OPS * ticks(job, i / 4, 1000));
        }
    }
    end_job(job);
}

static void a_silent_rank_is_a_finding(void **state)
{
    (void)state;
    struct job *job = start_job(4, DXT_SESSION_SYNC);
    run_window(job, 2); /* whose mail may still come */
    assert_int_equal(atomic_load(&job->records.count), 0);
    for (int window = 0; window < 3; window++) {
        run_window(job, 2);
        assert_int_equal(atomic_load(&job->records.count), window + 2);
        const struct record *record = last_record(job);
        assert_int_equal(record->index, window + 1);
        for (uint32_t r = 0; r < 4; r++) assert_int_equal(record->missing[r], r == 2);
        for (size_t o = 0; o < DXT_EP_OPERATORS; o++) {
            const dxt_finding *silent = find(record, o, DXT_SILENT_RANK);
            assert_non_null(silent);
            assert_int_equal(silent->rank, 2);
        }
    }
    end_job(job);
}

static void a_rank_that_returns_is_welcome(void **state)
{
    (void)state;
    struct job *job = start_job(3, DXT_SESSION_SYNC);
    run_window(job, DXT_NO_RANK);
    assert_int_equal(last_record(job)->missing[1], 0);
    run_window(job, 1);
    run_window(job, 1);
    assert_int_equal(last_record(job)->missing[1], 1);
    run_rank(job, 1, 2 * OPS); /* late, but there when the next window needs its beginning */
    for (int window = 3; window < 6; window++) {
        run_window(job, DXT_NO_RANK);
        const struct record *record = last_record(job);
        assert_int_equal(record->index, window);
        assert_int_equal(record->missing[1], 0);
        assert_int_equal(record->samples[0][3], OPS);
        assert_int_equal(record->missing[2], 0);
    }
    end_job(job);
}

/* Rank 1 is away for three windows, and all it missed comes at once: each wait is counted in one
 * window at most. */
static void what_was_missed_is_not_counted_later(void **state)
{
    (void)state;
    struct job *job = start_job(3, DXT_SESSION_SYNC);
    run_window(job, DXT_NO_RANK);
    for (int window = 0; window < 3; window++) run_window(job, 1);
    run_rank(job, 1, 3 * OPS);
    run_window(job, DXT_NO_RANK);
    assert_int_equal(last_record(job)->missing[1], 0);
    assert_int_equal(last_record(job)->samples[0][3], OPS);
    end_job(job);
}

static void restarted_counters_are_not_a_window(void **state)
{
    (void)state;
    struct job *job = start_job(3, DXT_SESSION_SYNC);
    run_window(job, DXT_NO_RANK);
    size_t head = sizeof(dxt_probe);
    memset((char *)job->probes[1] + head, 0, dxt_probe_size(DXT_EP_OPERATORS, 3) - head);
    for (int i = 0; i < OPS; i++) /* fewer than before */
        assert_int_equal(dxt_session_step(job->sessions[1]), DXT_OK);
    run_rank(job, 2, OPS);
    run_rank(job, 0, OPS);
    assert_true(is_excused(last_record(job), 1, 3)); /* it is there */
    run_window(job, DXT_NO_RANK);
    assert_false(is_excused(last_record(job), 1, 3));
    assert_int_equal(last_record(job)->samples[0][3], OPS);
    end_job(job);
}

static void warm_up_windows_are_left_out(void **state)
{
    (void)state;
    struct job *job = new_job(2);
    for (uint32_t r = 0; r < 2; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        config.warmup_windows = 2;
        start(job, r, &config);
    }
    for (size_t window = 0; window < 5; window++) {
        run_window(job, DXT_NO_RANK);
        size_t reported = window < 2 ? 0 : window - 1;
        assert_int_equal(atomic_load(&job->records.count), reported);
        assert_int_equal(dxt_session_windows(job->sessions[0]), reported);
    }
    assert_int_equal(job->records.kept[0].index, 0);
    assert_int_equal(job->records.kept[2].index, 2);
    assert_int_equal(job->records.kept[0].samples[0][1], OPS);
    end_job(job);
}

/* ------------------------------------------------------------------ limits --- */

static void wrong_configurations_are_refused(void **state)
{
    (void)state;
    struct job *job = new_job(2);
    dxt_session *session = NULL;
    dxt_probe *narrow, *wide, *alien;
    const dxt_analysis_options unset = {.struct_size = 0};
    dxt_history *history;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    assert_int_equal(dxt_probe_create(2, 1, &narrow), DXT_OK);
    assert_int_equal(dxt_probe_create(3, 2, &wide), DXT_OK);
    assert_int_equal(dxt_probe_create(2, 2, &alien), DXT_OK);
    alien->layout = 99;
    const dxt_session_config good = config_of(job, 0, DXT_SESSION_SYNC);
    dxt_session_config bad[] = {good, good, good, good, good, good, good, good, good, good,
                                good, good, good, good, good, good, good, good, good};
    static const char *const nameless[] = {"dispatch", ""};
    bad[0].struct_size = 0;
    bad[1].probe = NULL;
    bad[2].gather = NULL;
    bad[3].probe = narrow;
    bad[4].probe = wide;
    bad[5].probe = alien;
    bad[6].interval_ns = 999999;
    bad[7].deadline_ns = -1;
    bad[8].node = -2;
    bad[9].operators = nameless;
    bad[10].mode = (dxt_session_mode)7;
    bad[11].analysis = &unset;
    bad[12].operators_count = 3;
    bad[13].struct_size = offsetof(dxt_session_config, probe);
    bad[14].alone = 1;
    bad[14].history = history;
    bad[15].min_share = 1.5;
    bad[16].local_experts = DXT_MAX_LOCAL_EXPERTS + 1;
    bad[17].patience_ns = -1;
    bad[18].origin = (dxt_origin)(DXT_ORIGIN_DURATION + 1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(dxt_session_create(&bad[i], &session), DXT_ERR_INVALID);
    assert_int_equal(dxt_session_create(NULL, &session), DXT_ERR_INVALID);
    assert_int_equal(dxt_session_create(&good, NULL), DXT_ERR_INVALID);
    assert_int_equal(dxt_session_step(NULL), DXT_ERR_INVALID);
    assert_null(session);
    /* A mail that is larger than the gather was made for. */
    const dxt_gather_local_config small = {
        .struct_size = sizeof small, .ranks = 2, .mail_capacity = 128, .memory = job->memory};
    dxt_gather_destroy(job->gathers[0]);
    memset(job->memory, 0, 64);
    assert_int_equal(dxt_gather_create_local(&small, &job->gathers[0]), DXT_OK);
    bad[15].min_share = 0;
    bad[15].gather = job->gathers[0];
    assert_int_equal(dxt_session_create(&bad[15], &session), DXT_ERR_LIMIT);
    assert_null(session);
    dxt_session_destroy(NULL);
    dxt_history_destroy(history);
    dxt_probe_destroy(narrow);
    dxt_probe_destroy(wide);
    dxt_probe_destroy(alien);
    end_job(job);
}

static void every_allocation_of_create_may_fail(void **state)
{
    (void)state;
    struct job *job = new_job(2);
    dxt_session_config config = config_of(job, 0, DXT_SESSION_SYNC);
    config.source = "a test";
    long k = 1;
    dxt_status status;
    for (; alloc_fail_arm(k), status = dxt_session_create(&config, &job->sessions[0]),
                              alloc_fail_disarm();
         k++) {
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_null(job->sessions[0]);
    }
    assert_int_equal(status, DXT_OK);
    assert_true(k > 10);
    end_job(job);
}

/* Fail every allocation of the window after @p before others, each time in a new session, since it
 * switches itself off. @return How many there are. */
static long allocations_of_a_window(uint64_t before)
{
    bool failed = true;
    long k = 1;
    for (; failed; k++) {
        struct job *job = start_job(3, DXT_SESSION_SYNC);
        for (uint64_t window = 0; window < before; window++) run_window(job, DXT_NO_RANK);
        run_rank(job, 1, OPS);
        run_rank(job, 2, OPS);
        run_rank(job, 0, OPS - 1);
        alloc_fail_arm(k);
        dxt_status status = dxt_session_step(job->sessions[0]);
        failed = alloc_fail_disarm();
        assert_int_equal(status, failed ? DXT_ERR_NO_MEMORY : DXT_OK);
        assert_int_equal(dxt_session_step(job->sessions[0]), status);
        assert_int_equal(dxt_session_windows(job->sessions[0]), before + (failed ? 0 : 1));
        end_job(job);
    }
    return k - 2;
}

static void every_allocation_of_a_diagnosis_may_fail(void **state)
{
    (void)state;
    long first = allocations_of_a_window(0);
    print_message("%ld allocations in the first window\n", first);
    assert_true(first > 10);
    assert_int_equal(allocations_of_a_window(1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(injected_waits_come_back_exactly),
        cmocka_unit_test(dispatch_and_combine_explain_each_other),
        cmocka_unit_test(ranks_may_be_threads),
        cmocka_unit_test(a_silent_rank_is_a_finding),
        cmocka_unit_test(a_rank_that_returns_is_welcome),
        cmocka_unit_test(what_was_missed_is_not_counted_later),
        cmocka_unit_test(restarted_counters_are_not_a_window),
        cmocka_unit_test(warm_up_windows_are_left_out),
        cmocka_unit_test(wrong_configurations_are_refused),
        cmocka_unit_test(every_allocation_of_create_may_fail),
        cmocka_unit_test(every_allocation_of_a_diagnosis_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
