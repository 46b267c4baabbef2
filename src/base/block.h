/* SPDX-License-Identifier: Apache-2.0 */
/* A piece of memory that is used again. */
#ifndef DXT_BASE_BLOCK_H
#define DXT_BASE_BLOCK_H

#include <stddef.h>

/** Zero it to begin; release `data` with free(). */
typedef struct dxt_block {
    void *data;
    size_t size;
} dxt_block;

/** Make room for @p size bytes; what was there is lost. @return The data, or NULL, said. */
void *dxt_block_fit(dxt_block *block, size_t size);

#endif
