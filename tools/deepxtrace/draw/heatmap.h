/* SPDX-License-Identifier: Apache-2.0 */
/* Heat maps of diagnosed windows: the findings as marks and captions. */
#ifndef TOOLS_DRAW_HEATMAP_H
#define TOOLS_DRAW_HEATMAP_H

#include <deepxtrace/render.h>
#include <deepxtrace/session.h>

/** Most windows in one picture. */
#define DRAW_PANELS 64u

/** Bytes of a caption. */
#define DRAW_CAPTION 4096u

/** Append what the ratio rule flagged to a caption of DRAW_CAPTION bytes, of which @p used are so.
 *  @return How many are used then. */
size_t draw_lists(const dxt_findings *findings, char *caption, size_t used);

/**
 * Draw one panel per diagnosed window, with what was found marked, and said below it.
 *
 * @param diagnoses  1 … DRAW_PANELS windows with their findings.
 * @param heading    Above all panels; NULL = none.
 * @param color, columns  For the terminal; see terminal_color(), terminal_columns().
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_UNSUPPORTED; DXT_ERR_NO_MEMORY; what @p write returned.
 */
dxt_status draw_heatmaps(const dxt_diagnosis *diagnoses, size_t count, dxt_format format,
                         const char *heading, dxt_color color, uint32_t columns, dxt_write_fn write,
                         void *context);

#endif
