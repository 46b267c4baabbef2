/* SPDX-License-Identifier: Apache-2.0 */
/* Names of operators. */
#ifndef DXT_ANALYSIS_PHASE_H
#define DXT_ANALYSIS_PHASE_H

#include <stdbool.h>
#include <string.h>

/** Whether the name of an operator ends with a kind, "dispatch" or "combine": a program may have
 * several, such as "ll_dispatch". */
static inline bool dxt_is_phase(const char *phase, const char *kind)
{
    size_t size = strlen(phase), end = strlen(kind);
    return size >= end && strcmp(phase + size - end, kind) == 0;
}

#endif
