/* SPDX-License-Identifier: Apache-2.0 */
/* From waits to positions on the logarithmic colour scale. */
#ifndef DXT_RENDER_SCALE_H
#define DXT_RENDER_SCALE_H

#include <stdbool.h>

#include <deepxtrace/render.h>

/** Most ticks of a legend. */
#define DXT_MAX_TICKS 16u

/** Ends of the colours, in the measure of the window (ns or cycles). 0 < low < high. */
typedef struct dxt_scale {
    double low, high;
    double largest; /**< largest value there is; 0 if all are 0 or there are none */
} dxt_scale;

/**
 * Choose the scale for a window. The rule is explained in scale.c.
 *
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_scale_choose(const dxt_window *window, dxt_scale *scale);

/**
 * Raise the low end for cells that are the longest waits of blocks: what most blocks have is green.
 *
 * @param cells  Drawn; NaN = none.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_scale_for_blocks(dxt_scale *scale, const double *cells, size_t count);

/** Where a value lies: 0 = low end and below (also 0), 1 = high end and above. */
double dxt_scale_position(const dxt_scale *scale, double value);

/**
 * Round figures inside a scale: powers of ten, with their 2- and 5-fold where these are few.
 *
 * @param unit   Size of the unit shown in the measure, e.g. 1000 for µs.
 * @param ticks  Receives values in that unit, ascending.
 * @return How many, at most DXT_MAX_TICKS.
 */
size_t dxt_scale_ticks(const dxt_scale *scale, double unit, double ticks[DXT_MAX_TICKS]);

/** Whether a measure is a time in ns (else cycles). */
static inline bool dxt_measure_is_time(dxt_measure measure)
{
    return measure == DXT_MEASURE_NS_PER_OP || measure == DXT_MEASURE_NS;
}

/** Size of the unit shown: µs in ns, or 1 cycle. */
static inline double dxt_measure_shown(dxt_measure measure)
{
    return dxt_measure_is_time(measure) ? 1000.0 : 1.0;
}

#endif
