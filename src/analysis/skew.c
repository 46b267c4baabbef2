/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/skew.h"

#include <math.h>

#define INV_SQRT_2PI 0.39894228040143267794
#define SQRT_HALF 0.70710678118654752440

double dxt_expected_wait(double shift, double skew)
{
    /* Beyond 8 standard deviations the cut-off no longer matters. */
    if (shift >= 8 * skew) return shift;
    if (shift <= -8 * skew) return 0;
    double z = shift / skew;
    return shift * 0.5 * erfc(-z * SQRT_HALF) + skew * INV_SQRT_2PI * exp(-0.5 * z * z);
}

double dxt_skew_of_wait(double wait, double transfer)
{
    if (wait <= 0 || wait <= transfer) return 0;
    /* The expected wait grows with the skew, from `transfer` on; at the upper end it is ≥ wait. */
    double low = 0, high = wait / INV_SQRT_2PI;
    for (int i = 0; i < 50; i++) {
        double middle = low + (high - low) / 2;
        if (dxt_expected_wait(transfer, middle) < wait)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double dxt_shift_of_wait(double wait, double skew)
{
    double low = -8 * skew, high = wait;
    for (int i = 0; i < 50; i++) {
        double middle = low + (high - low) / 2;
        if (dxt_expected_wait(middle, skew) < wait)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double dxt_lateness_of_waits(double waits_difference, double transfer)
{
    double size = fabs(waits_difference);
    double lateness = size <= 2 * transfer ? size / 2 : size - transfer;
    return waits_difference < 0 ? -lateness : lateness;
}
