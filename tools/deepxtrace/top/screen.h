/* SPDX-License-Identifier: Apache-2.0 */
/* What stands on the screen. */
#ifndef TOOLS_TOP_SCREEN_H
#define TOOLS_TOP_SCREEN_H

#include <deepxtrace/render.h>

#include "watched.h"

/** What is looked at. Zero it to begin: the newest of everything. */
typedef struct screen {
    uint32_t rows, columns;
    dxt_color color;
    bool ascii;
    size_t group, operator_index; /**< of those that there are; larger ones count as the last */
    uint64_t back;                /**< windows before the newest */
    uint32_t scroll;              /**< lines that are above the screen */
    bool paused, help;
} screen;

/**
 * Make the text of the screen: rows lines, each with what clears the rest of it.
 *
 * @return Text to free(); NULL if there is no memory.
 */
char *screen_text(screen *s, const watched *w);

/** Take a key. @return false if it is the one that ends. */
bool screen_key(screen *s, const watched *w, const char *key);

#endif
