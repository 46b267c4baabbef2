/* SPDX-License-Identifier: Apache-2.0 */
/* `completion`: what a shell offers while a command line is typed, from the tables of options. */
#ifndef TOOLS_COMPLETE_COMPLETE_H
#define TOOLS_COMPLETE_COMPLETE_H

#include <stddef.h>

#include "outcome.h"

/** A command as the table of commands has it. */
typedef struct complete_command {
    const char *name;
    outcome (*main)(int argc, char **argv);
    const char *summary;
} complete_command;

/**
 * Write the completions of all commands to standard output.
 *
 * @param shell  "bash", "zsh" or "fish".
 * @param launcher  Of the commands, the one whose options another program has: they are read from
 *                  what its --help prints. Without them where that program is not there.
 * @return EXIT_DONE; EXIT_USAGE (no such shell; nothing said).
 */
outcome complete_write(const char *shell, const complete_command *commands, size_t count,
                       const char *launcher);

#endif
