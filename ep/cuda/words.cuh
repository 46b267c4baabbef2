/* SPDX-License-Identifier: Apache-2.0 */
/* The words that ranks and blocks tell each other: what their bits are. */
#ifndef DXT_EP_CUDA_WORDS_CUH
#define DXT_EP_CUDA_WORDS_CUH

#include "cuda/access.cuh"

/* An epoch in the upper half tells the word of one operation from those before. */
DEVICE uint64_t epoch_of(uint64_t word)
{
    return word >> 32;
}

/* cuda_control.complete: epoch, format of the rows, and how many were sent. */
DEVICE uint64_t pack_complete(uint32_t epoch, uint32_t format, uint32_t rows)
{
    return (uint64_t)epoch << 32 | (uint64_t)format << 24 | rows;
}

DEVICE uint64_t format_of(uint64_t complete)
{
    return complete >> 24 & 0xffu;
}

DEVICE uint64_t rows_of(uint64_t complete)
{
    return complete & 0xffffffu;
}

/* cuda_control.table: epoch, and tokens of the source. */
DEVICE uint64_t pack_table(uint32_t epoch, uint32_t tokens)
{
    return (uint64_t)epoch << 32 | tokens;
}

DEVICE uint32_t tokens_of(uint64_t table)
{
    return (uint32_t)table;
}

/* cuda_state.verdict: epoch, a bit for each source that takes no part, and one for each of which it
 * is settled. */
DEVICE uint64_t pack_verdict(uint32_t epoch, uint32_t absent, uint32_t decided)
{
    return (uint64_t)epoch << 32 | absent << 16 | decided;
}

DEVICE uint64_t absent_of(uint64_t verdict)
{
    return verdict >> 16;
}

/* Bits of sources; what is above them is of others. */
DEVICE uint32_t decided_of(uint64_t verdict)
{
    return (uint32_t)verdict;
}

/* cuda_state.send_done: blocks that have sent, and above them the rows of four ranks. */
DEVICE uint32_t rows_shift(uint32_t rank)
{
    return CUDA_BLOCK_BITS + CUDA_ROW_BITS * (rank % 4u);
}

DEVICE uint64_t pack_rows(uint32_t rows, uint32_t rank)
{
    return (uint64_t)rows << rows_shift(rank);
}

DEVICE uint64_t blocks_of(uint64_t done)
{
    return done & ((1u << CUDA_BLOCK_BITS) - 1u);
}

DEVICE uint32_t packed_rows_of(uint64_t done, uint32_t rank)
{
    return (uint32_t)(done >> rows_shift(rank)) & ((1u << CUDA_ROW_BITS) - 1u);
}

/* Whether a mask has the bit of a rank, or of a route. */
template <typename Mask> DEVICE bool is_set(Mask mask, uint32_t bit)
{
    return mask >> bit & 1u;
}

DEVICE uint32_t all_ranks(const cuda_group &g)
{
    return (1u << g.ranks) - 1u;
}

#endif
