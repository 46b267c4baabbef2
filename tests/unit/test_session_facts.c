/* SPDX-License-Identifier: Apache-2.0 */
/* What travels besides the waits: places, operations that were issued, experts, tokens, mixes; and
 * what the diagnosis itself costs. */
#include "test_session_job.h"

#include <math.h>

enum { RANKS = 4, EXPERTS = 64 };

/* ------------------------------------------------------------------ counters of another --- */

/* Counters that hold waits alone, beside what their reader knows. */
struct foreign {
    dxt_probe *counters;
    uint64_t issued[DXT_EP_OPERATORS];
    uint32_t local_experts;
    int64_t tokens[300];
    uint32_t tokens_count;
    uint64_t mix;
    int64_t time_ns, window_ns; /* when it is read, and how much later the next time */
};

static dxt_status read_foreign(void *context, dxt_snapshot *out)
{
    const struct foreign *from = context;
    memcpy(out->data, from->counters, dxt_probe_size(DXT_EP_OPERATORS, out->data->sources));
    for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++)
        dxt_probe_operator(out->data, o)->issued = from->issued[o];
    if (from->local_experts > 0) out->local_experts = from->local_experts;
    out->tokens = from->tokens_count > 0 ? from->tokens : NULL;
    out->tokens_count = from->tokens_count;
    out->mix = from->mix;
    out->time_ns = from->time_ns;
    out->data->ticks_per_second = 1000000000;
    return DXT_OK;
}

/* The newest windows of the job, copied where they are looked at. */
struct seen {
    size_t count;
    int64_t ops, rank_ops[RANKS], samples_each, samples[RANKS], tokens[RANKS * 8];
    uint32_t columns;
    double rate, value, min_share;
    char mix[32], group[32];
    dxt_place places[RANKS];
    bool has_places;
    uint32_t absent; /* who is said to take no part; DXT_NO_RANK = nobody */
};

static void look(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    struct seen *seen = context;
    const dxt_window *w = diagnoses[0].window;
    assert_int_equal(count, DXT_EP_OPERATORS);
    for (size_t o = 0; o < count; o++)
        assert_int_equal(dxt_window_check(diagnoses[o].window), DXT_OK);
    *seen = (struct seen){.count = seen->count + 1,
                          .ops = w->ops,
                          .samples_each = w->samples_each,
                          .rate = w->ticks_per_second ? w->ticks_per_second[1] : 0,
                          .value = dxt_window_value(w, 0, 1),
                          .min_share = w->min_share,
                          .columns = w->local_experts,
                          .has_places = w->devices != NULL,
                          .absent = DXT_NO_RANK};
    const dxt_findings *f = diagnoses[0].findings;
    for (size_t i = 0; i < f->finding_count; i++)
        if (f->findings[i].kind == DXT_SILENT_RANK && f->findings[i].silence == DXT_SILENCE_NO_PART)
            seen->absent = f->findings[i].rank;
    for (uint32_t r = 0; r < RANKS; r++) {
        seen->rank_ops[r] = w->rank_ops ? w->rank_ops[r] : -9;
        seen->samples[r] = w->samples ? w->samples[r * RANKS] : -9;
        if (w->devices) seen->places[r] = w->devices[r];
        for (uint32_t t = 0; w->tokens && t < w->local_experts && t < 8; t++)
            seen->tokens[r * 8 + t] = w->tokens[r * w->local_experts + t];
    }
    if (w->mix) strcpy(seen->mix, w->mix);
    if (w->group) strcpy(seen->group, w->group);
}

/* Of rank 0; NULL = the session has one of its own. */
static dxt_history *history;

static struct job *start_foreign(struct foreign from[RANKS], struct seen *seen)
{
    struct job *job = new_job(RANKS);
    for (uint32_t r = 0; r < RANKS; r++) {
        from[r].counters = job->probes[r];
        from[r].time_ns = from[r].window_ns = 2000000;
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        config.probe = NULL;
        config.snapshot = read_foreign;
        config.snapshot_context = &from[r];
        config.operators_count = DXT_EP_OPERATORS;
        config.on_diagnosis = look;
        config.on_diagnosis_context = seen;
        config.history = r == 0 ? history : NULL;
        start(job, r, &config);
    }
    return job;
}

/* A window of so many operations on each rank, in which everybody waits 1 µs for everybody with
 * each expert, and in which so many were issued. */
static void do_issued(struct job *job, struct foreign from[RANKS], const int64_t ops[RANKS],
                      const int64_t issued[RANKS])
{
    for (uint32_t r = RANKS; r-- > 0;) {
        from[r].time_ns += from[r].window_ns;
        for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++) {
            from[r].issued[o] += (uint64_t)issued[r];
            for (uint32_t s = 0; s < RANKS; s++)
                dxt_probe_cell(from[r].counters, o, s)->wait_ticks_sum +=
                    1000u * EXPERTS * (uint64_t)ops[r];
        }
        for (int i = 0; i < OPS; i++) assert_int_equal(dxt_session_step(job->sessions[r]), DXT_OK);
    }
}

/* The same where as many are issued; of which a reader may know. */
static void do_window(struct job *job, struct foreign from[RANKS], const int64_t ops[RANKS],
                      bool known)
{
    static const int64_t none[RANKS] = {0};
    do_issued(job, from, ops, known ? ops : none);
}

static const int64_t ALIKE[RANKS] = {20, 20, 20, 20}, UNLIKE[RANKS] = {20, 22, 20, 18};

static void issued_operations_and_experts_make_samples(void **state)
{
    (void)state;
    struct foreign from[RANKS] = {{.local_experts = 0}};
    struct seen seen = {.count = 0};
    struct job *job = start_foreign(from, &seen);
    do_window(job, from, ALIKE, false);
    assert_int_equal(seen.ops, 0);
    assert_int_equal(seen.samples_each, 0);
    assert_true(seen.rate == 1e9);
    assert_true(seen.value == 20e3 * EXPERTS);
    /* How many there had been before is not known, so nor is how many there were. */
    for (uint32_t r = 0; r < RANKS; r++)
        for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++) from[r].issued[o] = 5000;
    do_window(job, from, ALIKE, true);
    assert_int_equal(seen.ops, 0);
    do_window(job, from, ALIKE, true); /* experts are not known */
    assert_int_equal(seen.ops, 20);
    assert_int_equal(seen.samples_each, 0);
    assert_true(seen.value == 1e3 * EXPERTS);
    for (uint32_t r = 0; r < RANKS; r++) from[r].local_experts = EXPERTS;
    do_window(job, from, ALIKE, true);
    assert_int_equal(seen.ops, 20);
    assert_int_equal(seen.rank_ops[0], -9);
    assert_int_equal(seen.samples_each, 20 * EXPERTS);
    assert_true(seen.rate == 1e9);
    assert_true(seen.value == 1e3);
    do_window(job, from, UNLIKE, true);
    assert_int_equal(seen.ops, 20);
    assert_int_equal(seen.samples_each, 0);
    for (uint32_t r = 0; r < RANKS; r++) {
        assert_int_equal(seen.rank_ops[r], UNLIKE[r]);
        assert_int_equal(seen.samples[r], UNLIKE[r] * EXPERTS);
    }
    /* Not counted any more, on all ranks: the sum of one expert. */
    for (uint32_t r = 0; r < RANKS; r++) memset(from[r].issued, 0, sizeof from[r].issued);
    do_window(job, from, ALIKE, false);
    assert_int_equal(seen.ops, 0);
    assert_true(seen.rate == 1e9 * EXPERTS);
    assert_true(fabs(seen.value - 20e3) < 1e-6);
    assert_int_equal(seen.count, 6);
    assert_true(seen.min_share == 0.01); /* the default */
    end_job(job);
}

/* One of them has graphs that were captured before anybody looked. */
static void a_rank_may_not_know_its_operations(void **state)
{
    (void)state;
    struct foreign from[RANKS] = {{.local_experts = 0}};
    struct seen seen = {.count = 0};
    struct job *job = start_foreign(from, &seen);
    for (uint32_t r = 0; r < RANKS; r++) from[r].local_experts = EXPERTS;
    do_window(job, from, ALIKE, true);
    memset(from[2].issued, 0, sizeof from[2].issued);
    for (uint32_t r = 0; r < RANKS; r++)
        for (uint32_t o = 0; r != 2 && o < DXT_EP_OPERATORS; o++) from[r].issued[o] += 20;
    do_window(job, from, ALIKE, false);
    assert_int_equal(seen.ops, 20);
    assert_int_equal(seen.rank_ops[0], -9); /* the others agree */
    assert_int_equal(seen.samples_each, 20 * EXPERTS);
    end_job(job);
}

/* Rank 0's host is up to 30 operations ahead of its GPU: what it issues in a window is not what is
 * completed in it. */
static void a_host_may_run_ahead(void **state)
{
    (void)state;
    static const int64_t first[RANKS] = {50, 20, 21, 20}, last[RANKS] = {0, 20, 20, 20},
                         nearly[RANKS] = {10, 20, 20, 20}, idle[RANKS] = {0, 0, 0, 0};
    struct foreign from[RANKS] = {{.local_experts = 0}};
    struct seen seen = {.count = 0};
    struct job *job = start_foreign(from, &seen);
    for (uint32_t r = 0; r < RANKS; r++) from[r].local_experts = EXPERTS;
    const int64_t *windows[] = {first, ALIKE, nearly, last};
    for (int k = 0; k < 4; k++) {
        do_issued(job, from, ALIKE, windows[k]);
        assert_int_equal(seen.ops, 20);
        assert_int_equal(seen.samples[0] < 0 ? seen.samples_each : seen.samples[0], 20 * EXPERTS);
        assert_int_equal(seen.rank_ops[0], k == 0 ? DXT_NOT_OBSERVED : -9);
    }
    do_issued(job, from, idle, idle);
    assert_int_equal(seen.ops, 0);
    end_job(job);
}

/* Rank 0 does not know its operations, and reads its counters half way through the window. */
static void who_reads_at_other_times_has_other_operations(void **state)
{
    (void)state;
    static const int64_t half[RANKS] = {10, 20, 20, 20};
    struct foreign from[RANKS] = {{.local_experts = 0}};
    struct seen seen = {.count = 0};
    struct job *job = start_foreign(from, &seen);
    const int64_t unknown[RANKS] = {0, 20, 20, 20};
    for (uint32_t r = 0; r < RANKS; r++) from[r].local_experts = EXPERTS;
    do_issued(job, from, ALIKE, unknown);
    from[0].window_ns = 1000000;
    do_issued(job, from, half, unknown);
    assert_int_equal(seen.ops, 20);
    assert_int_equal(seen.rank_ops[0], 10);
    assert_int_equal(seen.rank_ops[1], 20);
    assert_int_equal(seen.samples[0], 10 * EXPERTS);
    assert_true(seen.value == 1e3);
    /* 4 % are no reason. */
    from[0].window_ns = 1920000;
    do_issued(job, from, ALIKE, unknown);
    assert_int_equal(seen.rank_ops[0], -9);
    end_job(job);
}

static void do_windows(struct job *job, struct foreign from[RANKS], int count, bool known)
{
    for (int k = 0; k < count; k++) do_window(job, from, ALIKE, known);
}

/* Not counted for a while they are no part of the history, which begins anew when that lasts; and
 * where they are counted, none is none. */
static void operations_may_be_lost(void **state)
{
    (void)state;
    static const int64_t none[RANKS] = {0};
    struct foreign from[RANKS] = {{.local_experts = 0}};
    struct seen seen = {.count = 0};
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    struct job *job = start_foreign(from, &seen);
    do_windows(job, from, 12, true);
    assert_int_equal(dxt_history_windows(history), 12);
    do_window(job, from, none, true);
    assert_int_equal(dxt_history_windows(history), 12);
    for (uint32_t r = 0; r < RANKS; r++) memset(from[r].issued, 0, sizeof from[r].issued);
    do_windows(job, from, 5, false);
    assert_int_equal(dxt_history_windows(history), 12);
    do_windows(job, from, 5, false);
    assert_int_equal(dxt_history_windows(history), 3);
    end_job(job);
    dxt_history_destroy(history);
    history = NULL;
}

/* The ranks go on calling, as where operations are queued: the one that has begun fewer is named in
 * sync mode, too, until something is completed again. */
static void who_takes_no_part_is_named_while_all_call(void **state)
{
    (void)state;
    static const int64_t none[RANKS] = {0};
    struct foreign from[RANKS] = {{.local_experts = 0}};
    struct seen seen = {.count = 0};
    struct job *job = start_foreign(from, &seen);
    do_windows(job, from, 3, true);
    /* What was begun while something was completed still counts as done. */
    static const int64_t last[RANKS] = {21, 21, 20, 21};
    do_window(job, from, last, true);
    for (int k = 0; k < 3; k++) {
        do_window(job, from, none, true);
        assert_int_equal(seen.absent, k > 0 ? 2 : DXT_NO_RANK);
    }
    do_window(job, from, ALIKE, true);
    assert_int_equal(seen.absent, DXT_NO_RANK);
    end_job(job);
}

static void tokens_and_mixes_travel(void **state)
{
    (void)state;
    struct foreign from[RANKS] = {{.local_experts = 0}};
    struct seen seen = {.count = 0};
    for (uint32_t r = 0; r < RANKS; r++) from[r].tokens_count = 2;
    struct job *job = start_foreign(from, &seen);
    char mix[32];
    for (int window = 0; window < 4; window++) {
        for (uint32_t r = 0; r < RANKS; r++) {
            from[r].tokens[0] += 10 + r;
            from[r].tokens[1] += window == 3 && r == 2 ? -1 : 7; /* backwards: not known */
            from[r].mix = window == 2 && r == 1 ? 5 : 4;
        }
        do_window(job, from, ALIKE, true);
        assert_int_equal(seen.columns, 2);
        for (uint32_t r = 0; r < RANKS; r++) {
            bool wrong = window == 3 && r == 2;
            assert_int_equal(seen.tokens[r * 8], wrong ? DXT_NOT_OBSERVED : 10 + r);
            assert_int_equal(seen.tokens[r * 8 + 1], wrong ? DXT_NOT_OBSERVED : 7);
        }
        assert_true(seen.mix[0] != '\0');
        /* Behind the first window its first step is read apart. */
        if (window == 1) strcpy(mix, seen.mix);
        if (window > 1) assert_int_equal(strcmp(mix, seen.mix) == 0, window == 3);
    }
    from[3].mix = 0;
    do_window(job, from, ALIKE, true);
    assert_string_equal(seen.mix, "");
    end_job(job);
}

/* More experts than a mail has room for: their sum. */
static void many_tokens_travel_as_one(void **state)
{
    (void)state;
    struct foreign from[RANKS] = {{.local_experts = 0}};
    struct seen seen = {.count = 0};
    for (uint32_t r = 0; r < RANKS; r++) from[r].tokens_count = 300;
    struct job *job = start_foreign(from, &seen);
    for (uint32_t r = 0; r < RANKS; r++)
        for (uint32_t t = 0; t < 300; t++) from[r].tokens[t] += 1 + (t == r);
    do_window(job, from, ALIKE, true);
    assert_int_equal(seen.columns, 1);
    for (uint32_t r = 0; r < RANKS; r++) assert_int_equal(seen.tokens[r * 8], 301);
    end_job(job);
}

/* ------------------------------------------------------------------ places --- */

static void places_travel(void **state)
{
    (void)state;
    struct job *job = new_job(RANKS);
    struct seen seen = {.count = 0};
    for (uint32_t r = 0; r < RANKS; r++) {
        dxt_place place = {.pid = 1000 + r, .rank = 16 + r, .gpu = (int32_t)r};
        strcpy(place.host, "gpu-03");
        strcpy(place.uuid, "GPU-5f0c");
        strcpy(place.pci, "0000:3b:00.0");
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        config.device = r == 3 ? NULL : &place;
        config.host = r == 1 ? "other" : NULL;
        config.group = "ep";
        config.min_share = 0.05;
        config.on_diagnosis = look;
        config.on_diagnosis_context = &seen;
        start(job, r, &config);
    }
    run_window(job, DXT_NO_RANK);
    assert_true(seen.has_places);
    assert_string_equal(seen.group, "ep");
    assert_true(seen.min_share == 0.05);
    for (uint32_t r = 0; r < 3; r++) {
        assert_string_equal(seen.places[r].host, r == 1 ? "other" : "gpu-03");
        assert_string_equal(seen.places[r].uuid, "GPU-5f0c");
        assert_string_equal(seen.places[r].pci, "0000:3b:00.0");
        assert_int_equal(seen.places[r].pid, 1000 + r);
        assert_int_equal(seen.places[r].rank, 16 + r);
        assert_int_equal(seen.places[r].gpu, r);
    }
    assert_int_equal(seen.places[3].pid, getpid());
    assert_int_equal(seen.places[3].gpu, -1);
    assert_string_equal(seen.places[3].uuid, "");
    end_job(job);
}

/* ------------------------------------------------------------------ ends, and costs --- */

static void who_leaves_is_not_silent(void **state)
{
    (void)state;
    struct job *job = start_job(RANKS, DXT_SESSION_SYNC);
    run_window(job, DXT_NO_RANK);
    dxt_session_destroy(job->sessions[2]);
    job->sessions[2] = NULL;
    for (int window = 1; window < 4; window++) {
        run_window(job, 2);
        assert_int_equal(last_record(job)->index, window);
        assert_true(is_excused(last_record(job), 2, RANKS));
        assert_false(is_excused(last_record(job), 1, RANKS));
    }
    end_job(job);
}

static void take_long(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    on_diagnosis(context, diagnoses, count);
    usleep(20000);
}

/* Rank 0 is held up by its own diagnosis, so that the others wait for it in the first operation of
 * the next window: 20 ms or more, of which what belongs to the diagnosis is taken out. */
static void run_held_up_window(struct job *job, uint64_t first_ns)
{
    for (uint32_t r = RANKS; r-- > 0;) {
        for (int i = 0; i < OPS; i++) {
            if (i == 0)
                operate(job, r, 0, first_ns);
            else
                operate(job, r, DXT_NO_RANK, 0);
            assert_int_equal(dxt_session_step(job->sessions[r]), DXT_OK);
        }
    }
}

static void what_the_diagnosis_costs_makes_nobody_late(void **state)
{
    (void)state;
    struct job *job = new_job(RANKS);
    for (uint32_t r = 0; r < RANKS; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        config.on_diagnosis = take_long;
        start(job, r, &config);
    }
    run_window(job, DXT_NO_RANK);
    for (int window = 0; window < 3; window++) run_held_up_window(job, 15000000);
    const struct record *record = last_record(job);
    for (uint32_t r = 1; r < RANKS; r++)
        assert_int_equal(record->wait[DXT_DISPATCH][r * RANKS], OPS * ticks(job, r, 1000));
    assert_null(find(record, DXT_DISPATCH, DXT_LATE_RANK));
    /* What goes beyond that is lateness. */
    for (int window = 0; window < 2; window++) run_held_up_window(job, INT64_C(2000000000));
    record = last_record(job);
    for (uint32_t r = 1; r < RANKS; r++)
        assert_true(record->value[DXT_DISPATCH][r * RANKS] > 0.5 * 2e9 / OPS);
    assert_non_null(find(record, DXT_DISPATCH, DXT_LATE_RANK));
    end_job(job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issued_operations_and_experts_make_samples),
        cmocka_unit_test(a_host_may_run_ahead),
        cmocka_unit_test(who_reads_at_other_times_has_other_operations),
        cmocka_unit_test(a_rank_may_not_know_its_operations),
        cmocka_unit_test(operations_may_be_lost),
        cmocka_unit_test(who_takes_no_part_is_named_while_all_call),
        cmocka_unit_test(tokens_and_mixes_travel),
        cmocka_unit_test(many_tokens_travel_as_one),
        cmocka_unit_test(places_travel),
        cmocka_unit_test(who_leaves_is_not_silent),
        cmocka_unit_test(what_the_diagnosis_costs_makes_nobody_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
