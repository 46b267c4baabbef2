/* SPDX-License-Identifier: Apache-2.0 */
/* Text that may be missing, and text in text. */
#ifndef DXT_SYSTEM_TEXT_H
#define DXT_SYSTEM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/** Whether two texts are equal. NULL equals NULL only. */
static inline bool dxt_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/** Behind the first place of `what` from @p at on; NULL if it is not there, or @p at is NULL. */
static inline const char *dxt_behind_text(const char *at, const char *end, const char *what)
{
    size_t size = strlen(what);
    const char *found = at && at < end ? memmem(at, (size_t)(end - at), what, size) : NULL;
    return found ? found + size : NULL;
}

/** Whether it is there. */
static inline bool dxt_has_text(const char *at, const char *end, const char *what)
{
    return dxt_behind_text(at, end, what) != NULL;
}

#endif
