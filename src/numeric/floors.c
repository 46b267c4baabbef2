/* SPDX-License-Identifier: Apache-2.0 */
#include "numeric/floors.h"

#include <stdint.h>

#include "numeric/skew.h"
#include "numeric/tail.h"
#include "numeric/vectors.h"

/* A part of wait and skew that is far above rounding, and far below all that matters. */
#define ROUNDING 1e-9

void dxt_floors_make(dxt_floors *floors, double skew)
{
    floors->skew = skew;
    floors->knots_per_wait = skew > 0 ? DXT_FLOORS_CHORDS / DXT_FLOORS_END / skew : 0;
    for (uint32_t k = 0; k <= DXT_FLOORS_CHORDS; k++)
        floors->shift[k] = k / (DXT_FLOORS_CHORDS / DXT_FLOORS_END) * skew;
    /* For a wait of 0, Newton's method would go on far into shifts that do not matter. */
    floors->shift[0] = -DXT_TAIL_END * skew;
    dxt_shifts_of_waits(floors->shift + 1, DXT_FLOORS_CHORDS, skew);
}

DXT_VECTORS static void floors_of(const dxt_floors *floors, const double *restrict wait, size_t n,
                                  double *restrict least)
{
    const double *shift = floors->shift, last = DXT_FLOORS_CHORDS - 0.5;
    double end = DXT_FLOORS_END * floors->skew;
    for (size_t i = 0; i < n; i++) {
        double at = wait[i] * floors->knots_per_wait;
        int32_t k = (int32_t)(at < last ? at : last);
        double chord = shift[k] + (at - k) * (shift[k + 1] - shift[k]);
        least[i] = (wait[i] < end ? chord : wait[i]) - ROUNDING * (wait[i] + floors->skew);
    }
}

void dxt_floors_of(const dxt_floors *floors, const double *wait, size_t n, double *least)
{
    floors_of(floors, wait, n, least);
}
