/* SPDX-License-Identifier: Apache-2.0 */
/* A window in words, and how many of its findings are kept back. */
#ifndef TOOLS_ANALYZE_DESCRIBE_H
#define TOOLS_ANALYZE_DESCRIBE_H

#include <stddef.h>

#include <deepxtrace/analysis.h>
#include <deepxtrace/render.h>

/** dxt_report_text(), then a line about @p more findings that @p findings has not, if any. */
dxt_status describe(const dxt_window *window, const dxt_findings *findings, size_t more,
                    dxt_write_fn write, void *context);

/** The same as a text for free(). NULL if memory is short. */
char *describe_text(const dxt_window *window, const dxt_findings *findings, size_t more);

#endif
