/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/phase.h"

#include <deepxtrace/analysis.h>

#include "system/text.h"

/* The operators in their order in a step. The even ones are companions. Two whose places add up to
 * OPERATORS − 1 are adjacent: one begins where the other ends. */
static const char *const operators[] = {"dispatch", "dispatch transfer", "combine",
                                        "combine transfer"};
enum { OPERATORS = sizeof operators / sizeof operators[0] };

/* Find the operator that a name ends with, and the length of what stands before it.
 * @return Its index; OPERATORS if there is none. */
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

dxt_relation dxt_window_relation(const dxt_window *first, const dxt_window *second)
{
    if (!first || !second || !first->phase || !second->phase) return DXT_RELATION_NONE;
    size_t before;
    bool numbered = first->index >= 0;
    bool same = first->ranks == second->ranks && first->index == second->index &&
                dxt_same_text(first->instance, second->instance) &&
                dxt_same_text(first->case_name, second->case_name);
    if (!same || (!numbered && place_of(first->phase, &before) >= place_of(second->phase, &before)))
        return DXT_RELATION_NONE;
    return dxt_phase_relation(first->phase, second->phase);
}
