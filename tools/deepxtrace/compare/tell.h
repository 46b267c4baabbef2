/* SPDX-License-Identifier: Apache-2.0 */
/* Comparisons in words and as JSON. */
#ifndef TOOLS_COMPARE_TELL_H
#define TOOLS_COMPARE_TELL_H

#include "compare.h"

/** What is compared, and what came of it. */
typedef struct compared {
    const char *names[2];
    const side *sides[2];
    comparison *operators;
    size_t count;
    const char *only[2 * DXT_HISTORY_OPERATORS]; /**< operators that only one of them has */
    size_t only_count;
} compared;

static inline bool measure_is_time(dxt_measure measure)
{
    return measure == DXT_MEASURE_NS_PER_OP || measure == DXT_MEASURE_NS;
}

/** To standard output; what goes wrong there is said at the end. Both: DXT_ERR_NO_MEMORY. */
dxt_status tell_text(const compared *c);
dxt_status tell_json(const compared *c);

#endif
