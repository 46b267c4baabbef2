/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Words that are longer are not compared. */
enum { LONGEST = 40, MOST_WRONG = 3, SHORTEST_BEGINNING = 2 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to change, to add, to leave out or to swap with their neighbour. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1];
    size_t width = strlen(b);
    for (size_t j = 0; j <= width; j++) rows[0][j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            int here = tolower((unsigned char)a[i - 1]), there = tolower((unsigned char)b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (here != there));
            if (i > 1 && j > 1 && here == tolower((unsigned char)b[j - 2]) &&
                there == tolower((unsigned char)a[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[strlen(a) % 3][width];
}

const char *nearest(const char *typed, const char *(*word)(const void *context, size_t index),
                    const void *context)
{
    const char *best = NULL, *candidate;
    size_t length = strlen(typed), smallest = MOST_WRONG + 1;
    if (length == 0 || length > LONGEST) return NULL;
    for (size_t i = 0; (candidate = word(context, i)) != NULL; i++) {
        size_t letters = strlen(candidate), wrong;
        if (letters > LONGEST) continue;
        if (length >= SHORTEST_BEGINNING && strncasecmp(typed, candidate, length) == 0)
            wrong = 1; /* as good as one letter */
        else
            wrong = distance(typed, candidate);
        if (wrong >= smallest || wrong > (letters + 1) / 3) continue;
        smallest = wrong;
        best = candidate;
    }
    return best;
}
