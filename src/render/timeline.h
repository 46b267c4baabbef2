/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks over time: both kinds of pictures. */
#ifndef DXT_RENDER_TIMELINE_H
#define DXT_RENDER_TIMELINE_H

#include "render/course.h"

#define DXT_MOST_STRIPS 16u

/** SVG, and PNG and PDF by the part. */
dxt_status dxt_write_timeline_page(const dxt_timeline_panel *panels, size_t count,
                                   const dxt_heatmap_options *options, dxt_format format,
                                   dxt_write_fn write, void *context);
dxt_status dxt_write_timeline_text(const dxt_timeline_panel *panels, size_t count,
                                   const dxt_heatmap_options *options, dxt_write_fn write,
                                   void *context);

#endif
