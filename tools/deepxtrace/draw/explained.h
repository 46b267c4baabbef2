/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that stand out in a heat map though no finding names them there: their numbers, and why. */
#ifndef TOOLS_DRAW_EXPLAINED_H
#define TOOLS_DRAW_EXPLAINED_H

#include <stdbool.h>

#include <deepxtrace/render.h>
#include <deepxtrace/session.h>

/** Bytes that are enough for explained_lines(). */
#define EXPLAINED_LINES 1200u

/** Append marks that number the columns. @param marks  From dxt_report_marks(), of *@p count.
 *  @return false: no memory. */
bool explained_numbers(const dxt_diagnosis *diagnosis, dxt_mark **marks, size_t *count);

/** Say what they come from, a line for each reason; empty: nobody stands out so.
 *  @param diagnoses  Of one moment; number @p shown is the one that is drawn. */
void explained_lines(const dxt_diagnosis *diagnoses, size_t count, size_t shown,
                     char lines[EXPLAINED_LINES]);

#endif
