/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong, in one line on standard error. */
#ifndef TOOLS_CLI_COMPLAIN_H
#define TOOLS_CLI_COMPLAIN_H

#include <stdbool.h>

#include <deepxtrace/status.h>

#include "outcome.h"

/** Write "deepxtrace COMMAND: …" and a newline to standard error. @return EXIT_USAGE. */
outcome complain(const char *command, const char *format, ...) DXT_PRINTF(2, 3);

/** The same for a want of memory. @return EXIT_FAILED. */
outcome complain_memory(const char *command);

/** Whether to leave out what complain() says: of many processes with the same command line one
 *  is enough to complain of it. */
void complain_mute(bool mute);

/**
 * Say why a library call failed, as complain() with dxt_error().
 *
 * @return EXIT_USAGE for bad input (invalid, limit, format, and a file that cannot be opened or
 *         read), otherwise EXIT_FAILED.
 */
outcome complain_status(const char *command, dxt_status status);

#endif
