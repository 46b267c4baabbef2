/* SPDX-License-Identifier: Apache-2.0 */
/* The steps from a window to its findings; README.md explains each. */
#include "analysis/window.h"

#include <math.h>

#include "analysis/arrive/fit.h"
#include "analysis/arrive/one_sided.h"
#include "analysis/blocks.h"
#include "analysis/case.h"
#include "analysis/explain/bundles.h"
#include "analysis/explain/counted.h"
#include "analysis/explain/echo.h"
#include "analysis/explain/lost.h"
#include "analysis/explain/paths.h"
#include "analysis/explain/persists.h"
#include "analysis/explain/turns.h"
#include "analysis/explain/work.h"
#include "analysis/observed.h"
#include "analysis/pack.h"
#include "analysis/ratio.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"
#include "analysis/weigh.h"

/* The input of an analysis: the window and those that belong to it, checked, without holes. */
struct input {
    dxt_window window, companion, adjacent;
    dxt_glance glance; /* figures from the check of the window */
    bool has_companion, has_adjacent;
    const int32_t *nodes; /* node of each rank; NULL = unknown */
    uint32_t sparse;      /* ranks of a block, where a hybrid mode shows; otherwise 0 */
    uint32_t likely;      /* the same where only the waits suggest it */
    uint32_t size;        /* ranks of a node where `nodes` were made by it; otherwise 0 */
};

/* Whether a window is of the same kind. */
static bool is_alike(const dxt_window *window, const dxt_window *other)
{
    return other->ranks == window->ranks && dxt_window_measure(other) == dxt_window_measure(window);
}

/* Node of each rank: as recorded, or by the size of a node. */
static dxt_status take_nodes(dxt_workspace *workspace, uint32_t ranks_per_node, struct input *input)
{
    const dxt_window *window = &input->window;
    input->nodes = window->nodes;
    if (window->nodes) return DXT_OK;
    if (ranks_per_node == 0) ranks_per_node = input->sparse;
    if (ranks_per_node == 0) ranks_per_node = input->likely = dxt_likely_block(window);
    /* Where something is slow here, the other operator may show the blocks still. */
    if (ranks_per_node == 0 && input->has_companion && is_alike(window, &input->companion))
        ranks_per_node = input->likely = dxt_likely_block(&input->companion);
    if (ranks_per_node == 0) return DXT_OK;
    int32_t *made = dxt_block_fit(&workspace->nodes, window->ranks * sizeof *made);
    if (!made) return DXT_ERR_NO_MEMORY;
    for (uint32_t r = 0; r < window->ranks; r++) made[r] = (int32_t)(r / ranks_per_node);
    input->nodes = made;
    input->size = ranks_per_node;
    return DXT_OK;
}

static dxt_status take_input(dxt_workspace *workspace, const dxt_window *window,
                             const dxt_analysis_options *options, struct input *input)
{
    bool ratio = options->method == DXT_METHOD_RATIO;
    uint32_t other;
    *input = (struct input){.has_companion = options->companion, .has_adjacent = options->adjacent};
    const dxt_looking look = {.ranks_per_node = options->ranks_per_node,
                              .block = &workspace->glance,
                              .glance = &input->glance};
    dxt_status status =
        dxt_observed(window, ratio ? DXT_INSTEAD_NOTHING : DXT_INSTEAD_ORDINARY,
                     &workspace->observed, &input->window, &input->sparse, ratio ? NULL : &look);
    if (status == DXT_OK && options->companion)
        status = dxt_observed(options->companion, DXT_INSTEAD_ORDINARY,
                              &workspace->companion_observed, &input->companion, &other, NULL);
    if (status == DXT_OK && options->adjacent)
        status = dxt_observed(options->adjacent, DXT_INSTEAD_ORDINARY,
                              &workspace->adjacent_observed, &input->adjacent, &other, NULL);
    return status == DXT_OK && !ratio ? take_nodes(workspace, options->ranks_per_node, input)
                                      : status;
}

/* Whether the number of waits behind its sums is unknown. */
static bool is_blind(const dxt_window *window)
{
    return window->ops == 0 && !window->samples && window->samples_each == 0;
}

/* Who arrived when, in this operator and, if they are of the same kind, in those that belong to it.
 */
static dxt_status fit_both(dxt_workspace *workspace, const struct input *input,
                           const dxt_analysis_options *options, dxt_case *c)
{
    const dxt_window *window = &input->window, *companion = &input->companion;
    double share = options->min_share > 0  ? options->min_share
                   : window->min_share > 0 ? window->min_share
                                           : DXT_MIN_SHARE;
    dxt_known known = {.nodes = input->nodes, .sparse = input->sparse, .min_share = share};
    bool alike = input->has_companion && is_alike(window, companion);
    dxt_status status = DXT_OK;
    double least = 0;
    known.cell_spread = options->companion_spread > 0 ? options->companion_spread : NAN;
    if (alike) status = dxt_fit_window(&workspace->companion, companion, &known, &c->other);
    if (alike && status == DXT_OK) {
        c->companion = companion;
        if (is_blind(window)) least = DXT_BLIND_RULER * c->other.transfer;
    }
    if (status == DXT_OK && input->has_adjacent && is_alike(window, &input->adjacent)) {
        known.cell_spread = NAN;
        status = dxt_fit_window(&workspace->adjacent, &input->adjacent, &known, &c->next);
        if (status == DXT_OK) c->adjacent = &input->adjacent;
        c->transfer_ordinary = options->transfer_ordinary;
    }
    if (status != DXT_OK) return status;
    known.cell_spread = options->cell_spread > 0 ? options->cell_spread : NAN;
    known.least = least;
    known.early = input->glance.early;
    return dxt_fit_window(&workspace->fit, window, &known, &c->fit);
}

/* Find out which time shares are parts of. Nobody waits longer than the window lasts: a longer sum
 * has waits that ran side by side, one for each expert of a rank, and no share can be given. */
static void take_time(dxt_case *c)
{
    c->spent = c->fit.step;
    if (!is_blind(c->window)) return;
    double longest =
        fmax(dxt_fit_longest_of_all(&c->fit), c->companion ? dxt_fit_longest_of_all(&c->other) : 0);
    if (!(longest > c->fit.step)) return;
    c->beside = (uint32_t)fmin(ceil(longest / c->fit.step), UINT32_MAX);
    c->spent = NAN;
    c->draft->waits_beside = c->beside;
}

/* Find what the fit does not explain: slow paths, and ranks that are late only once in a while. */
static dxt_status explain(dxt_workspace *workspace, const dxt_glance *glance, dxt_case *c)
{
    dxt_status status = dxt_fit_paths(&c->fit, glance, &workspace->paths);
    if (status != DXT_OK) return status;
    c->paths = &workspace->paths;
    c->mean = c->paths->mean;
    dxt_note_passing(c, c->fit.passing);
    dxt_bundle_paths(c, &workspace->paths);
    return DXT_OK;
}

static void give_verdict(dxt_case *c)
{
    const dxt_fit *fit = &c->fit;
    bool thin = fit->ops > 0 && fit->ops < DXT_THIN_OPS;
    bool fits = !c->paths->misfit && !fit->tangled;
    /* After a stall that cost much the window is not healthy; one stall is no cause either. */
    bool stalled = c->once > 0 && !(c->once < DXT_MAJOR_SHARE * fit->step);
    /* All counters are 0: perhaps the program never passes them on. */
    bool silent = fit->base <= 0 && fit->count > 0 && dxt_case_mean(c) == 0;
    if (c->beside == 0 && dxt_may_rotate(fit)) c->draft->verdict = DXT_VERDICT_INCONCLUSIVE;
    /* A window that loses much time is not healthy, whoever causes it. */
    c->draft->lost_share = dxt_share_lost(c);
    c->draft->apart_share = dxt_share_apart(c);
    if (dxt_draft_loses(c->draft)) c->draft->verdict = DXT_VERDICT_INCONCLUSIVE;
    if (c->blocks || c->draft->delayed_ns > 0) c->draft->verdict = DXT_VERDICT_INCONCLUSIVE;
    if (c->nothing || !fits || fit->unsure || fit->count < 2 || thin || stalled || silent)
        c->draft->verdict = DXT_VERDICT_INCONCLUSIVE;
}

/* A window is slow if one finding costs time. */
static void call_slow(dxt_draft *draft)
{
    for (size_t f = 0; f < draft->finding_count; f++)
        if (draft->findings[f].kind != DXT_EARLY_RANK) draft->verdict = DXT_VERDICT_SLOW;
}

/* Write the lateness of each rank, for the history. */
static dxt_status write_lateness(dxt_case *c)
{
    const dxt_fit *fit = &c->fit;
    uint32_t n = c->window->ranks;
    double *late = dxt_draft_lateness(c->draft, n);
    if (!late) return DXT_ERR_NO_MEMORY;
    double *error = late + n, *of_node = error + n;
    for (uint32_t r = 0; r < n; r++) late[r] = error[r] = of_node[r] = NAN;
    for (uint32_t k = 0; k < fit->count; k++) {
        bool anothers =
            dxt_is_echo(c, k) || (dxt_role_is_late(fit->role[k]) && dxt_late_in_turn(c, k));
        late[fit->rank[k]] = anothers ? 0 : dxt_fit_all_lateness(fit, k);
        error[fit->rank[k]] = fit->error[k];
        of_node[fit->rank[k]] = fit->node_late[fit->node[k]];
    }
    c->draft->ordinary = fit->base;
    c->draft->step = fit->step;
    c->draft->transfer = fit->transfer;
    c->draft->floor = fit->floor;
    dxt_take_work(c);
    return DXT_OK;
}

static dxt_status judge_robust(dxt_workspace *workspace, const struct input *input,
                               const dxt_analysis_options *options, dxt_case *c)
{
    dxt_status status = fit_both(workspace, input, options, c);
    if (status == DXT_OK) take_time(c);
    if (status == DXT_OK) status = explain(workspace, &input->glance, c);
    if (status != DXT_OK) return status;
    dxt_apply_rules(c);
    dxt_doubt_traces(c->draft);
    give_verdict(c);
    return write_lateness(c);
}

static dxt_status judge_ratio(dxt_workspace *workspace, const struct input *input,
                              const dxt_analysis_options *options, dxt_case *c)
{
    dxt_status status = dxt_ratio(&input->window, options, &workspace->means, c->draft);
    if (status == DXT_OK) dxt_apply_rules(c);
    return status;
}

dxt_status dxt_analyze_window(dxt_workspace *workspace, const dxt_window *window,
                              const dxt_analysis_options *options, bool reserve)
{
    struct input input;
    dxt_status status = take_input(workspace, window, options, &input);
    if (status == DXT_OK && reserve)
        status = dxt_workspace_reserve(workspace, window->ranks, options);
    if (status != DXT_OK) return status;

    dxt_case c = {.window = &input.window,
                  .draft = &workspace->draft,
                  .delay_before_ns = options->run_delay_before_ns,
                  .mean = NAN,
                  .spent = NAN,
                  .turn = NAN};
    dxt_draft_reset(c.draft, options->method);
    bool ratio = options->method == DXT_METHOD_RATIO;
    double samples = dxt_typical_samples(&input.window);
    c.likely = input.likely > 0;
    c.draft->likely_node_size = input.likely;
    c.draft->node_size = input.size;
    c.nothing = !ratio && dxt_nothing_completed(&input.window);
    c.few = samples > 0 && samples < DXT_THIN_OPS;
    status = ratio ? judge_ratio(workspace, &input, options, &c)
                   : judge_robust(workspace, &input, options, &c);
    if (status != DXT_OK) return status;
    call_slow(c.draft);
    return dxt_draft_pack(c.draft, window, input.nodes, &workspace->result);
}
