/* SPDX-License-Identifier: Apache-2.0 */
/* How much the computing time of a rank varies from operation to operation, in means of that time.
 * The mean is not known: a part of the step stands for it, on the safe side. */
#ifndef DXT_ARRIVE_VARIATION_H
#define DXT_ARRIVE_VARIATION_H

#include <math.h>

#include "analysis/tuning.h"

/** Deviation from operation to operation in means of the time. @p step: NaN = unknown. */
static inline double dxt_variation(double deviation, double step)
{
    return step > 0 ? fmin(deviation / (step / DXT_STEP_PARTS), DXT_MOST_VARIATION) : 0;
}

/** The factor by which medians understate the deviation of a skewed distribution. */
static inline double dxt_understated(double variation)
{
    return 1 + DXT_UNDERSTATED * fmin(variation * variation, 1);
}

#endif
