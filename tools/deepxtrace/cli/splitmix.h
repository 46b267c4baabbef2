/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: splitmix64. Any state is a seed. */
#ifndef TOOLS_CLI_SPLITMIX_H
#define TOOLS_CLI_SPLITMIX_H

#include <stdint.h>

/** Turn a number into one that looks random; neighbours become far apart. */
static inline uint64_t splitmix_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/** The next 64 bits. */
static inline uint64_t splitmix_next(uint64_t *state)
{
    return splitmix_mix(*state += UINT64_C(0x9E3779B97F4A7C15));
}

#endif
