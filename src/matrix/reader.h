/* SPDX-License-Identifier: Apache-2.0 */
/* What the three kinds of readers share. */
#ifndef DXT_MATRIX_READER_H
#define DXT_MATRIX_READER_H

#include <deepxtrace/matrix.h>

#include "matrix/input.h"

/** A window that grows row by row: log texts and plain matrices. */
typedef struct dxt_rows {
    dxt_window *window; /**< made with the first row; all rows still missing */
    uint32_t ranks;     /**< N; 0 = as many as the first row has */
    uint32_t count;     /**< rows so far */
    uint32_t rank;      /**< of the row under way */
    uint32_t width;     /**< values in the row under way */
    bool open;          /**< a row is under way */
    bool comma;         /**< a value must follow */
} dxt_rows;

/** Where a log reader stands. */
typedef struct dxt_log_state {
    bool headed;     /**< behind a header whose matrix is not complete */
    bool headless;   /**< the text begins with a matrix in brackets; no headers needed */
    bool named;      /**< the rows of this window carry their ranks */
    bool surplus;    /**< behind a complete matrix: no row may follow */
    uint64_t header; /**< line of the header */
    char *instance;
    char *begin;
} dxt_log_state;

struct dxt_reader {
    dxt_input input;
    /** Reads one window: DXT_OK, DXT_END or a failure that has been reported. */
    dxt_status (*next)(dxt_reader *reader, dxt_window **window);
    dxt_status status;  /**< DXT_OK, or what every further call returns */
    char message[1024]; /**< its text */
    uint64_t line;      /**< first line of the last window */
    bool any;           /**< there has been a window */
    char phase[256];    /**< of the windows to come; logs and plain matrices */
    struct {
        char name[256];
        int64_t count;
    } phases[DXT_MAX_OPERATORS]; /**< windows so far; logs and plain matrices */
    dxt_rows rows;
    dxt_log_state log;
    int64_t row[DXT_MAX_RANKS]; /**< the row under way */
};

dxt_status dxt_next_recording(dxt_reader *reader, dxt_window **window);
dxt_status dxt_next_log(dxt_reader *reader, dxt_window **window);
dxt_status dxt_next_plain(dxt_reader *reader, dxt_window **window);

/** dxt_fail() with "FILE:LINE: " of the current line in front. */
dxt_status dxt_reader_fail(const dxt_reader *reader, dxt_status status, const char *format, ...)
    DXT_PRINTF(3, 4);

/* ---- rows.c: windows that grow row by row ---- */

/** Open a row. @return DXT_OK; DXT_ERR_FORMAT (rank out of range or repeated, one row too many). */
dxt_status dxt_rows_open(dxt_reader *reader, uint32_t rank);
/** Add a value to the open row: the one at @p *at, which moves behind it. */
dxt_status dxt_rows_value(dxt_reader *reader, const char **at, const char *end);
/** Close the row; the first one makes the window. */
dxt_status dxt_rows_close(dxt_reader *reader);
/** Whether no row is missing. */
bool dxt_rows_complete(const dxt_rows *rows);
/** Give the window away, numbered within its phase. There must be one. */
dxt_status dxt_rows_finish(dxt_reader *reader, dxt_window **window);

#endif
