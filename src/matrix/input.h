/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a file or of memory. One line is held at a time. */
#ifndef DXT_MATRIX_INPUT_H
#define DXT_MATRIX_INPUT_H

#include "base/base.h"

/** Longest line: 1 GiB holds a wait matrix of 4096 ranks three times over. */
#define DXT_MAX_LINE ((size_t)1 << 30)

typedef struct dxt_input {
    char *name;       /**< for messages */
    int fd;           /**< −1 = memory */
    const char *data; /**< the memory, or `buffer` */
    char *buffer;     /**< of a file; grows to the longest line */
    size_t capacity;  /**< of `buffer` */
    size_t size;      /**< bytes in `data` */
    size_t at;        /**< next line in `data` */
    size_t line_at;   /**< line handed out last */
    size_t line_max;  /**< DXT_MAX_LINE; tests lower it */
    uint64_t line;    /**< its number, from 1; 0 = none yet */
    bool ended;       /**< nothing follows `data` */
} dxt_input;

/** Open a path, "-" for standard input. @return DXT_OK; DXT_ERR_IO; DXT_ERR_NO_MEMORY. */
dxt_status dxt_input_open(dxt_input *input, const char *path);
/** @p data must outlive the input; @p name is copied. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_input_open_memory(dxt_input *input, const void *data, size_t size, const char *name);
void dxt_input_close(dxt_input *input);

/**
 * Get the next line, without its end ("\n" or "\r\n").
 *
 * @return DXT_OK; DXT_END; DXT_ERR_LIMIT (line too long); DXT_ERR_IO; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_input_line(dxt_input *input, const char **line, size_t *size);

/** Let dxt_input_line() hand out the last line again. */
void dxt_input_unread(dxt_input *input);

#endif
