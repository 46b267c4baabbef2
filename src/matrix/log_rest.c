/* SPDX-License-Identifier: Apache-2.0 */
/* Logs that grow: which part is read again, together with the text that is added. */
#include <deepxtrace/matrix.h>

#include <string.h>

static size_t offset_of_line(const char *text, size_t size, uint64_t line)
{
    size_t at = 0;
    for (uint64_t l = 1; l < line && at < size; l++) {
        const char *end = memchr(text + at, '\n', size - at);
        at = end ? (size_t)(end - text) + 1 : size;
    }
    return at;
}

/* Where the last header of a matrix begins; `size` if there is none. */
static size_t last_header(const char *text, size_t size)
{
    static const char mark[] = "EPSize:";
    size_t end = size;
    while (end > 0) {
        const char *newline = memrchr(text, '\n', end - 1);
        size_t begin = newline ? (size_t)(newline - text) + 1 : 0;
        if (memmem(text + begin, end - begin, mark, sizeof mark - 1)) return begin;
        end = begin;
    }
    return size;
}

size_t dxt_log_rest(const char *text, size_t size, uint64_t line, int whole)
{
    if (!text) return 0;
    size_t window = offset_of_line(text, size, line);
    if (!whole) return window;
    size_t header = last_header(text, size);
    return line == 0 || header > window ? header : size;
}
