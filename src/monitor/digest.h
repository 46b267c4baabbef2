/* SPDX-License-Identifier: Apache-2.0 */
/* The figures that are stored of a window's waits, taken in one pass over its rows. */
#ifndef DXT_MONITOR_DIGEST_H
#define DXT_MONITOR_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include <deepxtrace/analysis.h>
#include <deepxtrace/matrix.h>

/** How matrix.cells encodes N×N waits, in the window's measure, deflated. */
enum {
    CODING_FLOAT = 1, /**< float32, little endian; NaN = not observed */
    CODING_LOG = 2 /**< a byte: 0 = not observed, 1 = 0, else 2^((byte − 2) / LOG_STEPS) / 16 */
};
#define LOG_STEPS 6.0

typedef struct digest {
    float *sums; /**< [3][ranks]: lateness, mean of the row, of the column; NaN = unknown */
    unsigned char *cells; /**< the matrix, packed by zlib */
    size_t size;          /**< of `cells`, in bytes */
    int coding;           /**< CODING_FLOAT or CODING_LOG */
} digest;

/** @return false if out of memory. Release with digest_free() in either case. */
bool digest_make(digest *d, const dxt_window *window, const dxt_findings *findings);
void digest_free(digest *d);

#endif
