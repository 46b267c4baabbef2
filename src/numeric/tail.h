/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mean of a normal variable cut off below 0, by a table: erfc() and exp() for every cell would
 * cost more than the rest of an analysis. With X standard normal and z ≥ 0,
 *
 *     tail(z) = E max(0, X − z),   tail' = −P(X > z),   tail" = density(z),
 *
 * and E max(0, X + z) = z + tail(z). All further derivatives are the density times a polynomial
 * (Hermite's), so a knot of three numbers is enough for a series that is exact to rounding.
 */
#ifndef DXT_NUMERIC_TAIL_H
#define DXT_NUMERIC_TAIL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/** Knots from 0 to 8, where the cut-off no longer matters. */
#define DXT_TAIL_KNOTS 65u
#define DXT_TAIL_KNOTS_PER_UNIT 8.0
#define DXT_TAIL_END 8.0

/** tail(z), P(X > z) and the density at z = 0, 1/8, 2/8, …; 0 at 8, which stands for all beyond.
 */
typedef struct dxt_tail_knot {
    double tail, beyond, density;
} dxt_tail_knot;

extern const dxt_tail_knot dxt_tail[DXT_TAIL_KNOTS];

/** The knot nearest to z; at most the last one, where the tail is 0. */
static inline int32_t dxt_tail_place(double *z)
{
    *z = *z < DXT_TAIL_END ? *z : DXT_TAIL_END;
    return (int32_t)(*z * DXT_TAIL_KNOTS_PER_UNIT + 0.5);
}

/** The second derivative's series around knot k, integrated twice term by term. Products, not
 *  quotients, which take many times as long; these terms are far below the rounding of the sum. */
static inline double dxt_tail_series(int32_t k, double z)
{
    double x = k / DXT_TAIL_KNOTS_PER_UNIT, d = z - x, x2 = x * x, d2 = d * d;
    double even = 1.0 / 2 + d2 * ((x2 - 1) * (1.0 / 24) +
                                  d2 * ((x2 * (x2 - 6) + 3) * (1.0 / 720) +
                                        d2 * (x2 * (x2 * (x2 - 15) + 45) - 15) * (1.0 / 40320)));
    double odd =
        x * (1.0 / 6 + d2 * ((x2 - 3) * (1.0 / 120) + d2 * (x2 * (x2 - 10) + 15) * (1.0 / 5040)));
    return even - d * odd;
}

/** Fetch the values of knots k into arrays, as vectors need them.
 *  @param k  [n] Places, as dxt_tail_place() has them. */
static inline void dxt_tail_gather(const int32_t *restrict k, uint32_t n, double *restrict tail,
                                   double *restrict beyond, double *restrict density)
{
    for (uint32_t i = 0; i < n; i++) {
        const dxt_tail_knot *knot = &dxt_tail[k[i]];
        tail[i] = knot->tail;
        beyond[i] = knot->beyond;
        density[i] = knot->density;
    }
}

/** E[max(0, shift + X)] as dxt_expected_wait() has it, inline. */
static inline double dxt_wait_of(double shift, double skew)
{
    double bare = shift > 0 ? shift : 0, z = fabs(shift) / skew;
    int32_t k = dxt_tail_place(&z);
    const dxt_tail_knot *knot = &dxt_tail[k];
    double d = z - k / DXT_TAIL_KNOTS_PER_UNIT;
    double tail = knot->tail + d * (d * knot->density * dxt_tail_series(k, z) - knot->beyond);
    return bare + skew * tail;
}

/** An upper bound of dxt_wait_of() without its table, close where the shift is far from 0: tail(z)
 *  is below 0.4 / (1 + z²)². NaN where both are 0. */
static inline double dxt_wait_at_most(double shift, double skew)
{
    double bare = shift > 0 ? shift : 0, square = skew * skew, sum = square + shift * shift;
    return bare + 0.4 * skew * (square * square) / (sum * sum);
}

/** The same for many at once, with the results of dxt_wait_of().
 *  @param values  [n] Shifts; waits in the end. */
void dxt_waits_of(double *values, size_t n, double skew);

#endif
