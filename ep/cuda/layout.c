/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/cuda.h"

#define LINE ((size_t)128)

static size_t whole_lines(size_t bytes)
{
    return (bytes + LINE - 1) / LINE * LINE;
}

/* Lay @p bytes out behind what is there. */
static size_t append(dxt_ep_cuda_layout *layout, size_t bytes)
{
    size_t at = layout->size;
    layout->size = at + whole_lines(bytes);
    return at;
}

/* Bytes of a row with marks, whose @p words come behind it, three in 16 bytes (marks.cuh). */
static size_t marked(size_t bytes, size_t words)
{
    size_t segments = (bytes + 511) / 512;
    return whole_lines(bytes + (segments + words + 2) / 3 * 16);
}

void dxt_ep_cuda_layout_of(const dxt_ep_config *config, dxt_ep_cuda_layout *layout)
{
    size_t ranks = config->ranks;
    size_t tokens = config->max_tokens;
    size_t topk = config->max_topk;
    size_t experts = config->experts / ranks;
    size_t bf16 = config->hidden * sizeof(uint16_t);
    /* A combine uses a row per (source, token), or one per (token, route). */
    size_t most = (ranks > topk ? ranks : topk) * tokens;
    layout->arrival_count[DXT_DISPATCH] = (uint32_t)(ranks * tokens);
    layout->arrival_count[DXT_COMBINE] = (uint32_t)most;
    for (int rows = 0; rows < CUDA_ROWS; rows++)
        layout->row_count[rows] = (uint32_t)(rows == CUDA_PLAIN ? most : ranks * tokens);
    layout->row[CUDA_FP8] = marked(config->hidden, config->hidden / DXT_EP_BLOCK);
    layout->row[CUDA_BF16] = layout->row[CUDA_SUMS] = marked(bf16, 0);
    layout->row[CUDA_PLAIN] = bf16;
    layout->size = whole_lines(sizeof(dxt_ep_cuda_control));
    layout->table_entries = whole_lines((1 + experts) * sizeof(uint64_t));
    layout->table_stride =
        whole_lines(layout->table_entries + tokens * topk * sizeof(dxt_ep_cuda_entry));
    layout->table = append(layout, CUDA_PARITIES * ranks * layout->table_stride);
    for (int op = 0; op < DXT_EP_OPERATORS; op++)
        layout->arrivals[op] =
            append(layout, CUDA_PARITIES * layout->arrival_count[op] * sizeof(uint32_t));
    for (int rows = 0; rows < CUDA_ROWS; rows++)
        layout->rows[rows] =
            append(layout, CUDA_PARITIES * layout->row_count[rows] * layout->row[rows]);
}
