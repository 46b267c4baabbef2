/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine "cuda" against the dense reference: a process for each GPU or, where there is one GPU,
 * threads that share it.
 *
 *     test_ep_cuda [--iterations N] [--only NAME]
 *
 * Inputs are new in every round, and all that is to be filled is poisoned before.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cuda_runtime_api.h>

#include "ep_device.h"
#include "ep_reference.h"

#define SKIP 77
/* Largest 1 - 2xy/(xx+yy). BF16 all the way rounds three times at most, which is 2e-6. */
#define EXACT 1e-5
#define LOSSY 9e-4

static uint32_t iterations = 200;

/* ---- what is checked besides the reference's own checks ---- */

/* Every slot is led to by the route that it names, and by no other. */
static int check_routes(const struct ep_rank *rank, const struct ep_buffers *b,
                        const struct device_buffers *d)
{
    const struct ep_case *c = rank->c;
    struct sizes n = sizes_of(c);
    size_t led = 0;
    size_t received = 0;
    for (size_t e = 0; e < n.local; e++) received += (size_t)b->recv_count[e];
    for (size_t i = 0; i < n.routes; i++) {
        int32_t slot = d->routes_seen[i].slot;
        if (slot == -1) continue;
        led++;
        EP_CHECK(slot >= 0 && (size_t)slot < n.slots);
        EP_CHECK(b->handle.src_info[slot] == (int32_t)(i / n.topk % n.tokens));
        EP_CHECK(b->handle.src_slot[slot] == i % n.topk);
        if (i / n.topk / n.tokens == rank->rank)
            EP_CHECK(d->routes_seen[i].weight == b->weights[i % (n.tokens * n.topk)]);
    }
    EP_CHECK(led == received);
    return 0;
}

static double limit_of(const struct way *way)
{
    return way->dispatch == DXT_EP_BF16 && way->combine == DXT_EP_COMBINE_BF16 ? EXACT : LOSSY;
}

static int finish_dispatch(struct ep_rank *rank, uint64_t round, struct ep_buffers *b,
                           struct device_buffers *d, const struct way *way, const uint8_t *absent)
{
    const struct ep_case *c = rank->c;
    download_dispatch(c, b, d);
    if (ep_check_dispatch(rank, round, b, way->dispatch, absent)) return 1;
    if (way->summed && check_routes(rank, b, d)) return 1;
    ep_experts(rank, b, way->dispatch);
    copy(d->at.y, b->y, sizes_of(c).slots * c->hidden * sizeof(uint16_t), d);
    return 0;
}

static int one_round(struct ep_rank *rank, uint64_t round, struct device_buffers *d,
                     const struct way *way, const uint8_t *absent)
{
    struct ep_buffers *b = &rank->buffers[0];
    ep_prepare(rank, round, b);
    d->at.tokens = b->tokens;
    upload(rank->c, b, d);
    dxt_ep_dispatch dispatch = dispatch_of(rank, d, way);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    if (finish_dispatch(rank, round, b, d, way, absent)) return 1;
    dxt_ep_combine combine = combine_of(rank, d, way);
    EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
    EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
    download_out(rank->c, b, d);
    return ep_check_combine(rank, b, limit_of(way), absent);
}

/* ---- bodies ---- */

static int many_rounds(struct ep_rank *rank)
{
    const uint32_t *rounds = rank->context;
    struct device_buffers d = {0};
    make_device(rank->c, &d);
    int failed = 0;
    for (uint32_t round = 0; round < *rounds && !failed; round++) {
        failed = one_round(rank, round, &d, &ways[round % WAYS], NULL);
        if (failed) fprintf(stderr, "in round %u\n", round);
    }
    EP_CHECK(dxt_ep_masked(rank->ep, NULL) == 0);
    free_device(&d);
    return failed;
}

/* Ranks come up to 3 ms after each other: receivers do not find all at once. */
static int unpunctual(struct ep_rank *rank)
{
    const struct ep_case *c = rank->c;
    struct device_buffers d = {0};
    uint64_t random = 77 + rank->rank;
    make_device(c, &d);
    for (uint64_t round = 0; round < iterations; round++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        if (random >> 40 & 1) usleep((useconds_t)((random >> 41) % 3000));
        if (one_round(rank, round, &d, &ways[round % WAYS], NULL)) return 1;
    }
    EP_CHECK(dxt_ep_masked(rank->ep, NULL) == 0);
    free_device(&d);
    return 0;
}

/* Two dispatches, then two combines under way at once. */
static int two_in_flight(struct ep_rank *rank)
{
    struct device_buffers d[2] = {0};
    for (int i = 0; i < 2; i++) make_device(rank->c, &d[i]);
    for (uint64_t round = 0; round < 12; round++) {
        const struct way *way = &ways[round % WAYS];
        for (int i = 0; i < 2; i++) {
            struct ep_buffers *b = &rank->buffers[i];
            ep_prepare(rank, 2 * round + (uint64_t)i, b);
            d[i].at.tokens = b->tokens;
            upload(rank->c, b, &d[i]);
        }
        for (int i = 0; i < 2; i++) {
            dxt_ep_dispatch dispatch = dispatch_of(rank, &d[i], way);
            dispatch.stream = d[0].stream;
            EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
        }
        dxt_ep_dispatch third = dispatch_of(rank, &d[0], way);
        EP_CHECK(dxt_ep_dispatch_send(rank->ep, &third) == DXT_ERR_STATE);
        for (int i = 0; i < 2; i++) EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
        CUDA(cudaStreamSynchronize(d[0].stream));
        for (int i = 0; i < 2; i++) {
            if (finish_dispatch(rank, 2 * round + (uint64_t)i, &rank->buffers[i], &d[i], way, NULL))
                return 1;
            CUDA(cudaStreamSynchronize(d[i].stream));
        }
        for (int i = 0; i < 2; i++) {
            dxt_ep_combine combine = combine_of(rank, &d[i], way);
            combine.stream = d[0].stream;
            EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
        }
        for (int i = 0; i < 2; i++) EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
        CUDA(cudaStreamSynchronize(d[0].stream));
        for (int i = 0; i < 2; i++) {
            download_out(rank->c, &rank->buffers[i], &d[i]);
            if (ep_check_combine(rank, &rank->buffers[i], limit_of(way), NULL)) return 1;
        }
    }
    for (int i = 0; i < 2; i++) free_device(&d[i]);
    return 0;
}

/* A dispatch and a combine captured once, replayed with new inputs. */
static int replayed(struct ep_rank *rank)
{
    const struct ep_case *c = rank->c;
    struct ep_buffers *b = &rank->buffers[0];
    const struct way *way = &ways[1];
    struct device_buffers d = {0};
    cudaGraph_t graph[2];
    cudaGraphExec_t replay[2];
    make_device(c, &d);
    d.at.tokens = c->max_tokens;
    dxt_ep_dispatch dispatch = dispatch_of(rank, &d, way);
    dxt_ep_combine combine = combine_of(rank, &d, way);
    for (int i = 0; i < 2; i++) {
        CUDA(cudaStreamBeginCapture(d.stream, cudaStreamCaptureModeThreadLocal));
        if (i == 0) {
            EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
            EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
        } else {
            EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
            EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
        }
        CUDA(cudaStreamEndCapture(d.stream, &graph[i]));
        CUDA(cudaGraphInstantiate(&replay[i], graph[i], 0));
    }
    together();
    for (uint64_t round = 0; round < 20; round++) {
        ep_prepare(rank, round, b);
        /* A graph has one number of tokens: those that a round does not have are not routed. */
        for (size_t i = (size_t)b->tokens * c->topk; i < (size_t)c->max_tokens * c->topk; i++)
            b->topk_idx[i] = -1;
        upload(c, b, &d);
        CUDA(cudaGraphLaunch(replay[0], d.stream));
        if (finish_dispatch(rank, round, b, &d, way, NULL)) return 1;
        CUDA(cudaGraphLaunch(replay[1], d.stream));
        download_out(c, b, &d);
        memset(b->out + (size_t)b->tokens * c->hidden, 0xa5,
               (size_t)(c->max_tokens - b->tokens) * c->hidden * sizeof *b->out);
        if (ep_check_combine(rank, b, limit_of(way), NULL)) return 1;
    }
    together();
    for (int i = 0; i < 2; i++) {
        CUDA(cudaGraphExecDestroy(replay[i]));
        CUDA(cudaGraphDestroy(graph[i]));
    }
    free_device(&d);
    return 0;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The last rank stops taking part. */
static int left_alone(struct ep_rank *rank)
{
    const struct ep_case *c = rank->c;
    uint32_t dead = c->ranks - 1;
    uint8_t absent[8] = {0};
    struct device_buffers d = {0};
    make_device(c, &d);
    for (uint64_t round = 0; round < 3; round++)
        if (one_round(rank, round, &d, &ways[round], NULL)) return 1;
    if (rank->rank == dead) {
        /* It stays, as a process that hangs would, until the others have finished. */
        sleep(4);
        free_device(&d);
        return 0;
    }
    absent[dead] = 1;
    double begin = now_s();
    for (uint64_t round = 3; round < 8; round++)
        if (one_round(rank, round, &d, &ways[round % WAYS], absent)) return 1;
    double took = now_s() - begin;
    uint8_t masked[8] = {0};
    EP_CHECK(dxt_ep_masked(rank->ep, masked) == 1);
    EP_CHECK(masked[dead] == 1);
    /* One time-out, not one an operation. */
    EP_CHECK(took < 3.5);
    free_device(&d);
    return 0;
}

/* The last rank comes too late, and is told so. */
static int too_late(struct ep_rank *rank)
{
    const struct ep_case *c = rank->c;
    uint32_t late = c->ranks - 1;
    uint8_t absent[8] = {0};
    struct device_buffers d = {0};
    make_device(c, &d);
    for (uint64_t round = 0; round < 2; round++)
        if (one_round(rank, round, &d, &ways[1], NULL)) return 1;
    absent[late] = 1;
    if (rank->rank != late) {
        for (uint64_t round = 2; round < 5; round++)
            if (one_round(rank, round, &d, &ways[1], absent)) return 1;
        sleep(2); /* its memory is still looked at */
        free_device(&d);
        return 0;
    }
    sleep(2);
    struct ep_buffers *b = &rank->buffers[0];
    ep_prepare(rank, 2, b);
    d.at.tokens = b->tokens;
    upload(c, b, &d);
    dxt_ep_dispatch dispatch = dispatch_of(rank, &d, &ways[1]);
    dxt_status status = dxt_ep_dispatch_send(rank->ep, &dispatch);
    if (status == DXT_OK) status = dxt_ep_dispatch_recv(rank->ep);
    CUDA(cudaStreamSynchronize(d.stream));
    if (status == DXT_OK) status = dxt_ep_dispatch_send(rank->ep, &dispatch);
    EP_CHECK(status == DXT_ERR_MASKED);
    free_device(&d);
    return 0;
}

/* ---- the probe ---- */

static dxt_probe *device_probe(uint32_t sources)
{
    size_t size = dxt_probe_size(DXT_EP_OPERATORS, sources);
    dxt_probe *host = ep_probe_new(sources);
    host->ticks_per_second = 1000000000;
    void *probe = device(size);
    CUDA(cudaMemcpy(probe, host, size, cudaMemcpyDefault));
    free(host);
    return probe;
}

static int check_counters(const struct ep_rank *rank, const dxt_probe *probe, uint32_t rounds)
{
    for (uint32_t op = 0; op < DXT_EP_OPERATORS; op++) {
        uint64_t last = 0;
        const dxt_operator_counters *counters = dxt_probe_operator(probe, op);
        EP_CHECK(counters->ops == rounds);
        EP_CHECK(counters->issued == rounds);
        for (uint32_t source = 0; source < rank->c->ranks; source++) {
            const dxt_cell *cell = dxt_probe_cell(probe, op, source);
            uint64_t binned = 0;
            for (uint32_t bin = 0; bin < DXT_HISTOGRAM_BINS; bin++) binned += cell->histogram[bin];
            EP_CHECK(cell->samples == rounds);
            EP_CHECK(binned == rounds);
            EP_CHECK(cell->timeouts == 0);
            EP_CHECK(cell->wait_ticks_max <= cell->wait_ticks_sum);
            EP_CHECK(cell->wait_ticks_sum <= counters->inside_ticks_sum);
            EP_CHECK(cell->last_margin_ticks_sum <= cell->wait_ticks_sum);
            last += cell->last_count;
        }
        EP_CHECK(last <= rounds);
    }
    return 0;
}

/* Bytes of a dispatch: what was delivered, a row for each (token, expert). */
static uint64_t bytes_from(const struct ep_rank *rank, const struct device_buffers *d,
                           uint32_t source, size_t row)
{
    struct sizes n = sizes_of(rank->c);
    uint64_t bytes = 0;
    for (size_t i = source * n.tokens * n.topk; i < (source + 1) * n.tokens * n.topk; i++)
        bytes += d->routes_seen[i].slot >= 0 ? row : 0;
    return bytes;
}

/* By so much the last rank is late in every round. */
#define LATE_US 30000

static int probed(struct ep_rank *rank)
{
    const struct ep_case *c = rank->c;
    const struct way *way = &ways[1];
    size_t size = dxt_probe_size(DXT_EP_OPERATORS, c->ranks);
    dxt_probe *seen = ep_probe_new(c->ranks);
    struct device_buffers d = {0};
    uint64_t bytes[8] = {0};
    uint32_t late = c->ranks - 1;
    make_device(c, &d);
    for (uint32_t round = 0; round < 10; round++) {
        if (rank->rank == late) usleep(LATE_US);
        if (one_round(rank, round, &d, way, NULL)) return 1;
        for (uint32_t source = 0; source < c->ranks; source++)
            bytes[source] += bytes_from(rank, &d, source, c->hidden + c->hidden / 32);
    }
    CUDA(cudaMemcpy(seen, rank->config.probe, size, cudaMemcpyDefault));
    if (check_counters(rank, seen, 10)) return 1;
    const dxt_cell *cell = dxt_probe_cell(seen, DXT_DISPATCH, late);
    if (rank->rank != late) {
        EP_CHECK(cell->last_count > 0);
        EP_CHECK(cell->wait_ticks_max > LATE_US * 1000 / 2);
        EP_CHECK(cell->last_margin_ticks_sum > 0);
    }
    for (uint32_t source = 0; source < c->ranks; source++)
        EP_CHECK(dxt_probe_cell(seen, DXT_DISPATCH, source)->bytes == bytes[source]);
    free(seen);
    free_device(&d);
    return 0;
}

/* ---- what is wrong is told ---- */

static int told(struct ep_rank *rank)
{
    const struct ep_case *c = rank->c;
    struct ep_buffers *b = &rank->buffers[0];
    struct device_buffers d = {0};
    make_device(c, &d);
    if (one_round(rank, 0, &d, &ways[0], NULL)) return 1;
    /* Another format than the others': all hear of it, but nobody hangs. */
    ep_prepare(rank, 1, b);
    d.at.tokens = b->tokens;
    upload(c, b, &d);
    struct way way = ways[0];
    way.dispatch = rank->rank == 0 ? DXT_EP_FP8 : DXT_EP_BF16;
    dxt_ep_dispatch dispatch = dispatch_of(rank, &d, &way);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
    dxt_status at_once = dxt_ep_dispatch_recv(rank->ep);
    CUDA(cudaStreamSynchronize(d.stream));
    dispatch = dispatch_of(rank, &d, &ways[0]);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
    dxt_status later = dxt_ep_dispatch_recv(rank->ep);
    CUDA(cudaStreamSynchronize(d.stream));
    EP_CHECK(at_once == DXT_ERR_INVALID || later == DXT_ERR_INVALID);
    /* A route that leads nowhere is not followed. */
    b->topk_idx[0] = (int64_t)c->experts;
    CUDA(cudaMemcpy(d.at.topk_idx, b->topk_idx, sizeof *b->topk_idx, cudaMemcpyDefault));
    for (int i = 0; i < 2; i++) {
        d.at.tokens = 1;
        dispatch = dispatch_of(rank, &d, &ways[0]);
        EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
        dxt_status status = dxt_ep_dispatch_recv(rank->ep);
        CUDA(cudaStreamSynchronize(d.stream));
        at_once = i == 0 ? status : at_once;
        later = i == 1 ? status : later;
    }
    EP_CHECK(at_once == DXT_ERR_INVALID || later == DXT_ERR_INVALID);
    free_device(&d);
    return 0;
}

/* ---- cases ---- */

static void enter(struct ep_rank *rank)
{
    CUDA(cudaSetDevice((int)rank->rank % gpus));
    if (rank->c->probe) rank->config.probe = device_probe(rank->c->ranks);
}

struct test {
    const char *name;
    struct ep_case shape; /* ranks: most */
    ep_body body;
    uint32_t rounds; /* of many_rounds; 0 = as told */
};

#define SHAPE(tokens_, hidden_, experts_, topk_)                                         \
    {                                                                                    \
        .ranks = 4, .max_tokens = (tokens_), .hidden = (hidden_), .experts = (experts_), \
        .topk = (topk_), .seed = 20261121, .engine = "cuda", .enter = enter              \
    }

static const struct test tests[] = {
    {"small", SHAPE(5, 128, 8, 2), many_rounds, 20},
    {"odd", SHAPE(33, 1152, 12, 3), many_rounds, 20},
    {"topk16", SHAPE(17, 1024, 64, 16), many_rounds, 20},
    {"topk1", SHAPE(64, 2048, 4, 1), many_rounds, 20},
    {"wide", SHAPE(16, 8192, 32, 8), many_rounds, 10},
    {"experts1024", SHAPE(24, 1024, 1024, 8), many_rounds, 5},
    {"tokens1024", SHAPE(1024, 1024, 16, 4), many_rounds, 5},
    {"model", SHAPE(128, 7168, 256, 8), many_rounds, 5},
    {"iterations", SHAPE(24, 1024, 32, 6), many_rounds, 0},
    {"unpunctual", SHAPE(24, 1024, 32, 6), unpunctual, 0},
    {"in_flight", SHAPE(24, 1024, 32, 6), two_in_flight, 0},
    {"graph", SHAPE(24, 2048, 32, 6), replayed, 0},
    {"probe", SHAPE(24, 2048, 32, 6), probed, 0},
    {"told", SHAPE(24, 1024, 32, 6), told, 0},
    {"left_alone", SHAPE(24, 1024, 32, 6), left_alone, 0},
    {"too_late", SHAPE(24, 1024, 32, 6), too_late, 0},
};

static bool run_test(const struct test *test)
{
    struct ep_case c = test->shape;
    uint32_t rounds = test->rounds ? test->rounds : iterations;
    bool masks = test->body == left_alone || test->body == too_late;
    c.timeout_ns = masks ? INT64_C(500000000) : INT64_C(20000000000);
    c.probe = test->body == probed;
    if (gpus > 1 && (uint32_t)gpus < c.ranks) c.ranks = 2;
    if (gpus == 1) pthread_barrier_init(&meeting, NULL, c.ranks);
    double begin = now_s();
    int failed = gpus == 1 ? ep_run_threads(&c, test->body, &rounds)
                           : ep_run_processes(&c, test->body, &rounds);
    printf("%-12s %s  %.1f s\n", test->name, failed ? "FAILED" : "ok", now_s() - begin);
    fflush(stdout);
    if (gpus == 1) pthread_barrier_destroy(&meeting);
    return failed == 0;
}

/* In a process of its own: a process that has used CUDA cannot fork ranks that do. */
static int count_gpus(void)
{
    pid_t child = fork();
    if (child == 0) {
        int count = 0;
        if (cudaGetDeviceCount(&count) != cudaSuccess) count = 0;
        _exit(count);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--iterations") == 0) iterations = (uint32_t)atoi(argv[i + 1]);
        if (strcmp(argv[i], "--only") == 0) only = argv[i + 1];
    }
    gpus = count_gpus();
    if (gpus == 0) {
        printf("no GPU\n");
        return SKIP;
    }
    /* Ranks that share a GPU must not share a queue of it. */
    setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
    printf("%d GPUs: %s\n", gpus, gpus == 1 ? "ranks are threads that share it" : "a process each");
    fflush(stdout);
    uint32_t failed = 0;
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        if (!only || strcmp(only, tests[i].name) == 0) failed += !run_test(&tests[i]);
    printf("%u failed\n", failed);
    return failed != 0;
}
