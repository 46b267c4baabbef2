/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings and logs that grow: their windows, as they are written. Packed files and pages, which
 * do not grow, are read once. */
#ifndef TOOLS_TOP_GROWING_H
#define TOOLS_TOP_GROWING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <deepxtrace/matrix.h>

#include "outcome.h"
#include "unpack.h"

/** Most files that are followed. */
#define GROWING_FILES 256u

typedef enum growing_kind {
    GROWING_UNKNOWN, /**< nothing is in it yet */
    GROWING_LINES,   /**< a recording: a line is a window */
    GROWING_LOG,     /**< text, of which several lines are a window */
    GROWING_PACKED   /**< gzip, zstd, an archive or a page */
} growing_kind;

typedef struct growing_file {
    char *path;
    int fd;
    dev_t device;
    ino_t inode;
    growing_kind kind;
    bool log;     /**< text of a log, packed or not */
    char *buffer; /**< of lines the one under way, of a log what is not dealt with, with a 0 */
    size_t used, capacity;
    off_t position;   /**< bytes that were read */
    size_t enough;    /**< so much of a log is looked at in one go */
    int64_t grown_ns; /**< when something came last, CLOCK_MONOTONIC */
    bool looked;      /**< all of a log that is there, as if nothing more came */
    unpack *packed;   /**< under way */
    dxt_reader *reader;
    uint64_t given;    /**< windows of a packed file so far, also in an earlier try */
    uint64_t skip;     /**< of these still to pass over */
    off_t size;        /**< that it had when it was read to its end; −1 */
    uint64_t identity; /**< of its first line; 0 = not there yet */
} growing_file;

/** Is given a window, which is its own. @return DXT_OK; DXT_ERR_NO_MEMORY. */
typedef dxt_status (*growing_fn)(void *context, size_t file, dxt_window *window);

typedef struct growing {
    char **operands; /**< files and folders; must stay */
    size_t count;
    bool once; /**< what is there is all there will be */
    growing_fn take;
    void *context;
    growing_file files[GROWING_FILES];
    size_t file_count;
    uint64_t bad;      /**< lines and windows that could not be read */
    char why[256];     /**< why a packed file cannot be read at all, the first one; "" = all can */
    dxt_status failed; /**< DXT_OK, or why nothing more is read */
} growing;

/**
 * Find the files: those named, and in folders what `deepxtrace serve` follows.
 *
 * @param f  Its receiver and `once` are set; the rest is 0.
 * @return GO_ON; else the exit status, said.
 */
outcome growing_begin(growing *f, char **operands, size_t count);

/**
 * Take what has come, a bounded piece of each file, recordings before logs, and look for files that
 * are new in the folders.
 *
 * @return Whether anything came; more may be there.
 */
bool growing_step(growing *f);

void growing_end(growing *f);

/* ---- between the files of this part ---- */

/** Look at the text of a log: its windows but the last, which may go on; that one too if
 *  @p whole. What is dealt with leaves the buffer. @return Whether there was a window. */
bool growing_cut_log(growing *f, size_t index, bool whole);

/** Read one window of a packed file. @return Whether there was one. */
bool growing_unpack(growing *f, size_t index);

/** Hand a window over. */
void growing_give(growing *f, size_t index, dxt_window *window);

#endif
