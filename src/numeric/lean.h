/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far means of times that cannot be negative lean to the late side. Their deviation v from
 * operation to operation, in means of such a time, says it: for a log-normal the skewness is
 * 3 v + v³ and the excess kurtosis 16 v² + 15 v⁴ + 6 v⁶ + v⁸.
 */
#ifndef DXT_NUMERIC_LEAN_H
#define DXT_NUMERIC_LEAN_H

#include <math.h>

/** Shape of the mean over some operations. */
typedef struct dxt_lean {
    double skewness;
    double kurtosis; /**< excess */
} dxt_lean;

/** Of the mean over @p ops operations, above 0. */
static inline dxt_lean dxt_lean_of(double variation, double ops)
{
    double v = variation, w = v * v;
    return (dxt_lean){.skewness = (3 * v + v * w) / sqrt(ops),
                      .kurtosis = w * (16 + w * (15 + w * (6 + w))) / ops};
}

/** Standard errors at which such a mean is as rare as a normal one is at @p z: Cornish and Fisher's
 *  expansion. */
static inline double dxt_lean_quantile(double z, dxt_lean lean)
{
    double s = lean.skewness, third = s * (z * z - 1) / 6;
    double fourth = lean.kurtosis * (z * z - 3) * z / 24;
    return z + third + fmax(0, fourth - s * s * (2 * z * z - 5) * z / 36);
}

#endif
