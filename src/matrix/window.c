/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/matrix.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/block.h"
#include "matrix/fields.h"
#include "matrix/scan.h"

dxt_status dxt_window_create(uint32_t ranks, const char *phase, dxt_window **window)
{
    if (!phase || !window) return dxt_fail(DXT_ERR_INVALID, "phase and window must not be NULL");
    if (ranks < 2) return dxt_fail(DXT_ERR_INVALID, "a window has at least 2 ranks, not %u", ranks);
    if (ranks > DXT_MAX_RANKS)
        return dxt_fail(DXT_ERR_LIMIT, "a window has at most %u ranks, not %u", DXT_MAX_RANKS,
                        ranks);
    if (!phase || !dxt_phase_valid(phase, strlen(phase)))
        return dxt_fail(DXT_ERR_INVALID,
                        "phase: must be 1 to 255 bytes of UTF-8 without control characters");
    size_t cells = (size_t)ranks * ranks;
    dxt_window *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    made->struct_size = sizeof *made;
    made->ranks = ranks;
    made->index = -1;
    made->phase = strdup(phase);
    made->wait = calloc(cells, sizeof *made->wait);
    if (!made->phase || !made->wait) {
        dxt_window_free(made);
        return dxt_fail_memory(cells * sizeof *made->wait);
    }
    dxt_prefer_large_pages(made->wait, cells * sizeof *made->wait);
    *window = made;
    return DXT_OK;
}

void dxt_window_free(dxt_window *window)
{
    if (!window) return;
    if (window->hosts)
        for (uint32_t i = 0; i < window->ranks; i++) free(window->hosts[i]);
    free(window->hosts);
    free(window->phase);
    free(window->wait);
    free(window->missing);
    free(window->ticks_per_second);
    free(window->samples);
    free(window->bytes);
    free(window->last);
    free(window->nodes);
    free(window->instance);
    free(window->begin);
    free(window->source);
    free(window->case_name);
    free(window->extra);
    free(window->devices);
    free(window->tokens);
    free(window->rank_ops);
    free(window->issued);
    free(window->run_delay_ns);
    free(window->group);
    free(window->mix);
    free(window);
}

dxt_measure dxt_window_measure(const dxt_window *window)
{
    if (!window) return DXT_MEASURE_CYCLES;
    bool time = window->unit == DXT_UNIT_NS || window->ticks_per_second;
    bool counted = window->samples || window->samples_each > 0 || window->ops > 0;
    if (time) return counted ? DXT_MEASURE_NS_PER_OP : DXT_MEASURE_NS;
    return counted ? DXT_MEASURE_CYCLES_PER_OP : DXT_MEASURE_CYCLES;
}

int64_t dxt_window_ops(const dxt_window *window, uint32_t rank)
{
    if (!window) return 0;
    bool own = window->rank_ops && window->rank_ops[rank] != DXT_NOT_OBSERVED;
    return own ? window->rank_ops[rank] : window->ops;
}

/* How the waits of a row become values, where samples do not say it cell by cell. */
struct scale {
    double factor, divisor; /* 0: no operation, no wait */
};

static struct scale row_scale(const dxt_window *window, uint32_t row)
{
    bool ticks = window->unit == DXT_UNIT_CYCLES && window->ticks_per_second;
    struct scale scale = {ticks ? 1e9 / window->ticks_per_second[row] : 1, 1};
    if (window->samples) return scale;
    if (window->samples_each > 0)
        scale.divisor = (double)window->samples_each;
    else if (window->ops > 0)
        scale.divisor = (double)dxt_window_ops(window, row);
    return scale;
}

static double cell_value(const dxt_window *window, size_t cell, struct scale scale)
{
    if (window->wait[cell] == DXT_NOT_OBSERVED) return NAN;
    double wait = (double)window->wait[cell] * scale.factor;
    double divisor = window->samples ? (double)window->samples[cell] : scale.divisor;
    return divisor > 0 ? wait / divisor : 0;
}

double dxt_window_value(const dxt_window *window, uint32_t row, uint32_t column)
{
    if (!window) return NAN;
    if (window->missing && window->missing[row]) return NAN;
    return cell_value(window, (size_t)row * window->ranks + column, row_scale(window, row));
}

void dxt_window_row(const dxt_window *window, uint32_t row, double *values)
{
    if (!window || !values) return;
    bool missing = window->missing && window->missing[row];
    struct scale scale = row_scale(window, row);
    size_t first = (size_t)row * window->ranks;
    if (missing || window->samples || scale.divisor <= 0) {
        for (uint32_t column = 0; column < window->ranks; column++)
            values[column] = missing ? NAN : cell_value(window, first + column, scale);
        return;
    }
    /* The usual case, without a question that is the same for all cells. */
    const int64_t *wait = window->wait + first;
    for (uint32_t column = 0; column < window->ranks; column++) {
        double value = (double)wait[column] * scale.factor / scale.divisor;
        values[column] = wait[column] == DXT_NOT_OBSERVED ? NAN : value;
    }
}

bool dxt_window_is_still(const dxt_window *window)
{
    size_t cells = (size_t)window->ranks * window->ranks;
    bool counted = window->issued || window->samples;
    if (window->ops > 0 || !counted) return false;
    for (size_t c = 0; c < cells; c++)
        if (window->wait[c] > 0) return false;
    return true;
}
