/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SIZE 1024

static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static dxt_log_fn sink;
static void *sink_context;

/* A fork waits until nobody holds the lock: its child would wait for a thread that it does not
 * have. */
static void lock_sink(void)
{
    pthread_mutex_lock(&sink_lock);
}

static void unlock_sink(void)
{
    pthread_mutex_unlock(&sink_lock);
}

__attribute__((constructor)) static void watch_forks(void)
{
    /* Without memory for it a fork is as safe as it was without the handlers. */
    (void)pthread_atfork(lock_sink, unlock_sink, unlock_sink);
}

static _Thread_local char last_error[MESSAGE_SIZE];

const char *dxt_error(void)
{
    return last_error;
}

void dxt_set_log(dxt_log_fn log, void *context)
{
    pthread_mutex_lock(&sink_lock);
    sink = log;
    sink_context = context;
    pthread_mutex_unlock(&sink_lock);
}

/* Called without the lock held, so that a callback may take its own locks. */
static void emit(dxt_log_level level, const char *message)
{
    pthread_mutex_lock(&sink_lock);
    dxt_log_fn log = sink;
    void *context = sink_context;
    pthread_mutex_unlock(&sink_lock);
    if (log) log(context, level, message);
}

void dxt_log(dxt_log_level level, const char *format, ...)
{
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    emit(level, message);
}

dxt_status dxt_fail(dxt_status status, const char *format, ...)
{
    /* Through a second buffer: the arguments may quote dxt_error(). */
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    memcpy(last_error, message, sizeof message);
    emit(DXT_LOG_ERROR, last_error);
    return status;
}

dxt_status dxt_fail_memory(size_t bytes)
{
    if (bytes == 0) return dxt_fail(DXT_ERR_NO_MEMORY, "out of memory");
    return dxt_fail(DXT_ERR_NO_MEMORY, "out of memory: %zu bytes", bytes);
}

dxt_status dxt_fail_size(const char *name, const char *type, size_t struct_size)
{
    return dxt_fail(DXT_ERR_INVALID, "%s.struct_size is %zu; set it to sizeof(%s)", name,
                    struct_size, type);
}

dxt_status dxt_fail_errno(const char *format, ...)
{
    int code = errno;
    char message[MESSAGE_SIZE];
    char reason[128];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return dxt_fail(DXT_ERR_IO, "%s: %s", message, strerror_r(code, reason, sizeof reason));
}
