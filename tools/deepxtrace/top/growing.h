/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings that grow: whole lines, as they are written. */
#ifndef TOOLS_TOP_GROWING_H
#define TOOLS_TOP_GROWING_H

#include <stdbool.h>
#include <stddef.h>

#include "outcome.h"

/** Most files that are followed. */
#define GROWING_FILES 256u

typedef struct growing_file {
    char *path;
    int fd;
    char *buffer; /**< a line under way */
    size_t used, capacity;
} growing_file;

typedef struct growing {
    char **operands; /**< files and folders; must stay */
    size_t count;
    growing_file files[GROWING_FILES];
    size_t file_count;
} growing;

/** Is given a line without its newline, which it may change. */
typedef void (*growing_fn)(void *context, size_t file, char *line, size_t size);

/** Find the files. @return GO_ON; else the exit status, said. */
outcome growing_begin(growing *f, char **operands, size_t count);

/**
 * Take what has come, a bounded piece of each file, and look for files that are new in the folders.
 *
 * @return Whether anything came; more may be there.
 */
bool growing_step(growing *f, growing_fn take, void *context);

void growing_end(growing *f);

#endif
