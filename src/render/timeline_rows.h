/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks over time as a picture: the cells of ranks and strips, and what stands beside them. */
#ifndef DXT_RENDER_TIMELINE_ROWS_H
#define DXT_RENDER_TIMELINE_ROWS_H

#include "render/course.h"
#include "render/pen.h"

#define DXT_COURSE_SMALL 11.0

/** Of a row of cells, and of a column. */
double dxt_course_height(const dxt_course *course);
double dxt_course_width(const dxt_course *course);
void dxt_course_text(dxt_pen *pen, double x, double y, double size, dxt_anchor anchor,
                     const char *string);
/** A clean copy of text from outside, in pen->scratch. @return false if there is no memory. */
bool dxt_course_clean(dxt_pen *pen, const char *string);
/** The ranks, with their top left cell at x, y. */
void dxt_course_rows(dxt_pen *pen, const dxt_course *course, double x, double y);
/** The slow paths and links below them. @return Their height. */
double dxt_course_strips(dxt_pen *pen, const dxt_course *course, double x, double y);

#endif
