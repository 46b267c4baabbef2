/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send of a combine, in two forms. Summed, when the caller has the routes of the dispatch: the
 * outputs of a token on one rank are summed there in FP32 and travel as one row, at (source, token)
 * of the home's window; the output of a token with one route to a rank travels as it is, and the
 * home weighs it.
 * By rows: each output travels, to (token, route), and the home does all the weighing.
 */
#include "cuda/logfmt.cuh"
#include "cuda/marks.cuh"
#include "cuda/send.cuh"
#include "cuda/sum.cuh"
#include "cuda/tell.cuh"

#define ROWS_THREADS 256u

struct combine_to_send {
    const uint16_t *x;
    const int32_t *src_info;
    const uint8_t *src_slot;
    const dxt_ep_range *layout_range;
    const dxt_ep_route *recv_routes;
    uint32_t format;
    bool announce;
};

/* Words behind a row, at most: the bits that marks displace. */
#define MOST_WORDS (SEGMENTS(2u * CUDA_MAX_HIDDEN) + PIECE_WORDS - 1u)

/* A sum on its way. */
struct sum_row {
    uint8_t *at;
    uint32_t mark;
    uint32_t *words; /* for the teller: bits that marks displace */
};

/* Sum of the routes of one token, whose slots and weights the lanes hold, to its home. */
template <bool LOGFMT>
DEVICE void send_sum(const dxt_ep_cuda_group &g, const combine_to_send &a, const sum_row &row,
                     uint32_t routes, dxt_ep_route route)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t threads = storing();
    uint32_t chunks = g.hidden / 8u;
    bool single = (routes & (routes - 1u)) == 0;
    for (uint32_t first = threadIdx.x - lane; first < chunks; first += threads) {
        uint32_t c = min(first + lane, chunks - 1u);
        float sum[8] = {};
        uint4 value[AT_ONCE];
        for (uint32_t left = routes; left != 0;) {
            float weight[AT_ONCE];
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) {
                int k = (__ffs(left) - 1) & 31;
                size_t from = __shfl_sync(FULL, (uint32_t)route.slot, k);
                float times = __shfl_sync(FULL, route.weight, k);
                weight[i] = 0.0f;
                value[i] = make_uint4(0, 0, 0, 0);
                if (left == 0) continue;
                left &= left - 1u;
                weight[i] = times;
                value[i] = load_row((const uint4 *)(a.x + from * g.hidden) + c);
            }
            if (single) break;
#pragma unroll
            for (int i = 0; i < AT_ONCE; i++) add_bf16(sum, value[i], weight[i]);
        }
        uint4 out = single ? value[0] : pack_bf16(sum);
        bool store = first + lane < chunks;
        if (LOGFMT) {
            logfmt_store(row.at, c, out, store);
            continue;
        }
        if (!store) out.x = 0;
        uint32_t bits = displaced(out);
        if (lane == 0) row.words[first / WARP] = bits;
        if (store) store_chunk(row.at + (size_t)c * CHUNK, out, row.mark);
    }
}

/* A row without marks is stored, by all threads before a barrier: one warp tells its home.
 * @return 1 for the lane that is the home. */
DEVICE uint32_t announce_row(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t home,
                             uint32_t row)
{
    uint32_t lane = threadIdx.x % WARP;
    if (lane == home) {
        fence();
        store_relaxed(arrival_of(g, home, DXT_COMBINE, epoch, row), ARRIVAL(epoch, ROW));
    }
    return lane == home;
}

/* What the threads of a block share. */
struct combine_shared {
    send_begin begin;
    uint32_t room;
};

struct summed_shared {
    combine_shared both;
    tell_slots slots;
    uint32_t words[TELL_SLOTS][MOST_WORDS];
};

/* Neighbours go to different homes, so that all links are used; to oneself last. */
DEVICE uint32_t home_of(const dxt_ep_cuda_group &g, uint32_t i)
{
    return (g.rank + 1u + i) % g.ranks;
}

/* The lane's route of the sum that is number @p i. */
DEVICE dxt_ep_route route_of_lane(const dxt_ep_cuda_group &g, const combine_to_send &a, uint32_t i)
{
    uint32_t lane = threadIdx.x % WARP;
    dxt_ep_route route = {-1, 0.0f};
    if (lane < g.max_topk && i < g.ranks * g.max_tokens)
        route =
            a.recv_routes[((size_t)home_of(g, i) * g.max_tokens + i / g.ranks) * g.max_topk + lane];
    return route;
}

/* The teller, of the sum that is number @p n of the block.
 * @return 1 for the lane that is the home. */
template <bool LOGFMT>
DEVICE uint32_t tell_sum(const dxt_ep_cuda_group &g, uint32_t epoch, uint32_t home, uint32_t t,
                         uint32_t n, uint32_t mark, summed_shared *shared)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t row = g.rank * g.max_tokens + t;
    wait_for_stores(&shared->slots, n);
    if (!LOGFMT && lane == 0) change_marks(g, CUDA_SUMS, t, epoch, 1u << home);
    if (!LOGFMT)
        store_pieces(row_of(g, home, CUDA_SUMS, epoch, row) + 2u * g.hidden,
                     shared->words[n % TELL_SLOTS], SEGMENTS(2u * g.hidden), epoch);
    free_slot(&shared->slots, n);
    if (lane != home) return 0;
    if (LOGFMT) fence();
    store_relaxed(arrival_of(g, home, DXT_COMBINE, epoch, row), ARRIVAL(epoch, ROW | mark));
    return 1;
}

/* All warps but the last make sums and store them; that one announces them. */
template <bool LOGFMT>
__global__ void __launch_bounds__(1024, 1)
    combine_send_summed(const __grid_constant__ dxt_ep_cuda_group g,
                        const __grid_constant__ combine_to_send a)
{
    __shared__ summed_shared shared;
    uint32_t rows = 0;
    uint32_t i = blockIdx.x;
    uint32_t items = g.ranks * g.max_tokens;
    bool tells = threadIdx.x >= storing();
    send_words words = ask_send_words(g, DXT_COMBINE, CUDA_SUMS, i / g.ranks);
    dxt_ep_route route = route_of_lane(g, a, i);
    if (threadIdx.x == 0) init_slots(&shared.slots);
    send_begin begin = begin_send(g, words, a.announce, &shared.both.begin);
    uint32_t room = with_room(g, DXT_COMBINE, begin, &shared.both.room);
    marks_before before = before_marks(begin.marks);
    for (uint32_t n = 0; i < items;) {
        uint32_t home = home_of(g, i);
        uint32_t t = i / g.ranks;
        uint32_t mark = LOGFMT ? 0 : IS_SET(new_marks(before, begin.epoch), home);
        uint32_t routes = __ballot_sync(FULL, (uint32_t)route.slot < g.local_experts * g.slots);
        dxt_ep_route here = route;
        i += gridDim.x;
        route = route_of_lane(g, a, i);
        if (i < items) before = load_marks(g, CUDA_SUMS, i / g.ranks);
        if (routes == 0 || !IS_SET(room, home)) continue;
        if (tells) {
            rows += tell_sum<LOGFMT>(g, begin.epoch, home, t, n, mark, &shared);
        } else {
            uint8_t *at = row_of(g, home, LOGFMT ? CUDA_PLAIN : CUDA_SUMS, begin.epoch,
                                 g.rank * g.max_tokens + t);
            wait_for_slot(&shared.slots, n);
            send_sum<LOGFMT>(g, a, {at, mark, shared.words[n % TELL_SLOTS]}, routes, here);
            hand_over(&shared.slots, n);
        }
        n++;
    }
    if (tells) end_send(g, DXT_COMBINE, begin, a.format | FORM_SUMMED, rows);
}

template <bool LOGFMT>
DEVICE void send_output(const dxt_ep_cuda_group &g, const uint16_t *x, uint8_t *row)
{
    uint32_t lane = threadIdx.x % WARP;
    uint32_t chunks = g.hidden / 8u;
    for (uint32_t first = threadIdx.x - lane; first < chunks; first += blockDim.x) {
        uint32_t c = first + lane;
        uint4 value = {0, 0, 0, 0};
        if (c < chunks) value = load_row((const uint4 *)x + c);
        if (LOGFMT)
            logfmt_store(row, c, value, c < chunks);
        else if (c < chunks)
            *(uint4 *)(row + (size_t)c * CHUNK) = value;
    }
}

/* Blocks share the tokens of each (local expert, home). */
template <bool LOGFMT>
__global__ void __launch_bounds__(ROWS_THREADS, 4)
    combine_send_rows(const __grid_constant__ dxt_ep_cuda_group g,
                      const __grid_constant__ combine_to_send a)
{
    __shared__ combine_shared shared;
    uint32_t rows = 0;
    send_words words = ask_send_words(g, DXT_COMBINE, CUDA_SUMS, 0);
    send_begin begin = begin_send(g, words, a.announce, &shared.begin);
    uint32_t room = with_room(g, DXT_COMBINE, begin, &shared.room);
    uint32_t pairs = g.local_experts * g.ranks;
    uint32_t sharing = gridDim.x / pairs > 0 ? gridDim.x / pairs : 1u;
    for (uint32_t p = blockIdx.x; p < pairs * sharing; p += gridDim.x) {
        uint32_t expert = p % pairs / g.ranks;
        uint32_t home = (g.rank + 1u + p) % g.ranks;
        dxt_ep_range range = a.layout_range[(size_t)expert * g.ranks + home];
        if (range.count <= 0 || !IS_SET(room, home)) continue;
        if (range.begin < 0 || (uint32_t)range.count > g.max_tokens ||
            (uint32_t)range.begin > g.slots - (uint32_t)range.count) {
            report_trouble(g, CUDA_TROUBLE_ROUTE);
            continue;
        }
        for (uint32_t i = p / pairs; i < (uint32_t)range.count; i += sharing) {
            size_t slot = (size_t)expert * g.slots + (uint32_t)range.begin + i;
            uint32_t t = (uint32_t)a.src_info[slot];
            uint32_t k = a.src_slot[slot];
            if (t >= g.max_tokens || k >= g.max_topk) {
                report_trouble(g, CUDA_TROUBLE_ROUTE);
                continue;
            }
            uint32_t row = t * g.max_topk + k;
            send_output<LOGFMT>(g, a.x + slot * g.hidden,
                                row_of(g, home, CUDA_PLAIN, begin.epoch, row));
            __syncthreads();
            if (threadIdx.x < WARP) rows += announce_row(g, begin.epoch, home, row);
        }
    }
    if (threadIdx.x < WARP) end_send(g, DXT_COMBINE, begin, a.format, rows);
}

/* ---- launching ---- */

/* Sums of few tokens are made as fast as one can be. Where there are more than fit on the GPU in
 * such blocks, smaller ones, of which more fit: while one waits for what it loads others store. */
static uint32_t sum_threads(const dxt_ep_cuda_group *group, uint32_t sums)
{
    uint32_t threads = row_threads(group);
    if (sums <= group->processors / 2u) return at_most(2u * threads, 1024u - (uint32_t)WARP);
    return sums > 2u * group->processors ? at_most(threads, 224u) : threads;
}

cudaError_t dxt_ep_cuda_launch_combine_send(const dxt_ep_cuda_group *group,
                                            const dxt_ep_combine *combine, dxt_ep_cuda_order order)
{
    combine_to_send a = {combine->x,
                         combine->handle.src_info,
                         combine->handle.src_slot,
                         combine->handle.layout_range,
                         combine->recv_routes,
                         (uint32_t)combine->format,
                         order.announce};
    bool logfmt = combine->format == DXT_EP_COMBINE_LOGFMT;
    uint32_t sums = group->ranks * group->max_tokens;
    if (combine->recv_routes)
        return launch(logfmt ? combine_send_summed<true> : combine_send_summed<false>, true,
                      at_most(sums, group->blocks), sum_threads(group, sums) + WARP,
                      combine->stream, *group, a);
    uint32_t pairs = group->local_experts * group->ranks;
    uint32_t blocks = pairs < group->blocks ? group->blocks / pairs * pairs : group->blocks;
    return launch(logfmt ? combine_send_rows<true> : combine_send_rows<false>, true, blocks,
                  ROWS_THREADS, combine->stream, *group, a);
}

cudaError_t dxt_ep_cuda_prepare_combine_send(void)
{
    cudaError_t error = load_kernel(combine_send_summed<true>);
    if (error == cudaSuccess) error = load_kernel(combine_send_summed<false>);
    if (error == cudaSuccess) error = load_kernel(combine_send_rows<true>);
    return error == cudaSuccess ? load_kernel(combine_send_rows<false>) : error;
}
