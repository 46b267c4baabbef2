/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous sessions: a thread of their own, in nobody's way. */
#include "test_session_job.h"

#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

/* The wall clock as the session sees it. */
int64_t __real_dxt_realtime_ns(void);
int64_t __wrap_dxt_realtime_ns(void);
static _Atomic int64_t clock_is_off_ns;
static _Atomic int64_t clock_stands_ns; /* there; 0 = it does not stand */

int64_t __wrap_dxt_realtime_ns(void)
{
    int64_t stands_ns = clock_stands_ns;
    return stands_ns ? stands_ns : __real_dxt_realtime_ns() + clock_is_off_ns;
}

static void wait_for_windows(const struct job *job, size_t more)
{
    size_t until = atomic_load(&job->records.count) + more;
    while (atomic_load(&job->records.count) < until) usleep(1000);
}

static void nothing_is_lost_between_windows(void **state)
{
    (void)state;
    struct job *job = start_job(3, DXT_SESSION_ASYNC);
    wait_for_windows(job, 3);
    atomic_store(&job->records.feeding, true);
    wait_for_windows(job,
                     2); /* one of them began before, and nobody may have seen who is missing */
    for (int i = 0; i < 2000; i++) {
        for (uint32_t r = 0; r < 3; r++) {
            operate(job, r, 2, 5000);
            assert_int_equal(dxt_session_step(job->sessions[r]), DXT_OK);
        }
        if (i % 20 == 0) usleep(1000);
    }
    /* A rank that is behind is asked for mails of up to so many windows ago. */
    wait_for_windows(job, 2 * DXT_GATHER_DEPTH);
    for (uint32_t r = 0; r < 3; r++) {
        dxt_session_destroy(job->sessions[r]);
        job->sessions[r] = NULL;
    }
    assert_true(atomic_load(&job->records.count) > 7);
    assert_false(job->records.ever_missing[0]);
    for (uint32_t r = 0; r < 3; r++) {
        for (uint32_t c = 0; c < 3; c++) {
            int64_t fed = (int64_t)dxt_probe_cell(job->probes[r], DXT_DISPATCH, c)->wait_ticks_sum;
            /* On a machine that stands still for two intervals a mail comes too late. */
            if (job->records.ever_missing[r])
                assert_true(job->records.total[r * MOST + c] <= fed);
            else
                assert_int_equal(job->records.total[r * MOST + c], fed);
        }
    }
    end_job(job);
}

static void a_stopped_rank_falls_silent(void **state)
{
    (void)state;
    struct faulty faulty = {.publish_status = DXT_OK};
    struct job *job = new_job(3);
    put_before(job, 1, &faulty);
    for (uint32_t r = 0; r < 3; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_ASYNC);
        config.interval_ns = config.deadline_ns = 100000000;
        start(job, r, &config);
    }
    wait_for_windows(job, 3);
    atomic_store(&faulty.publish_status, DXT_ERR_IO);
    while (!last_record(job)->missing[1]) wait_for_windows(job, 1);
    dxt_session_destroy(job->sessions[0]);
    job->sessions[0] = NULL;
    const struct record *record = last_record(job);
    assert_int_equal(record->missing[1], 1);
    assert_non_null(find(record, DXT_DISPATCH, DXT_SILENT_RANK));
    end_faulty_job(job, &faulty);
}

/* Whose session has ended, as that of a program that is done or detached, is not silent. */
static void who_leaves_is_not_silent(void **state)
{
    (void)state;
    struct job *job = start_job(3, DXT_SESSION_ASYNC);
    wait_for_windows(job, 3);
    dxt_session_destroy(job->sessions[1]);
    job->sessions[1] = NULL;
    wait_for_windows(job, 1); /* it may have begun before */
    for (int window = 0; window < 4; window++) {
        wait_for_windows(job, 1);
        const struct record *record = last_record(job);
        assert_int_equal(record->missing[1], 0);
        assert_null(find(record, DXT_DISPATCH, DXT_SILENT_RANK));
    }
    dxt_session_destroy(job->sessions[0]);
    job->sessions[0] = NULL;
    assert_int_equal(last_record(job)->wait[0][3], DXT_NOT_OBSERVED);
    end_job(job);
}

/* The threads that diagnose have a name and leave signals to the job. @return How many there are: a
 * thread gives itself its name, when it first runs. */
static int check_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    int found = 0;
    assert_non_null(tasks);
    for (struct dirent *task; (task = readdir(tasks));) {
        char path[300], line[128];
        snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        bool ours = false;
        uint64_t blocked = 0;
        while (fgets(line, sizeof line, file)) {
            if (strcmp(line, "Name:\tdxt-session\n") == 0) ours = true;
            sscanf(line, "SigBlk:\t%" SCNx64, &blocked);
        }
        fclose(file);
        if (!ours) continue;
        found++;
        assert_true(blocked >> (SIGTERM - 1) & 1);
        assert_true(blocked >> (SIGINT - 1) & 1);
        assert_true(blocked >> (SIGUSR1 - 1) & 1);
    }
    closedir(tasks);
    return found;
}

static void the_thread_keeps_out_of_the_way(void **state)
{
    (void)state;
    struct job *job = start_job(2, DXT_SESSION_ASYNC);
    while (check_threads() < 2) usleep(1000);
    assert_int_equal(check_threads(), 2);
    /* A child may clean up what it inherited. */
    pid_t child = fork();
    if (child == 0) {
        dxt_session_destroy(job->sessions[0]);
        _exit(0);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    wait_for_windows(job, 1);
    end_job(job);
}

/* A window of ten days must not hold up the end of the job; the test's time limit watches. */
static void an_idle_session_ends_at_once(void **state)
{
    (void)state;
    struct job *job = new_job(2);
    for (uint32_t r = 0; r < 2; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_ASYNC);
        config.interval_ns = INT64_C(864000000000000);
        config.deadline_ns = config.interval_ns;
        start(job, r, &config);
    }
    end_job(job);
}

/* Told to end while it waits for rank 1, which was never there, rank 0 gives the window up. By its
 * clock, the first window of ten days is about to end. */
static void a_waiting_session_ends_at_once(void **state)
{
    (void)state;
    struct faulty faulty = {.looks = 0};
    struct job *job = new_job(3);
    put_before(job, 0, &faulty);
    dxt_session_config config = config_of(job, 0, DXT_SESSION_ASYNC);
    config.interval_ns = config.deadline_ns = INT64_C(864000000000000);
    clock_stands_ns = 2000 * config.interval_ns - 1000000;
    start(job, 0, &config);
    while (faulty.looks == 0) usleep(1000);
    dxt_session_destroy(job->sessions[0]);
    job->sessions[0] = NULL;
    assert_int_equal(atomic_load(&job->records.count), 0);
    clock_stands_ns = 0;
    end_faulty_job(job, &faulty);
}

static _Atomic int64_t set_clock_ns;

/* Between two windows, when the session knows which is next. */
static void set_clock(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    on_diagnosis(context, diagnoses, count);
    clock_is_off_ns = set_clock_ns;
}

/* By 60 years forth and back, which is more than any machine has been up, and by half an interval.
 * The test's time limit watches. */
static void the_wall_clock_may_be_set(void **state)
{
    (void)state;
    struct job *job = new_job(2);
    for (uint32_t r = 0; r < 2; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_ASYNC);
        config.on_diagnosis = set_clock;
        start(job, r, &config);
    }
    static const int64_t set_ns[] = {INT64_C(1900000000000000000), 0, 7000000, -1000000,
                                     INT64_C(-1700000000000000000)};
    for (size_t i = 0; i < sizeof set_ns / sizeof set_ns[0]; i++) {
        set_clock_ns = set_ns[i];
        wait_for_windows(job, 4);
    }
    end_job(job);
    clock_is_off_ns = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_between_windows),
        cmocka_unit_test(a_stopped_rank_falls_silent),
        cmocka_unit_test(who_leaves_is_not_silent),
        cmocka_unit_test(the_thread_keeps_out_of_the_way),
        cmocka_unit_test(an_idle_session_ends_at_once),
        cmocka_unit_test(a_waiting_session_ends_at_once),
        cmocka_unit_test(the_wall_clock_may_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
