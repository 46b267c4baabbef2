/* SPDX-License-Identifier: Apache-2.0 */
/* Networks that find order statistics of few values without a branch, of columns side by side. */
#ifndef DXT_NUMERIC_NETWORKS_H
#define DXT_NUMERIC_NETWORKS_H

#include "numeric/vectors.h"

/** Put the smaller of two first. */
#define DXT_ORDER(x, y)                         \
    do {                                        \
        double smaller = (x) < (y) ? (x) : (y); \
        (y) = (x) > (y) ? (x) : (y);            \
        (x) = smaller;                          \
    } while (0)

/** This many rows have a network of their own: sort three groups of three, then the smallest, the
 * middle and the largest values of the groups again, until one value is left. */
#define DXT_THREE_THREES 9u

static inline __attribute__((always_inline)) void
dxt_middle_of_nine(double (*restrict values)[DXT_LANES], double *restrict median)
{
    for (uint32_t c = 0; c < DXT_LANES; c++) {
        double a0 = values[0][c], a1 = values[1][c], a2 = values[2][c];
        double b0 = values[3][c], b1 = values[4][c], b2 = values[5][c];
        double c0 = values[6][c], c1 = values[7][c], c2 = values[8][c];
        DXT_ORDER(a1, a2);
        DXT_ORDER(b1, b2);
        DXT_ORDER(c1, c2);
        DXT_ORDER(a0, a1);
        DXT_ORDER(b0, b1);
        DXT_ORDER(c0, c1);
        DXT_ORDER(a1, a2);
        DXT_ORDER(b1, b2);
        DXT_ORDER(c1, c2);
        DXT_ORDER(a0, b0);
        DXT_ORDER(b2, c2);
        DXT_ORDER(b1, c1);
        DXT_ORDER(b0, c0);
        DXT_ORDER(a1, b1);
        DXT_ORDER(a2, b2);
        DXT_ORDER(b1, c1);
        DXT_ORDER(b1, a2);
        DXT_ORDER(c0, b1);
        DXT_ORDER(b1, a2);
        median[c] = b1;
    }
}

#endif
