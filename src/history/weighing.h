/* SPDX-License-Identifier: Apache-2.0 */
/* The state of comparing a window's findings with the windows before. */
#ifndef DXT_HISTORY_WEIGHING_H
#define DXT_HISTORY_WEIGHING_H

#include "history/memory.h"

/* What becomes of a rank's column or row in the lists. */
enum dxt_edit {
    DXT_ADD_COL = 1,
    DXT_DROP_COL = 2,
    DXT_ADD_ROW = 2 * DXT_DROP_COL,
    DXT_DROP_ROW = 2 * DXT_ADD_ROW,
    DXT_NAMED = 2 * DXT_DROP_ROW
};

typedef struct dxt_weighing {
    dxt_history *history;
    dxt_track *track; /* NULL: copy */
    const dxt_window *window;
    const dxt_findings *found;
    const dxt_moment *now;
    uint32_t newest; /* position of the window */
    double noise[DXT_HISTORY_OPERATORS];
    double own_noise;
    uint8_t *edit; /* [ranks] */
    bool doubted;  /* a critical lateness did not stand */
    dxt_draft *draft;
} dxt_weighing;

/** The limit that a mean of @p length windows exceeds by chance only rarely, in this operator or in
 *  another one. */
double dxt_history_chance(const dxt_track *track, const dxt_moment *moment, double noise,
                          uint32_t length);

/** The largest confidence of a lateness that stays. With three or four ranks it is lower while
 * windows of another operator have findings, since the lateness may follow from those. */
double dxt_history_surest(const dxt_weighing *w);

/** Whether a rank is now so late in another operator that @p wait may be a trace of it. */
bool dxt_history_spilled(const dxt_weighing *w, uint32_t rank, double wait);

#endif
