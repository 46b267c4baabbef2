/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions over counters, clocks, names, jobs and callers that are not quite ours. */
#include "test_session_job.h"

#include <math.h>

/* ------------------------------------------------------------------ counters --- */

/* What counters that are only sums have after an interval in which all waited for rank 2. */
static void count_sums(dxt_probe *counters, uint32_t rank)
{
    for (uint32_t o = 0; o < counters->operators; o++) {
        for (uint32_t s = 0; s < counters->sources; s++) {
            bool late = o == DXT_DISPATCH && s == 2 && rank != 2;
            dxt_probe_cell(counters, o, s)->wait_ticks_sum += late ? 1000000000 : 1000;
        }
    }
}

static void count_steps(struct job *job)
{
    for (uint32_t r = job->ranks; r-- > 0;)
        for (int i = 0; i < OPS; i++) assert_int_equal(dxt_session_step(job->sessions[r]), DXT_OK);
}

static void check_sums(const struct record *record)
{
    assert_int_equal(record->samples[DXT_DISPATCH][2], -1);
    assert_int_equal(record->bytes[DXT_DISPATCH][2], -1);
    assert_int_equal(record->wait[DXT_DISPATCH][2], 1000000000);
    const dxt_finding *late = find(record, DXT_DISPATCH, DXT_LATE_RANK);
    assert_non_null(late);
    assert_int_equal(late->rank, 2);
    assert_int_equal(record->found_count[DXT_COMBINE], 0);
}

static void sums_alone_are_judged(void **state)
{
    (void)state;
    struct job *job = start_job(8, DXT_SESSION_SYNC);
    for (int window = 0; window < 2; window++) {
        for (uint32_t r = 0; r < 8; r++) count_sums(job->probes[r], r);
        /* Rows are of ranks' own times: on a busy machine short ones are of unequal length. */
        usleep(100000);
        count_steps(job);
        check_sums(last_record(job));
    }
    end_job(job);
}

/* Counters somewhere else, which are copied. */
struct elsewhere {
    uint32_t rank;
    dxt_probe *counters;
    dxt_status status;
    uint64_t ticks_per_second;
    int64_t time_ns;
    bool breaks; /* what it was given */
    int calls;
};

static dxt_status copy_counters(void *context, dxt_snapshot *out)
{
    struct elsewhere *from = context;
    assert_int_equal(out->data->operators, DXT_EP_OPERATORS);
    assert_true(out->time_ns > 0);
    if (from->calls++ == 0) {
        assert_int_equal(out->data->ticks_per_second, 0);
        assert_int_equal(dxt_probe_cell(out->data, 1, 1)->wait_ticks_sum, 0);
    }
    if (from->status != DXT_OK) return from->status;
    memcpy(out->data, from->counters, dxt_probe_size(DXT_EP_OPERATORS, out->data->sources));
    out->data->ticks_per_second = from->ticks_per_second;
    if (from->breaks) out->data->sources++;
    return DXT_OK;
}

/* A job of 8 ranks without probes. */
static struct job *start_elsewhere(struct elsewhere from[8])
{
    struct job *job = new_job(8);
    for (uint32_t r = 0; r < 8; r++) {
        from[r] = (struct elsewhere){
            .rank = r, .counters = job->probes[r], .ticks_per_second = 2000000000};
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        config.probe = NULL;
        config.snapshot = copy_counters;
        config.snapshot_context = &from[r];
        config.operators_count = DXT_EP_OPERATORS;
        start(job, r, &config);
        assert_int_equal(from[r].calls, 1);
    }
    return job;
}

static void counters_may_live_elsewhere(void **state)
{
    (void)state;
    struct elsewhere from[8];
    struct job *job = start_elsewhere(from);
    for (uint32_t r = 0; r < 8; r++) count_sums(job->probes[r], r);
    count_steps(job);
    check_sums(last_record(job));
    assert_true(fabs(last_record(job)->value[DXT_DISPATCH][2] - 0.5e9) < 1);
    /* What cannot be read for the moment is a missing mail; ready again, all is well. */
    from[1].status = DXT_AGAIN;
    from[2].status = DXT_ERR_IO;
    for (int window = 0; window < 2; window++) count_steps(job);
    assert_int_equal(last_record(job)->missing[1], 1);
    assert_int_equal(last_record(job)->missing[2], 1);
    assert_int_equal(last_record(job)->missing[3], 0);
    from[1].status = from[2].status = DXT_OK;
    for (int window = 0; window < 2; window++) count_steps(job);
    assert_int_equal(last_record(job)->missing[1], 0);
    assert_int_equal(last_record(job)->missing[2], 0);
    end_job(job);
}

static void a_snapshot_must_stay_one(void **state)
{
    (void)state;
    struct elsewhere from[8];
    struct job *job = start_elsewhere(from);
    for (int i = 0; i < OPS - 1; i++) assert_int_equal(dxt_session_step(job->sessions[1]), DXT_OK);
    from[1].breaks = true;
    assert_int_equal(dxt_session_step(job->sessions[1]), DXT_ERR_INVALID);
    assert_non_null(strstr(dxt_error(), "rank 1 cannot publish"));
    from[1].breaks = false;
    assert_int_equal(dxt_session_step(job->sessions[1]), DXT_ERR_INVALID);
    end_job(job);
}

static void either_a_probe_or_a_function(void **state)
{
    (void)state;
    struct job *job = new_job(2);
    struct elsewhere from = {.counters = job->probes[0], .status = DXT_ERR_TIMEOUT};
    dxt_session *session = NULL;
    dxt_session_config config = config_of(job, 0, DXT_SESSION_SYNC);
    config.snapshot = copy_counters;
    config.snapshot_context = &from;
    assert_int_equal(dxt_session_create(&config, &session), DXT_ERR_INVALID);
    config.probe = NULL;
    static const uint32_t counts[] = {0, 3, DXT_MAX_OPERATORS + 1}; /* 3: without names */
    for (size_t i = 0; i < 3; i++) {
        config.operators_count = counts[i];
        assert_int_equal(dxt_session_create(&config, &session), DXT_ERR_INVALID);
    }
    assert_int_equal(from.calls, 0);
    config.operators_count = DXT_EP_OPERATORS;
    assert_int_equal(dxt_session_create(&config, &session), DXT_ERR_TIMEOUT);
    assert_null(session);
    end_job(job);
}

static void nobody_need_know_the_rate_of_a_clock(void **state)
{
    (void)state;
    struct elsewhere from[8];
    struct job *job = start_elsewhere(from);
    from[5].ticks_per_second = 0;
    /* Another clock than before: not a window. */
    for (int window = 0; window < 2; window++) {
        for (uint32_t r = 0; r < 8; r++) count_sums(job->probes[r], r);
        count_steps(job);
    }
    const struct record *record = last_record(job);
    for (uint32_t r = 0; r < 8; r++) assert_int_equal(record->missing[r], 0);
    check_sums(record);
    assert_true(record->value[DXT_DISPATCH][2] == 1e9); /* cycles */
    end_job(job);
}

/* ------------------------------------------------------------------ names --- */

static void count_findings(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    size_t *found = context;
    assert_int_equal(count, 3);
    for (size_t o = 0; o < count; o++) found[o] = diagnoses[o].findings->finding_count;
}

/* Rank 1 receives too much in operator @p dispatch, and answers late in @p combine. */
static void be_hot(struct job *job, uint32_t rank, uint32_t dispatch, uint32_t combine)
{
    for (uint32_t o = 0; o < 3; o++) {
        dxt_probe_op op;
        dxt_probe_begin(&op, job->probes[rank], o);
        for (uint32_t s = 0; s < 8; s++) {
            bool much =
                (o == dispatch && rank == 1 && s != 1) || (o == combine && s == 1 && rank != 1);
            dxt_probe_wait(&op, s, ticks(job, rank, much ? 80000 : rank == 1 ? 0 : 1000), 1);
        }
        dxt_probe_end(&op);
    }
}

/* Whether dispatch, which is operator 2, explains why rank 1 is late in @p combine. */
static bool is_explained(const char *const names[3], uint32_t combine)
{
    struct job *job = new_job_of(8, 3);
    size_t found[3] = {0};
    for (uint32_t r = 0; r < 8; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        config.operators = names;
        config.on_diagnosis = count_findings;
        config.on_diagnosis_context = found;
        start(job, r, &config);
    }
    for (uint32_t r = 8; r-- > 0;) {
        for (int i = 0; i < OPS; i++) {
            be_hot(job, r, 2, combine);
            assert_int_equal(dxt_session_step(job->sessions[r]), DXT_OK);
        }
    }
    end_job(job);
    assert_int_equal(found[2], 1);
    assert_int_equal(found[1 - combine], 0);
    return found[combine] == 0;
}

static void operators_are_paired_by_name(void **state)
{
    (void)state;
    static const char *const usual[] = {"barrier", "combine", "dispatch"};
    static const char *const behind[] = {"ll_combine", "combine", "ll_dispatch"};
    static const char *const apart[] = {"ll_combine", "combine", "ht_dispatch"};
    static const char *const before[] = {"dispatch", "combine_ll", "dispatch_ll"};
    assert_true(is_explained(usual, 1));
    assert_false(is_explained(usual, 0));
    assert_true(is_explained(behind, 0));
    assert_false(is_explained(behind, 1));
    assert_false(is_explained(apart, 0));
    assert_false(is_explained(apart, 1));
    assert_false(is_explained(before, 1));
}

/* Findings of an interval: their kinds by operator, −1 for none. */
static int kinds[4];

static void keep_kinds(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    (void)context;
    for (size_t o = 0; o < count && o < 4; o++) {
        const dxt_findings *found = diagnoses[o].findings;
        kinds[o] = found->finding_count == 0 ? -1 : (int)found->findings[0].kind;
    }
}

/* Rank 1 comes late to each operator, but what it is sent in the transfer before comes slowly. */
static void transfers_belong_to_their_operators(void **state)
{
    (void)state;
    static const char *const names[] = {"dispatch", "dispatch transfer", "combine",
                                        "combine transfer"};
    static const char *const apart[] = {"dispatch", "x transfer", "combine", "y transfer"};
    for (int related = 0; related < 2; related++) {
        struct job *job = new_job_of(2, 4);
        for (uint32_t r = 0; r < 2; r++) {
            dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
            config.operators = related ? names : apart;
            config.on_diagnosis = keep_kinds;
            config.min_share = 1e-6; /* of the time, however busy the machine is */
            config.alone = 1;
            start(job, r, &config);
        }
        for (uint32_t r = 0; r < 2; r++)
            for (uint32_t o = 0; o < 4; o++) {
                const uint64_t ops = 1000, us = o % 2 ? 5 : r == 0 ? 10 : 3;
                dxt_cell *cell = dxt_probe_cell(job->probes[r], o, 1 - r);
                cell->wait_ticks_sum = ticks(job, r, ops * us * 1000);
                cell->samples = ops;
                dxt_probe_operator(job->probes[r], o)->ops = ops;
            }
        usleep(100000);
        count_steps(job);
        assert_int_equal(kinds[0], related ? -1 : DXT_LATE_RANK);
        assert_int_equal(kinds[1], related ? DXT_SLOW_LINK : -1);
        assert_int_equal(kinds[2], related ? -1 : DXT_LATE_RANK);
        assert_int_equal(kinds[3], related ? DXT_SLOW_LINK : -1);
        end_job(job);
    }
}

/* ------------------------------------------------------------------ jobs --- */

static void start_instance(struct job *job, uint32_t rank, const char *instance)
{
    dxt_session_config config = config_of(job, rank, DXT_SESSION_SYNC);
    config.instance = instance;
    start(job, rank, &config);
}

static int strangers;

static void count_strangers(void *context, dxt_log_level level, const char *message)
{
    (void)context;
    strangers += level == DXT_LOG_WARNING && strstr(message, "\"yesterday\" instead of \"today\"");
}

static void mails_of_another_job_are_none(void **state)
{
    (void)state;
    struct job *job = new_job(3);
    for (uint32_t r = 0; r < 3; r++) start_instance(job, r, r == 1 ? "yesterday" : "today");
    dxt_set_log(count_strangers, NULL);
    for (int window = 0; window < 3; window++) run_window(job, DXT_NO_RANK); /* it may come yet */
    for (int window = 0; window < 2; window++) {
        run_window(job, DXT_NO_RANK);
        assert_int_equal(last_record(job)->missing[1], 1);
        assert_int_equal(last_record(job)->missing[2], 0);
    }
    dxt_set_log(NULL, NULL);
    assert_int_equal(strangers, 1);
    end_job(job);
}

/* A mailbox that holds mails 0 to 2 of the job before. */
static void old_mails_are_not_in_the_way(void **state)
{
    (void)state;
    struct job *job = new_job(3);
    start_instance(job, 1, "yesterday");
    run_rank(job, 1, 2 * OPS);
    dxt_session_destroy(job->sessions[1]);
    dxt_gather_destroy(job->gathers[1]);
    const dxt_gather_local_config again = {.struct_size = sizeof again,
                                           .rank = 1,
                                           .ranks = 3,
                                           .mail_capacity =
                                               dxt_session_mail_size(DXT_EP_OPERATORS, 3),
                                           .memory = job->memory};
    assert_int_equal(dxt_gather_create_local(&again, &job->gathers[1]), DXT_OK);
    for (uint32_t r = 0; r < 3; r++) start_instance(job, r, "today");
    for (int window = 0; window < 2; window++)
        run_window(job, 1); /* sees mails of yesterday only */
    assert_int_equal(last_record(job)->missing[1], 1);
    run_rank(job, 1, 2 * OPS);
    run_window(job, DXT_NO_RANK);
    assert_int_equal(last_record(job)->missing[1], 0);
    assert_int_equal(last_record(job)->samples[0][3], OPS);
    end_job(job);
}

/* ------------------------------------------------------------------ callers --- */

struct seen {
    dxt_method method;
    size_t windows;
};

static void keep_method(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    struct seen *seen = context;
    assert_int_equal(count, DXT_EP_OPERATORS);
    seen->method = diagnoses[0].findings->method;
    seen->windows++;
}

/* Options are copied, as far as they go. */
static void options_are_copied(void **state)
{
    (void)state;
    for (int newer = 0; newer < 2; newer++) {
        struct job *job = new_job(2);
        struct seen seen = {.windows = 0};
        struct {
            dxt_analysis_options known;
            char later[64];
        } options = {.known = {.method = DXT_METHOD_RATIO, .threshold_col = NAN}};
        /* The older caller does not know thresholds, the newer one more than we do. */
        options.known.struct_size =
            newer ? sizeof options : offsetof(dxt_analysis_options, threshold_col);
        if (newer) options.known.threshold_col = 2;
        for (uint32_t r = 0; r < 2; r++) {
            dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
            config.analysis = &options.known;
            config.on_diagnosis = keep_method;
            config.on_diagnosis_context = &seen;
            start(job, r, &config);
        }
        memset(&options, 0xff, sizeof options);
        run_window(job, DXT_NO_RANK);
        assert_int_equal(seen.windows, 1);
        assert_int_equal(seen.method, DXT_METHOD_RATIO);
        end_job(job);
    }
}

/* An older caller's configuration ends where its struct_size says; a newer one's goes on. */
static void callers_of_other_versions_are_served(void **state)
{
    (void)state;
    struct job *job = new_job(2);
    struct {
        dxt_session_config known;
        char later[64];
    } config = {.known = config_of(job, 0, DXT_SESSION_SYNC)};
    memset(config.later, 0xff, sizeof config.later);
    config.known.struct_size = sizeof config;
    start(job, 0, &config.known);
    dxt_session_config older = config_of(job, 1, DXT_SESSION_SYNC);
    older.struct_size = offsetof(dxt_session_config, snapshot);
    memset((char *)&older + older.struct_size, 0xff, sizeof older - older.struct_size);
    start(job, 1, &older);
    for (int i = 0; i < 100; i++) /* of its interval only the default is known */
        assert_int_equal(dxt_session_step(job->sessions[1]), DXT_OK);
    run_rank(job, 0, OPS);
    assert_int_equal(last_record(job)->missing[1], 0);
    end_job(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_alone_are_judged),
        cmocka_unit_test(counters_may_live_elsewhere),
        cmocka_unit_test(a_snapshot_must_stay_one),
        cmocka_unit_test(either_a_probe_or_a_function),
        cmocka_unit_test(nobody_need_know_the_rate_of_a_clock),
        cmocka_unit_test(operators_are_paired_by_name),
        cmocka_unit_test(transfers_belong_to_their_operators),
        cmocka_unit_test(mails_of_another_job_are_none),
        cmocka_unit_test(old_mails_are_not_in_the_way),
        cmocka_unit_test(options_are_copied),
        cmocka_unit_test(callers_of_other_versions_are_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
