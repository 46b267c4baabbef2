/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers of `simulate`. */
#ifndef TOOLS_SIMULATE_RANDOM_H
#define TOOLS_SIMULATE_RANDOM_H

#include <math.h>
#include <stdint.h>

#include "splitmix.h"

/** Uniform in (0, 1). */
static inline double sim_unit(uint64_t *state)
{
    return ((double)(splitmix_next(state) >> 11) + 0.5) * 0x1p-53;
}

/** Standard normal. */
static inline double sim_normal(uint64_t *state)
{
    double u = sim_unit(state), v = sim_unit(state);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/** Mean 1, log-normal of shape @p sigma. */
static inline double sim_lognormal(uint64_t *state, double sigma)
{
    return exp(sigma * sim_normal(state) - sigma * sigma / 2);
}

#endif
