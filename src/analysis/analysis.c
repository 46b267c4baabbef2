/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/analysis.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/method.h"
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
    double numbers[] = {options->min_share, options->threshold_col, options->threshold_row,
                        options->threshold_point};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!(numbers[i] >= 0) || isinf(numbers[i]))
            return dxt_fail(DXT_ERR_INVALID,
                            "analysis options: thresholds must be finite and not negative");
    return DXT_OK;
}

/* Node of each rank: as recorded, or by the size of a node; *made is the caller's to free. */
static dxt_status take_nodes(const dxt_window *window, uint32_t ranks_per_node,
                             const int32_t **nodes, int32_t **made)
{
    *nodes = window->nodes;
    *made = NULL;
    if (window->nodes || ranks_per_node == 0) return DXT_OK;
    *made = malloc(window->ranks * sizeof **made);
    if (!*made) return dxt_fail_memory(window->ranks * sizeof **made);
    for (uint32_t r = 0; r < window->ranks; r++) (*made)[r] = (int32_t)(r / ranks_per_node);
    *nodes = *made;
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

dxt_status dxt_analyze(const dxt_window *window, const dxt_analysis_options *given,
                       dxt_findings **findings)
{
    dxt_analysis_options options;
    const int32_t *nodes;
    int32_t *made;
    dxt_status status = take_options(given, &options);
    if (status == DXT_OK) status = dxt_window_check(window);
    if (status == DXT_OK && options.companion) status = dxt_window_check(options.companion);
    if (status == DXT_OK) status = take_nodes(window, options.ranks_per_node, &nodes, &made);
    if (status != DXT_OK) return status;

    dxt_draft draft = {.method = options.method, .step = NAN};
    if (options.method == DXT_METHOD_RATIO)
        status = dxt_ratio(window, &options, &draft);
    else
        status = dxt_robust(window, &options, nodes, &draft);
    if (status == DXT_OK) {
        write_silent(window, &draft);
        status = dxt_draft_pack(&draft, window, nodes, findings);
    }
    dxt_draft_free(&draft);
    free(made);
    return status;
}

void dxt_findings_free(dxt_findings *findings)
{
    free(findings);
}
