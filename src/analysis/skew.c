/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/skew.h"

#include <math.h>

#define INV_SQRT_2PI 0.39894228040143267794
/* Halvings of an interval: to a few millionths of it, finer than any window. */
#define PAIR_ROUNDS 20
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

/* Lateness that makes the waits differ by `difference` ≥ 0. */
static double lateness_of(double difference, double transfer, double skew)
{
    double low = 0, high = difference;
    for (int i = 0; i < PAIR_ROUNDS; i++) {
        double middle = low + (high - low) / 2;
        double made =
            dxt_expected_wait(transfer + middle, skew) - dxt_expected_wait(transfer - middle, skew);
        if (made < difference)
            low = middle;
        else
            high = middle;
    }
    return high;
}

double dxt_skew_of_pair(double wait, double other_wait, double transfer)
{
    double difference = fabs(wait - other_wait), sum = wait + other_wait;
    /* At a given difference the sum grows with the skew; all of it by skew is the most. */
    double low = 0, high = sum / (2 * INV_SQRT_2PI);
    for (int i = 0; i < PAIR_ROUNDS; i++) {
        double middle = low + (high - low) / 2;
        double late = lateness_of(difference, transfer, middle);
        double made =
            dxt_expected_wait(transfer + late, middle) + dxt_expected_wait(transfer - late, middle);
        if (made < sum)
            low = middle;
        else
            high = middle;
    }
    return high;
}

void dxt_lateness_scale_make(dxt_lateness_scale *scale, double transfer, double skew)
{
    scale->transfer = transfer;
    scale->skew = skew;
    /* Beyond the last knot the waiting is one-sided, whatever the skew. */
    scale->step = (transfer + 8 * skew) / (DXT_LATENESS_KNOTS - 1);
    for (unsigned k = 0; k < DXT_LATENESS_KNOTS; k++) {
        double late = k * scale->step;
        scale->difference[k] =
            dxt_expected_wait(transfer + late, skew) - dxt_expected_wait(transfer - late, skew);
    }
}

double dxt_lateness_read(const dxt_lateness_scale *scale, double difference)
{
    double size = fabs(difference), late;
    unsigned low = 0, high = DXT_LATENESS_KNOTS - 1;
    if (scale->transfer <= 0) return difference;
    if (size >= scale->difference[high]) {
        late = size - scale->transfer;
    } else {
        while (high - low > 1) {
            unsigned middle = (low + high) / 2;
            if (scale->difference[middle] <= size)
                low = middle;
            else
                high = middle;
        }
        double width = scale->difference[high] - scale->difference[low];
        late = (low + (size - scale->difference[low]) / width) * scale->step;
    }
    return difference < 0 ? -late : late;
}
