/* SPDX-License-Identifier: Apache-2.0 */
/* Names of operators. */
#ifndef DXT_ANALYSIS_PHASE_H
#define DXT_ANALYSIS_PHASE_H

#include <stdbool.h>
#include <string.h>

/** Whether an operator is of a kind, "dispatch" or "combine", by the end of its name: "ll_dispatch"
 * of a program with several is a dispatch. */
static inline bool dxt_is_phase(const char *phase, const char *kind)
{
    size_t size = strlen(phase), end = strlen(kind);
    return size >= end && strcmp(phase + size - end, kind) == 0;
}

#endif
