/* SPDX-License-Identifier: Apache-2.0 */
#include "base/block.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"

/* A large page of x86-64, and of AArch64 with pages of 4 KiB. */
#define LARGE_PAGE ((size_t)2 << 20)

void dxt_prefer_large_pages(void *data, size_t size)
{
    long page = sysconf(_SC_PAGESIZE);
    if (!data || size < LARGE_PAGE || page <= 0) return;
    /* A mapping of its own begins with the allocator's few bytes in front of the data. */
    size_t before = (uintptr_t)data % (size_t)page;
    madvise((char *)data - before, size + before, MADV_HUGEPAGE);
}

void *dxt_block_fit(dxt_block *block, size_t size)
{
    if (size <= block->size) return block->data;
    free(block->data);
    block->data = malloc(size);
    block->size = block->data ? size : 0;
    if (!block->data) dxt_fail_memory(size);
    dxt_prefer_large_pages(block->data, block->size);
    return block->data;
}
