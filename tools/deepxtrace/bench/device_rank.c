/* SPDX-License-Identifier: Apache-2.0 */
#include "device_rank.h"

#include <stddef.h>
#include <stdlib.h>

#include "bench.h"

#define TIMEOUT_NS INT64_C(20000000000)

struct bench_group *device_group_of(const struct device_rank *rank)
{
    return &rank->run->shared->group;
}

int device_rank_failed(const struct device_rank *rank, const char *what)
{
    return bench_complain(device_group_of(rank), "rank %u: %s: %s", rank->index, what,
                          rank->device->error());
}

int device_rank_engine_failed(const struct device_rank *rank)
{
    return bench_complain(device_group_of(rank), "rank %u: %s", rank->index, dxt_ep_error());
}

static int choose_device(struct device_rank *rank)
{
    const device_table *device = rank->device;
    uint32_t ranks = rank->run->bench->shape.ranks, devices = device->count();
    if (devices == 0) return bench_complain(device_group_of(rank), "%s", device->error());
    if (devices < ranks)
        return bench_complain(device_group_of(rank),
                              "%u ranks need a GPU each, but there %s %u; lower --ranks", ranks,
                              devices == 1 ? "is" : "are", devices);
    if (device->use(rank->index) != 0) return device_rank_failed(rank, "cannot open the GPU");
    if (rank->index > 0) return 0;
    char *about = rank->run->shared->about;
    return device->describe(0, about, sizeof rank->run->shared->about) == 0
               ? 0
               : device_rank_failed(rank, "cannot open the GPU");
}

int device_rank_set_up(struct device_rank *rank)
{
    const struct device_run *run = rank->run;
    const char *why = NULL;
    rank->device = device_find(run->bench->engine, &why);
    if (!rank->device) return bench_complain(device_group_of(rank), "%s", why);
    if (choose_device(rank) != 0) return -1;
    const device_table *device = rank->device;
    uint8_t *mapped = device->map_host(run->shared, run->shared_size);
    rank->gate = mapped ? mapped + offsetof(struct device_shared, gate) : NULL;
    rank->stream = device->stream_create();
    uint32_t ranks = run->bench->shape.ranks;
    size_t size = dxt_probe_size(DXT_EP_OPERATORS, ranks);
    dxt_probe *empty = NULL;
    rank->probe = device->allocate(size);
    if (!mapped || !rank->stream || !rank->probe) return device_rank_failed(rank, "cannot set up");
    if (dxt_probe_create(DXT_EP_OPERATORS, ranks, &empty) != DXT_OK)
        return device_rank_engine_failed(rank);
    empty->ticks_per_second = 1000000000;
    if (device->copy(rank->probe, empty, size) != 0)
        return device_rank_failed(rank, "cannot set up");
    dxt_probe_destroy(empty);
    size_t events = (size_t)run->rows * DEVICE_VARIANTS + 1;
    rank->events = calloc(events, sizeof *rank->events);
    if (!rank->events) return bench_complain(device_group_of(rank), "out of memory");
    for (size_t e = 0; e < events; e++)
        if (!(rank->events[e] = device->event_create(true)))
            return device_rank_failed(rank, "cannot set up");
    return 0;
}

dxt_ep *device_rank_join(struct device_rank *rank, device_create_function create, uint32_t tokens,
                         int fd, bool probe)
{
    const load_shape *shape = &rank->run->bench->shape;
    dxt_ep_config config = {.struct_size = sizeof config,
                            .engine = rank->run->bench->engine,
                            .rank = rank->index,
                            .ranks = shape->ranks,
                            .max_tokens = tokens,
                            .hidden = shape->hidden,
                            .experts = shape->experts,
                            .max_topk = shape->topk,
                            .timeout_ns = TIMEOUT_NS,
                            .probe = probe ? rank->probe : NULL,
                            .fd = fd};
    dxt_ep *ep = NULL;
    if (create(&config, &ep) == DXT_OK) return ep;
    device_rank_engine_failed(rank);
    return NULL;
}
