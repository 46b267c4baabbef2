/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions: judge one window, or one window after another in the same memory. */
#include <math.h>
#include <stdlib.h>

#include <deepxtrace/analysis.h>

#include "analysis/window.h"
#include "base/base.h"

/* Copy the options of a caller that was compiled against any version; defaults for the rest. */
static dxt_status take_options(const dxt_analysis_options *given, dxt_analysis_options *options)
{
    *options = (dxt_analysis_options){.struct_size = sizeof *options};
    if (!given) return DXT_OK;
    if (!dxt_take_struct(options, sizeof *options, given, sizeof given->struct_size))
        return dxt_fail_size("options", "dxt_analysis_options", given->struct_size);
    if (options->method != DXT_METHOD_ROBUST && options->method != DXT_METHOD_RATIO)
        return dxt_fail(DXT_ERR_INVALID, "options.method is %d, but must be a dxt_method",
                        (int)options->method);
    double numbers[] = {options->min_share,        options->threshold_col,
                        options->threshold_row,    options->threshold_point,
                        options->cell_spread,      options->companion_spread,
                        options->transfer_ordinary};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!(numbers[i] >= 0) || isinf(numbers[i]))
            return dxt_fail(
                DXT_ERR_INVALID,
                "options: each share, threshold and spread must be finite and not negative");
    return DXT_OK;
}

/* Leaves the result in the workspace. */
static dxt_status analyze(dxt_workspace *workspace, const dxt_window *window,
                          const dxt_analysis_options *given, bool reserve)
{
    dxt_analysis_options options;
    if (!window) return dxt_fail(DXT_ERR_INVALID, "window must not be NULL");
    dxt_status status = take_options(given, &options);
    return status == DXT_OK ? dxt_analyze_window(workspace, window, &options, reserve) : status;
}

dxt_status dxt_analyze(const dxt_window *window, const dxt_analysis_options *options,
                       dxt_findings **findings)
{
    if (!findings) return dxt_fail(DXT_ERR_INVALID, "findings must not be NULL");
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
    if (!analyzer) return dxt_fail(DXT_ERR_INVALID, "analyzer must not be NULL");
    dxt_analyzer *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    *analyzer = made;
    return DXT_OK;
}

dxt_status dxt_analyzer_run(dxt_analyzer *analyzer, const dxt_window *window,
                            const dxt_analysis_options *options, const dxt_findings **findings)
{
    if (!analyzer || !findings)
        return dxt_fail(DXT_ERR_INVALID, "analyzer and findings must not be NULL");
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
