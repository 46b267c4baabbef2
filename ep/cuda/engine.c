/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of the engine: limits, memory, and one launch per call. */
#include "cuda/cuda.h"

#include <stdlib.h>
#include <string.h>

#include "common/part.h"
#include "cuda/join.h"

/* Blocks of one launch, per multiprocessor: as many of the largest kernel as fit, and a few. */
#define BLOCKS_PER_SM 8u

/* One rank's side. */
typedef struct dxt_ep_cuda_rank {
    dxt_ep_cuda_group group;
    dxt_ep_cuda_membership membership;
    dxt_ep_cuda_report *report; /* as the host sees it */
    cudaStream_t stream;        /* of the last launch outside of graphs */
    bool streamed;
    bool several_streams; /* there was another before */
    bool after_send;      /* the last launch was a send */
} dxt_ep_cuda_rank;

/* ---- limits ---- */

static dxt_status check_most(const char *name, uint32_t value, uint32_t most)
{
    if (value <= most) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_LIMIT, "config.%s is %u, but must be at most %u on GPUs", name,
                       value, most);
}

static dxt_status check_limits(const dxt_ep_config *config)
{
    dxt_status status = check_most("ranks", config->ranks, CUDA_MAX_RANKS);
    if (status == DXT_OK) status = check_most("max_tokens", config->max_tokens, CUDA_MAX_TOKENS);
    if (status == DXT_OK) status = check_most("experts", config->experts, CUDA_MAX_EXPERTS);
    if (status == DXT_OK) status = check_most("hidden", config->hidden, CUDA_MAX_HIDDEN);
    return status;
}

static dxt_status engine_buffer_size(const dxt_ep_config *config, size_t *size)
{
    dxt_status status = check_limits(config);
    if (status == DXT_OK) *size = dxt_ep_cuda_page_size();
    return status;
}

/* ---- life ---- */

static dxt_status check_probe(const dxt_ep_config *config)
{
    if (!config->probe) return DXT_OK;
    dxt_probe head;
    dxt_status status =
        dxt_ep_cuda_check(cudaMemcpy(&head, config->probe, sizeof head, cudaMemcpyDefault),
                          "config.probe must be in the GPU's memory");
    if (status != DXT_OK) return status;
    if (head.layout != DXT_PROBE_LAYOUT)
        return dxt_ep_fail(
            DXT_ERR_INVALID,
            "config.probe has layout %u, but this library needs %u; build both from one version",
            head.layout, DXT_PROBE_LAYOUT);
    if (head.operators >= DXT_EP_OPERATORS && head.sources >= config->ranks) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_INVALID,
                       "config.probe has %u operators and %u sources, but needs %u and %u",
                       head.operators, head.sources, (unsigned)DXT_EP_OPERATORS, config->ranks);
}

static void release(dxt_ep_cuda_rank *r)
{
    cudaDeviceSynchronize();
    dxt_ep_cuda_leave(&r->membership);
    cudaFree(r->group.state);
    cudaFreeHost(r->report);
    free(r);
}

static dxt_status allocate(dxt_ep_cuda_rank *r)
{
    dxt_ep_cuda_group *g = &r->group;
    void *report = NULL;
    dxt_status status =
        dxt_ep_cuda_check(cudaMalloc((void **)&g->state, sizeof *g->state), "no memory");
    if (status == DXT_OK)
        status = dxt_ep_cuda_check(cudaMemset(g->state, 0, sizeof *g->state), "no memory");
    if (status == DXT_OK)
        status = dxt_ep_cuda_check(
            cudaHostAlloc(&report, sizeof *r->report, cudaHostAllocMapped | cudaHostAllocPortable),
            "no pinned memory");
    if (status != DXT_OK) return status;
    r->report = memset(report, 0, sizeof *r->report);
    return dxt_ep_cuda_check(cudaHostGetDevicePointer((void **)&g->report, report, 0),
                             "pinned memory cannot be mapped");
}

static dxt_status look_at_gpu(dxt_ep_cuda_rank *r, const dxt_ep_config *config)
{
    int device = 0;
    int processors = 0;
    int major = 0;
    dxt_status status = dxt_ep_cuda_check(cudaGetDevice(&device), "no GPU");
    if (status == DXT_OK)
        status = dxt_ep_cuda_check(
            cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device),
            "cannot examine the GPU");
    if (status == DXT_OK)
        status = dxt_ep_cuda_check(
            cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device),
            "cannot examine the GPU");
    if (status != DXT_OK) return status;
    if (major < 9)
        return dxt_ep_fail(DXT_ERR_UNSUPPORTED,
                           "the GPU has compute capability %d; the engine needs 9 (H100, H200)",
                           major);
    r->group.processors = (uint32_t)processors;
    r->group.blocks = (uint32_t)processors * BLOCKS_PER_SM;
    /* Ranks that share a GPU wait for each other: what they launch must fit at the same time. */
    if (r->membership.alone && config->ranks > 1)
        r->group.blocks = (uint32_t)processors / (4u * config->ranks);
    if (r->group.blocks == 0) r->group.blocks = 1;
    return DXT_OK;
}

static dxt_status load_kernels(void)
{
    cudaError_t error = dxt_ep_cuda_prepare_dispatch_send();
    if (error == cudaSuccess) error = dxt_ep_cuda_prepare_dispatch_receive();
    if (error == cudaSuccess) error = dxt_ep_cuda_prepare_combine_send();
    if (error == cudaSuccess) error = dxt_ep_cuda_prepare_combine_receive();
    return dxt_ep_cuda_check(error, "cannot load the kernels");
}

static dxt_status open_rank(dxt_ep_cuda_rank *r, const dxt_ep *ep)
{
    const dxt_ep_config *config = &ep->config;
    dxt_ep_cuda_group *g = &r->group;
    dxt_status status = check_limits(config);
    if (status != DXT_OK) return status;
    if (config->timeout_ns < CUDA_MIN_TIMEOUT_NS)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "config.timeout_ns is %lld, but must be at least %lld on GPUs",
                           (long long)config->timeout_ns, (long long)CUDA_MIN_TIMEOUT_NS);
    status = check_probe(config);
    if (status == DXT_OK) status = allocate(r);
    if (status != DXT_OK) return status;
    g->probe = config->probe;
    g->timeout_ns = (uint64_t)config->timeout_ns;
    g->rank = config->rank;
    g->ranks = config->ranks;
    g->max_tokens = config->max_tokens;
    g->hidden = config->hidden;
    g->experts = config->experts;
    g->local_experts = ep->local_experts;
    g->max_topk = config->max_topk;
    g->slots = ep->slots;
    dxt_ep_cuda_layout_of(config, &g->at);
    status = load_kernels();
    if (status == DXT_OK) status = dxt_ep_cuda_join(config, &g->at, &r->membership, g->window);
    return status == DXT_OK ? look_at_gpu(r, config) : status;
}

static dxt_status engine_create(dxt_ep *ep)
{
    dxt_ep_cuda_rank *r = calloc(1, sizeof *r);
    if (!r) return dxt_ep_fail(DXT_ERR_NO_MEMORY, "out of memory");
    dxt_status status = open_rank(r, ep);
    if (status != DXT_OK) {
        release(r);
        return status;
    }
    ep->state = r;
    return DXT_OK;
}

static void engine_destroy(dxt_ep *ep)
{
    dxt_ep_cuda_rank *r = ep->state;
    cudaDeviceSynchronize();
    if (__atomic_load_n(&r->report->masked, __ATOMIC_RELAXED) == 0)
        dxt_ep_cuda_part(&r->membership);
    release(r);
}

/* ---- operations ---- */

static uint32_t masked_bits(const dxt_ep_cuda_rank *r)
{
    return __atomic_load_n(&r->report->masked, __ATOMIC_RELAXED);
}

static dxt_status check_masked(const dxt_ep_cuda_rank *r)
{
    if (!(masked_bits(r) >> r->group.rank & 1u)) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_MASKED, "the group went on without rank %u", r->group.rank);
}

/* What the kernels have found by now, most likely in an earlier operation. Told once. */
static dxt_status check_trouble(const dxt_ep_cuda_rank *r)
{
    uint32_t trouble = __atomic_exchange_n(&r->report->trouble, 0, __ATOMIC_RELAXED);
    if (trouble & CUDA_TROUBLE_FORMAT)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "a rank sent data in another format than rank %u expects; all ranks "
                           "must give the same format",
                           r->group.rank);
    if (trouble & CUDA_TROUBLE_ROUTE)
        return dxt_ep_fail(
            DXT_ERR_INVALID,
            "topk_idx names an expert that does not exist, or combine got another handle than "
            "that of its dispatch");
    return DXT_OK;
}

/* Buffers that have been read are announced by the send that follows in the stream, which waits for
 * the receive anyway; but by the receive itself, at its end, if another operation of its kind is
 * under way (others may want to send before we do), or if kernels of several streams may overlap.
 * A receive may begin early behind a send, which has waited for what came before, and not behind
 * another receive, whose count of operations it would miss. */
static dxt_status launch_order(dxt_ep *ep, uint32_t op, bool send, void *stream,
                               dxt_ep_cuda_order *order)
{
    dxt_ep_cuda_rank *r = ep->state;
    enum cudaStreamCaptureStatus capture;
    dxt_status status = dxt_ep_cuda_check(cudaStreamIsCapturing((cudaStream_t)stream, &capture),
                                          "cannot use the stream");
    if (status != DXT_OK) return status;
    if (capture == cudaStreamCaptureStatusNone) {
        r->several_streams |= r->streamed && r->stream != (cudaStream_t)stream;
        r->streamed = true;
        r->stream = (cudaStream_t)stream;
    }
    bool another = ep->sent[op] - ep->received[op] == DXT_EP_IN_FLIGHT;
    order->early = r->after_send;
    order->announce = send ? !r->several_streams : r->several_streams || another;
    r->after_send = send;
    return DXT_OK;
}

static dxt_status engine_dispatch_send(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint64_t epoch)
{
    (void)epoch; /* counted on the device, where graphs are replayed */
    const dxt_ep_cuda_rank *r = ep->state;
    dxt_ep_cuda_order order;
    dxt_status status = check_masked(r);
    if (status == DXT_OK) status = launch_order(ep, DXT_DISPATCH, true, dispatch->stream, &order);
    if (status != DXT_OK) return status;
    return dxt_ep_cuda_check(dxt_ep_cuda_launch_dispatch_send(&r->group, dispatch, order),
                             "dispatch");
}

static dxt_status engine_dispatch_recv(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint64_t epoch)
{
    (void)epoch;
    const dxt_ep_cuda_rank *r = ep->state;
    dxt_ep_cuda_order order;
    dxt_status status = check_masked(r);
    if (status == DXT_OK) status = launch_order(ep, DXT_DISPATCH, false, dispatch->stream, &order);
    if (status != DXT_OK) return status;
    status = dxt_ep_cuda_check(dxt_ep_cuda_launch_dispatch_receive(&r->group, dispatch, order),
                               "dispatch");
    return status == DXT_OK ? check_trouble(r) : status;
}

static dxt_status engine_combine_send(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch)
{
    (void)epoch;
    const dxt_ep_cuda_rank *r = ep->state;
    dxt_ep_cuda_order order;
    dxt_status status = check_masked(r);
    if (status == DXT_OK) status = launch_order(ep, DXT_COMBINE, true, combine->stream, &order);
    if (status != DXT_OK) return status;
    return dxt_ep_cuda_check(dxt_ep_cuda_launch_combine_send(&r->group, combine, order), "combine");
}

static dxt_status engine_combine_recv(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch)
{
    (void)epoch;
    const dxt_ep_cuda_rank *r = ep->state;
    dxt_ep_cuda_order order;
    dxt_status status = check_masked(r);
    if (status == DXT_OK) status = launch_order(ep, DXT_COMBINE, false, combine->stream, &order);
    if (status != DXT_OK) return status;
    status =
        dxt_ep_cuda_check(dxt_ep_cuda_launch_combine_receive(&r->group, combine, order), "combine");
    return status == DXT_OK ? check_trouble(r) : status;
}

static uint32_t engine_masked(const dxt_ep *ep, uint8_t *masked)
{
    const dxt_ep_cuda_rank *r = ep->state;
    uint32_t bits = masked_bits(r);
    for (uint32_t rank = 0; masked && rank < r->group.ranks; rank++)
        masked[rank] = (uint8_t)(bits >> rank & 1u);
    return (uint32_t)__builtin_popcount(bits);
}

static const dxt_ep_engine engine = {.name = "cuda",
                                     .device_memory = true,
                                     .buffer_size = engine_buffer_size,
                                     .create = engine_create,
                                     .destroy = engine_destroy,
                                     .dispatch_send = engine_dispatch_send,
                                     .dispatch_recv = engine_dispatch_recv,
                                     .combine_send = engine_combine_send,
                                     .combine_recv = engine_combine_recv,
                                     .masked = engine_masked};

const dxt_ep_engine *dxt_ep_part_engine(uint32_t layout)
{
    return layout == DXT_EP_PART_LAYOUT ? &engine : NULL;
}
