/* SPDX-License-Identifier: Apache-2.0 */
/* Times of day: of windows, and as people type them. */
#ifndef TOOLS_ANALYZE_SINCE_H
#define TOOLS_ANALYZE_SINCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Read a moment: "2026-11-26T03:00:00.5Z" (also with a blank for the T, without seconds, with an
 * offset such as +01:00, or without a zone: local time), "2026-11-26", "03:00" (the last time that
 * the clock showed that), "90m" (that long ago; s, m, h or d).
 *
 * @param now_ns     What time it is, ns since 1970.
 * @param moment_ns  Receives it. Untouched when false is returned.
 */
bool since_parse(const char *text, int64_t now_ns, int64_t *moment_ns);

/** A moment as an option of the command line has it. */
typedef struct since_time {
    int64_t ns;       /**< since 1970; 0 = not given */
    const char *text; /**< as typed */
    bool ago;         /**< so long ago, as 90m */
} since_time;

/** The same for an option of the command line: @p value is a since_time, and now is now. */
bool since_option(const char *text, void *value, char *why, size_t why_size);

/** Only what has a date, as windows say when they begin. */
bool since_parse_date(const char *text, int64_t *moment_ns);

#endif
