/* SPDX-License-Identifier: Apache-2.0 */
#include "device_load.h"

#include <stdlib.h>

/* Behind the routes of the steps are those of the check. */
#define CHECKED DEVICE_ROUTES

struct device_load {
    const device_table *device;
    load_shape shape;
    uint32_t rank;
    rank_load *load; /* the host's */
    load_arrays host;
    uint32_t blocks;     /* of FP8 scales in a token */
    int64_t *all_routes; /* host: [CHECKED + 1][tokens][topk] */
    /* on the device */
    int64_t *routes;
    uint16_t *x, *output, *result;
    float *weights, *scales;
    void *received;
    int32_t *counts;
    dxt_ep_handle handle;
    dxt_ep_route *recv_routes;
};

static size_t routes_in_step(const device_load *load)
{
    return (size_t)load->shape.tokens * load->shape.topk;
}

/* ---- life ---- */

static bool allocate(device_load *load)
{
    const device_table *device = load->device;
    const load_shape *shape = &load->shape;
    size_t slots = load->host.local_experts * load->host.slots;
    size_t tokens = (size_t)shape->tokens * shape->hidden * sizeof(uint16_t);
    load->routes = device->allocate((CHECKED + 1) * routes_in_step(load) * sizeof *load->routes);
    load->x = device->allocate(tokens);
    load->result = device->allocate(tokens);
    load->weights = device->allocate(routes_in_step(load) * sizeof *load->weights);
    load->output = device->allocate(slots * shape->hidden * sizeof *load->output);
    load->received = load->output;
    if (load->host.scales) {
        load->received = device->allocate(slots * shape->hidden);
        load->scales = device->allocate(slots * load->blocks * sizeof *load->scales);
    }
    load->counts = device->allocate(load->host.local_experts * sizeof *load->counts);
    load->handle.src_info = device->allocate(slots * sizeof *load->handle.src_info);
    load->handle.src_slot = device->allocate(slots);
    load->handle.layout_range = device->allocate((size_t)load->host.local_experts * shape->ranks *
                                                 sizeof *load->handle.layout_range);
    load->recv_routes =
        device->allocate(shape->ranks * routes_in_step(load) * sizeof *load->recv_routes);
    return load->routes && load->x && load->result && load->weights && load->output &&
           load->received && (!load->host.scales || load->scales) && load->counts &&
           load->handle.src_info && load->handle.src_slot && load->handle.layout_range &&
           load->recv_routes;
}

static bool upload(device_load *load)
{
    const device_table *device = load->device;
    size_t routes = routes_in_step(load);
    size_t bytes = (CHECKED + 1) * routes * sizeof *load->all_routes;
    load->all_routes = malloc(bytes);
    if (!load->all_routes) return false;
    for (uint64_t table = 0; table <= CHECKED; table++) {
        load_route(load->load, table == CHECKED ? LOAD_CHECKED_STEP : table);
        for (size_t r = 0; r < routes; r++)
            load->all_routes[table * routes + r] = load->host.routes[r];
    }
    return device->copy(load->routes, load->all_routes, bytes) == 0 &&
           device->copy(load->x, load->host.x,
                        (size_t)load->shape.tokens * load->shape.hidden * sizeof *load->x) == 0 &&
           device->copy(load->weights, load->host.weights, routes * sizeof *load->weights) == 0;
}

device_load *device_load_create(const device_table *device, const load_shape *shape, uint32_t rank)
{
    device_load *load = calloc(1, sizeof *load);
    if (!load) return NULL;
    load->device = device;
    load->shape = *shape;
    load->rank = rank;
    load->blocks = shape->hidden / DXT_EP_BLOCK;
    load->load = load_create(shape, rank);
    if (load->load) load->host = load_arrays_of(load->load);
    if (load->load && allocate(load) && upload(load)) return load;
    device_load_destroy(load);
    return NULL;
}

void device_load_destroy(device_load *load)
{
    if (!load) return;
    void *const device[] = {load->routes,
                            load->x,
                            load->result,
                            load->weights,
                            load->output,
                            load->received == load->output ? NULL : load->received,
                            load->scales,
                            load->counts,
                            load->handle.src_info,
                            load->handle.src_slot,
                            load->handle.layout_range,
                            load->recv_routes};
    for (size_t i = 0; i < sizeof device / sizeof device[0]; i++)
        if (device[i]) load->device->release(device[i]);
    load_destroy(load->load);
    free(load->all_routes);
    free(load);
}

/* ---- a step ---- */

static dxt_status dispatch(device_load *load, dxt_ep *ep, uint64_t table, void *stream)
{
    dxt_ep_dispatch arguments = {
        .struct_size = sizeof arguments,
        .format = load->shape.dispatch_format,
        .x = load->x,
        .topk_idx = load->routes + table * routes_in_step(load),
        .tokens = load->shape.tokens,
        .topk = load->shape.topk,
        .recv_x = load->received,
        .recv_scales = load->scales,
        .recv_count = load->counts,
        .handle = load->handle,
        .stream = stream,
        .topk_weights = load->weights,
        .recv_routes = load->recv_routes,
    };
    dxt_status status = dxt_ep_dispatch_send(ep, &arguments);
    return status == DXT_OK ? dxt_ep_dispatch_recv(ep) : status;
}

static dxt_status combine(device_load *load, dxt_ep *ep, uint64_t table, void *stream)
{
    dxt_ep_combine arguments = {
        .struct_size = sizeof arguments,
        .format = load->shape.combine_format,
        .x = load->output,
        .handle = load->handle,
        .topk_idx = load->routes + table * routes_in_step(load),
        .topk_weights = load->weights,
        .tokens = load->shape.tokens,
        .topk = load->shape.topk,
        .out = load->result,
        .stream = stream,
        .recv_routes = load->recv_routes,
    };
    dxt_status status = dxt_ep_combine_send(ep, &arguments);
    return status == DXT_OK ? dxt_ep_combine_recv(ep) : status;
}

dxt_status device_load_dispatch(device_load *load, dxt_ep *ep, uint64_t step, void *stream)
{
    return dispatch(load, ep, step % DEVICE_ROUTES, stream);
}

dxt_status device_load_combine(device_load *load, dxt_ep *ep, uint64_t step, void *stream)
{
    return combine(load, ep, step % DEVICE_ROUTES, stream);
}

int device_load_experts(device_load *load, void *stream)
{
    if (!load->scales) return 0;
    const device_widen widen = {
        .values = load->received,
        .scales = load->scales,
        .counts = load->counts,
        .output = load->output,
        .local_experts = load->host.local_experts,
        .slots = (uint32_t)load->host.slots,
        .hidden = load->shape.hidden,
    };
    return load->device->widen(&widen, stream);
}

device_compute device_load_expert_time(const device_load *load, int64_t usual_ns)
{
    return (device_compute){
        .mean_ns = usual_ns,
        .counts = load->counts,
        .count = load->host.local_experts,
        .usual = (double)routes_in_step(load),
    };
}

void device_load_copies(const device_load *load, uint64_t step, uint64_t *to_rank)
{
    const load_shape *shape = &load->shape;
    const int64_t *routes = load->all_routes + step % DEVICE_ROUTES * routes_in_step(load);
    for (uint32_t rank = 0; rank < shape->ranks; rank++) to_rank[rank] = 0;
    for (uint32_t t = 0; t < shape->tokens; t++, routes += shape->topk)
        for (uint32_t k = 0; k < shape->topk; k++) {
            int64_t rank = routes[k] / load->host.local_experts;
            bool first = true;
            for (uint32_t before = 0; before < k; before++)
                first &= routes[before] / load->host.local_experts != rank;
            to_rank[rank] += first;
        }
}

/* ---- the check ---- */

dxt_status device_load_checked_dispatch(device_load *load, dxt_ep *ep, void *stream)
{
    return dispatch(load, ep, CHECKED, stream);
}

dxt_status device_load_checked_combine(device_load *load, dxt_ep *ep, void *stream)
{
    return combine(load, ep, CHECKED, stream);
}

bool device_load_possible(const load_shape *shape, const int32_t *counts,
                          const dxt_ep_handle *handle)
{
    bool good = true;
    int64_t slots = (int64_t)shape->ranks * shape->tokens;
    for (uint32_t e = 0; e < shape->experts / shape->ranks; e++) {
        good &= counts[e] >= 0 && counts[e] <= slots;
        for (uint32_t source = 0; source < shape->ranks && good; source++) {
            dxt_ep_range range = handle->layout_range[(size_t)e * shape->ranks + source];
            good = range.begin >= 0 && range.begin <= counts[e] && range.count >= 0 &&
                   range.count <= counts[e] - range.begin;
        }
    }
    return good;
}

/* The slots of one local expert that hold a token. */
static bool download_expert(const device_load *load, uint32_t expert)
{
    const device_table *device = load->device;
    const load_arrays *host = &load->host;
    size_t first = expert * host->slots, count = (size_t)host->counts[expert];
    size_t token = load->shape.hidden * (host->scales ? sizeof(uint8_t) : sizeof(uint16_t));
    if (host->scales &&
        device->copy(host->scales + first * load->blocks, load->scales + first * load->blocks,
                     count * load->blocks * sizeof *host->scales) != 0)
        return false;
    return device->copy((char *)host->received + first * token,
                        (const char *)load->received + first * token, count * token) == 0 &&
           device->copy(host->handle.src_info + first, load->handle.src_info + first,
                        count * sizeof *host->handle.src_info) == 0 &&
           device->copy(host->handle.src_slot + first, load->handle.src_slot + first, count) == 0;
}

static bool upload_expert(const device_load *load, uint32_t expert)
{
    size_t first = expert * load->host.slots * load->shape.hidden;
    size_t bytes =
        (size_t)load->host.counts[expert] * load->shape.hidden * sizeof *load->host.output;
    return load->device->copy(load->output + first, load->host.output + first, bytes) == 0;
}

const char *device_load_check_dispatch(device_load *load, void *stream)
{
    const device_table *device = load->device;
    const load_arrays *host = &load->host;
    size_t ranges = (size_t)host->local_experts * load->shape.ranks;
    if (device->synchronize(stream) != 0 ||
        device->copy(host->counts, load->counts, host->local_experts * sizeof *host->counts) != 0 ||
        device->copy(host->handle.layout_range, load->handle.layout_range,
                     ranges * sizeof *host->handle.layout_range) != 0)
        return device->error();
    if (!device_load_possible(&load->shape, host->counts, &host->handle))
        return "counts and ranges that cannot be";
    for (uint32_t e = 0; e < host->local_experts; e++)
        if (!download_expert(load, e)) return device->error();
    const char *wrong = load_check_dispatch(load->load, LOAD_CHECKED_STEP);
    if (wrong) return wrong;
    load_experts(load->load, true);
    for (uint32_t e = 0; e < host->local_experts; e++)
        if (!upload_expert(load, e)) return device->error();
    return NULL;
}

const char *device_load_check_combine(device_load *load, void *stream)
{
    const device_table *device = load->device;
    size_t bytes = (size_t)load->shape.tokens * load->shape.hidden * sizeof *load->host.result;
    if (device->synchronize(stream) != 0 ||
        device->copy(load->host.result, load->result, bytes) != 0)
        return device->error();
    /* The sums are of the outputs of the routes that the load has now. */
    load_route(load->load, LOAD_CHECKED_STEP);
    return load_check_combine(load->load);
}
