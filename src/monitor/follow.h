/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders that grow: what is new in them, line by line, each line once. */
#ifndef DXT_MONITOR_FOLLOW_H
#define DXT_MONITOR_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "text.h"

/** One file. A rotated file keeps its identity under its new name; so does a compressed copy. */
typedef struct followed {
    char *path;
    char identity[40]; /**< of its first lines; "" = it has none yet */
    int64_t id;        /**< in the store; 0 = not there yet */
    int64_t position;  /**< bytes of text that are dealt with */
    int64_t stored;    /**< the same as the store knows it from before */
    int64_t line;      /**< lines before `position` */
    dev_t device;      /**< of the file that was last opened … */
    ino_t inode;       /**< … as is this */
    off_t size;        /**< its size when it was last read to its end */
    int64_t grown_ns;  /**< when it last grew, CLOCK_MONOTONIC */
    text_packing packing;
    uint64_t head;     /**< hash of its first bytes when it was identified; 0 = it has too few */
    dev_t head_device; /**< of that file … */
    ino_t head_inode;  /**< … as is this */
    char known[40];    /**< the identity of that file */
    bool log;          /**< text of a log, whose windows are several lines */
    off_t settled; /**< size of a log when all of it was judged because nothing more came; −1 */
    bool done;     /**< packed, and read to its end */
    bool more;     /**< its text goes on behind `position`, but other files had their turn */
    bool seen;     /**< by the last scan */
    bool told;     /**< it was said that the file cannot be read */
} followed;

/** All that is followed. */
typedef struct follower {
    const char *const *inputs;
    size_t input_count;
    followed *files;
    size_t count, capacity;
} follower;

/**
 * Look for files: the inputs, and in folders *.jsonl, *.log, and these with a number, a date,
 * .gz or .zst behind. New ones come last, in the order of their time of change.
 *
 * @return false if there is no memory.
 */
bool follow_scan(follower *f);

/** Whether a file may have new text; notes its size, and does not open it. */
bool follow_grew(followed *file, int64_t now_ns);

/**
 * Open a file, and find its identity.
 *
 * @param source    Receives it, at an unknown position; release with text_close(). NULL on error.
 * @param identity  Receives the identity of its first whole lines, up to the first one of a window,
 *                  or of the first one while there is no window; "" if there is none; 40 bytes.
 * @return NULL; else what is wrong, in words; errno is ENOMEM if it is memory.
 */
const char *follow_open(followed *file, text_source **source, char *identity);

void follow_free(follower *f);

#endif
