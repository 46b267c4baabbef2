/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of a rank on a GPU, for test_ep_cuda.c: made, filled, poisoned and read back. */
#ifndef TESTS_GPU_EP_DEVICE_H
#define TESTS_GPU_EP_DEVICE_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <cuda_runtime_api.h>

#include "ep_reference.h"

#define CUDA(call)                                                        \
    do {                                                                  \
        cudaError_t error_ = (call);                                      \
        if (error_ != cudaSuccess) {                                      \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, \
                    cudaGetErrorString(error_));                          \
            abort();                                                      \
        }                                                                 \
    } while (0)

static int gpus;

/* Ranks that share a GPU are threads of one process. While a kernel of one waits for another, that
 * one must not be in a call that waits for the GPU as a whole, as those that allocate do. */
static pthread_barrier_t meeting;

static void together(void)
{
    if (gpus == 1) pthread_barrier_wait(&meeting);
}

/* One set of buffers of a rank, as struct ep_buffers has them on the host. */
struct device_buffers {
    struct ep_buffers at; /* device addresses */
    dxt_ep_route *routes;
    dxt_ep_route *routes_seen; /* host */
    cudaStream_t stream;
};

/* Which way a round goes. */
struct way {
    dxt_ep_dispatch_format dispatch;
    dxt_ep_combine_format combine;
    bool summed;
};

static const struct way ways[] = {{DXT_EP_BF16, DXT_EP_COMBINE_BF16, false},
                                  {DXT_EP_FP8, DXT_EP_COMBINE_BF16, true},
                                  {DXT_EP_BF16, DXT_EP_COMBINE_BF16, true},
                                  {DXT_EP_FP8, DXT_EP_COMBINE_LOGFMT, true},
                                  {DXT_EP_BF16, DXT_EP_COMBINE_LOGFMT, false}};
#define WAYS (sizeof ways / sizeof ways[0])

struct sizes {
    size_t tokens, local, slots, hidden, topk, routes;
};

static struct sizes sizes_of(const struct ep_case *c)
{
    size_t local = c->experts / c->ranks;
    return (struct sizes){.tokens = c->max_tokens,
                          .local = local,
                          .slots = local * c->ranks * c->max_tokens,
                          .hidden = c->hidden,
                          .topk = c->topk,
                          .routes = (size_t)c->ranks * c->max_tokens * c->topk};
}

static void *device(size_t bytes)
{
    void *memory = NULL;
    CUDA(cudaMalloc(&memory, bytes ? bytes : 1));
    return memory;
}

static void make_device(const struct ep_case *c, struct device_buffers *d)
{
    struct sizes n = sizes_of(c);
    CUDA(cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking));
    d->at.x = device(n.tokens * n.hidden * sizeof(uint16_t));
    d->at.topk_idx = device(n.tokens * n.topk * sizeof(int64_t));
    d->at.weights = device(n.tokens * n.topk * sizeof(float));
    d->at.recv_x = device(n.slots * n.hidden * sizeof(uint16_t));
    d->at.recv_scales = device(n.slots * (n.hidden / DXT_EP_BLOCK) * sizeof(float));
    d->at.recv_count = device(n.local * sizeof(int32_t));
    d->at.handle.src_info = device(n.slots * sizeof(int32_t));
    d->at.handle.src_slot = device(n.slots);
    d->at.handle.layout_range = device(n.local * c->ranks * sizeof(dxt_ep_range));
    d->at.y = device(n.slots * n.hidden * sizeof(uint16_t));
    d->at.out = device(n.tokens * n.hidden * sizeof(uint16_t));
    d->routes = device(n.routes * sizeof *d->routes);
    d->routes_seen = malloc(n.routes * sizeof *d->routes_seen);
    together();
}

static void free_device(struct device_buffers *d)
{
    CUDA(cudaStreamSynchronize(d->stream));
    together();
    void *all[] = {d->at.x,
                   d->at.topk_idx,
                   d->at.weights,
                   d->at.recv_x,
                   d->at.recv_scales,
                   d->at.recv_count,
                   d->at.handle.src_info,
                   d->at.handle.src_slot,
                   d->at.handle.layout_range,
                   d->at.y,
                   d->at.out,
                   d->routes};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) CUDA(cudaFree(all[i]));
    free(d->routes_seen);
    CUDA(cudaStreamDestroy(d->stream));
}

static void copy(void *to, const void *from, size_t bytes, struct device_buffers *d)
{
    CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, d->stream));
}

/* Inputs, and the poison of the outputs. */
static void upload(const struct ep_case *c, const struct ep_buffers *b, struct device_buffers *d)
{
    struct sizes n = sizes_of(c);
    copy(d->at.x, b->x, n.tokens * n.hidden * sizeof(uint16_t), d);
    copy(d->at.topk_idx, b->topk_idx, n.tokens * n.topk * sizeof(int64_t), d);
    copy(d->at.weights, b->weights, n.tokens * n.topk * sizeof(float), d);
    copy(d->at.recv_x, b->recv_x, n.slots * n.hidden * sizeof(uint16_t), d);
    copy(d->at.recv_scales, b->recv_scales, n.slots * (n.hidden / DXT_EP_BLOCK) * sizeof(float), d);
    copy(d->at.recv_count, b->recv_count, n.local * sizeof(int32_t), d);
    copy(d->at.handle.src_info, b->handle.src_info, n.slots * sizeof(int32_t), d);
    copy(d->at.handle.src_slot, b->handle.src_slot, n.slots, d);
    copy(d->at.handle.layout_range, b->handle.layout_range,
         n.local * c->ranks * sizeof(dxt_ep_range), d);
    copy(d->at.out, b->out, n.tokens * n.hidden * sizeof(uint16_t), d);
    CUDA(cudaMemsetAsync(d->routes, 0xa5, n.routes * sizeof *d->routes, d->stream));
    CUDA(cudaStreamSynchronize(d->stream));
}

/* A copy to ordinary memory would wait as well, but in the way of launches of other threads. */
static void wait_for_stream(struct device_buffers *d)
{
    CUDA(cudaStreamSynchronize(d->stream));
}

static void download_dispatch(const struct ep_case *c, struct ep_buffers *b,
                              struct device_buffers *d)
{
    struct sizes n = sizes_of(c);
    wait_for_stream(d);
    copy(b->recv_x, d->at.recv_x, n.slots * n.hidden * sizeof(uint16_t), d);
    copy(b->recv_scales, d->at.recv_scales, n.slots * (n.hidden / DXT_EP_BLOCK) * sizeof(float), d);
    copy(b->recv_count, d->at.recv_count, n.local * sizeof(int32_t), d);
    copy(b->handle.src_info, d->at.handle.src_info, n.slots * sizeof(int32_t), d);
    copy(b->handle.src_slot, d->at.handle.src_slot, n.slots, d);
    copy(b->handle.layout_range, d->at.handle.layout_range,
         n.local * c->ranks * sizeof(dxt_ep_range), d);
    copy(d->routes_seen, d->routes, n.routes * sizeof *d->routes, d);
    CUDA(cudaStreamSynchronize(d->stream));
}

static void download_out(const struct ep_case *c, struct ep_buffers *b, struct device_buffers *d)
{
    struct sizes n = sizes_of(c);
    wait_for_stream(d);
    copy(b->out, d->at.out, n.tokens * n.hidden * sizeof(uint16_t), d);
    CUDA(cudaStreamSynchronize(d->stream));
}

static dxt_ep_dispatch dispatch_of(const struct ep_rank *rank, struct device_buffers *d,
                                   const struct way *way)
{
    dxt_ep_dispatch dispatch = ep_dispatch_of(rank, &d->at, way->dispatch);
    dispatch.stream = d->stream;
    dispatch.topk_weights = way->summed ? d->at.weights : NULL;
    dispatch.recv_routes = way->summed ? d->routes : NULL;
    return dispatch;
}

static dxt_ep_combine combine_of(const struct ep_rank *rank, struct device_buffers *d,
                                 const struct way *way)
{
    dxt_ep_combine combine = ep_combine_of(rank, &d->at, way->combine);
    combine.stream = d->stream;
    combine.recv_routes = way->summed ? d->routes : NULL;
    return combine;
}

#endif
