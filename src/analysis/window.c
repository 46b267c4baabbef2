/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/analysis.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/method.h"
#include "analysis/observed.h"
#include "base/base.h"

/* Options as this version knows them, from a caller compiled against any version. */
static dxt_status take_options(const dxt_analysis_options *given, dxt_analysis_options *options)
{
    *options = (dxt_analysis_options){.struct_size = sizeof *options};
    if (!given) return DXT_OK;
    if (given->struct_size < sizeof given->struct_size)
        return dxt_fail(DXT_ERR_INVALID, "analysis options: struct_size is not set");
    size_t known = given->struct_size < sizeof *options ? given->struct_size : sizeof *options;
    memcpy(options, given, known);
    if (options->method != DXT_METHOD_ROBUST && options->method != DXT_METHOD_RATIO)
        return dxt_fail(DXT_ERR_INVALID, "analysis options: unknown method %d",
                        (int)options->method);
    double numbers[] = {options->min_share,     options->threshold_col,
                        options->threshold_row, options->threshold_point,
                        options->cell_spread,   options->companion_spread};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!(numbers[i] >= 0) || isinf(numbers[i]))
            return dxt_fail(DXT_ERR_INVALID,
                            "analysis options: numbers must be finite and not negative");
    return DXT_OK;
}

/* Node of each rank: as recorded, or by the size of a node; NULL, with DXT_OK, when unknown. */
static dxt_status take_nodes(const dxt_window *window, uint32_t ranks_per_node, dxt_block *block,
                             const int32_t **nodes)
{
    *nodes = window->nodes;
    if (window->nodes || ranks_per_node == 0) return DXT_OK;
    int32_t *made = dxt_block_fit(block, window->ranks * sizeof *made);
    if (!made) return DXT_ERR_NO_MEMORY;
    for (uint32_t r = 0; r < window->ranks; r++) made[r] = (int32_t)(r / ranks_per_node);
    *nodes = made;
    return DXT_OK;
}

static void write_silent(const dxt_window *window, dxt_draft *draft)
{
    for (uint32_t r = 0; window->missing && r < window->ranks; r++) {
        if (!window->missing[r]) continue;
        dxt_finding *finding = dxt_draft_finding(draft, DXT_SILENT_RANK);
        if (!finding) return;
        finding->rank = r;
        finding->severity = DXT_SEVERITY_CRITICAL;
        finding->confidence = 1;
        draft->verdict = DXT_VERDICT_SLOW;
    }
}

/* Room for whatever windows of this size may hold, so that later ones allocate nothing. With the
 * ratio method and its usual threshold, at most every fifth cell is five times the mean. */
static dxt_status reserve(dxt_workspace *workspace, const dxt_window *window,
                          const dxt_analysis_options *options)
{
    uint32_t n = window->ranks;
    if (options->method == DXT_METHOD_RATIO)
        return dxt_draft_reserve(&workspace->draft, n, (size_t)n * n / 5, &workspace->result);
    dxt_status status = dxt_fit_reserve(&workspace->fit, n);
    if (status == DXT_OK && options->companion) status = dxt_fit_reserve(&workspace->companion, n);
    if (status == DXT_OK) status = dxt_paths_reserve(&workspace->paths, n);
    if (status != DXT_OK) return status;
    return dxt_draft_reserve(&workspace->draft, n, dxt_most_paths(n), &workspace->result);
}

/* The window and its companion, checked, without holes. */
static dxt_status take_windows(dxt_workspace *workspace, const dxt_window *window,
                               dxt_analysis_options *options, dxt_window *seen, dxt_window *other)
{
    bool ratio = options->method == DXT_METHOD_RATIO;
    dxt_status status = dxt_observed(window, ratio ? DXT_INSTEAD_NOTHING : DXT_INSTEAD_ORDINARY,
                                     &workspace->observed, seen);
    if (status != DXT_OK || !options->companion) return status;
    status = dxt_observed(options->companion, DXT_INSTEAD_ORDINARY, &workspace->companion_observed,
                          other);
    options->companion = other;
    return status;
}

/* The result is left in the workspace. */
static dxt_status analyze(dxt_workspace *workspace, const dxt_window *window,
                          const dxt_analysis_options *given, bool many)
{
    dxt_analysis_options options;
    const int32_t *nodes;
    dxt_window seen, other;
    dxt_status status = take_options(given, &options);
    if (status == DXT_OK) status = take_windows(workspace, window, &options, &seen, &other);
    if (status == DXT_OK)
        status = take_nodes(window, options.ranks_per_node, &workspace->nodes, &nodes);
    if (status == DXT_OK && many) status = reserve(workspace, window, &options);
    if (status != DXT_OK) return status;

    dxt_draft_reset(&workspace->draft, options.method);
    if (options.method == DXT_METHOD_RATIO)
        status = dxt_ratio(&seen, &options, workspace);
    else
        status = dxt_robust(&seen, &options, nodes, workspace);
    if (status != DXT_OK) return status;
    write_silent(window, &workspace->draft);
    return dxt_draft_pack(&workspace->draft, window, nodes, &workspace->result);
}

void dxt_workspace_free(dxt_workspace *workspace)
{
    free(workspace->fit.data);
    free(workspace->companion.data);
    free(workspace->means.data);
    free(workspace->nodes.data);
    free(workspace->observed.data);
    free(workspace->companion_observed.data);
    free(workspace->paths.items);
    dxt_draft_free(&workspace->draft);
}

dxt_status dxt_analyze(const dxt_window *window, const dxt_analysis_options *options,
                       dxt_findings **findings)
{
    if (!findings) return dxt_fail(DXT_ERR_INVALID, "there is no place for the findings");
    dxt_workspace workspace = {0};
    dxt_status status = analyze(&workspace, window, options, false);
    if (status == DXT_OK)
        *findings = workspace.result.data;
    else
        free(workspace.result.data);
    dxt_workspace_free(&workspace);
    return status;
}

void dxt_findings_free(dxt_findings *findings)
{
    free(findings);
}

/* ---- many windows ---- */

struct dxt_analyzer {
    dxt_workspace workspace;
};

dxt_status dxt_analyzer_create(dxt_analyzer **analyzer)
{
    dxt_analyzer *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    *analyzer = made;
    return DXT_OK;
}

dxt_status dxt_analyzer_run(dxt_analyzer *analyzer, const dxt_window *window,
                            const dxt_analysis_options *options, const dxt_findings **findings)
{
    if (!analyzer || !findings) return dxt_fail(DXT_ERR_INVALID, "no analyzer, or no place");
    dxt_status status = analyze(&analyzer->workspace, window, options, true);
    if (status == DXT_OK) *findings = analyzer->workspace.result.data;
    return status;
}

void dxt_analyzer_destroy(dxt_analyzer *analyzer)
{
    if (!analyzer) return;
    free(analyzer->workspace.result.data);
    dxt_workspace_free(&analyzer->workspace);
    free(analyzer);
}
