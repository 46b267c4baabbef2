/* SPDX-License-Identifier: Apache-2.0 */
#include "base/block.h"

#include <stdlib.h>

#include "base/base.h"

void *dxt_block_fit(dxt_block *block, size_t size)
{
    if (size <= block->size) return block->data;
    free(block->data);
    block->data = malloc(size);
    block->size = block->data ? size : 0;
    if (!block->data) dxt_fail_memory(size);
    return block->data;
}
