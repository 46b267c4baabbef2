/* SPDX-License-Identifier: Apache-2.0 */
/* What is used of libzstd, whose interface has been stable since 1.0: it is loaded when the first
 * file needs it, and nothing of it is needed to build. */
#ifndef DXT_MONITOR_ZSTD_TABLE_H
#define DXT_MONITOR_ZSTD_TABLE_H

#include <stddef.h>

/** ZSTD_inBuffer and ZSTD_outBuffer. */
typedef struct zstd_in {
    const void *data;
    size_t size, at;
} zstd_in;

typedef struct zstd_out {
    void *data;
    size_t size, at;
} zstd_out;

typedef struct zstd_table {
    void *(*create)(void);           /**< ZSTD_createDStream() */
    size_t (*release)(void *stream); /**< ZSTD_freeDStream() */
    size_t (*begin)(void *stream);   /**< ZSTD_initDStream(): forget what was unpacked so far */
    size_t (*decompress)(void *stream, zstd_out *out, zstd_in *in);
    unsigned (*is_error)(size_t result);
} zstd_table;

/** @return NULL if there is none on this machine. Threads: the one that follows. */
const zstd_table *zstd_library(void);

#endif
