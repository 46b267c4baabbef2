/* SPDX-License-Identifier: Apache-2.0 */
/* One process of a measurement on devices, and what the processes share. */
#ifndef TOOLS_BENCH_DEVICE_RANK_H
#define TOOLS_BENCH_DEVICE_RANK_H

#include "device_load.h"
#include "group.h"
#include "on_device.h"

#define DEVICE_VARIANTS 2u
#define DEVICE_HALVES 2u /* of a comparison: the variants change places */

/* What the processes share. Behind it: times [ranks][rows][DEVICE_VARIANTS] in ns. */
struct device_shared {
    struct bench_group group;
    _Atomic uint32_t gate; /* rounds that the GPUs may begin; they see this word */
    char about[128];
    device_times results[BENCH_SHAPES];
    uint64_t tokens_to[BENCH_MAX_RANKS][BENCH_MAX_RANKS]; /* from, to: in a dispatch */
    double times[];
};

/* One measurement. */
struct device_run {
    const device_bench *bench;
    int what; /* PAIRS_… */
    uint32_t rows;
    struct device_shared *shared;
    size_t shared_size;
    int fd[BENCH_SHAPES > DEVICE_HALVES *DEVICE_VARIANTS ? BENCH_SHAPES
                                                         : DEVICE_HALVES *DEVICE_VARIANTS];
};

/* One rank process. */
struct device_rank {
    const struct device_run *run;
    const device_table *device;
    uint32_t index;
    uint32_t rounds;
    void *stream, *gate;
    void **events; /* rows × DEVICE_VARIANTS + 1 */
    dxt_probe *probe;
    device_load *load;
};

typedef dxt_status (*device_create_function)(const dxt_ep_config *, dxt_ep **);

struct bench_group *device_group_of(const struct device_rank *rank);

/** Complain of what the device, or the engine, says. @return −1. */
int device_rank_failed(const struct device_rank *rank, const char *what);
int device_rank_engine_failed(const struct device_rank *rank);

/** Choose a device, and make what every measurement needs. @return 0; −1, complained of. */
int device_rank_set_up(struct device_rank *rank);

/** Join a group: the first of these with this descriptor. @return NULL: complained of. */
dxt_ep *device_rank_join(struct device_rank *rank, device_create_function create, uint32_t tokens,
                         int fd, bool probe);

#endif
