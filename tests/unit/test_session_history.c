/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that judge their windows with those before them, for weeks and in the same memory. */
#include "test_session_job.h"

#include <math.h>

#include "alloc_fail.h"
#include "arrivals.h"

#define US 1e3

/* ------------------------------------------------------------------ a modelled job --- */

enum { RANKS = 8, BATCH = 10 };

/* Arrivals with a known truth, whose waits a session reads as counters from elsewhere. The clock is
 * that of the model. */
struct model {
    struct job *job;
    arrivals arrivals;
    int64_t time_ns;
    struct reader {
        struct model *model;
        uint32_t rank;
    } readers[RANKS];
};

static dxt_status read_model(void *context, dxt_snapshot *out)
{
    struct reader *reader = context;
    const dxt_probe *counters = reader->model->job->probes[reader->rank];
    memcpy(out->data, counters, dxt_probe_size(DXT_EP_OPERATORS, RANKS));
    out->data->ticks_per_second = 1000000000;
    out->time_ns = reader->model->time_ns;
    return DXT_OK;
}

static dxt_session_config model_config(struct model *m, uint32_t rank)
{
    dxt_session_config config = config_of(m->job, rank, DXT_SESSION_SYNC);
    config.probe = NULL;
    config.snapshot = read_model;
    config.snapshot_context = &m->readers[rank];
    config.operators_count = DXT_EP_OPERATORS;
    return config;
}

/* 220 µs a step, of which arrivals vary by 3 µs, as in the measured jobs. */
static void begin_model(struct model *m, uint64_t seed, uint64_t interval_ops, int alone,
                        dxt_history *history)
{
    *m = (struct model){
        .job = new_job(RANKS),
        .arrivals = {
            .ranks = RANKS, .ops = BATCH, .seed = seed, .step = 220 * US, .jitter = 3 * US}};
    for (uint32_t r = 0; r < RANKS; r++) {
        m->readers[r] = (struct reader){m, r};
        dxt_session_config config = model_config(m, r);
        config.interval_ops = interval_ops;
        config.alone = alone;
        config.history = history;
        start(m->job, r, &config);
    }
}

static void pass_steps(struct model *m)
{
    for (uint32_t r = RANKS; r-- > 0;)
        for (int i = 0; i < BATCH; i++)
            assert_int_equal(dxt_session_step(m->job->sessions[r]), DXT_OK);
    m->arrivals.seed += 7919;
}

/* A few steps of all ranks; the late are so in dispatch. */
static void run_batch(struct model *m)
{
    static const char *const phases[DXT_EP_OPERATORS] = {"dispatch", "combine"};
    const arrivals as_given = m->arrivals;
    m->time_ns += (int64_t)(BATCH * as_given.step);
    for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++) {
        dxt_window *window = arrivals_window(&m->arrivals, phases[o]);
        for (uint32_t r = 0; r < RANKS; r++) {
            dxt_probe_operator(m->job->probes[r], o)->ops += BATCH;
            for (uint32_t s = 0; s < RANKS; s++)
                dxt_probe_cell(m->job->probes[r], o, s)->wait_ticks_sum +=
                    (uint64_t)window->wait[r * RANKS + s];
        }
        dxt_window_free(window);
        memset(m->arrivals.late, 0, sizeof m->arrivals.late);
        m->arrivals.seed++;
    }
    m->arrivals = as_given;
    pass_steps(m);
}

/* The job does something else for a while. */
static void idle_batch(struct model *m)
{
    m->time_ns += (int64_t)(BATCH * m->arrivals.step);
    pass_steps(m);
}

/* Whether the newest window calls this rank, and nobody else, late in dispatch. */
static bool names(const struct model *m, uint32_t rank)
{
    const struct record *record = &m->job->records.kept[atomic_load(&m->job->records.count) - 1];
    assert_in_range(atomic_load(&m->job->records.count), 1, KEPT);
    const dxt_finding *late = find(record, DXT_DISPATCH, DXT_LATE_RANK);
    return record->found_count[DXT_DISPATCH] == 1 && late && late->rank == rank;
}

/* Late by 1.3 % of the step, which one window of ten operations does not show for certain. */
static int windows_that_name(uint64_t seed, int alone)
{
    struct model m;
    int named = 0;
    begin_model(&m, seed, BATCH, alone, NULL);
    for (int window = 0; window < 30; window++) {
        if (window == 10) m.arrivals.late[3] = 3 * US;
        run_batch(&m);
        named += names(&m, 3);
    }
    end_job(m.job);
    return named;
}

static void what_stays_is_named_though_it_is_small(void **state)
{
    (void)state;
    int together = windows_that_name(1, 0), alone = windows_that_name(1, 1);
    print_message("named in %d of 20 windows with history, in %d without\n", together, alone);
    assert_in_range(together, 10, 20);
    assert_in_range(alone, 0, together - 5);
}

/* Steps after the onset of a slowdown of 10 % until it is named; with the default window. */
static int detection_delay(uint64_t seed)
{
    struct model m;
    begin_model(&m, seed, 0, 0, NULL);
    int onset = 500 + (int)(seed * 37 % 100) / BATCH * BATCH, step = 0;
    m.arrivals.jitter = 15 * US; /* 25 % of a compute of 60 µs */
    for (bool named = false; !named && step < onset + 1000;) {
        m.arrivals.late[5] = step >= onset ? 22 * US : 0;
        run_batch(&m);
        step += BATCH;
        if (step % 100 == 0) named = names(&m, 5);
    }
    end_job(m.job);
    return step - onset;
}

static void a_slowdown_is_named_within_200_operations(void **state)
{
    (void)state;
    int in_time = 0, longest = 0;
    enum { RUNS = 60 };
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        int delay = detection_delay(seed);
        assert_true(delay > 0); /* nobody is named before */
        in_time += delay <= 200;
        if (delay > longest) longest = delay;
    }
    print_message("%d of %d within 200 operations, the last after %d\n", in_time, RUNS, longest);
    assert_true(in_time * 100 >= 95 * RUNS);
}

static dxt_run_identity run_of(const dxt_history *history)
{
    dxt_run_identity run = {.struct_size = sizeof run};
    assert_int_equal(dxt_history_run(history, &run), DXT_OK);
    return run;
}

/* Late from window 10 to 17, between which the job pauses twice. */
static void a_history_of_the_caller_tells_when(void **state)
{
    (void)state;
    struct model m;
    dxt_history *history;
    dxt_episode *episodes;
    size_t count;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    begin_model(&m, 3, BATCH, 0, history);
    for (int window = 0; window < 30; window++) {
        m.arrivals.late[2] = window >= 10 && window < 18 ? 22 * US : 0;
        if (window == 13 || window == 14) {
            idle_batch(&m);
            assert_int_equal(last_record(m.job)->ops[DXT_DISPATCH], 0);
            continue;
        }
        run_batch(&m);
        assert_int_equal(names(&m, 2), window >= 10 && window < 18);
        assert_int_equal(run_of(history).ranks, RANKS);
    }
    assert_int_equal(dxt_history_windows(history), 28);
    end_job(m.job); /* and the history is still there */
    assert_int_equal(dxt_history_summary(history, &episodes, &count), DXT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(episodes[0].kind, DXT_LATE_RANK);
    assert_int_equal(episodes[0].rank, 2);
    assert_int_equal(episodes[0].first, 10);
    assert_int_equal(episodes[0].last, 17);
    assert_int_equal(episodes[0].seen, 6);
    assert_int_equal(episodes[0].windows, 6);
    assert_false(episodes[0].ongoing);
    free(episodes);
    dxt_history_destroy(history);
}

static _Atomic size_t diagnosed;

static void count_operators(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    for (size_t o = 0; o < count; o++)
        assert_int_equal(diagnoses[o].findings->ranks, diagnoses[o].window->ranks);
    *(size_t *)context = count;
    atomic_fetch_add(&diagnosed, 1);
}

/* An interval in which the others wait for one rank in every operator. One of them may be of those
 * whose operations are not counted. */
static void run_all_operators(struct job *job, uint32_t rank, uint32_t late, uint32_t uncounted)
{
    for (int i = 0; i < OPS; i++) {
        for (uint32_t o = 0; o < job->probes[rank]->operators; o++) {
            if (o == uncounted) {
                dxt_probe_cell(job->probes[rank], o, late)->wait_ticks_sum += 100;
                continue;
            }
            dxt_probe_op op;
            dxt_probe_begin(&op, job->probes[rank], o);
            for (uint32_t s = 0; s < job->ranks; s++)
                dxt_probe_wait(&op, s, ticks(job, rank, s == late && rank != late ? 23000000 : 10),
                               1);
            dxt_probe_end(&op);
        }
        assert_int_equal(dxt_session_step(job->sessions[rank]), DXT_OK);
    }
}

static void more_operators_than_a_history_has(void **state)
{
    (void)state;
    enum { MANY = DXT_HISTORY_OPERATORS + 2 };
    static const char *const operators[MANY] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    struct job *job = new_job_of(3, MANY);
    dxt_history *history;
    size_t count = 0;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    for (uint32_t r = 0; r < 3; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        config.operators = operators;
        config.history = history;
        config.on_diagnosis = count_operators;
        config.on_diagnosis_context = &count;
        start(job, r, &config);
    }
    /* When it is counted at last, its measure is another, and when it has been so for as long as it
     * was not, the run begins anew: what has just been said of the others must stay until the
     * callback has read it. */
    for (int window = 0; window < 6; window++)
        for (uint32_t r = 3; r-- > 0;) run_all_operators(job, r, 2, window < 2 ? 7 : MANY);
    assert_int_equal(count, MANY);
    end_job(job);
    dxt_episode *episodes;
    assert_int_equal(dxt_history_windows(history), 3);
    assert_int_equal(dxt_history_summary(history, &episodes, &count), DXT_OK);
    size_t late = 0;
    for (size_t e = 0; e < count; e++) {
        assert_in_range(episodes[e].phase[0], 'a', 'a' + DXT_HISTORY_OPERATORS - 1);
        late += episodes[e].kind == DXT_LATE_RANK && episodes[e].rank == 2;
    }
    assert_int_equal(late, DXT_HISTORY_OPERATORS);
    free(episodes);
    dxt_history_destroy(history);
}

/* ------------------------------------------------------------------ memory --- */

static bool is_silent(uint32_t rank, int window)
{
    return (rank == 1 && window >= 10 && window < 13) || (rank == 5 && window % 20 == 11) ||
           (rank == 6 && window == 0) || (rank >= 2 && window == 30);
}

static void run_rank_with(struct job *job, uint32_t rank, uint32_t late)
{
    for (int i = 0; i < OPS; i++) {
        operate(job, rank, late, 23000000);
        assert_int_equal(dxt_session_step(job->sessions[rank]), DXT_OK);
    }
}

/* What befalls the job in a window: nothing, then a late rank, silent ones, and their return with
 * all that they missed. */
static void run_eventful_window(struct job *job, int window, int missed[MOST])
{
    uint32_t late = window >= 5 && window % 7 < 4 ? 3 : DXT_NO_RANK;
    for (uint32_t r = job->ranks; r-- > 0;) {
        missed[r]++;
        for (; missed[r] > 0 && !is_silent(r, window); missed[r]--) run_rank_with(job, r, late);
    }
}

static void nothing_is_allocated_after_the_first_window(void **state)
{
    (void)state;
    bool missing = false, returned = false, named = false;
    int missed[MOST] = {0};
    struct job *job = start_job(MOST, DXT_SESSION_SYNC);
    for (int window = 0; window < KEPT; window++) {
        bool first = atomic_load(&job->records.count) == 0;
        alloc_count_begin();
        run_eventful_window(job, window, missed);
        if (!first) assert_int_equal(alloc_count(), 0);
        if (atomic_load(&job->records.count) == 0) continue;
        const struct record *record = last_record(job);
        returned |= missing && !record->missing[1];
        missing |= record->missing[1];
        named |= find(record, DXT_DISPATCH, DXT_LATE_RANK) != NULL;
    }
    assert_true(missing && returned && named);
    end_job(job);
}

static void wait_for_windows(size_t more)
{
    size_t until = atomic_load(&diagnosed) + more;
    while (atomic_load(&diagnosed) < until) usleep(1000);
}

static atomic_bool told_missing, told_present, told_operations;

static void look_at_rank_1(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    bool missing = diagnoses[0].window->missing[1];
    if (diagnoses[0].window->ops > 0 && diagnoses[1].window->ops > 0)
        atomic_store(&told_operations, true);
    if (missing) atomic_store(&told_missing, true);
    if (!missing && atomic_load(&told_missing)) atomic_store(&told_present, true);
    count_operators(context, diagnoses, count);
}

/* Steps of all ranks until windows have come; rank 2 is late. */
static void keep_busy(struct job *job, size_t windows)
{
    size_t until = atomic_load(&diagnosed) + windows;
    while (atomic_load(&diagnosed) < until) {
        for (uint32_t r = 0; r < job->ranks; r++) operate(job, r, 2, 5000000);
        usleep(500);
    }
}

static void nothing_is_allocated_on_the_thread(void **state)
{
    (void)state;
    struct faulty faulty = {.publish_status = DXT_OK};
    struct job *job = new_job(3);
    size_t count = 0;
    put_before(job, 1, &faulty);
    for (uint32_t r = 0; r < 3; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_ASYNC);
        config.on_diagnosis = look_at_rank_1;
        config.on_diagnosis_context = &count;
        start(job, r, &config);
    }
    while (!atomic_load(&told_operations)) keep_busy(job, 1);
    alloc_count_begin();
    for (int round = 0; round < 3; round++) {
        faulty.publish_status = DXT_ERR_IO;
        keep_busy(job, 4);
        while (!atomic_load(&told_missing)) keep_busy(job, 1);
        faulty.publish_status = DXT_OK;
        keep_busy(job, 5);
        wait_for_windows(3); /* in which nothing is done */
    }
    long allocations = alloc_count();
    for (uint32_t r = 0; r < 3; r++) {
        dxt_session_destroy(job->sessions[r]);
        job->sessions[r] = NULL;
    }
    assert_int_equal(allocations, 0);
    assert_true(atomic_load(&told_missing));
    assert_true(atomic_load(&told_present));
    end_faulty_job(job, &faulty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_is_named_though_it_is_small),
        cmocka_unit_test(a_slowdown_is_named_within_200_operations),
        cmocka_unit_test(a_history_of_the_caller_tells_when),
        cmocka_unit_test(more_operators_than_a_history_has),
        cmocka_unit_test(nothing_is_allocated_after_the_first_window),
        cmocka_unit_test(nothing_is_allocated_on_the_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
