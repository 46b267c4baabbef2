/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "web-1  | | 0 | 5 |": a table behind the name of the container that docker compose puts in front
 * of its lines. A row of a rank called so, whose own cell is empty, looks alike. But the next row
 * is another rank's, while the next line is of the same container: the first line of one is told by
 * the line behind it, and the others by their name.
 */
#include <string.h>

#include "matrix/cells.h"
#include "matrix/reader.h"
#include "matrix/scan.h"

/* Bytes of a name with a number, two blanks or more, the bar, and one blank, if a table stands
 * behind them; else 0. */
static size_t front_size(const char *line, size_t size)
{
    const char *end = line + size, *to = line;
    while (to < end && (dxt_is_letter(*to) || dxt_is_digit(*to) || (*to && strchr("-_.", *to))))
        to++;
    const char *name = to, *bar = to;
    while (name > line && dxt_is_digit(name[-1])) name--;
    while (bar < end && *bar == ' ') bar++;
    bool numbered = name < to && name - line > 1 && strchr("-_", name[-1]);
    if (!numbered || bar - to < 2 || end - bar < 4 || memcmp(bar, "| |", 3) != 0) return 0;
    while (dxt_is_blank(end[-1])) end--;
    bool table = end - bar > 3 && end[-1] == '|';
    return table && !dxt_names_rank(line, (size_t)(to - line)) ? (size_t)(bar + 2 - line) : 0;
}

dxt_status dxt_skip_compose(dxt_reader *reader, const char **line, size_t *size)
{
    dxt_text *name = &reader->compose[0], *kept = &reader->compose[1];
    size_t front = front_size(*line, *size), got;
    if (front == 0) return DXT_OK;
    bool known = name->size == front && memcmp(name->data, *line, front) == 0;
    if (!known) {
        const char *next;
        kept->size = 0;
        dxt_text_append(kept, *line, *size);
        if (kept->failed) return dxt_fail_memory(*size);
        *line = kept->data;
        dxt_status status = dxt_input_peek(&reader->input, front + 1, &next, &got);
        if (status != DXT_OK) return status;
        if (got <= front || memcmp(next, *line, front + 1) != 0) return DXT_OK;
        name->size = 0;
        dxt_text_append(name, *line, front);
        if (name->failed) return dxt_fail_memory(front);
    }
    *line += front;
    *size -= front;
    return DXT_OK;
}
