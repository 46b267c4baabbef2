/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/matrix.h>

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "system/text.h"

static bool same_clocks(const dxt_window *a, const dxt_window *b)
{
    if (!a->ticks_per_second || !b->ticks_per_second)
        return !a->ticks_per_second && !b->ticks_per_second;
    return memcmp(a->ticks_per_second, b->ticks_per_second,
                  a->ranks * sizeof *a->ticks_per_second) == 0;
}

static dxt_status check_same(const dxt_window *sum, const dxt_window *window)
{
    const char *what = sum->ranks != window->ranks                 ? "ranks"
                       : strcmp(sum->phase, window->phase) != 0    ? "phase"
                       : sum->unit != window->unit                 ? "unit"
                       : !same_clocks(sum, window)                 ? "ticks_per_second"
                       : sum->origin != window->origin             ? "origin"
                       : !dxt_same_text(sum->group, window->group) ? "group"
                                                                   : NULL;
    if (!what) return DXT_OK;
    return dxt_fail(DXT_ERR_INVALID,
                    "windows that differ in %s cannot be added; add those of one run and operator",
                    what);
}

static bool is_missing(const dxt_window *window, uint32_t row)
{
    return window->missing && window->missing[row];
}

/* Samples of a cell, whichever way they are kept. */
static int64_t samples_at(const dxt_window *window, size_t cell)
{
    return window->samples ? window->samples[cell] : window->samples_each;
}

static bool has_samples(const dxt_window *window)
{
    return window->samples || window->samples_each > 0;
}

/* What the sum will hold; arrays that stay NULL are dropped. */
typedef struct totals {
    int64_t *wait, *samples, *bytes, *last, *tokens, *rank_ops, *run_delay_ns;
    uint8_t *missing;
    int64_t samples_each, ops, elapsed_ns;
    bool fits;
} totals;

static void add_number(totals *to, int64_t a, int64_t b, int64_t *sum)
{
    if (a > 0 && b > 0) to->fits = to->fits && dxt_add_i64(a, b, sum);
}

/* Two cells or two numbers: what is not known of one of them is not known of the sum. */
static bool add_known(int64_t a, int64_t b, int64_t *sum)
{
    if (a >= 0 && b >= 0) return dxt_add_i64(a, b, sum);
    *sum = DXT_NOT_OBSERVED;
    return true;
}

/* Add row by row into new arrays, so that nothing has changed if a sum does not fit. */
static void add_rows(totals *to, const dxt_window *a, const dxt_window *b)
{
    for (uint32_t row = 0; row < a->ranks; row++) {
        if (is_missing(a, row) || is_missing(b, row)) {
            to->missing[row] = 1;
            continue;
        }
        size_t cell = (size_t)row * a->ranks;
        for (size_t end = cell + a->ranks; cell < end; cell++) {
            bool fits = add_known(a->wait[cell], b->wait[cell], &to->wait[cell]);
            if (to->samples)
                fits &= dxt_add_i64(samples_at(a, cell), samples_at(b, cell), &to->samples[cell]);
            if (to->bytes) fits &= dxt_add_i64(a->bytes[cell], b->bytes[cell], &to->bytes[cell]);
            if (to->last) fits &= dxt_add_i64(a->last[cell], b->last[cell], &to->last[cell]);
            to->fits = to->fits && fits;
        }
    }
}

/* What there is one number, or a few, of for each rank. */
static void add_ranks(totals *to, const dxt_window *a, const dxt_window *b)
{
    size_t experts = to->tokens ? (size_t)a->ranks * a->local_experts : 0;
    for (size_t i = 0; i < experts; i++)
        to->fits = add_known(a->tokens[i], b->tokens[i], &to->tokens[i]) && to->fits;
    for (uint32_t rank = 0; to->rank_ops && rank < a->ranks; rank++)
        to->fits =
            add_known(dxt_window_ops(a, rank), dxt_window_ops(b, rank), &to->rank_ops[rank]) &&
            to->fits;
    for (uint32_t rank = 0; to->run_delay_ns && rank < a->ranks; rank++)
        to->fits =
            add_known(a->run_delay_ns[rank], b->run_delay_ns[rank], &to->run_delay_ns[rank]) &&
            to->fits;
}

static bool allocate(totals *to, const dxt_window *a, const dxt_window *b)
{
    size_t cells = (size_t)a->ranks * a->ranks;
    bool samples = (a->samples || b->samples) && has_samples(a) && has_samples(b);
    bool bytes = a->bytes && b->bytes, last = a->last && b->last;
    bool missing = a->missing || b->missing;
    bool tokens = a->tokens && b->tokens && a->local_experts == b->local_experts;
    bool rank_ops = (a->rank_ops || b->rank_ops) && a->ops > 0 && b->ops > 0;
    to->wait = calloc(cells, sizeof *to->wait);
    if (samples) to->samples = calloc(cells, sizeof *to->samples);
    if (bytes) to->bytes = calloc(cells, sizeof *to->bytes);
    if (last) to->last = calloc(cells, sizeof *to->last);
    if (missing) to->missing = calloc(a->ranks, 1);
    if (tokens) to->tokens = calloc((size_t)a->ranks * a->local_experts, sizeof *to->tokens);
    bool run_delay = a->run_delay_ns && b->run_delay_ns;
    if (rank_ops) to->rank_ops = calloc(a->ranks, sizeof *to->rank_ops);
    if (run_delay) to->run_delay_ns = calloc(a->ranks, sizeof *to->run_delay_ns);
    return to->wait && (to->tokens || !tokens) && (to->rank_ops || !rank_ops) &&
           (to->samples || !samples) && (to->bytes || !bytes) && (to->last || !last) &&
           (to->missing || !missing) && (to->run_delay_ns || !run_delay);
}

/* Exchange the arrays of the sum for the new ones. */
static void replace(dxt_window *sum, totals *to)
{
    totals old = {.wait = sum->wait,
                  .samples = sum->samples,
                  .bytes = sum->bytes,
                  .last = sum->last,
                  .tokens = sum->tokens,
                  .rank_ops = sum->rank_ops,
                  .run_delay_ns = sum->run_delay_ns,
                  .missing = sum->missing};
    sum->wait = to->wait;
    sum->samples = to->samples;
    sum->bytes = to->bytes;
    sum->last = to->last;
    sum->missing = to->missing;
    sum->tokens = to->tokens;
    if (!to->tokens) sum->local_experts = 0;
    sum->rank_ops = to->rank_ops;
    sum->run_delay_ns = to->run_delay_ns;
    sum->samples_each = to->samples_each;
    sum->ops = to->ops;
    sum->elapsed_ns = to->elapsed_ns;
    *to = old;
}

/* What is of one window and not of another is not of their sum. */
static void drop_unlike(dxt_window *sum, const dxt_window *window)
{
    if (sum->min_share != window->min_share) sum->min_share = 0;
    /* What had been issued by the end is known of the later one. */
    if (sum->issued && window->issued)
        memcpy(sum->issued, window->issued, window->ranks * sizeof *sum->issued);
    else if (sum->issued) {
        free(sum->issued);
        sum->issued = NULL;
    }
    if (dxt_same_text(sum->mix, window->mix)) return;
    free(sum->mix);
    sum->mix = NULL;
}

dxt_status dxt_window_add(dxt_window *sum, const dxt_window *window)
{
    if (!sum || !window) return dxt_fail(DXT_ERR_INVALID, "sum and window must not be NULL");
    dxt_status status = check_same(sum, window);
    if (status != DXT_OK) return status;
    totals to = {.fits = true};
    if (!allocate(&to, sum, window)) {
        status = dxt_fail_memory(0);
    } else {
        add_rows(&to, sum, window);
        add_ranks(&to, sum, window);
        if (!sum->samples && !window->samples)
            add_number(&to, sum->samples_each, window->samples_each, &to.samples_each);
        add_number(&to, sum->ops, window->ops, &to.ops);
        add_number(&to, sum->elapsed_ns, window->elapsed_ns, &to.elapsed_ns);
        if (to.fits) {
            replace(sum, &to);
            drop_unlike(sum, window);
        } else {
            status = dxt_fail(DXT_ERR_LIMIT,
                              "a sum of two windows is above 2^63 - 1; add fewer windows");
        }
    }
    free(to.wait);
    free(to.samples);
    free(to.bytes);
    free(to.last);
    free(to.missing);
    free(to.tokens);
    free(to.rank_ops);
    free(to.run_delay_ns);
    return status;
}
