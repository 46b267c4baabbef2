/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks over time: what both kinds of pictures show of a panel. */
#ifndef DXT_RENDER_COURSE_H
#define DXT_RENDER_COURSE_H

#include "render/model.h"
#include "render/scale.h"
#include "render/words.h"

/** A panel in blocks. */
typedef struct dxt_course {
    const dxt_timeline_panel *panel;
    uint32_t block; /**< ranks in a row */
    uint32_t rows;
    size_t group;   /**< columns of the panel in one that is drawn */
    size_t columns; /**< drawn */
    dxt_scale scale;
} dxt_course;

/** With at most so many rows and columns. */
dxt_course dxt_course_of(const dxt_timeline_panel *panel, uint32_t rows, size_t columns);
/** Largest value of a block of ranks in a column; NaN when one of them is silent all the time. */
double dxt_course_value(const dxt_course *course, uint32_t row, size_t column);
/** Whether a rank is silent all the time of a column. */
bool dxt_course_is_silent(const dxt_course *course, uint32_t rank, size_t column);
/** Whether a rank is silent in a column. */
bool dxt_course_any_silent(const dxt_course *course);
/** First silent rank of a row of cells from @p from on; DXT_NO_RANK: there is none. */
uint32_t dxt_course_silent(const dxt_course *course, uint32_t row, size_t column, uint32_t from);
/** Largest value of a strip in a column. */
double dxt_course_strip(const dxt_course *course, size_t strip, size_t column);
/** Position on the scale; values below 0 count as 0. */
double dxt_course_position(const dxt_course *course, double value);
/** The first rank of a row that is marked, else DXT_NO_RANK. @p last  Unless NULL, receives the
 * last one of those that are marked with it. */
uint32_t dxt_course_marked(const dxt_course *course, uint32_t row, uint32_t *last);
/** The rank of a row whose number belongs beside it: the first one that is marked, else one that is
 *  red in a tenth of the columns, such as one that the caption explains; DXT_NO_RANK: none. */
uint32_t dxt_course_named(const dxt_course *course, uint32_t row);
/** The host that belongs beside a row: that of ranks that are marked from here on, else, of several
 *  hosts, of one whose ranks begin here; NULL: none. */
const char *dxt_course_host(const dxt_course *course, uint32_t row);
/** Last window of a drawn column. */
int64_t dxt_course_last(const dxt_course *course, size_t column);
/** The round step of window numbers at an axis with at least so many drawn columns between them; 0:
 *  the first one only. */
int64_t dxt_course_step(const dxt_course *course, double columns);
/** Whether a drawn column has a number at the axis: a multiple of @p step is in it. */
bool dxt_course_tick(const dxt_course *course, size_t column, int64_t step, int64_t *number);
/** "windows 0 to 999, 8 in a column; rows of 16 ranks". */
void dxt_course_words(const dxt_course *course, dxt_text *text);
/** Lines on how marked ranks and silent ones look, and on why the scale goes on. */
void dxt_course_key(const dxt_course *course, const dxt_key_words *words, dxt_text *text);
const char *dxt_course_unit(const dxt_timeline_panel *panel);

#endif
