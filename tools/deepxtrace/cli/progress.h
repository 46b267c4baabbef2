/* SPDX-License-Identifier: Apache-2.0 */
/* How far long work is, on a terminal. */
#ifndef TOOLS_CLI_PROGRESS_H
#define TOOLS_CLI_PROGRESS_H

#include <deepxtrace/status.h>

/**
 * Say how far the work is, if standard error is a terminal and nothing has been printed for more
 * than a second. Cheap enough to be called at every step. One thread.
 */
void progress(const char *format, ...) DXT_PRINTF(1, 2);

/** Take the line away; something else is about to be printed. */
void progress_clear(void);

/** The same if standard output is a terminal as well: what is printed there is progress enough. */
void progress_before_stdout(void);

#endif
