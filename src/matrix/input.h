/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of files or of memory. One line is held at a time. */
#ifndef DXT_MATRIX_INPUT_H
#define DXT_MATRIX_INPUT_H

#include <deepxtrace/matrix.h>

#include "base/base.h"

/** Longest line: 1 GiB holds a wait matrix of 4096 ranks three times over. */
#define DXT_MAX_LINE ((size_t)1 << 30)

typedef struct dxt_input {
    char *name;         /**< of the file under way, for messages */
    int fd;             /**< −1 = memory or `source` */
    dxt_source source;  /**< without `read`: fd or memory */
    const char *data;   /**< the memory, or `buffer` */
    char *buffer;       /**< of a file; grows to the longest line */
    size_t capacity;    /**< of `buffer` */
    size_t size;        /**< bytes in `data` */
    size_t at;          /**< next line in `data` */
    size_t line_max;    /**< DXT_MAX_LINE; tests lower it */
    uint64_t line;      /**< number of the last line in its file, from 1; 0 = none yet */
    bool ended;         /**< nothing of this file follows `data` */
    bool cut;           /**< the last line handed out had no end */
    unsigned char *raw; /**< of a file in UTF-16: bytes that are not decoded yet; NULL: UTF-8 */
    size_t raw_size;    /**< how many */
    bool big;           /**< its units are big-endian */
    bool damaged;       /**< the file ended because its packed data are damaged or cut off */
} dxt_input;

/** Open a path, "-" for standard input. @return DXT_OK; DXT_ERR_IO; DXT_ERR_NO_MEMORY. */
dxt_status dxt_input_open(dxt_input *input, const char *path);
/** @p data must outlive the input; @p name is copied. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_input_open_memory(dxt_input *input, const void *data, size_t size, const char *name);
/** @p source is copied, @p name as well. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_input_open_source(dxt_input *input, const dxt_source *source, const char *name);
void dxt_input_close(dxt_input *input);

/**
 * Get the next line of the file under way, without its end ("\n" or "\r\n").
 *
 * @return DXT_OK; DXT_END; DXT_ERR_LIMIT (line too long); DXT_ERR_IO; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_input_line(dxt_input *input, const char **line, size_t *size);

/**
 * Have bytes at hand, as many as the file has left, without taking them.
 *
 * @param bytes  Receives them, until the next call for this input.
 * @param got    Receives how many: less than @p size only where the file ends before.
 */
dxt_status dxt_input_peek(dxt_input *input, size_t size, const char **bytes, size_t *got);

/** Take bytes that dxt_input_peek() has shown. */
void dxt_input_skip(dxt_input *input, size_t size);

/* ---- utf16.c ---- */

/** Whether a file that begins so is text in UTF-16; @p big receives in which order. */
bool dxt_utf16_looks_so(const char *bytes, size_t size, bool *big);
/** Decode what is at hand, and all that is read from now on, until the file ends.
 *  @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_utf16_begin(dxt_input *input, bool big);
/** Where bytes may be read to, and how many; then dxt_utf16_take() decodes what came. */
size_t dxt_utf16_room(const dxt_input *input, char **to);
void dxt_utf16_take(dxt_input *input, size_t got);

/* ---- input.c ---- */

/** Begin the next file. @return DXT_OK; DXT_END: there is no other; what the source returned. */
dxt_status dxt_input_next_file(dxt_input *input);

#endif
