/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a file, plain or packed, from any position, in pieces or line by line. */
#ifndef DXT_MONITOR_TEXT_H
#define DXT_MONITOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Longest line that is kept, and most text of a log that is looked at in one go. */
#define TEXT_MOST ((size_t)1 << 30)

typedef enum text_packing { TEXT_PLAIN, TEXT_GZIP, TEXT_ZSTD } text_packing;

/** Text being read. */
typedef struct text_source text_source;

/**
 * Open at the beginning. A link is followed, as every reader does; what is no file is refused, so
 * that nothing is waited for.
 *
 * @param source  Receives it; release with text_close(). Untouched on error.
 * @return NULL; else what is wrong, in words, valid until the next call of this thread; errno is
 *         ENOMEM if it is memory.
 */
const char *text_open(const char *path, text_packing packing, text_source **source);

/** Go to a position of the text, in bytes; of packed text all before it is unpacked. @return
 * Whether it is there; anywhere is in plain text. */
bool text_seek(text_source *source, int64_t position);

/** @return Bytes read, fewer than @p size only at the end; −1 with errno: EBADMSG if the packed
 *  text is damaged, ENOMEM. */
ssize_t text_read(text_source *source, void *buffer, size_t size);

/**
 * Read a line with its newline.
 *
 * @param line  A buffer to free(), and its size, as getline() has them; the text ends with a 0.
 * @param kept  Receives the bytes in it: all of them, or none of a line above TEXT_MOST.
 * @return Bytes that the line has; 0 at the end, or at a line without an end (yet); −1 as
 *         text_read().
 */
int64_t text_line(text_source *source, char **line, size_t *capacity, size_t *kept);

/** Whether packed text has been read to its proper end: a file that is still being written has
 *  none. */
bool text_is_whole(const text_source *source);

/** Release. NULL is allowed. */
void text_close(text_source *source);

#endif
