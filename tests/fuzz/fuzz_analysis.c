/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any window into the analysis: a finite answer for every matrix, with any mix of what a recording
 * may hold, and the same one from an analyzer that has seen other windows before.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/analysis.h>

#include "require.h"

#define MOST_RANKS 40u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as a tape of numbers; zeros behind its end. */
typedef struct tape {
    const uint8_t *at, *end;
} tape;

static uint64_t next(tape *t, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) value = value << 8 | (t->at < t->end ? *t->at++ : 0);
    return value;
}

/* Counters of all sizes: the first byte says how many bits. */
static int64_t counter(tape *t)
{
    unsigned bits = (unsigned)next(t, 1) % 64;
    return (int64_t)(next(t, 1 + bits / 8) & ((UINT64_C(1) << bits) - 1));
}

static int64_t *cells(tape *t, uint32_t ranks)
{
    int64_t *made = malloc((size_t)ranks * ranks * sizeof *made);
    require(made != NULL);
    for (size_t c = 0; c < (size_t)ranks * ranks; c++) made[c] = counter(t);
    return made;
}

static dxt_window *make(tape *t, uint32_t ranks, const char *phase)
{
    dxt_window *w;
    unsigned has = (unsigned)next(t, 2);
    require(dxt_window_create(ranks, phase, &w) == DXT_OK);
    for (size_t c = 0; c < (size_t)ranks * ranks; c++) w->wait[c] = counter(t);
    w->unit = has & 1 ? DXT_UNIT_NS : DXT_UNIT_CYCLES;
    if (has & 2) w->ops = counter(t);
    if (has & 4) w->elapsed_ns = counter(t);
    if (has & 8) w->samples_each = counter(t);
    if (has & 16) w->samples = cells(t, ranks);
    if (has & 32) w->last = cells(t, ranks);
    if (has & 64) w->bytes = cells(t, ranks);
    if (has & 128) w->missing = calloc(ranks, 1);
    if (has & 256) w->nodes = calloc(ranks, sizeof *w->nodes);
    if (has & 512) w->ticks_per_second = calloc(ranks, sizeof *w->ticks_per_second);
    if (has & 1024) w->rank_ops = calloc(ranks, sizeof *w->rank_ops);
    if (has & 32768) w->run_delay_ns = calloc(ranks, sizeof *w->run_delay_ns);
    if (has & 2048) w->min_share = (double)(1 + next(t, 1) % 100) / 100;
    w->origin = (dxt_origin)(has >> 12 & 3);
    /* Whole rows, columns, or any cell. */
    for (size_t c = 0; has & 16384 && c < (size_t)ranks * ranks; c++)
        if (next(t, 1) % 3 == 0) w->wait[c] = DXT_NOT_OBSERVED;
    for (uint32_t r = 0; r < ranks; r++) {
        if (w->rank_ops) w->rank_ops[r] = counter(t) - 1;
        if (w->run_delay_ns) w->run_delay_ns[r] = counter(t) - 1;
        if (w->missing && (w->missing[r] = next(t, 1) % 4 == 0) != 0)
            memset(w->wait + (size_t)r * ranks, 0, ranks * sizeof *w->wait);
        if (w->nodes) w->nodes[r] = (int32_t)(next(t, 1) % 8);
        if (w->ticks_per_second) w->ticks_per_second[r] = 1 + (double)(next(t, 5) % 1000000000000);
    }
    return w;
}

static void sound(const dxt_window *w, const dxt_findings *found)
{
    require(found->ranks == w->ranks && isfinite(found->ordinary));
    require(found->delayed_ns >= 0);
    require(found->delayed_ns == 0 || found->delayed_rank < w->ranks);
    for (size_t f = 0; f < found->finding_count; f++) {
        const dxt_finding *x = &found->findings[f];
        require(x->kind == DXT_SILENT_RANK || isfinite(x->wait));
        require(isnan(x->share) || (x->share >= 0 && x->share <= 1));
        require(x->confidence >= 0 && x->confidence <= 1);
        require(x->rank == DXT_NO_RANK || x->rank < w->ranks);
        require(x->source == DXT_NO_RANK || x->source < w->ranks);
    }
    for (size_t c = 0; c < found->col_count; c++) require(isfinite(found->cols[c].mean));
    for (size_t c = 0; c < found->row_count; c++) require(isfinite(found->rows[c].mean));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static dxt_analyzer *analyzer;
    tape t = {data, data + size};
    uint32_t ranks = 2 + (uint32_t)next(&t, 1) % (MOST_RANKS - 1);
    dxt_analysis_options options = {.struct_size = sizeof options};
    options.method = next(&t, 1) % 4 == 0 ? DXT_METHOD_RATIO : DXT_METHOD_ROBUST;
    options.ranks_per_node = (uint32_t)next(&t, 1) % 9;
    dxt_window *window = make(&t, ranks, "dispatch"), *other = make(&t, ranks, "combine");
    if (next(&t, 1) % 2) options.companion = other;
    dxt_window *transfer = make(&t, ranks, next(&t, 1) % 2 ? "combine transfer" : "dispatch");
    if (next(&t, 1) % 2) options.adjacent = transfer;
    if (next(&t, 1) % 4 == 0) {
        dxt_window *swap = window;
        window = transfer;
        transfer = swap;
        if (options.adjacent) options.adjacent = transfer;
    }
    if (!analyzer) require(dxt_analyzer_create(&analyzer) == DXT_OK);
    dxt_findings *alone;
    const dxt_findings *again;
    require(dxt_analyze(window, &options, &alone) == DXT_OK);
    require(dxt_analyzer_run(analyzer, window, &options, &again) == DXT_OK);
    sound(window, alone);
    require(alone->finding_count == again->finding_count && alone->verdict == again->verdict);
    dxt_findings_free(alone);
    dxt_window_free(window);
    dxt_window_free(other);
    dxt_window_free(transfer);
    return 0;
}
