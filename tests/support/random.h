/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers for tests: the same ones in every run (xorshift64). */
#ifndef DXT_TEST_RANDOM_H
#define DXT_TEST_RANDOM_H

#include <stdint.h>

/** A state to begin with; any other than 0 will do. */
#define RANDOM_SEED UINT64_C(88172645463325252)

/** 64 random bits; never 0. */
static inline uint64_t random_bits(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
