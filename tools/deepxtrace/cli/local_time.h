/* SPDX-License-Identifier: Apache-2.0 */
/* What the clock of the people here showed when a window began. */
#ifndef CLI_LOCAL_TIME_H
#define CLI_LOCAL_TIME_H

/**
 * The time of day in "2026-11-26T03:34:48.002Z", in the time zone of the process, as texts have it;
 * without an offset that is UTC.
 *
 * @param clock  Receives "04:34:48"; "" where it is no time, or NULL.
 */
void local_time(const char *begin, char clock[16]);

#endif
