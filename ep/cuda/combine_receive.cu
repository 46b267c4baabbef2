/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receive of a combine: the home of a token sums what comes of it, a row of each source or of
 * each route (see combine_send.cu).
 */
#include "cuda/logfmt.cuh"
#include "cuda/marks.cuh"
#include "cuda/receive.cuh"
#include "cuda/sum.cuh"

/* At most, so that a thread may have 72 registers where two blocks share a multiprocessor. */
#define RECEIVE_THREADS 448u

struct combine_to_receive {
    const int64_t *topk_idx;
    const float *topk_weights;
    uint16_t *out;
    uint32_t tokens, topk, format;
    bool summed;
    bool announce;
};

/* What the rows of a combine are: sums, with marks; or BF16 or LogFMT without. */
enum combine_rows { MARKED, BF16, LOGFMT };

/* What a token is the sum of: a bit per contribution, which lane i has the row and weight of. */
struct contributions {
    uint32_t come, marks;
    uint32_t row;
    float weight;
};

/* Wait for the contributions of one token; the first warp polls. All threads call. */
template <combine_rows ROWS>
DEVICE contributions wait_for_token(const dxt_ep_cuda_group &g, const combine_to_receive &a,
                                    uint32_t epoch, uint32_t out, uint32_t t,
                                    volatile uint32_t *shared)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t owner = owner_of_lane(g, a.topk_idx, a.topk, t);
    float weight = lane < a.topk ? a.topk_weights[(size_t)t * a.topk + lane] : 0.0f;
    contributions c = {0, 0, t * g.max_topk + lane, weight};
    uint32_t source = owner;
    if (a.summed) {
        /* Lanes become ranks. A single route's weight is for us to apply. */
        c.row = lane * g.max_tokens + t;
        source = g.ranks;
        for (uint32_t rank = 0; rank < g.ranks; rank++) {
            uint32_t routes = __ballot_sync(FULL, owner == rank);
            float single = __shfl_sync(FULL, weight, __ffs(routes) - 1 & 31);
            if (lane != rank || routes == 0) continue;
            source = rank;
            c.weight = __popc(routes) == 1 ? single : 1.0f;
        }
    }
    if (threadIdx.x < WARP) {
        bool wanted = source < g.ranks && !(out >> source & 1u);
        uint32_t what = 0;
        if (wanted) what = wait_for_row<ROWS != MARKED>(g, DXT_COMBINE, epoch, source, c.row);
        uint32_t come = __ballot_sync(FULL, what != 0);
        uint32_t marks = __ballot_sync(FULL, MARK_OF(what) != 0);
        if (lane == 0) shared[0] = come;
        if (lane == 0) shared[1] = marks;
    }
    __syncthreads();
    c.come = shared[0];
    c.marks = shared[1];
    return c;
}

/* Some contributions to a token, the same on all lanes: where their rows are from the first one on,
 * in bytes, and what each is weighed with, 0 behind the last. */
template <uint32_t MOST> struct some {
    uint32_t count;
    uint32_t at[MOST];
    float weight[MOST];
};

/* Take the next ones of @p left, of the rows @p rows. */
template <uint32_t MOST>
DEVICE some<MOST> take_some(const dxt_ep_cuda_group &g, uint32_t rows, const contributions &all,
                            uint32_t *left)
{
    some<MOST> s;
    s.count = min((uint32_t)__popc(*left), MOST);
#pragma unroll
    for (uint32_t i = 0; i < MOST; i++) {
        uint32_t from = (uint32_t)(__ffs(*left) - 1) & 31u;
        s.at[i] = __shfl_sync(FULL, all.row, from) * (uint32_t)g.at.row[rows];
        float weight = __shfl_sync(FULL, all.weight, from);
        s.weight[i] = *left != 0 ? weight : 0.0f;
        *left &= *left - 1u;
    }
    return s;
}

/* Sums with marks whose loads are under way at once, and chunks of each: more need more registers
 * than two blocks on a multiprocessor have. */
#define SUMS 2u
#define CHUNKS 2u

/* What all sums of an operation have. */
struct coming_sums {
    const uint8_t *rows;
    uint32_t epoch, format;
};

/* Wait for chunks @p c, so many threads apart, of some sums, whose marks are the bits of @p marks,
 * and whose sources the lanes have. By all lanes of a warp. @return The sources that something will
 * not come of, a bit each. */
DEVICE uint32_t wait_for_chunks(const dxt_ep_cuda_group &g, const coming_sums &from,
                                const some<SUMS> &s, uint32_t marks, uint32_t source, uint32_t c,
                                uint4 (*value)[SUMS])
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t bytes = 2u * g.hidden;
    /* A lane has the displaced bits of one chunk of one sum. */
    uint32_t segment = c / WARP + lane / SUMS * (blockDim.x / WARP);
    bool wants = lane < CHUNKS * SUMS && lane % SUMS < s.count && segment < SEGMENTS(bytes);
    uint32_t at = lane % SUMS == 0 ? s.at[0] : s.at[1];
    const uint8_t *words = from.rows + at + bytes;
    uint4 piece = make_uint4(0, 0, 0, wants ? 0 : TAG(from.epoch));
#pragma unroll
    for (uint32_t p = 0; p < CHUNKS; p++)
#pragma unroll
        for (uint32_t i = 0; i < SUMS; i++) {
            bool in = i < s.count && (c + p * blockDim.x) * CHUNK < bytes;
            value[p][i] = make_uint4(IS_SET(marks, i) ^ in, 0, 0, 0);
        }
    uint32_t since = 0;
    for (uint32_t look = 0;; look++) {
        uint32_t lacks = 0;
#pragma unroll
        for (uint32_t p = 0; p < CHUNKS; p++)
#pragma unroll
            for (uint32_t i = 0; i < SUMS; i++)
                if (!has_mark(value[p][i], IS_SET(marks, i)))
                    value[p][i] = load_whole(from.rows + s.at[i] + (c + p * blockDim.x) * CHUNK);
        if (piece.w != TAG(from.epoch)) piece = load_piece(words, segment);
        if (piece.w != TAG(from.epoch)) lacks = 1u << lane % SUMS;
#pragma unroll
        for (uint32_t p = 0; p < CHUNKS; p++)
#pragma unroll
            for (uint32_t i = 0; i < SUMS; i++)
                if (!has_mark(value[p][i], IS_SET(marks, i))) lacks |= 1u << i;
        if (!__any_sync(FULL, lacks != 0)) break;
        if (look % LOOKS != LOOKS - 1u) continue;
        lacks = __reduce_or_sync(FULL, lacks);
        uint32_t lacking = IS_SET(lacks, lane) ? 1u << source : 0u;
        uint32_t gone = not_coming(g, DXT_COMBINE, from.epoch, from.format, lacking, &since);
        gone = __reduce_or_sync(FULL, gone);
        if (gone != 0) return gone;
    }
    uint32_t bits = word_of(piece, segment);
#pragma unroll
    for (uint32_t p = 0; p < CHUNKS; p++)
#pragma unroll
        for (uint32_t i = 0; i < SUMS; i++)
            value[p][i] = restored(value[p][i], __shfl_sync(FULL, bits, p * SUMS + i));
    return 0;
}

/* Number @p n of the bits that are set in @p mask, from 0 on; 31 if there are fewer. */
DEVICE uint32_t bit_number(uint32_t mask, uint32_t n)
{
    for (; n > 0; n--) mask &= mask - 1u;
    return (uint32_t)(__ffs(mask) - 1) & 31u;
}

/* Sum rows with marks. @return As wait_for_chunks(). */
DEVICE uint32_t sum_marked(const dxt_ep_cuda_group &g, const coming_sums &from,
                           const contributions &all, uint16_t *out)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t chunks = g.hidden / 8u;
    for (uint32_t first = threadIdx.x - lane; first < chunks; first += CHUNKS * blockDim.x) {
        uint32_t c = first + lane;
        float sum[CHUNKS][8] = {};
        for (uint32_t left = all.come; left != 0;) {
            uint4 value[CHUNKS][SUMS];
            uint32_t source = bit_number(left, lane % SUMS);
            uint32_t marks = __ballot_sync(FULL, IS_SET(all.marks, source));
            some<SUMS> s = take_some<SUMS>(g, CUDA_SUMS, all, &left);
            uint32_t gone = wait_for_chunks(g, from, s, marks, source, c, value);
            if (gone != 0) return gone;
#pragma unroll
            for (uint32_t p = 0; p < CHUNKS; p++)
#pragma unroll
                for (uint32_t i = 0; i < SUMS; i++) add_bf16(sum[p], value[p][i], s.weight[i]);
        }
#pragma unroll
        for (uint32_t p = 0; p < CHUNKS; p++)
            if (c + p * blockDim.x < chunks)
                *((uint4 *)out + c + p * blockDim.x) = pack_bf16(sum[p]);
    }
    return 0;
}

/* Sum rows that are here. */
template <bool IN_LOGFMT>
DEVICE void sum_plain(const dxt_ep_cuda_group &g, uint32_t epoch, const contributions &all,
                      uint16_t *out)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t chunks = g.hidden / 8u;
    const uint8_t *rows = row_of(g, g.rank, CUDA_PLAIN, epoch, 0);
    for (uint32_t first = threadIdx.x - lane; first < chunks; first += blockDim.x) {
        uint32_t c = min(first + lane, chunks - 1u);
        float sum[8] = {};
        for (uint32_t left = all.come; left != 0;) {
            uint4 value[AT_ONCE];
            logfmt_part part[AT_ONCE];
            some<AT_ONCE> s = take_some<AT_ONCE>(g, CUDA_PLAIN, all, &left);
#pragma unroll
            for (uint32_t i = 0; i < AT_ONCE; i++) {
                value[i] = make_uint4(0, 0, 0, 0);
                if (i >= s.count) continue;
                if (IN_LOGFMT)
                    part[i] = logfmt_load(rows + s.at[i], c);
                else
                    value[i] = load_row(rows + s.at[i] + (size_t)c * CHUNK);
            }
#pragma unroll
            for (uint32_t i = 0; i < AT_ONCE; i++) {
                if (!IN_LOGFMT)
                    add_bf16(sum, value[i], s.weight[i]);
                else if (s.weight[i] != 0.0f)
                    logfmt_add(sum, part[i], s.weight[i]);
            }
        }
        if (first + lane < chunks) *((uint4 *)out + c) = pack_bf16(sum);
    }
}

/* Sum the contributions to a token, all threads of the block. Where a row that has been
 * announced does not come, all threads do without it. @p lost is 0. */
template <combine_rows ROWS>
DEVICE void sum_token(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t format,
                      contributions all, uint16_t *out, volatile uint32_t *lost)
{
    const coming_sums from = {row_of(g, g.rank, CUDA_SUMS, epoch, 0), epoch, format};
    if (ROWS == BF16) sum_plain<false>(g, epoch, all, out);
    if (ROWS == LOGFMT) sum_plain<true>(g, epoch, all, out);
    while (ROWS == MARKED) {
        uint32_t gone = sum_marked(g, from, all, out);
        if (gone != 0 && threadIdx.x % WARP == 0) atomicOr((uint32_t *)lost, gone);
        __syncthreads();
        gone = *lost;
        if (gone == 0) return; /* nothing writes it before all have come to the next barrier */
        __syncthreads();
        if (threadIdx.x == 0) *lost = 0;
        __syncthreads();
        all.come &= ~gone;
    }
    __syncthreads();
}

template <combine_rows ROWS>
__global__ void __launch_bounds__(RECEIVE_THREADS, 2)
    combine_receive(const __grid_constant__ dxt_ep_cuda_group g,
                    const __grid_constant__ combine_to_receive a)
{
    __shared__ receive_begin begin;
    __shared__ uint32_t come[2], lost;
    uint32_t format = a.format | (a.summed ? FORM_SUMMED : 0u);
    if (threadIdx.x == 0) lost = 0;
    uint32_t before = begin_receive(g, DXT_COMBINE, &begin);
    if (blockIdx.x > 0) {
        for (uint32_t t = blockIdx.x - 1u; t < a.tokens; t += gridDim.x - 1u) {
            contributions all = wait_for_token<ROWS>(g, a, begin.epoch, begin.out, t, come);
            sum_token<ROWS>(g, begin.epoch, format, all, a.out + (size_t)t * g.hidden, &lost);
        }
    } else if (threadIdx.x < WARP) {
        uint32_t row_bytes = ROWS == LOGFMT
                                 ? g.hidden / DXT_EP_BLOCK * (uint32_t)sizeof(dxt_logfmt_block)
                                 : g.hidden * 2u;
        monitor(g, DXT_COMBINE, begin.epoch, format, begin.out, row_bytes, NULL);
    } else {
        wait_for_predecessors();
    }
    end_receive(g, DXT_COMBINE, begin, before, a.announce);
}

/* ---- launching ---- */

cudaError_t dxt_ep_cuda_launch_combine_receive(const dxt_ep_cuda_group *group,
                                               const dxt_ep_combine *combine,
                                               dxt_ep_cuda_order order)
{
    combine_to_receive a = {combine->topk_idx,
                            combine->topk_weights,
                            combine->out,
                            combine->tokens,
                            combine->topk,
                            (uint32_t)combine->format,
                            combine->recv_routes != NULL,
                            order.announce};
    void (*kernel)(dxt_ep_cuda_group, combine_to_receive) = combine_receive<BF16>;
    if (a.summed) kernel = combine_receive<MARKED>;
    if (combine->format == DXT_EP_COMBINE_LOGFMT) kernel = combine_receive<LOGFMT>;
    return launch(kernel, order.early, 1u + at_most(combine->tokens, group->blocks),
                  at_most(row_threads(group), RECEIVE_THREADS), combine->stream, *group, a);
}

cudaError_t dxt_ep_cuda_prepare_combine_receive(void)
{
    cudaError_t error = load_kernel(combine_receive<MARKED>);
    if (error == cudaSuccess) error = load_kernel(combine_receive<BF16>);
    return error == cudaSuccess ? load_kernel(combine_receive<LOGFMT>) : error;
}
