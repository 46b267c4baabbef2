/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean …?" */
#ifndef TOOLS_CLI_NEAREST_H
#define TOOLS_CLI_NEAREST_H

#include <stddef.h>

/**
 * The one of some words that somebody who typed @p typed has meant.
 *
 * @param word   Word number @p index; NULL = there is none, and none behind it.
 * @return NULL when none is near: more than a third of its letters (at most three) wrong, missing,
 *         too many or swapped, and not begun by what was typed. Case does not count.
 */
const char *nearest(const char *typed, const char *(*word)(const void *context, size_t index),
                    const void *context);

#endif
