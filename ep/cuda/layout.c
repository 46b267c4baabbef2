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

void dxt_ep_cuda_layout_of(const dxt_ep_config *config, dxt_ep_cuda_layout *layout)
{
    size_t ranks = config->ranks;
    size_t tokens = config->max_tokens;
    size_t topk = config->max_topk;
    size_t experts = config->experts / ranks;
    /* A combine uses a row per (source, token), or one per (token, route). */
    layout->row_count[DXT_DISPATCH] = (uint32_t)(ranks * tokens);
    layout->row_count[DXT_COMBINE] = (uint32_t)((ranks > topk ? ranks : topk) * tokens);
    layout->row = config->hidden * sizeof(uint16_t);
    layout->size = whole_lines(sizeof(dxt_ep_cuda_control));
    layout->table_entries = whole_lines((1 + experts) * sizeof(uint64_t));
    layout->table_stride =
        whole_lines(layout->table_entries + tokens * topk * sizeof(dxt_ep_cuda_entry));
    layout->table = append(layout, CUDA_PARITIES * ranks * layout->table_stride);
    for (int op = 0; op < DXT_EP_OPERATORS; op++)
        layout->arrivals[op] =
            append(layout, CUDA_PARITIES * layout->row_count[op] * sizeof(uint32_t));
    for (int op = 0; op < DXT_EP_OPERATORS; op++)
        layout->rows[op] = append(layout, CUDA_PARITIES * layout->row_count[op] * layout->row);
}
