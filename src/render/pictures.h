/* SPDX-License-Identifier: Apache-2.0 */
/* One function per kind of output; heatmap.c chooses. */
#ifndef DXT_RENDER_PICTURES_H
#define DXT_RENDER_PICTURES_H

#include "render/backend.h"
#include "render/model.h"

/** What is to be drawn and where it goes. Nothing in it is NULL but the heading. */
typedef struct dxt_job {
    dxt_model *const *models; /**< without cells */
    size_t count;
    dxt_format format;
    const dxt_heatmap_options *options;
    const char *heading; /**< clean */
    dxt_write_fn write;
    void *context;
} dxt_job;

dxt_status dxt_write_terminal(const dxt_job *job);
dxt_status dxt_write_html(const dxt_job *job);
/** SVG, and PNG and PDF by the part. */
dxt_status dxt_write_page(const dxt_job *job);

/** What draws SVG, or the part for PNG and PDF. @return DXT_OK; DXT_ERR_UNSUPPORTED, said. */
dxt_status dxt_page_backend(dxt_format format, const dxt_backend **backend);
/** Say what a part, which cannot, has failed with. @return @p status. */
dxt_status dxt_page_status(dxt_format format, dxt_status status);

#endif
