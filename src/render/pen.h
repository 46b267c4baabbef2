/* SPDX-License-Identifier: Apache-2.0 */
/* What pictures are drawn with. */
#ifndef DXT_RENDER_PEN_H
#define DXT_RENDER_PEN_H

#include "render/backend.h"
#include "render/model.h"

/** Draws, or only measures while `backend` is NULL. After a failed allocation `scratch.failed` is
 *  set and the picture is not complete. */
typedef struct dxt_pen {
    const dxt_backend *backend;
    void *canvas;
    dxt_text scratch; /**< for strings under way; release with free() */
} dxt_pen;

void dxt_pen_box(dxt_pen *pen, dxt_box box);
void dxt_pen_line(dxt_pen *pen, dxt_line line);
void dxt_pen_text(dxt_pen *pen, dxt_label label);

#endif
