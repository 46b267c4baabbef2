/* SPDX-License-Identifier: Apache-2.0 */
/* Times of day in front of a line, as launchers and loggers write them. */
#ifndef DXT_MATRIX_STAMP_H
#define DXT_MATRIX_STAMP_H

#include <stdbool.h>
#include <stdint.h>

/** Behind the time that `kubectl logs --timestamps` writes in front of a line, or GitHub behind the
 *  names of a job and its step, and behind its blank; where it is none, @p at. */
const char *dxt_skip_stamp(const char *at, const char *end);

/** Whether a text ends in a time, "10:11:12", "2026-11-26T10:11:12.123Z", "10:11:12,123": such a
 *  word is no name of a row. */
bool dxt_ends_in_time(const char *line, const char *end);

/** Whether the colon in a word is that of a time: "10:11:12", "[10:11". */
bool dxt_in_time(const char *word, const char *colon, const char *end);

/** Whether the text in front of a number may be an hour or minutes, "10:" of "10:30", or the number
 *  of a line, as `grep -n` writes it. */
bool dxt_may_be_hour(const char *at, const char *from, const char *end);

/** The first time in a text, of a day or since 1970 or a start, in ms, with its date if there is
 *  one; -1: there is none. */
int64_t dxt_clock_of(const char *at, const char *end);

#endif
