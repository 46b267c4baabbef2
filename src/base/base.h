/* SPDX-License-Identifier: Apache-2.0 */
/* L0: what every room stands on. Nothing here knows of waits, ranks or windows. */
#ifndef DXT_BASE_BASE_H
#define DXT_BASE_BASE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <deepxtrace/status.h>

#include "system/structs.h"

/* ---- failures and messages ---- */

/**
 * Record why a call fails: text for dxt_error() and an error to the log callback.
 *
 * @return @p status, so that a function can end with `return dxt_fail(…)`.
 */
dxt_status dxt_fail(dxt_status status, const char *format, ...) DXT_PRINTF(2, 3);

/** dxt_fail() for an allocation of @p bytes (0 = size not known). Allocates nothing. */
dxt_status dxt_fail_memory(size_t bytes);

/** dxt_fail() with DXT_ERR_IO and the text of errno behind the message. */
dxt_status dxt_fail_errno(const char *format, ...) DXT_PRINTF(1, 2);

/** dxt_fail() for a struct @p name that a caller gave with too small a struct_size.
 *  @param type  The name of its type. */
dxt_status dxt_fail_size(const char *name, const char *type, size_t struct_size);

/** Send one message to the log callback, if there is one. */
void dxt_log(dxt_log_level level, const char *format, ...) DXT_PRINTF(2, 3);

/* ---- clocks ---- */

/** CLOCK_MONOTONIC in ns. */
int64_t dxt_now_ns(void);
/** CLOCK_REALTIME in ns since 1970. */
int64_t dxt_realtime_ns(void);
/** Make a condition whose timed waits go by CLOCK_MONOTONIC. pthread_cond_clockwait() would need no
 *  such thing, but glibc 2.30. */
static inline void dxt_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}
/** Sleep until a CLOCK_MONOTONIC time in ns, signals notwithstanding. */
void dxt_sleep_until_ns(int64_t monotonic_ns);

/* ---- checked arithmetic ---- */

/** @return false, and @p product untouched, on overflow. */
static inline bool dxt_mul_size(size_t a, size_t b, size_t *product)
{
    size_t result;
    if (__builtin_mul_overflow(a, b, &result)) return false;
    *product = result;
    return true;
}

/** @return false, and @p sum untouched, on overflow. */
static inline bool dxt_add_i64(int64_t a, int64_t b, int64_t *sum)
{
    int64_t result;
    if (__builtin_add_overflow(a, b, &result)) return false;
    *sum = result;
    return true;
}

/* ---- news ---- */

/**
 * Whether what comes and goes is told this time: the first, second, fourth, eighth … of all.
 *
 * @param times  How often it has come; zero to begin.
 */
static inline bool dxt_is_news(uint64_t *times)
{
    uint64_t number = ++*times;
    return (number & (number - 1)) == 0;
}

/* ---- growing text ---- */

/** A growing, always terminated buffer. Zero it to begin; release `data` with free(). After a
 * failed allocation `failed` is set, and further appends do nothing. */
typedef struct dxt_text {
    char *data;
    size_t size;
    size_t capacity;
    bool failed;
} dxt_text;

void dxt_text_append(dxt_text *text, const void *bytes, size_t size);
void dxt_text_puts(dxt_text *text, const char *string);
void dxt_text_printf(dxt_text *text, const char *format, ...) DXT_PRINTF(2, 3);

/** Hand the text to @p write (nothing if it is empty), release it, and pass the status on. */
dxt_status dxt_text_flush(dxt_text *text, dxt_write_fn write, void *context);

/** Format a time span for people: "840 ns", "12.3 µs", "1.03 ms", "2.5 s". @return @p buffer. */
char *dxt_format_ns(double ns, char *buffer, size_t size);

/**
 * Write a finite number in the fewest digits that read back as the same double, with a point
 * whatever the locale of the program.
 *
 * @param buffer  DXT_REAL_SIZE bytes.
 * @return Length.
 */
size_t dxt_format_real(double value, char *buffer);
/** Longest text of dxt_format_utc() with its terminator. */
#define DXT_UTC_SIZE 40u

/**
 * Read a time in ISO 8601: date, 'T' or a blank, time with or without a part of a second, and 'Z',
 * an offset such as +02:00, or nothing, which is UTC.
 *
 * @param ns  Receives ns since 1970; untouched on failure.
 * @return false if it is no such time.
 */
bool dxt_parse_time(const char *text, int64_t *ns);

/** Write ns since 1970 as "2026-11-26T03:34:48.250Z" (DXT_UTC_SIZE bytes). @return @p buffer. */
char *dxt_format_utc(int64_t ns, char *buffer);

/** Longest text of dxt_format_local() with its terminator. */
#define DXT_LOCAL_SIZE 48u

/** The same for people, in the zone of the process: "2026-11-26 03:12:40 +01:00", or "… UTC". */
char *dxt_format_local(int64_t ns, char *buffer);

/** Longest result of dxt_format_real() with its terminator. */
#define DXT_REAL_SIZE 32u

/** What dxt_utf8_decode() returns for bytes that are no character. */
#define DXT_UTF8_NONE UINT32_MAX

/**
 * Decode one UTF-8 character (RFC 3629: no overlong forms, no surrogates).
 *
 * @param at    Bytes to read, at least one.
 * @param left  How many there are; a terminator ends them as well.
 * @param size  Receives the bytes the character takes; 1 if there is none.
 * @return Its code point, or DXT_UTF8_NONE.
 */
uint32_t dxt_utf8_decode(const char *at, size_t left, size_t *size);

/**
 * Whether a character may not leave the library in a text: it would not be seen, or would change
 * how the text around it is shown. Control characters (C0, DEL, C1), marks that turn the direction
 * of writing, line and paragraph separators, noncharacters, and DXT_UTF8_NONE.
 */
bool dxt_is_unprintable(uint32_t code);

/* ---- parts: shared objects loaded at run time ---- */

/**
 * Find a function of a part, loading it at the first call. Looked for as
 * libdeepxtrace-NAME.so.0 in $DEEPXTRACE_PARTS, next to the core library, and where the system
 * looks.
 *
 * @param why  Receives a static or cached text: where it is, or why it is not there; NULL allowed.
 * @return The function, or NULL.
 *
 * Threads: any.
 */
void *dxt_part_function(const char *part, const char *function, const char **why);

/** A part: where it is, or why it is not there. The texts are static. */
typedef struct dxt_part_state {
    const char *name;
    const char *purpose;
    const char *why;
    bool available;
} dxt_part_state;

/**
 * Say of each part whether it is there, loading it at the first call.
 *
 * @return false, and @p state untouched, behind the last one.
 *
 * Threads: any.
 */
bool dxt_part_at(size_t index, dxt_part_state *state);

#endif
