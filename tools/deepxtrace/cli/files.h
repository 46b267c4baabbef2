/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are read, and which of them are one log: folders, and parts of logs in order of time.
 */
#ifndef TOOLS_CLI_FILES_H
#define TOOLS_CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "outcome.h"

/** Files that are read as one, the oldest first. */
typedef struct file_group {
    char *name;   /**< for headings */
    char **paths; /**< "-" is standard input */
    size_t count; /**< at least one */
} file_group;

typedef struct file_groups {
    file_group *groups;
    size_t count;
} file_groups;

/**
 * Find the files of operands.
 *
 * A folder stands for the recordings, logs and matrices in it; a log beside the recording of the
 * same run is left out. Files are one log if they are of the same run (InstanceID) and kind, or if
 * their names differ by what rotation appends.
 *
 * @param groups  Receives them, in the order of the operands; release with files_free().
 * @return GO_ON; otherwise the exit status, said on standard error.
 */
outcome files_find(const char *command, char **operands, size_t count, file_groups *groups);

/**
 * files_find() for a command that takes a single log: it refuses two.
 *
 * @param written  Endings of what the command writes, NULL-terminated, if it was not told where:
 *                 an operand behind the first that has one is meant for -o. NULL = none is.
 */
outcome files_find_one(const char *command, char **operands, size_t count,
                       const char *const *written, file_groups *groups);

/** Whether a name ends in one of these, NULL-terminated, whatever the case: ".svg". */
bool file_has_ending(const char *path, const char *const *endings);

void files_free(file_groups *groups);

#endif
