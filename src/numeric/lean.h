/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far means of times that cannot be negative lean to the late side. Their deviation v from
 * operation to operation, in means of such a time, says it: for a log-normal the skewness is
 * 3 v + v³ and the excess kurtosis 16 v² + 15 v⁴ + 6 v⁶ + v⁸. The mean itself is not known; an
 * eighth of the step, which is compute and communication twice, is on the safe side.
 */
#ifndef DXT_NUMERIC_LEAN_H
#define DXT_NUMERIC_LEAN_H

#include <math.h>

/** Largest standard deviation of a computing time that is believed, in means of it. */
#define DXT_MOST_VARIATION 1.5

/** Shape of the mean over some operations. */
typedef struct dxt_lean {
    double skewness;
    double kurtosis; /**< excess */
} dxt_lean;

/** Deviation from operation to operation in means of the time. @p step: NaN = unknown. */
static inline double dxt_variation(double deviation, double step)
{
    return step > 0 ? fmin(deviation / (step / 8), DXT_MOST_VARIATION) : 0;
}

/** By how much medians understate the deviation of what leans, as a factor of up to 1.2. */
static inline double dxt_understated(double variation)
{
    return 1 + 0.2 * fmin(variation * variation, 1);
}

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
