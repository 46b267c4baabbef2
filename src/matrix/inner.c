/* SPDX-License-Identifier: Apache-2.0 */
/* Text that a value carries, and whose lines are read next. */
#include <string.h>
#include <strings.h>

#include "matrix/reader.h"

bool dxt_carries_text(const char *name, size_t size)
{
    static const char *const names[] = {
        "log",           "message",      "msg",         "line",       "text",  "body",
        "content",       "event",        "textPayload", "_raw",       "value", "@message",
        "original",      "payload",      "log_line",    "logMessage", "raw",   "logs",
        "short_message", "full_message", "m",           "stringValue"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == size && strncasecmp(name, names[i], size) == 0) return true;
    return false;
}

void dxt_serve_inner(dxt_reader *reader, dxt_text *text)
{
    dxt_text done = reader->inner;
    if (reader->inner_at >= done.size) {
        reader->inner = *text;
        reader->inner_at = 0;
        *text = done;
    }
    text->size = 0;
}
