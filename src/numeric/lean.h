/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lean: how far means of times are skewed to the late side, since times cannot be negative. It
 * follows from v, the deviation from operation to operation in means of the time: for a log-normal
 * time the skewness is 3 v + v³ and the excess kurtosis 16 v² + 15 v⁴ + 6 v⁶ + v⁸.
 */
#ifndef DXT_NUMERIC_LEAN_H
#define DXT_NUMERIC_LEAN_H

#include <math.h>

/** Shape of the mean over some operations. */
typedef struct dxt_lean {
    double skewness;
    double kurtosis; /**< excess */
} dxt_lean;

/** The shape of the mean over @p ops operations, above 0. */
static inline dxt_lean dxt_lean_of(double variation, double ops)
{
    double v = variation, w = v * v;
    return (dxt_lean){.skewness = (3 * v + v * w) / sqrt(ops),
                      .kurtosis = w * (16 + w * (15 + w * (6 + w))) / ops};
}

/** How many standard errors of such a mean are as rare as @p z of a normal one, by the expansion of
 *  Cornish and Fisher. */
static inline double dxt_lean_quantile(double z, dxt_lean lean)
{
    double s = lean.skewness, third = s * (z * z - 1) / 6;
    double fourth = lean.kurtosis * (z * z - 3) * z / 24;
    return z + third + fmax(0, fourth - s * s * (2 * z * z - 5) * z / 36);
}

#endif
