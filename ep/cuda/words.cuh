/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words that ranks and blocks tell each other: what their bits are. Macros, since functions,
 * inlined as they are, made the compiler order the kernels otherwise.
 */
#ifndef DXT_EP_CUDA_WORDS_CUH
#define DXT_EP_CUDA_WORDS_CUH

#include "cuda/access.cuh"

/* An epoch in the upper half tells the word of one operation from those before. */
#define EPOCH_OF(word) ((word) >> 32)

/* An arrival: the token has no row for this rank; or it has one, whose mark the lowest bit is, or
 * which, of CUDA_PLAIN, is here. Each parity has arrivals of its own, so the lowest bit of the
 * epoch is not needed; what was never told, 0, is of no epoch. Two operations are told apart if
 * fewer than 2^31 lie between them. */
#define ARRIVAL(epoch, what) ((epoch) >> 1 << 2 | (what))
#define NO_ROW 1u
#define ROW 2u
#define WHAT_OF(arrival, epoch) (((arrival) & ~3u) == ARRIVAL(epoch, 0u) ? (arrival)&3u : 0u)
#define MARK_OF(what) ((what)&1u)

/* What 16 bytes end with that are stored as one, in places that each parity has of its own: never
 * 0, which is there before anything is. */
#define TAG(epoch) ((epoch) | 1u)

/* dxt_ep_cuda_control.complete: epoch, format of the rows, and how many were sent. */
#define PACK_COMPLETE(epoch, format, rows) \
    ((uint64_t)(epoch) << 32 | (uint64_t)(format) << 24 | (rows))
#define FORMAT_OF(complete) ((complete) >> 24 & 0xffu)
#define ROWS_OF(complete) ((complete)&0xffffffu)

/* A word of a table: epoch, and tokens of the source, in all or for one expert. */
#define PACK_TABLE(epoch, tokens) ((uint64_t)(epoch) << 32 | (tokens))
#define TOKENS_OF(word) ((uint32_t)(word))

/* dxt_ep_cuda_state.verdict: epoch, a bit for each source that takes no part, and one for each of
 * which it is settled. What is above the bits of sources in the two is of others. */
#define PACK_VERDICT(epoch, absent, decided) ((uint64_t)(epoch) << 32 | (absent) << 16 | (decided))
#define ABSENT_OF(verdict) ((verdict) >> 16)
#define DECIDED_OF(verdict) ((uint32_t)(verdict))

/* dxt_ep_cuda_state.send_done: blocks that have sent, and above them the rows of four ranks. */
#define ROWS_SHIFT(rank) (CUDA_BLOCK_BITS + CUDA_ROW_BITS * ((rank) % 4u))
#define BLOCKS_OF(done) ((done) & ((1u << CUDA_BLOCK_BITS) - 1u))
#define ROWS_DONE(done, shift) ((uint32_t)((done) >> (shift)) & ((1u << CUDA_ROW_BITS) - 1u))

/* Masks: a bit for each rank, or for each route. */
#define IS_SET(mask, bit) ((mask) >> (bit)&1u)
#define ALL_RANKS(g) ((1u << (g).ranks) - 1u)

#endif
