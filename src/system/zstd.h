/* SPDX-License-Identifier: Apache-2.0 */
/* What is used of libzstd, whose interface has been stable since 1.0: it is loaded when the first
 * file needs it, and nothing of it is needed to build. */
#ifndef DXT_SYSTEM_ZSTD_H
#define DXT_SYSTEM_ZSTD_H

#include <stddef.h>

/** ZSTD_inBuffer and ZSTD_outBuffer. */
typedef struct dxt_zstd_in {
    const void *data;
    size_t size, at;
} dxt_zstd_in;

typedef struct dxt_zstd_out {
    void *data;
    size_t size, at;
} dxt_zstd_out;

typedef struct dxt_zstd {
    void *(*create)(void);           /**< ZSTD_createDStream() */
    size_t (*release)(void *stream); /**< ZSTD_freeDStream() */
    size_t (*begin)(void *stream);   /**< ZSTD_initDStream(): forget what was unpacked so far */
    size_t (*decompress)(void *stream, dxt_zstd_out *out, dxt_zstd_in *in);
    unsigned (*is_error)(size_t result);
    int (*error_code)(size_t result); /**< ZSTD_getErrorCode() */
} dxt_zstd;

/** ZSTD_error_frameParameter_windowTooLarge: unpacking wants more than 128 MiB of memory. */
#define DXT_ZSTD_WINDOW_TOO_LARGE 16

/** Load it, once. @return NULL if there is none on this machine. Threads: one of a program. */
const dxt_zstd *dxt_zstd_library(void);

#endif
