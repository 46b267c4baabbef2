/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statuses, errors and the log. And the words in which the comment of each function says what it
 * needs:
 *
 *     Blocking  no = it waits for nobody, and takes the time of its own work.
 *     Threads   any = many at once, whatever the arguments; reentrant = many at once, each with
 *               objects of its own.
 *     NULL      what a pointer that is NULL does; "DXT_ERR_INVALID": the call does nothing.
 */
#ifndef DEEPXTRACE_STATUS_H
#define DEEPXTRACE_STATUS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the shared libraries export. */
#if defined(__GNUC__) || defined(__clang__)
#define DXT_API __attribute__((visibility("default")))
#define DXT_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define DXT_API
#define DXT_PRINTF(at, first)
#endif

/**
 * What a call came to. Zero and above is not a failure.
 *
 * The first function that detects a failure says why, once: through the log callback and in
 * dxt_error(). Those above it only pass the status on. Outputs are written on success alone.
 */
typedef enum dxt_status {
    DXT_OK = 0,
    DXT_END = 1,              /**< nothing more to read */
    DXT_AGAIN = 2,            /**< not there yet; ask again later */
    DXT_ERR_INVALID = -1,     /**< an argument or a struct contradicts its description */
    DXT_ERR_NO_MEMORY = -2,   /**< an allocation failed */
    DXT_ERR_LIMIT = -3,       /**< above a documented maximum (see types.h) */
    DXT_ERR_IO = -4,          /**< the system refused to open, read or write */
    DXT_ERR_FORMAT = -5,      /**< bytes from outside that are not what they should be */
    DXT_ERR_UNSUPPORTED = -6, /**< this build, machine or installation lacks it */
    DXT_ERR_TIMEOUT = -7,     /**< the other side stayed silent past the deadline */
    DXT_ERR_MASKED = -8,      /**< the group went on without this rank */
    DXT_ERR_STATE = -9        /**< the call is out of order */
} dxt_status;

/** Severity of a log message. */
typedef enum dxt_log_level {
    DXT_LOG_ERROR = 0,
    DXT_LOG_WARNING = 1,
    DXT_LOG_INFO = 2,
    DXT_LOG_DEBUG = 3
} dxt_log_level;

/**
 * Receives log messages.
 *
 * @param context  What was given to dxt_set_log().
 * @param level    Severity.
 * @param message  One line without a newline; valid during the call only.
 *
 * Threads: called from whichever thread logs; must be reentrant. Must not call back into the
 * library.
 */
typedef void (*dxt_log_fn)(void *context, dxt_log_level level, const char *message);

/**
 * Receives produced bytes in order.
 *
 * @return DXT_OK to go on; anything else stops the producer, which returns it to its caller.
 */
typedef dxt_status (*dxt_write_fn)(void *context, const void *data, size_t size);

/**
 * Name a status in a few words, for people.
 *
 * @return A static string, also for unknown values; never NULL.
 *
 * Blocking: no. Threads: any.
 */
DXT_API const char *dxt_status_string(dxt_status status);

/**
 * Why the last failed call of this thread failed.
 *
 * @return One line without a newline, empty if nothing failed yet; valid until the next failure in
 *         the same thread.
 *
 * Blocking: no. Threads: each thread has its own text.
 */
DXT_API const char *dxt_error(void);

/**
 * Route log messages; by default there are none, and nothing is ever written to stderr.
 *
 * @param log      NULL silences the library again.
 * @param context  Handed to every call of @p log; must outlive its use.
 *
 * Blocking: no. Threads: any; messages already under way may still reach the old callback. NULL: @p
 * log: silence; @p context is not looked at.
 */
DXT_API void dxt_set_log(dxt_log_fn log, void *context);

/**
 * Make a text from outside (a file name, a host, a line of a log) fit for a terminal, in place:
 * each byte of a control character, of a mark of direction, of a line separator, of a noncharacter,
 * or of no UTF-8 becomes '?'.
 *
 * @param text  Terminated. NULL is allowed and does nothing.
 *
 * Blocking: no. Threads: reentrant. NULL: does nothing.
 */
DXT_API void dxt_make_printable(char *text);

#ifdef __cplusplus
}
#endif

#endif
