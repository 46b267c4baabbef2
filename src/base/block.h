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

/** Ask the kernel for large pages below a piece of memory, where it is large enough for one: cells
 *  that are read here and there over a large matrix are found faster. A wish: nothing fails. */
void dxt_prefer_large_pages(void *data, size_t size);

/** Cut the next @p count elements of @p size bytes from a block; with a NULL block, only count.
 *  @param used  Bytes cut so far; grows by these, up to the next multiple of 16. */
static inline void *dxt_cut(char *block, size_t *used, size_t count, size_t size)
{
    void *place = block ? block + *used : NULL;
    *used += (count * size + 15) & ~(size_t)15;
    return place;
}

#endif
