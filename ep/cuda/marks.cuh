/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows that tell by themselves that they are here. A flag behind a row may be stored only when all
 * of the row has been acknowledged: a way there and back, and one more for the flag. Here each 16
 * bytes of a row, a chunk, carry its mark in their lowest bit, and a receiver that has been told
 * the mark looks until all chunks have it. A row has another mark than the one before it in its
 * place: who sends keeps it, since nobody else stores there, and who receives need not even have
 * read that one. The bits that the marks displace, one word for the 32 chunks of a warp, come
 * behind the row, with other words of it, three and a tag of the epoch in a piece of 16 bytes.
 *
 * So a row has the mark of the one before the last. No chunk of that one can be seen any more: the
 * send of the last one has ended before this one begins, so that what it stored is in its place,
 * and a receiver looks in the memory of its own GPU, past L1.
 */
#ifndef DXT_EP_CUDA_MARKS_CUH
#define DXT_EP_CUDA_MARKS_CUH

#include "cuda/masks.cuh"

#define CHUNK 16u
/* Bytes of a row that a warp stores at once: their displaced bits are one word. */
#define SEGMENT (WARP * CHUNK)
#define PIECE_WORDS 3u

/* Words of a row before the others behind it: its displaced bits. */
#define SEGMENTS(bytes) (((bytes) + SEGMENT - 1u) / SEGMENT)

/* ---- sending ---- */

/* The marks that were stored last for a token, in both parities: they are asked for before it is
 * known which epoch it is. */
struct marks_before {
    uint32_t of[CUDA_PARITIES];
};

DEVICE marks_before load_marks(const dxt_ep_cuda_group &g, uint32_t rows, uint32_t t)
{
    uint64_t both = load_relaxed((const uint64_t *)g.state->marks[rows][t]);
    return {{(uint32_t)both, (uint32_t)(both >> 32)}};
}

/* The marks before, of which new_marks() makes @p marks. */
DEVICE marks_before before_marks(uint32_t marks)
{
    return {{~marks, ~marks}};
}

/* Marks of the rows that are stored now, a bit for each rank. */
DEVICE uint32_t new_marks(const marks_before &before, uint32_t epoch)
{
    return ~(epoch % CUDA_PARITIES == 0 ? before.of[0] : before.of[1]);
}

/* One thread, when all others of its block have used the marks before: rows of token @p t are
 * stored at @p targets. Blocks may share a token. */
DEVICE void change_marks(const dxt_ep_cuda_group &g, uint32_t rows, uint32_t t, uint32_t epoch,
                         uint32_t targets)
{
    atomicXor(&g.state->marks[rows][t][epoch % CUDA_PARITIES], targets);
}

/* The bits that marks displace in a chunk of each lane, 0 for lanes without one. All lanes call. */
DEVICE uint32_t displaced(uint4 chunk)
{
    return __ballot_sync(FULL, (chunk.x & 1u) != 0);
}

DEVICE void store_chunk(uint8_t *at, uint4 chunk, uint32_t mark)
{
    chunk.x = (chunk.x & ~1u) | mark;
    store_whole(at, chunk);
}

/* The pieces at @p to of so many words, by one warp. What is behind the words may be read. */
DEVICE void store_pieces(uint8_t *to, const uint32_t *words, uint32_t count, uint32_t epoch)
{
    for (uint32_t i = threadIdx.x % WARP; i * PIECE_WORDS < count; i += WARP) {
        const uint32_t *three = words + i * PIECE_WORDS;
        store_whole(to + i * CHUNK, make_uint4(three[0], three[1], three[2], TAG(epoch)));
    }
}

/* ---- receiving ---- */

DEVICE bool has_mark(uint4 chunk, uint32_t mark)
{
    return (chunk.x & 1u) == mark;
}

/* The lane's chunk as it was. */
DEVICE uint4 restored(uint4 chunk, uint32_t displaced_bits)
{
    chunk.x = (chunk.x & ~1u) | (displaced_bits >> threadIdx.x % WARP & 1u);
    return chunk;
}

/* The piece that has word number @p i of those at @p from. */
DEVICE uint4 load_piece(const uint8_t *from, uint32_t i)
{
    return load_whole(from + i / PIECE_WORDS * CHUNK);
}

DEVICE uint32_t word_of(uint4 piece, uint32_t i)
{
    uint32_t which = i % PIECE_WORDS;
    return which == 0 ? piece.x : which == 1 ? piece.y : piece.z;
}

/* A receiver asks in each so many looks whether more will come. */
#define LOOKS 64u
/* It has looked in vain for the time-out since all had been sent: the looks that follow are the
 * last. */
#define LAST_LOOKS 1u

/* Sources of @p lacking that nothing more will come of: they are given up, or this rank is, or
 * ranks do not agree on the @p format, so that arrivals may be of other rows. Where all of them
 * have sent all, and the time-out has passed since, they are given up here: something is lost. @p
 * since is the lane's own, 0 before the first look: since when all has been sent, in units of 1,024
 * ns. */
DEVICE uint32_t not_coming(const dxt_ep_cuda_group &g, uint32_t op, uint32_t epoch, uint32_t format,
                           uint32_t lacking, uint32_t *since)
{
    const dxt_ep_cuda_control *control = control_of(g, g.rank);
    uint32_t gossip = load_relaxed(&control->gossip);
    if (IS_SET(gossip, g.rank)) return lacking;
    uint32_t sent = 0;
    for (uint32_t source = 0; source < g.ranks; source++) {
        uint64_t all = load_relaxed(&control->complete[op][epoch % CUDA_PARITIES][source]);
        if (EPOCH_OF(all) != epoch) continue;
        if (FORMAT_OF(all) != format) return lacking;
        sent |= 1u << source;
    }
    if (lacking == 0 || (lacking & ~sent) != 0) return lacking & gossip;
    uint32_t now = (uint32_t)(now_ns() >> 10) | 2u;
    if (*since == LAST_LOOKS) {
        give_up(g, lacking);
        return lacking;
    }
    if (*since == 0)
        *since = now;
    else if (now - *since > g.timeout_ns >> 10)
        *since = LAST_LOOKS;
    return lacking & gossip;
}

#endif
