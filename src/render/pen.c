/* SPDX-License-Identifier: Apache-2.0 */
#include "render/pen.h"

void dxt_pen_box(dxt_pen *pen, dxt_box box)
{
    if (pen->backend) pen->backend->rectangle(pen->canvas, &box);
}

void dxt_pen_line(dxt_pen *pen, dxt_line line)
{
    if (pen->backend) pen->backend->line(pen->canvas, &line);
}

void dxt_pen_text(dxt_pen *pen, dxt_label label)
{
    if (pen->backend) pen->backend->text(pen->canvas, &label);
}
