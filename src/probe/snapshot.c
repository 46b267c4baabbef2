/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/probe.h>

#include <stdlib.h>

#include "base/base.h"
#include "probe/probe_block.h"

dxt_status dxt_snapshot_create(uint32_t operators, uint32_t sources, dxt_snapshot **snapshot)
{
    if (!snapshot) return dxt_fail(DXT_ERR_INVALID, "snapshot must not be NULL");
    dxt_snapshot *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    dxt_status status = dxt_probe_create(operators, sources, &made->data);
    if (status != DXT_OK) {
        free(made);
        return status;
    }
    *snapshot = made;
    return DXT_OK;
}

void dxt_snapshot_destroy(dxt_snapshot *snapshot)
{
    if (!snapshot) return;
    dxt_probe_destroy(snapshot->data);
    free(snapshot);
}

static bool same_shape(const dxt_probe *a, const dxt_probe *b)
{
    return a->layout == b->layout && a->operators == b->operators && a->sources == b->sources;
}

static uint64_t load(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void copy_cell(dxt_cell *to, const dxt_cell *from)
{
    to->wait_ticks_sum = load(&from->wait_ticks_sum);
    to->samples = load(&from->samples);
    to->wait_ticks_max = load(&from->wait_ticks_max);
    to->bytes = load(&from->bytes);
    to->last_count = load(&from->last_count);
    to->last_margin_ticks_sum = load(&from->last_margin_ticks_sum);
    to->timeouts = load(&from->timeouts);
    for (uint32_t b = 0; b < DXT_HISTOGRAM_BINS; b++)
        to->histogram[b] = __atomic_load_n(&from->histogram[b], __ATOMIC_RELAXED);
}

dxt_status dxt_probe_snapshot(const dxt_probe *probe, dxt_snapshot *snapshot)
{
    if (!probe || !snapshot)
        return dxt_fail(DXT_ERR_INVALID, "probe and snapshot must not be NULL");
    dxt_probe *copy = snapshot->data;
    if (!same_shape(probe, copy))
        return dxt_fail(DXT_ERR_INVALID,
                        "the snapshot has room for %u operators of %u sources, but the "
                        "probe has %u of %u",
                        copy->operators, copy->sources, probe->operators, probe->sources);
    copy->flags = probe->flags;
    copy->ticks_per_second = probe->ticks_per_second;
    snapshot->time_ns = dxt_now_ns();
    /* Operations first: dxt_probe_end() releases them last, so no operation is counted here without
     * its waits. */
    for (uint32_t o = 0; o < probe->operators; o++) {
        const dxt_operator_counters *from = dxt_probe_operator(probe, o);
        dxt_operator_counters *to = dxt_probe_operator(copy, o);
        to->ops = __atomic_load_n(&from->ops, __ATOMIC_ACQUIRE);
        to->inside_ticks_sum = load(&from->inside_ticks_sum);
        /* Behind the operations: as many have been issued at least. */
        to->issued = load(&from->issued);
        to->durations = load(&from->durations);
    }
    for (uint32_t o = 0; o < probe->operators; o++)
        for (uint32_t s = 0; s < probe->sources; s++)
            copy_cell(dxt_probe_cell(copy, o, s), dxt_probe_cell(probe, o, s));
    return DXT_OK;
}

static bool cell_grew(const dxt_cell *later, const dxt_cell *earlier)
{
    return later->wait_ticks_sum >= earlier->wait_ticks_sum && later->samples >= earlier->samples &&
           later->wait_ticks_max >= earlier->wait_ticks_max && later->bytes >= earlier->bytes &&
           later->last_count >= earlier->last_count &&
           later->last_margin_ticks_sum >= earlier->last_margin_ticks_sum &&
           later->timeouts >= earlier->timeouts;
}

static bool all_grew(const dxt_probe *later, const dxt_probe *earlier)
{
    for (uint32_t o = 0; o < later->operators; o++) {
        const dxt_operator_counters *l = dxt_probe_operator(later, o);
        const dxt_operator_counters *e = dxt_probe_operator(earlier, o);
        if (l->ops < e->ops || l->inside_ticks_sum < e->inside_ticks_sum || l->issued < e->issued ||
            l->durations < e->durations)
            return false;
        for (uint32_t s = 0; s < later->sources; s++)
            if (!cell_grew(dxt_probe_cell(later, o, s), dxt_probe_cell(earlier, o, s)))
                return false;
    }
    return true;
}

/* Longest wait of the window; `bins` is its histogram and `sum` its ticks. */
static uint64_t window_max(uint64_t later, uint64_t earlier, const uint32_t *bins, uint64_t sum)
{
    if (later > earlier) return later;
    uint32_t top = DXT_HISTOGRAM_BINS;
    while (top > 0 && bins[top - 1] == 0) top--;
    if (top == 0) return 0;
    uint64_t edge = top == DXT_HISTOGRAM_BINS ? UINT64_MAX : (UINT64_C(1) << top) - 1;
    uint64_t bound = earlier < sum ? earlier : sum;
    return edge < bound ? edge : bound;
}

/* `out` may be `earlier`. */
static void subtract_cell(dxt_cell *out, const dxt_cell *later, const dxt_cell *earlier)
{
    uint64_t max_before = earlier->wait_ticks_max;
    out->wait_ticks_sum = later->wait_ticks_sum - earlier->wait_ticks_sum;
    out->samples = later->samples - earlier->samples;
    out->bytes = later->bytes - earlier->bytes;
    out->last_count = later->last_count - earlier->last_count;
    out->last_margin_ticks_sum = later->last_margin_ticks_sum - earlier->last_margin_ticks_sum;
    out->timeouts = later->timeouts - earlier->timeouts;
    for (uint32_t b = 0; b < DXT_HISTOGRAM_BINS; b++)
        out->histogram[b] = later->histogram[b] - earlier->histogram[b];
    out->wait_ticks_max =
        window_max(later->wait_ticks_max, max_before, out->histogram, out->wait_ticks_sum);
}

dxt_status dxt_snapshot_difference(const dxt_snapshot *later, const dxt_snapshot *earlier,
                                   dxt_snapshot *window)
{
    if (!later || !earlier || !window)
        return dxt_fail(DXT_ERR_INVALID, "later, earlier and window must not be NULL");
    if (!same_shape(later->data, earlier->data) || !same_shape(later->data, window->data))
        return dxt_fail(
            DXT_ERR_INVALID,
            "later, earlier and window must have the same numbers of operators and sources");
    /* Before anything is written: `window` may be `earlier`. */
    if (!all_grew(later->data, earlier->data))
        return dxt_fail(
            DXT_ERR_INVALID,
            "a counter ran backwards: later and earlier must be of one probe, in this order");
    dxt_probe *out = window->data;
    out->flags = later->data->flags;
    out->ticks_per_second = later->data->ticks_per_second;
    for (uint32_t o = 0; o < out->operators; o++) {
        const dxt_operator_counters *l = dxt_probe_operator(later->data, o);
        const dxt_operator_counters *e = dxt_probe_operator(earlier->data, o);
        dxt_operator_counters *d = dxt_probe_operator(out, o);
        d->ops = l->ops - e->ops;
        d->inside_ticks_sum = l->inside_ticks_sum - e->inside_ticks_sum;
        d->issued = l->issued - e->issued;
        d->durations = l->durations - e->durations;
        for (uint32_t s = 0; s < out->sources; s++)
            subtract_cell(dxt_probe_cell(out, o, s), dxt_probe_cell(later->data, o, s),
                          dxt_probe_cell(earlier->data, o, s));
    }
    window->time_ns = later->time_ns - earlier->time_ns;
    return DXT_OK;
}
