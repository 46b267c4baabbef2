/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernels of the engine "cuda" on a CPU, against the dense reference: ranks are threads, whose
 * blocks are threads. Each multiprocessor more or less changes which rows one block has.
 *
 *     test_ep_kernels [NAME]
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cuda/cuda.h"
#include "cuda/words.cuh"

extern "C" {
#include "ep_reference.h"
}

#define EXACT 1e-5
#define LOSSY 9e-4

namespace
{

struct way {
    dxt_ep_dispatch_format dispatch;
    dxt_ep_combine_format combine;
    bool summed;
};

const way ways[] = {{DXT_EP_FP8, DXT_EP_COMBINE_BF16, true},
                    {DXT_EP_BF16, DXT_EP_COMBINE_BF16, false},
                    {DXT_EP_BF16, DXT_EP_COMBINE_BF16, true},
                    {DXT_EP_FP8, DXT_EP_COMBINE_LOGFMT, true},
                    {DXT_EP_BF16, DXT_EP_COMBINE_LOGFMT, false}};
constexpr unsigned kWays = sizeof ways / sizeof ways[0];

/* How long a slow rank is not there, while the others go on as far as they may. */
constexpr unsigned kSlowUs = 150000;

/* The group of a case, as engine.c makes it. */
struct group_of_ranks {
    uint32_t processors, rounds;
    std::vector<dxt_ep_cuda_group> groups;
    std::vector<std::unique_ptr<void, void (*)(void *)>> windows;
    std::vector<dxt_ep_cuda_state> states;
    std::vector<dxt_ep_cuda_report> reports;
};

/* Operations before, of which nothing is left in the windows but how many were received. */
void count_as_received(group_of_ranks *all, uint32_t epoch)
{
    for (dxt_ep_cuda_group &g : all->groups)
        for (uint32_t op = 0; op < DXT_EP_OPERATORS; op++) {
            g.state->sent[op] = g.state->received[op] = epoch;
            for (uint32_t peer = 0; peer < g.ranks; peer++)
                ((dxt_ep_cuda_control *)g.window[g.rank])->consumed[op][peer] = epoch;
        }
}

void make(group_of_ranks *all, const ep_case &c, uint64_t timeout_ns)
{
    dxt_ep_config config = ep_config_of(&c, 0);
    dxt_ep_cuda_layout layout;
    dxt_ep_cuda_layout_of(&config, &layout);
    all->groups.assign(c.ranks, {});
    all->states.assign(c.ranks, {});
    all->reports.assign(c.ranks, {});
    for (uint32_t r = 0; r < c.ranks; r++) {
        all->windows.emplace_back(aligned_alloc(128, layout.size), free);
        memset(all->windows[r].get(), 0, layout.size);
    }
    for (uint32_t r = 0; r < c.ranks; r++) {
        dxt_ep_cuda_group &g = all->groups[r];
        for (uint32_t peer = 0; peer < c.ranks; peer++)
            g.window[peer] = (uint8_t *)all->windows[peer].get();
        g.state = &all->states[r];
        g.report = &all->reports[r];
        g.at = layout;
        g.timeout_ns = timeout_ns;
        g.rank = r;
        g.ranks = c.ranks;
        g.max_tokens = c.max_tokens;
        g.hidden = c.hidden;
        g.experts = c.experts;
        g.local_experts = c.experts / c.ranks;
        g.max_topk = c.topk;
        g.slots = c.ranks * c.max_tokens;
        g.processors = all->processors;
        g.blocks = 2 * all->processors;
    }
}

/* One set of buffers of a rank, and how a round of it goes. Operations are launched on a stream as
 * engine.c does. */
struct operations {
    const dxt_ep_cuda_group &g;
    CUstream_st *stream;
    dxt_ep_dispatch d;
    dxt_ep_combine c;
    std::vector<dxt_ep_route> routes;

    operations(const dxt_ep_cuda_group &group, CUstream_st *of)
        : g(group), stream(of), routes((size_t)group.ranks * group.max_tokens * group.max_topk)
    {
        memset((void *)routes.data(), 0xa5, routes.size() * sizeof routes[0]);
    }

    void prepare(const ep_rank *rank, ep_buffers *b, const way &w)
    {
        d = ep_dispatch_of(rank, b, w.dispatch);
        d.stream = stream;
        d.topk_weights = w.summed ? b->weights : nullptr;
        d.recv_routes = w.summed ? routes.data() : nullptr;
        c = ep_combine_of(rank, b, w.combine);
        c.stream = stream;
        c.recv_routes = d.recv_routes;
    }

    void dispatch()
    {
        dxt_ep_cuda_launch_dispatch_send(&g, &d, {false, true});
        dxt_ep_cuda_launch_dispatch_receive(&g, &d, {true, false});
        cudaStreamSynchronize(stream);
    }

    void combine()
    {
        dxt_ep_cuda_launch_combine_send(&g, &c, {false, true});
        dxt_ep_cuda_launch_combine_receive(&g, &c, {true, false});
        cudaStreamSynchronize(stream);
    }
};

double limit_of(const way &w)
{
    return w.dispatch == DXT_EP_BF16 && w.combine == DXT_EP_COMBINE_BF16 ? EXACT : LOSSY;
}

int one_round(ep_rank *rank, uint64_t round, operations *ops, const uint8_t *absent)
{
    const way &w = ways[round % kWays];
    ep_buffers *b = &rank->buffers[0];
    ep_prepare(rank, round, b);
    ops->prepare(rank, b, w);
    ops->dispatch();
    if (ep_check_dispatch(rank, round, b, w.dispatch, absent)) return 1;
    ep_experts(rank, b, w.dispatch);
    ops->combine();
    EP_CHECK(ops->g.report->trouble == 0);
    return ep_check_combine(rank, b, limit_of(w), absent);
}

int many_rounds(ep_rank *rank)
{
    auto *all = (group_of_ranks *)rank->context;
    CUstream_st stream;
    operations ops(all->groups[rank->rank], &stream);
    int failed = 0;
    for (uint32_t round = 0; round < all->rounds && !failed; round++) {
        failed = one_round(rank, round, &ops, nullptr);
        if (failed) fprintf(stderr, "in round %u\n", round);
    }
    EP_CHECK(ops.g.report->masked == 0);
    return failed;
}

/* A token with one route comes back the same to the last bit, summed where its expert is or not:
 * the limits of the other cases do not notice a lowest bit. */
int same_bits(ep_rank *rank)
{
    auto *all = (group_of_ranks *)rank->context;
    CUstream_st stream;
    operations ops(all->groups[rank->rank], &stream);
    ep_buffers *b = &rank->buffers[0];
    for (uint64_t round = 0; round < all->rounds; round++) {
        ep_prepare(rank, round, b);
        ops.prepare(rank, b, ways[2]);
        ops.dispatch();
        ep_experts(rank, b, ways[2].dispatch);
        ops.combine();
        std::vector<uint16_t> summed(b->out, b->out + (size_t)b->tokens * rank->c->hidden);
        ops.c.recv_routes = nullptr;
        ops.combine();
        EP_CHECK(memcmp(summed.data(), b->out, summed.size() * sizeof summed[0]) == 0);
    }
    return 0;
}

/* Two dispatches are sent before the first of them is received, then two combines. Both again: the
 * others are told to send more before a rank, which is another one each time, has received these.
 * They have to wait for it. */
int two_in_flight(ep_rank *rank)
{
    auto *all = (group_of_ranks *)rank->context;
    const dxt_ep_cuda_group &g = all->groups[rank->rank];
    const dxt_ep_cuda_order send = {false, true};
    CUstream_st stream;
    operations both[2] = {{g, &stream}, {g, &stream}};
    uint64_t round = 0; /* of the inputs */
    for (uint32_t turn = 0; turn < all->rounds; turn++) {
        const way &w = ways[turn % kWays];
        bool slow = turn % g.ranks == rank->rank;
        for (uint32_t again = 0; again < 2; again++, round += 2) {
            for (uint32_t i = 0; i < 2; i++) {
                ep_prepare(rank, round + i, &rank->buffers[i]);
                both[i].prepare(rank, &rank->buffers[i], w);
                dxt_ep_cuda_launch_dispatch_send(&g, &both[i].d, send);
            }
            if (slow) usleep(kSlowUs);
            for (uint32_t i = 0; i < 2; i++)
                dxt_ep_cuda_launch_dispatch_receive(&g, &both[i].d, {i == 0, true});
            cudaStreamSynchronize(&stream);
            for (uint32_t i = 0; i < 2; i++)
                if (ep_check_dispatch(rank, round + i, &rank->buffers[i], w.dispatch, nullptr))
                    return 1;
        }
        for (ep_buffers &b : rank->buffers) ep_experts(rank, &b, w.dispatch);
        for (uint32_t again = 0; again < 2; again++) {
            for (operations &ops : both) dxt_ep_cuda_launch_combine_send(&g, &ops.c, send);
            if (slow) usleep(kSlowUs);
            for (uint32_t i = 0; i < 2; i++)
                dxt_ep_cuda_launch_combine_receive(&g, &both[i].c, {i == 0, true});
            cudaStreamSynchronize(&stream);
            for (ep_buffers &b : rank->buffers)
                if (ep_check_combine(rank, &b, limit_of(w), nullptr)) return 1;
        }
    }
    EP_CHECK(g.report->masked == 0 && g.report->trouble == 0);
    return 0;
}

/* The last rank does not come: the others go on without it, and stay right. */
int without_the_last(ep_rank *rank)
{
    auto *all = (group_of_ranks *)rank->context;
    uint32_t last = rank->c->ranks - 1;
    std::vector<uint8_t> absent(rank->c->ranks);
    absent[last] = 1;
    if (rank->rank == last) return 0;
    CUstream_st stream;
    operations ops(all->groups[rank->rank], &stream);
    for (uint64_t round = 0; round < 6; round++)
        if (one_round(rank, round, &ops, absent.data())) return 1;
    EP_CHECK(ops.g.report->masked == 1u << last);
    return 0;
}

/* Rank 1 says that it has sent all, and nothing of it is there: rank 0 gives it up, and ends. */
int nothing_behind_complete(ep_rank *rank)
{
    auto *all = (group_of_ranks *)rank->context;
    if (rank->rank == 1) {
        auto *control = (dxt_ep_cuda_control *)all->groups[1].window[0];
        usleep(10000);
        __atomic_store_n(&control->complete[DXT_DISPATCH][1][1], PACK_COMPLETE(1u, DXT_EP_FP8, 0u),
                         __ATOMIC_RELEASE);
        return 0;
    }
    CUstream_st stream;
    operations ops(all->groups[0], &stream);
    ep_buffers *b = &rank->buffers[0];
    const uint8_t absent[2] = {0, 1};
    ep_prepare(rank, 0, b);
    ops.prepare(rank, b, ways[0]);
    ops.dispatch();
    EP_CHECK(ops.g.report->masked == 2);
    return ep_check_dispatch(rank, 0, b, ways[0].dispatch, absent);
}

/* Rank 1 sends, to a window of its own in the place of rank 0's. */
std::unique_ptr<uint8_t, void (*)(void *)> send_elsewhere(ep_rank *rank, operations *ops,
                                                          bool dispatch)
{
    auto *all = (group_of_ranks *)rank->context;
    dxt_ep_cuda_group g = all->groups[1];
    std::unique_ptr<uint8_t, void (*)(void *)> window((uint8_t *)aligned_alloc(128, g.at.size),
                                                      free);
    memcpy(window.get(), g.window[0], g.at.size);
    g.window[0] = window.get();
    if (dispatch)
        dxt_ep_cuda_launch_dispatch_send(&g, &ops->d, {false, true});
    else
        dxt_ep_cuda_launch_combine_send(&g, &ops->c, {false, true});
    cudaStreamSynchronize(ops->stream);
    return window;
}

/* Of the BF16 rows of rank 1 that were sent elsewhere rank 0 gets the first half, and what is
 * behind them. */
void bring_half(const dxt_ep_cuda_group &g, const uint8_t *from, uint32_t rows, uint32_t epoch)
{
    size_t row = g.at.row[rows];
    size_t bytes = 2 * g.hidden;
    size_t at =
        g.at.rows[rows] + (epoch % CUDA_PARITIES * g.at.row_count[rows] + g.max_tokens) * row;
    for (uint32_t t = 0; t < g.max_tokens; t++, at += row) {
        memcpy(g.window[0] + at, from + at, g.hidden);
        memcpy(g.window[0] + at + bytes, from + at + bytes, row - bytes);
    }
}

/* Their arrivals; in cases with rounds also that all has been sent. */
void bring_arrivals(const dxt_ep_cuda_group &g, const uint8_t *from, uint32_t op, uint32_t epoch,
                    bool sent)
{
    size_t at = g.at.arrivals[op] +
                (epoch % CUDA_PARITIES * g.at.arrival_count[op] + g.max_tokens) * sizeof(uint32_t);
    memcpy(g.window[0] + at, from + at, g.max_tokens * sizeof(uint32_t));
    if (!sent) return;
    auto *control = (dxt_ep_cuda_control *)g.window[0];
    const auto *elsewhere = (const dxt_ep_cuda_control *)from;
    __atomic_store_n(&control->complete[op][epoch % CUDA_PARITIES][1],
                     elsewhere->complete[op][epoch % CUDA_PARITIES][1], __ATOMIC_RELEASE);
}

/* Rank 1 dies when it has announced all rows of its dispatch and half of each has come: rank 0 goes
 * on without it, counts its tokens, and has no route to them. */
int half_a_dispatch(ep_rank *rank)
{
    auto *all = (group_of_ranks *)rank->context;
    CUstream_st stream;
    operations ops(all->groups[rank->rank], &stream);
    const dxt_ep_cuda_group &g = ops.g;
    ep_buffers *b = &rank->buffers[0];
    ep_prepare(rank, 0, b);
    ops.prepare(rank, b, ways[2]);
    if (rank->rank == 1) {
        auto window = send_elsewhere(rank, &ops, true);
        size_t table = g.at.table + (CUDA_PARITIES * g.ranks - 1) * g.at.table_stride;
        bring_half(g, window.get(), CUDA_BF16, 1);
        memcpy(g.window[0] + table, window.get() + table, g.at.table_stride);
        bring_arrivals(g, window.get(), DXT_DISPATCH, 1, all->rounds > 0);
        return 0;
    }
    ops.dispatch();
    EP_CHECK(g.report->masked == 2);
    int32_t tokens = 0;
    uint32_t routes = 0;
    for (uint32_t e = 0; e < g.local_experts; e++)
        tokens += b->handle.layout_range[e * g.ranks + 1].count;
    EP_CHECK(tokens > 0);
    for (uint32_t i = 0; i < 2 * g.max_tokens * g.max_topk; i++) {
        if (i < g.max_tokens * g.max_topk)
            routes += ops.routes[i].slot >= 0;
        else
            EP_CHECK(ops.routes[i].slot == -1);
    }
    EP_CHECK(routes > 0);
    return 0;
}

/* The same of a combine, behind a dispatch that is whole. */
int half_a_combine(ep_rank *rank)
{
    auto *all = (group_of_ranks *)rank->context;
    CUstream_st stream;
    operations ops(all->groups[rank->rank], &stream);
    ep_buffers *b = &rank->buffers[0];
    const uint8_t absent[2] = {0, 1};
    ep_prepare(rank, 0, b);
    ops.prepare(rank, b, ways[2]);
    ops.dispatch();
    if (ep_check_dispatch(rank, 0, b, ways[2].dispatch, nullptr)) return 1;
    ep_experts(rank, b, ways[2].dispatch);
    if (rank->rank == 1) {
        auto window = send_elsewhere(rank, &ops, false);
        bring_half(ops.g, window.get(), CUDA_SUMS, 1);
        bring_arrivals(ops.g, window.get(), DXT_COMBINE, 1, all->rounds > 0);
        return 0;
    }
    ops.combine();
    EP_CHECK(ops.g.report->masked == 2);
    return ep_check_combine(rank, b, limit_of(ways[2]), absent);
}

/* Rank 0 has another format or form than the others: all are told, nobody hangs, and the next round
 * is right. */
int other_formats(ep_rank *rank)
{
    auto *all = (group_of_ranks *)rank->context;
    CUstream_st stream;
    operations ops(all->groups[rank->rank], &stream);
    ep_buffers *b = &rank->buffers[0];
    for (uint32_t round = 0; round < all->rounds; round++) {
        uint32_t others = 1 + round % (kWays - 1);
        ep_prepare(rank, round, b);
        ops.prepare(rank, b, ways[rank->rank == 0 ? 0 : others]);
        ops.dispatch();
        ops.combine();
        EP_CHECK(ops.g.report->trouble & CUDA_TROUBLE_FORMAT);
        ops.g.report->trouble = 0;
        if (one_round(rank, round, &ops, nullptr)) return 1;
    }
    EP_CHECK(ops.g.report->masked == 0);
    return 0;
}

struct named_case {
    const char *name;
    ep_case c;
    uint32_t processors, rounds;
    uint64_t timeout_ms;
    ep_body body;
    unsigned uneven = 0, behind = 0;
    uint32_t epoch = 0; /* of the operations before */
    bool late = false;  /* half of the chunks come at a block's end */
};

ep_case shape(uint32_t ranks, uint32_t tokens, uint32_t hidden, uint32_t experts, uint32_t topk)
{
    ep_case c = {};
    c.ranks = ranks;
    c.max_tokens = tokens;
    c.hidden = hidden;
    c.experts = experts;
    c.topk = topk;
    c.seed = 20261128;
    return c;
}

} // namespace

int main(int argc, char **argv)
{
    /* Processors are few: a block has many rows in turn, more than there are slots. */
    const named_case cases[] = {
        {"small", shape(3, 9, 256, 12, 4), 4, 5, 60000, many_rounds},
        {"rows_in_turn", shape(2, 40, 128, 8, 3), 2, 5, 60000, many_rounds},
        {"alone", shape(1, 7, 128, 4, 2), 2, 5, 60000, many_rounds},
        {"eight", shape(8, 4, 128, 8, 2), 1, 5, 60000, many_rounds},
        {"topk16", shape(2, 6, 384, 32, 16), 3, 5, 60000, many_rounds},
        {"experts", shape(2, 12, 128, 128, 8), 3, 5, 60000, many_rounds},
        {"wide", shape(2, 3, 8192, 4, 2), 2, 2, 60000, many_rounds},
        {"uneven", shape(2, 40, 128, 8, 3), 2, 2, 60000, many_rounds, 1000},
        {"behind", shape(2, 40, 256, 8, 3), 2, 4, 60000, many_rounds, 0, 300},
        {"late", shape(3, 4, 2048, 12, 4), 4, 12, 60000, many_rounds, 0, 0, 0, true},
        {"half_way", shape(3, 9, 128, 6, 2), 2, 5, 20000, many_rounds, 0, 0, (1u << 31) - 3u},
        {"wrapped", shape(3, 9, 128, 6, 2), 2, 5, 20000, many_rounds, 0, 0, UINT32_MAX - 2u},
        {"in_flight", shape(3, 4, 128, 6, 2), 2, 5, 20000, two_in_flight},
        {"left_alone", shape(3, 6, 128, 6, 2), 2, 0, 3000, without_the_last},
        {"same_bits", shape(3, 4, 2048, 6, 1), 2, 6, 60000, same_bits, 0, 0, 0, true},
        {"late_flight", shape(3, 4, 128, 6, 2), 2, 3, 20000, two_in_flight, 0, 0, 0, true},
        {"half_rows", shape(2, 6, 4096, 4, 2), 2, 0, 1000, half_a_dispatch},
        {"half_sums", shape(2, 6, 4096, 4, 2), 2, 0, 1000, half_a_combine},
        {"lost_rows", shape(2, 6, 4096, 4, 2), 2, 1, 1000, half_a_dispatch},
        {"lost_sums", shape(2, 6, 4096, 4, 2), 2, 1, 1000, half_a_combine},
        {"formats", shape(3, 9, 256, 6, 2), 2, 4, 60000, other_formats},
        {"no_table", shape(2, 6, 128, 4, 2), 2, 0, 60000, nothing_behind_complete},
    };
    int failed = 0;
    for (const named_case &test : cases) {
        if (argc > 1 && strcmp(argv[1], test.name) != 0) continue;
        group_of_ranks all;
        all.processors = test.processors;
        all.rounds = test.rounds;
        emulated::uneven = test.uneven;
        emulated::behind = test.behind;
        emulated::late = test.late;
        make(&all, test.c, test.timeout_ms * 1000000u);
        count_as_received(&all, test.epoch);
        /* The engine on shared memory only brings the ranks and their buffers. */
        int wrong = ep_run_threads(&test.c, test.body, &all);
        printf("%-14s %s\n", test.name, wrong ? "FAILED" : "ok");
        fflush(stdout);
        failed += wrong != 0;
    }
    return failed != 0;
}
