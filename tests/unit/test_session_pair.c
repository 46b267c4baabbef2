/* SPDX-License-Identifier: Apache-2.0 */
/* Two ranks whose windows are all of the same work: a session tells late from early. */
#include "test_session_job.h"

enum { BATCH = 50, QUIET = 12, STEP_NS = 240000, CHANGE_NS = 40000 };

/* Waits that a test adds up, on the clock of the test. */
struct model {
    struct job *job;
    int64_t time_ns;
    int windows;
    struct reader {
        struct model *model;
        uint32_t rank;
    } readers[2];
};

static dxt_status read_model(void *context, dxt_snapshot *out)
{
    struct reader *reader = context;
    const dxt_probe *counters = reader->model->job->probes[reader->rank];
    memcpy(out->data, counters, dxt_probe_size(DXT_EP_OPERATORS, 2));
    out->data->ticks_per_second = 1000000000;
    out->time_ns = reader->model->time_ns;
    return DXT_OK;
}

static void begin(struct model *m, uint64_t mix)
{
    *m = (struct model){.job = new_job(2)};
    for (uint32_t r = 0; r < 2; r++) {
        m->readers[r] = (struct reader){m, r};
        dxt_session_config config = config_of(m->job, r, DXT_SESSION_SYNC);
        config.interval_ops = BATCH;
        config.probe = NULL;
        config.snapshot = read_model;
        config.snapshot_context = &m->readers[r];
        config.operators_count = DXT_EP_OPERATORS;
        config.mix = mix;
        start(m->job, r, &config);
    }
}

/* Each waits a few µs for the other in both operators; in dispatch rank 0 waits `change_ns` more,
 * and a step takes `longer_ns` more. */
static void pass_window(struct model *m, int64_t change_ns, int64_t longer_ns)
{
    m->time_ns += BATCH * (STEP_NS + longer_ns);
    m->windows++;
    for (uint32_t r = 2; r-- > 0;) {
        for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++) {
            uint64_t ns = 3000 + 300 * (uint64_t)((m->windows + (int)r + (int)o) % 3);
            bool changed = change_ns > 0 && o == DXT_DISPATCH;
            if (changed) ns = r == 0 ? ns + (uint64_t)change_ns : 0;
            dxt_probe_operator(m->job->probes[r], o)->ops += BATCH;
            dxt_probe_cell(m->job->probes[r], o, 1 - r)->wait_ticks_sum += BATCH * ns;
        }
        for (int i = 0; i < BATCH; i++)
            assert_int_equal(dxt_session_step(m->job->sessions[r]), DXT_OK);
    }
}

/* What is said of dispatch in the newest window. */
static const dxt_finding *said(const struct model *m)
{
    const struct record *record = last_record(m->job);
    return record->found_count[DXT_DISPATCH] > 0 ? &record->found[DXT_DISPATCH][0] : NULL;
}

static void pass_quiet(struct model *m)
{
    for (int k = 0; k < QUIET; k++) {
        pass_window(m, 0, 0);
        assert_null(said(m));
    }
}

static void the_length_of_the_step_tells_who_changed(void **state)
{
    (void)state;
    struct model m;
    begin(&m, 7);
    pass_quiet(&m);
    pass_window(&m, CHANGE_NS, CHANGE_NS);
    assert_int_equal(said(&m)->kind, DXT_LATE_RANK);
    assert_int_equal(said(&m)->rank, 1);
    assert_int_equal(said(&m)->or_early, 0);
    pass_quiet(&m);
    pass_window(&m, CHANGE_NS, 0);
    assert_int_equal(said(&m)->kind, DXT_EARLY_RANK);
    assert_int_equal(said(&m)->rank, 0);
    end_job(m.job);
}

/* Whether the work was the same is then not known, and a longer step may have been more of it. */
static void without_a_mix_it_may_be_either(void **state)
{
    (void)state;
    struct model m;
    begin(&m, 0);
    pass_quiet(&m);
    for (int k = 0; k < 2; k++) {
        pass_window(&m, CHANGE_NS, k == 0 ? CHANGE_NS : 0);
        assert_int_equal(said(&m)->kind, DXT_LATE_RANK);
        assert_int_equal(said(&m)->rank, 1);
        assert_int_equal(said(&m)->or_early, 1);
    }
    end_job(m.job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_length_of_the_step_tells_who_changed),
        cmocka_unit_test(without_a_mix_it_may_be_either),
    };
    return cmocka_run_group_tests_name("session_pair", tests, NULL, NULL);
}
