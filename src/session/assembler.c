/* SPDX-License-Identifier: Apache-2.0 */
#include "session/assembler.h"

#include <stdlib.h>

#include "base/base.h"

static bool allocate(dxt_assembler *a)
{
    size_t cells = (size_t)a->ranks * a->ranks;
    a->windows = calloc(a->operators, sizeof *a->windows);
    a->cells = calloc(a->operators, sizeof *a->cells);
    a->missing = malloc(a->ranks * sizeof *a->missing);
    a->silent = malloc(a->ranks * sizeof *a->silent);
    a->issued = malloc(a->ranks * sizeof *a->issued);
    a->delays = malloc(a->ranks * sizeof *a->delays);
    a->rates = malloc(a->ranks * sizeof *a->rates);
    a->fast_rates = malloc(a->ranks * sizeof *a->fast_rates);
    a->tick_ns = malloc(a->ranks * sizeof *a->tick_ns);
    a->nodes = malloc(a->ranks * sizeof *a->nodes);
    a->hosts = malloc(a->ranks * sizeof *a->hosts);
    a->ops = malloc(a->ranks * sizeof *a->ops);
    a->devices = malloc(a->ranks * sizeof *a->devices);
    a->experts = malloc(a->ranks * sizeof *a->experts);
    a->tokens = malloc((size_t)a->ranks * DXT_MAIL_TOKENS * sizeof *a->tokens);
    if (!a->windows || !a->cells || !a->missing || !a->rates || !a->nodes || !a->hosts || !a->ops ||
        !a->devices || !a->experts || !a->tokens || !a->fast_rates || !a->tick_ns || !a->silent ||
        !a->issued || !a->delays)
        return false;
    /* A plane that nobody counts is never touched: it takes address space, but no memory. */
    for (uint32_t o = 0; o < a->operators; o++) {
        int64_t *all = malloc((DXT_MAIL_PLANES * cells + a->ranks) * sizeof *all);
        if (!all) return false;
        for (size_t p = 0; p < DXT_MAIL_PLANES; p++) a->cells[o].plane[p] = all + p * cells;
        a->cells[o].ops = all + DXT_MAIL_PLANES * cells;
    }
    return true;
}

dxt_status dxt_assembler_create(uint32_t ranks, uint32_t operators, dxt_assembler **assembler)
{
    dxt_assembler *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    made->ranks = ranks;
    made->operators = operators;
    if (!allocate(made)) {
        dxt_assembler_destroy(made);
        return dxt_fail_memory(DXT_MAIL_PLANES * (size_t)ranks * ranks * sizeof(int64_t));
    }
    *assembler = made;
    return DXT_OK;
}

void dxt_assembler_destroy(dxt_assembler *a)
{
    if (!a) return;
    for (uint32_t o = 0; a->cells && o < a->operators; o++) free(a->cells[o].plane[0]);
    free(a->windows);
    free(a->cells);
    free(a->missing);
    free(a->silent);
    free(a->issued);
    free(a->delays);
    free(a->rates);
    free(a->fast_rates);
    free(a->tick_ns);
    free(a->nodes);
    free(a->hosts);
    free(a->devices);
    free(a->tokens);
    free(a->experts);
    free(a->ops);
    free(a);
}
