/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a file, plain or packed, from any position, in pieces or line by line. */
#ifndef DXT_MONITOR_TEXT_H
#define DXT_MONITOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Longest line that is kept, and the most text of a log that is read in one piece. */
#define TEXT_MOST ((size_t)1 << 30)

typedef enum text_packing { TEXT_PLAIN, TEXT_GZIP, TEXT_ZSTD } text_packing;

/** A text that is being read. */
typedef struct text_source text_source;

/**
 * Open at the beginning. Follows links, as every reader does. Refuses anything but a regular file,
 * since reading it could block.
 *
 * @param source  Receives it; release with text_close(). Untouched on error.
 * @return NULL; else what is wrong, in words, valid until the next call of this thread; errno is
 *         ENOMEM if it is memory.
 */
const char *text_open(const char *path, text_packing packing, text_source **source);

/** Go to a position of the text, in bytes. In packed text, all before it is unpacked. @return
 * Whether the position exists; in plain text always. */
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

/** Whether packed text was read to its proper end, which a file that is still being written lacks.
 */
bool text_is_whole(const text_source *source);

/** Release. NULL is allowed. */
void text_close(text_source *source);

#endif
