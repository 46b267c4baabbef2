/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/phase.h"

#include <deepxtrace/analysis.h>

/* In their order in a step. The even ones are companions; what ends where another one begins is as
 * far from the one end as that from the other. */
static const char *const operators[] = {"dispatch", "dispatch transfer", "combine",
                                        "combine transfer"};
enum { OPERATORS = sizeof operators / sizeof operators[0] };

/* Which of these a name ends with, and how much stands before it; OPERATORS if none. */
static int place_of(const char *phase, size_t *before)
{
    int place = 0;
    while (place < OPERATORS && !dxt_is_phase(phase, operators[place])) place++;
    *before = place < OPERATORS ? strlen(phase) - strlen(operators[place]) : 0;
    return place;
}

dxt_relation dxt_phase_relation(const char *phase, const char *other)
{
    size_t before, before_other;
    if (!phase || !other) return DXT_RELATION_NONE;
    int a = place_of(phase, &before), b = place_of(other, &before_other);
    if (a == b || a == OPERATORS || b == OPERATORS || before != before_other ||
        strncmp(phase, other, before) != 0)
        return DXT_RELATION_NONE;
    int sum = a + b;
    if (a % 2 == 0 && b % 2 == 0) return DXT_RELATION_COMPANION;
    return sum == OPERATORS - 1 ? DXT_RELATION_ADJACENT : DXT_RELATION_STEP;
}
