/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a figure of a run differs from that of another run by more than chance. */
#ifndef TOOLS_COMPARE_CHANGE_H
#define TOOLS_COMPARE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A median absolute deviation times this is a standard deviation of normal values. */
#define TO_STANDARD 1.4826

/** Figures that are observed in every window: how often, their means and sums of squares. */
typedef struct series {
    size_t size;
    uint32_t *count;
    double *mean, *squares;
} series;

/** Room for so many figures. @return false if there is no memory. */
bool series_begin(series *s, size_t size);
void series_end(series *s);
/** A window's value of one figure; NaN is none. */
void series_take(series *s, size_t index, double value);

/** What became of a figure. */
typedef struct change {
    double before, after; /**< means; NaN = not observed */
    double by;            /**< how much it grew */
    double error;         /**< standard error of that; NaN = unknown */
    double p;             /**< that chance alone does as much or more; 1 where it is unknown */
    double part;      /**< of the windows of one run that differ from all others, which the change
                             is due to; NaN = it is not that */
    bool part_before; /**< they are windows of the first run */
} change;

/** Spread from window to window of ordinary figures of both, which stands in for that of each as
 *  far as there are too few windows to know; 0 if there is none; NaN: no memory. */
double series_spread(const series *before, const series *after);

/** Compare one figure. @param spread  As series_spread(). */
change series_compare(const series *before, const series *after, size_t index, double spread);

/**
 * A run that changed in its middle: a part of its windows differs by far from the others and from
 * all of the other run. Its own spread tells nothing then, and that of the other one counts: lowers
 * p and sets the part where that is so.
 *
 * @param c  Of series_compare(); `by` may have been changed since.
 */
void series_part(const series *before, const series *after, size_t index, double spread, change *c);

/** Two-sided tail of Student's distribution. */
double student_tail(double t, double degrees);

/** The value in the middle; reorders. @return NaN if there is none. */
double middle(double *values, size_t count);

#endif
