/* SPDX-License-Identifier: Apache-2.0 */
/* Synchronous sessions whose transports fail, or whose mails come late. */
#include "test_session_job.h"

#include "alloc_fail.h"

/* ------------------------------------------------------------------ transports --- */

static _Atomic int warnings, all_clear, errors;

static void count_messages(void *context, dxt_log_level level, const char *message)
{
    if (level == DXT_LOG_WARNING && strstr(message, context)) warnings++;
    if (level == DXT_LOG_INFO && strstr(message, "again")) all_clear++;
    if (level == DXT_LOG_ERROR) errors++;
}

static void listen_for(char *text)
{
    warnings = all_clear = errors = 0;
    dxt_set_log(count_messages, text);
}

/* What went wrong was told once, and that it was over once. */
static void expect_one_warning(void)
{
    dxt_set_log(NULL, NULL);
    assert_int_equal(warnings, 1);
    assert_int_equal(all_clear, 1);
    assert_int_equal(errors, 0);
}

static void check_off(struct job *job, uint32_t rank, dxt_status status)
{
    static char off[] = "switched off";
    listen_for(off);
    for (int i = 0; i < OPS - 1; i++)
        assert_int_equal(dxt_session_step(job->sessions[rank]), DXT_OK);
    for (int i = 0; i < 3 * OPS; i++)
        assert_int_equal(dxt_session_step(job->sessions[rank]), status);
    dxt_set_log(NULL, NULL);
    assert_int_equal(warnings, 1);
}

static void a_lasting_failure_switches_the_session_off(void **state)
{
    (void)state;
    struct faulty faulty = {.publish_status = DXT_OK};
    struct job *job = start_faulty_job(1, &faulty);
    faulty.publish_status = DXT_ERR_LIMIT;
    check_off(job, 1, DXT_ERR_LIMIT);
    for (int window = 0; window < 2; window++) { /* goes on without */
        run_rank(job, 2, OPS);
        run_rank(job, 0, OPS);
    }
    assert_int_equal(last_record(job)->missing[1], 1);
    assert_int_equal(last_record(job)->missing[2], 0);
    end_faulty_job(job, &faulty);

    faulty = (struct faulty){.collect_status = DXT_ERR_STATE};
    job = start_faulty_job(0, &faulty);
    check_off(job, 0, DXT_ERR_STATE);
    assert_int_equal(atomic_load(&job->records.count), 0);
    end_faulty_job(job, &faulty);
}

/* Mails 2 and 3 are lost: windows 1 to 3 have no row (window k ends with mail k + 1), and none of
 * their waits turns up later. With mail 4 the rank is there again. */
static void a_mail_that_cannot_be_published_is_missing(void **state)
{
    (void)state;
    static const uint8_t missing[] = {0, 1, 1, 0, 0, 0};
    static char cannot[] = "cannot publish";
    struct faulty faulty = {.publish_status = DXT_OK};
    struct job *job = start_faulty_job(1, &faulty);
    listen_for(cannot);
    for (int window = 0; window < 6; window++) {
        bool fails = window == 1 || window == 2;
        faulty.publish_status = !fails ? DXT_OK : window == 1 ? DXT_ERR_IO : DXT_ERR_TIMEOUT;
        run_window(job, DXT_NO_RANK);
        assert_int_equal(atomic_load(&job->records.count), window == 1 ? 1 : window + 1);
        if (window == 1) continue; /* it may still come */
        const struct record *record = last_record(job);
        assert_int_equal(record->missing[1], missing[window]);
        assert_int_equal(record->samples[0][3], missing[window] || window == 3 ? 0 : OPS);
        assert_int_equal(is_excused(record, 1, 3), window == 3);
        assert_int_equal(record->missing[2], 0);
    }
    expect_one_warning();
    end_faulty_job(job, &faulty);
}

/* With a deadline of an hour the test's time limit watches. */
static void rank_0_does_not_wait_for_a_mail_it_could_not_publish(void **state)
{
    (void)state;
    struct faulty faulty = {.publish_status = DXT_OK};
    struct job *job = new_job(3);
    put_before(job, 0, &faulty);
    for (uint32_t r = 0; r < 3; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        config.deadline_ns = INT64_C(3600000000000);
        start(job, r, &config);
    }
    faulty.publish_status = DXT_ERR_IO;
    run_window(job, DXT_NO_RANK);
    assert_int_equal(last_record(job)->missing[0], 1);
    assert_int_equal(last_record(job)->missing[1], 0);
    faulty.publish_status = DXT_OK;
    for (int window = 0; window < 2; window++) run_window(job, DXT_NO_RANK);
    assert_int_equal(last_record(job)->missing[0], 0);
    end_faulty_job(job, &faulty);
}

/* Nothing of rank 1 can be read for two windows; its mails are all there, so the first window after
 * that is right again. */
static void a_store_that_is_gone_for_a_while_is_missed(void **state)
{
    (void)state;
    static char cannot[] = "cannot collect";
    struct faulty faulty = {.collect_status = DXT_OK};
    struct job *job = start_faulty_job(0, &faulty);
    listen_for(cannot);
    for (int window = 0; window < 5; window++) {
        bool gone = window == 1 || window == 2;
        faulty.collect_status = !gone ? DXT_OK : window == 1 ? DXT_ERR_IO : DXT_ERR_TIMEOUT;
        run_window(job, DXT_NO_RANK);
        if (window == 1) continue; /* it may still come */
        const struct record *record = last_record(job);
        assert_int_equal(record->missing[1], gone);
        assert_int_equal(record->samples[0][3], gone ? 0 : OPS);
        assert_int_equal(record->missing[2], 0);
    }
    expect_one_warning();
    end_faulty_job(job, &faulty);
}

static void a_malformed_mail_is_a_missing_row(void **state)
{
    (void)state;
    struct faulty faulty = {.scramble = true};
    struct job *job = start_faulty_job(0, &faulty);
    run_window(job, DXT_NO_RANK);
    assert_int_equal(last_record(job)->missing[1], 1);
    assert_int_equal(last_record(job)->missing[2], 0);
    faulty.scramble = false;
    for (int window = 0; window < 2; window++) run_window(job, DXT_NO_RANK);
    assert_int_equal(last_record(job)->missing[1], 0);
    end_faulty_job(job, &faulty);
}

/* However long the deadline: who is silent is looked for once or twice. */
static void a_dead_rank_costs_the_deadline_once(void **state)
{
    (void)state;
    struct faulty faulty = {.looks = 0};
    struct job *job = start_faulty_job(0, &faulty);
    for (int window = 0; window < 2; window++) run_window(job, 1);
    for (int window = 0; window < 3; window++) {
        faulty.looks = 0;
        run_window(job, 1);
        assert_in_range(faulty.looks, 1, 6);
    }
    end_faulty_job(job, &faulty);
}

/* ------------------------------------------------------------------ late mails --- */

/* Rank 1's mails lie behind a door that shows those up to `shown`. */
struct slow_mails {
    dxt_gather *inner;
    int64_t shown; /* −1 = none */
    uint64_t current;
    int looks; /* at mail `current` */
};

static dxt_status slow_publish(void *context, uint64_t sequence, const void *mail, size_t size)
{
    struct slow_mails *slow = context;
    return dxt_gather_publish(slow->inner, sequence, mail, size);
}

static dxt_status slow_collect(void *context, uint32_t rank, uint64_t wanted, void *mail,
                               size_t capacity, size_t *size, uint64_t *sequence)
{
    struct slow_mails *slow = context;
    if (rank == 1 && wanted == slow->current) slow->looks++;
    if (rank == 1 && slow->shown < 0) return DXT_AGAIN;
    uint64_t shown = (uint64_t)slow->shown;
    if (rank == 1 && wanted == DXT_GATHER_NEWEST) wanted = shown;
    if (rank == 1 && wanted > shown) return DXT_AGAIN;
    return dxt_gather_collect(slow->inner, rank, wanted, mail, capacity, size, sequence);
}

static struct job *start_slow_job(struct slow_mails *slow)
{
    struct job *job = new_job(3);
    const dxt_gather_transport transport = {.struct_size = sizeof transport,
                                            .context = slow,
                                            .publish = slow_publish,
                                            .collect = slow_collect};
    slow->inner = job->gathers[0];
    assert_int_equal(dxt_gather_create(0, 3, &transport, &job->gathers[0]), DXT_OK);
    for (uint32_t r = 0; r < 3; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        config.deadline_ns = 50000000;
        config.patience_ns = 20000000; /* on a busy machine, too */
        start(job, r, &config);
    }
    return job;
}

/* Mails that take so many windows: their windows are told so much later, with their own numbers,
 * and nobody is silent. */
static void late_mails_make_late_windows(void **state)
{
    (void)state;
    for (int64_t late = 0; late <= 3; late++) {
        struct slow_mails slow = {.shown = -1};
        struct job *job = start_slow_job(&slow);
        for (int64_t window = 1; window <= 12; window++) {
            slow.shown = window - late;
            run_window(job, DXT_NO_RANK);
        }
        size_t count = atomic_load(&job->records.count);
        assert_int_equal(count, 12 - late);
        for (size_t k = 0; k < count; k++) {
            const struct record *record = &job->records.kept[k];
            assert_int_equal(record->index, k);
            assert_int_equal(record->missing[1], 0);
            assert_int_equal(record->samples[0][3], OPS);
        }
        end_job(job); /* tells of the others */
        dxt_gather_destroy(slow.inner);
    }
}

/* What is missing when the program ends is told then. */
static void the_last_windows_are_told_at_the_end(void **state)
{
    (void)state;
    struct slow_mails slow = {.shown = 0};
    struct job *job = start_slow_job(&slow);
    for (int64_t window = 1; window <= 4; window++) {
        slow.shown = window - 1;
        run_window(job, DXT_NO_RANK);
    }
    assert_int_equal(atomic_load(&job->records.count), 3);
    slow.shown = 4;
    dxt_session_destroy(job->sessions[0]);
    job->sessions[0] = NULL;
    assert_int_equal(atomic_load(&job->records.count), 4);
    assert_int_equal(last_record(job)->index, 3);
    assert_int_equal(last_record(job)->samples[0][3], OPS);
    end_job(job);
    dxt_gather_destroy(slow.inner);
}

/* A rank that is late again and again is waited for ever more seldom: looked at more than once. */
static void who_is_late_is_waited_for_less_and_less(void **state)
{
    (void)state;
    struct slow_mails slow = {.shown = 0};
    struct job *job = start_slow_job(&slow);
    bool waited[40];
    for (int64_t window = 1; window < 40; window++) {
        slow.shown = window - 1;
        slow.current = (uint64_t)window;
        slow.looks = 0;
        run_window(job, DXT_NO_RANK);
        waited[window] = slow.looks > 1;
    }
    for (int64_t window = 1; window < 40; window++)
        assert_int_equal(waited[window], window == 1 || window == 3 || window == 6 ||
                                             window == 11 || window == 20 || window == 37);
    slow.shown = 40;
    run_window(job, DXT_NO_RANK); /* in time */
    slow.current = 41;
    slow.looks = 0;
    run_window(job, DXT_NO_RANK);
    assert_true(slow.looks > 1);
    end_job(job);
    dxt_gather_destroy(slow.inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lasting_failure_switches_the_session_off),
        cmocka_unit_test(a_mail_that_cannot_be_published_is_missing),
        cmocka_unit_test(rank_0_does_not_wait_for_a_mail_it_could_not_publish),
        cmocka_unit_test(a_store_that_is_gone_for_a_while_is_missed),
        cmocka_unit_test(a_malformed_mail_is_a_missing_row),
        cmocka_unit_test(a_dead_rank_costs_the_deadline_once),
        cmocka_unit_test(late_mails_make_late_windows),
        cmocka_unit_test(the_last_windows_are_told_at_the_end),
        cmocka_unit_test(who_is_late_is_waited_for_less_and_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
