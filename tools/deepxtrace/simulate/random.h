/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers of `simulate`. */
#ifndef TOOLS_SIMULATE_RANDOM_H
#define TOOLS_SIMULATE_RANDOM_H

#include <math.h>
#include <stdint.h>

static inline uint64_t sim_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/** splitmix64. */
static inline uint64_t sim_bits(uint64_t *state)
{
    return sim_mix(*state += UINT64_C(0x9E3779B97F4A7C15));
}

/** Uniform in (0, 1). */
static inline double sim_unit(uint64_t *state)
{
    return ((double)(sim_bits(state) >> 11) + 0.5) * 0x1p-53;
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
