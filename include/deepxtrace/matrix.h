/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows: the waits of one operator over one interval, and the recordings that hold them.
 * The formats are specified in docs/formats.md.
 */
#ifndef DEEPXTRACE_MATRIX_H
#define DEEPXTRACE_MATRIX_H

#include <deepxtrace/status.h>
#include <deepxtrace/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Unit in which dxt_window.wait was counted. */
typedef enum dxt_unit { DXT_UNIT_CYCLES = 0, DXT_UNIT_NS = 1 } dxt_unit;

/** Where the waits of a window come from: how much they can tell (docs/formats.md). */
typedef enum dxt_origin {
    DXT_ORIGIN_UNKNOWN = 0,  /**< not recorded; judged as counters by source */
    DXT_ORIGIN_SOURCE = 1,   /**< a counter for each awaited rank, where the waiting is done */
    DXT_ORIGIN_BARRIER = 2,  /**< a word from each rank, beside a barrier: when it came there */
    DXT_ORIGIN_DURATION = 3, /**< one wait or duration per operation and rank, and
                                  wait(i, j) = Σ max(0, w_i − w_j): it holds no paths */
} dxt_origin;

/** Stands in dxt_window.wait for a cell that nobody observed, which is no zero; in
 *  dxt_window.tokens, rank_ops, issued and run_delay_ns for a number that is not known. */
#define DXT_NOT_OBSERVED INT64_C(-1)

/** Most columns of dxt_window.tokens. */
#define DXT_MAX_LOCAL_EXPERTS 4096u

/** The place of a rank. Texts are UTF-8 and end in a zero; "" = not known. Frozen. */
typedef struct dxt_place {
    int64_t pid;    /**< process id; 0 = not known */
    int64_t rank;   /**< its rank in the whole job; −1 = not known */
    int32_t gpu;    /**< index of the GPU on its host; −1 = not known, or none */
    char host[256]; /**< host name */
    char uuid[64];  /**< of the GPU, such as "GPU-5f0c…" */
    char pci[32];   /**< PCI bus id of the GPU, such as "0000:3b:00.0" */
} dxt_place;

/**
 * One window. Every pointer is owned by the window, allocated with malloc() and released by
 * dxt_window_free(); NULL and 0 mean "not recorded" where the comment says optional. N is `ranks`;
 * N×N arrays are row-major: row = waiting rank, column = awaited rank.
 */
typedef struct dxt_window {
    size_t struct_size; /**< sizeof(dxt_window) of the code that made it */
    uint32_t ranks;     /**< N, 2 … DXT_MAX_RANKS */
    dxt_unit unit;      /**< of `wait` */
    char *phase;        /**< operator: "dispatch", "combine" or another name; never NULL */
    int64_t index;      /**< number of the window in its run; −1 = not recorded */
    int64_t *wait;      /**< N×N sums of waits ≥ 0, as counted, or DXT_NOT_OBSERVED; a missing
                                   row holds zeros */
    uint8_t *missing;   /**< N: 1 = this rank sent nothing; NULL = all sent */
    double *ticks_per_second; /**< N clock rates, 1 … DXT_MAX_TICKS_PER_SECOND; optional */
    int64_t *samples;         /**< N×N waits added into each cell; optional */
    int64_t samples_each;   /**< the same number in every cell, when `samples` is NULL; optional */
    int64_t *bytes;         /**< N×N payload bytes received; optional */
    int64_t *last;          /**< N×N operations in which the column's rank came last to the row's
                                   rank; optional */
    int64_t ops;            /**< operations in the window, with `rank_ops` their upper median;
                                   optional */
    int64_t elapsed_ns;     /**< length of the window; optional */
    int32_t *nodes;         /**< N node indices ≥ 0; optional */
    char **hosts;           /**< N host names; optional */
    char *instance;         /**< id of the job; optional */
    char *begin;            /**< begin of the window, ISO 8601; optional */
    char *source;           /**< what made the recording; optional */
    char *case_name;        /**< field "case"; optional */
    char *extra;            /**< JSON object of all other fields, "label" included, on one line;
                                   optional */
    dxt_origin origin;      /**< where the waits come from; optional */
    dxt_place *devices;     /**< N places; optional */
    int64_t *tokens;        /**< N×local_experts tokens that each rank received in the window, or
                                   DXT_NOT_OBSERVED; optional */
    uint32_t local_experts; /**< columns of `tokens`: 1 = one sum per rank, else one per expert
                                   that lives there; 0 without tokens */
    int64_t *rank_ops;      /**< N operations of each rank, where they differ, or
                                   DXT_NOT_OBSERVED: each row is divided by its own; optional */
    double min_share;       /**< smallest share of the step worth a finding when the window
                                   was recorded, above 0, at most 1; optional */
    char *group;            /**< name of the process group; optional */
    char *mix;              /**< which mix of work ran in the window, such as the graphs that were
                                   replayed: only windows of the same mix compare; optional */
    int64_t *issued; /**< N operations of all kinds that each rank had begun in its life when the
                                   window ended, completed or not, or DXT_NOT_OBSERVED; optional */
    int64_t *run_delay_ns; /**< N: how long the thread of each rank that communicates was ready to
                                   run in the window, but waited for a CPU core; or
                                   DXT_NOT_OBSERVED; optional */
} dxt_window;

/** What dxt_window_value() returns. Per operation means per (operation, local expert) wait. */
typedef enum dxt_measure {
    DXT_MEASURE_NS_PER_OP = 0,     /**< samples or ops, and a unit of time, are known */
    DXT_MEASURE_NS = 1,            /**< time, summed over the window */
    DXT_MEASURE_CYCLES_PER_OP = 2, /**< no clock rate */
    DXT_MEASURE_CYCLES = 3         /**< neither */
} dxt_measure;

/**
 * Allocate a zeroed window.
 *
 * @param ranks   2 … DXT_MAX_RANKS.
 * @param phase   Copied; 1 … 255 bytes of UTF-8 without control characters.
 * @param window  Receives it; release with dxt_window_free(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_window_create(uint32_t ranks, const char *phase, dxt_window **window);

/**
 * Release a window and all it owns.
 *
 * Blocking: no. Threads: reentrant. NULL: does nothing.
 */
DXT_API void dxt_window_free(dxt_window *window);

/**
 * Check a window against the description of its fields.
 *
 * @return DXT_OK; DXT_ERR_INVALID with the field named in dxt_error(); DXT_ERR_LIMIT;
 *         DXT_ERR_NO_MEMORY (only with `extra`).
 *
 * Blocking: no. Threads: reentrant. NULL: DXT_ERR_INVALID. Cost: O(ranks²).
 */
DXT_API dxt_status dxt_window_check(const dxt_window *window);

/**
 * Which measure dxt_window_value() has for this window.
 *
 * Blocking: no. Threads: reentrant. NULL: DXT_MEASURE_CYCLES.
 */
DXT_API dxt_measure dxt_window_measure(const dxt_window *window);

/**
 * One cell in the window's measure: wait ÷ samples (0 where a cell has no samples), else ÷ the ops
 * of the waiting rank (0 where it has none), else ÷ ops, else the sum; cycles converted with the
 * clock of the waiting rank.
 *
 * @param row, column  Below window->ranks.
 * @return The value, ≥ 0; NaN in a missing row and where nobody observed the cell.
 *
 * Blocking: no. Threads: reentrant. NULL: NaN.
 */
DXT_API double dxt_window_value(const dxt_window *window, uint32_t row, uint32_t column);

/**
 * All of row @p row at once, as dxt_window_value(); @p values holds N doubles.
 *
 * Blocking: no. Threads: reentrant. NULL: does nothing.
 */
DXT_API void dxt_window_row(const dxt_window *window, uint32_t row, double *values);

/**
 * Operations of one rank.
 *
 * @param rank  Below window->ranks.
 * @return Its own where they are known, else `ops`; 0 = not recorded, or none with `rank_ops`.
 *
 * Blocking: no. Threads: reentrant. NULL: 0.
 */
DXT_API int64_t dxt_window_ops(const dxt_window *window, uint32_t rank);

/**
 * Add a window of the same run and operator to another: waits, samples, bytes, last, tokens, ops
 * and elapsed are summed. An optional field that one of them lacks is dropped, and so is a mix that
 * differs. A row that is missing in either is missing in the sum, and so is a cell that was not
 * observed.
 *
 * @param sum     Changed; unchanged on error.
 * @param window  Same ranks, phase, unit, clock rates, origin and group. Not modified.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT (a sum would pass 2^63 − 1); DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: reentrant. NULL: DXT_ERR_INVALID. Cost: O(ranks²).
 */
DXT_API dxt_status dxt_window_add(dxt_window *sum, const dxt_window *window);

/* ------------------------------------------------------------------ reading and writing --- */

/** Reads windows one by one: from recordings, logs, and matrices as text or as NumPy stores them,
 *  told apart by content (docs/formats.md). */
typedef struct dxt_reader dxt_reader;

/**
 * Open a file for reading.
 *
 * @param path    "-" is standard input.
 * @param reader  Receives it; release with dxt_reader_close(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID (NULL); DXT_ERR_IO; DXT_ERR_NO_MEMORY.
 *
 * Blocking: on the file. Threads: one reader belongs to one thread at a time. NULL:
 * DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_reader_open(const char *path, dxt_reader **reader);

/**
 * Read from memory.
 *
 * @param data    @p size bytes; must stay valid until dxt_reader_close(). Any content.
 * @param name    Used in messages in place of a path; copied.
 *
 * Blocking: no. Threads: one reader belongs to one thread at a time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_reader_open_memory(const void *data, size_t size, const char *name,
                                          dxt_reader **reader);

/** Where a reader gets plain bytes from: one file, or several that are one log, in order. */
typedef struct dxt_source {
    size_t struct_size; /**< sizeof(dxt_source) */
    void *context;      /**< for the functions */
    /**
     * Put up to @p size bytes of the file under way into @p buffer.
     *
     * @param got  Receives how many: 0 at its end.
     * @return DXT_OK; DXT_ERR_FORMAT: packed data are damaged or end too early, which ends the file
     *         with what there was; DXT_ERR_IO with errno set; another failure.
     */
    dxt_status (*read)(void *context, void *buffer, size_t size, size_t *got);
    /**
     * Go on to the next file.
     *
     * @param name  Receives its name for messages; valid until the next call.
     * @return DXT_OK; DXT_END: there is no other; DXT_ERR_IO with errno set, and the name of the
     *         file; another failure. NULL instead of the function: there is one file.
     */
    dxt_status (*next)(void *context, const char **name);
} dxt_source;

/**
 * Read from functions. A window whose rows are in two files is put together.
 *
 * @param source  Copied; what its context points to must stay valid until dxt_reader_close().
 * @param name    Of the first file, for messages; copied.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: one reader belongs to one thread at a time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_reader_open_source(const dxt_source *source, const char *name,
                                          dxt_reader **reader);

/** What a reader has to say of something that did not become a window. */
typedef enum dxt_remark {
    DXT_REMARK_LOST = 0, /**< a window that cannot be read */
    DXT_REMARK_CUT = 1,  /**< a window that is incomplete because the input ends */
    DXT_REMARK_NOTE = 2  /**< how something was read; no window is lost */
} dxt_remark;

/**
 * Hear a remark.
 *
 * @param message  "FILE:LINE: reason"; valid during the call.
 * @return 0: the reading ends with this as its error (DXT_REMARK_NOTE: goes on); else it goes on
 *         without the window.
 */
typedef int (*dxt_remark_fn)(void *context, dxt_remark kind, const char *message);

/**
 * Leave out windows that cannot be read. Without this call, the first such window is an error that
 * ends the reading.
 *
 * @param on_remark  Called from dxt_reader_next(); it must not call the reader. NULL: as without.
 *
 * Blocking: no. Threads: one reader belongs to one thread at a time. NULL: does nothing for @p
 * reader.
 */
DXT_API void dxt_reader_on_remark(dxt_reader *reader, dxt_remark_fn on_remark, void *context);

/**
 * Read the next window.
 *
 * @param window  Receives it; release with dxt_window_free(). Untouched unless DXT_OK.
 * @return DXT_OK; DXT_END after the last one; DXT_ERR_FORMAT or DXT_ERR_LIMIT with
 *         "FILE:LINE: reason" in dxt_error(); DXT_ERR_IO; DXT_ERR_NO_MEMORY. An input without any
 *         window is DXT_ERR_FORMAT. After an error every further call returns the same error; with
 *         dxt_reader_on_remark() a window that cannot be read is none.
 *
 * Blocking: on the file. Threads: one reader belongs to one thread at a time. NULL:
 * DXT_ERR_INVALID. Cost: one line is held in memory.
 */
DXT_API dxt_status dxt_reader_next(dxt_reader *reader, dxt_window **window);

/**
 * Line on which the last window began, from 1; 0 before the first.
 *
 * Blocking: no. Threads: one reader belongs to one thread at a time. NULL: 0.
 */
DXT_API uint64_t dxt_reader_line(const dxt_reader *reader);

/**
 * Where to go on reading a log that grows, after its text so far has been read from memory.
 *
 * @param text   Whole lines of it; size bytes, without a final '\0'.
 * @param line   Line of the text on which its last window began, from 1, as of dxt_reader_line(); 0
 *               if it has none.
 * @param whole  0: rows of that window may still come. Not 0: none will.
 * @return Bytes of the text that are dealt with, 0 … size; the others are read again, in front of
 *         what comes behind them. 0: up to that window. Not 0: all but the header of a window
 *         without rows so far.
 *
 * Blocking: no. Threads: reentrant. NULL: 0. Cost: O(size).
 */
DXT_API size_t dxt_log_rest(const char *text, size_t size, uint64_t line, int whole);

/**
 * Close.
 *
 * Blocking: no. Threads: one reader belongs to one thread at a time. NULL: does nothing.
 */
DXT_API void dxt_reader_close(dxt_reader *reader);

/**
 * Write one window as one line of a recording, all fields kept.
 *
 * @param window  Must pass dxt_window_check().
 * @param write   Receives the bytes, possibly in several calls; the last ends with a newline.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY; what @p write returned.
 *
 * Blocking: on @p write. Threads: reentrant. NULL: DXT_ERR_INVALID, but for @p context.
 */
DXT_API dxt_status dxt_window_write(const dxt_window *window, dxt_write_fn write, void *context);

#ifdef __cplusplus
}
#endif

#endif
