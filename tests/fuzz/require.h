/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzz target holds its subject to. */
#ifndef DXT_TESTS_FUZZ_REQUIRE_H
#define DXT_TESTS_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

/* A run's log is all that is left of a finding on another machine, so it says what did not hold. */
#define require(condition)                                                         \
    do {                                                                           \
        if (!(condition)) {                                                        \
            fprintf(stderr, "line %d: does not hold: %s\n", __LINE__, #condition); \
            abort();                                                               \
        }                                                                          \
    } while (0)

#endif
