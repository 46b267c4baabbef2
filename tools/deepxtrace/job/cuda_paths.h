/* SPDX-License-Identifier: Apache-2.0 */
/* A rank on a GPU, and its slow paths: copies that keep a link busy. */
#ifndef TOOLS_JOB_CUDA_PATHS_H
#define TOOLS_JOB_CUDA_PATHS_H

#include "device_load.h"
#include "engine.h"

/** Steps that may be queued. */
#define JOB_CUDA_AHEAD 4u

/* A path that is slow because a copy runs beside. */
typedef struct job_traffic {
    const job_fault *path;
    void *from, *to, *fork;
    void *done[JOB_CUDA_AHEAD]; /* events: the end of what was copied beside each step under way */
} job_traffic;

typedef struct job_gpu {
    const device_table *device;
    device_load *load;
    dxt_probe *probe; /* on the device */
    size_t probe_size;
    dxt_probe *copy; /* pinned */
    void *stream, *side, *background;
    void *finished[JOB_CUDA_AHEAD]; /* events: the end of each step under way */
    void *copied;                   /* event: the counters, on the side stream */
    void *settled;                  /* event: everything queued so far */
    void *gate;                     /* control->device_gate, as the device sees it */
    uint32_t intervals;             /* begun */
    uint32_t meetings;
    int64_t begun_ns;
    bool opened; /* rank 0: the gate of the interval under way */
    bool by_copy;
    random_state random;
    job_traffic traffic[JOB_MAX_FAULTS];
    size_t traffic_count;
    void *room; /* that others copy into */
} job_gpu;

/** Complain for a rank of what the device says. @return the exit status of a failure. */
outcome job_cuda_failed(const job_rank *state, const char *what);

/** Before the job: every rank asks its engine for slow paths, and all get the same answer. */
outcome job_cuda_set_up_paths(job_rank *state);

/** When all ranks have made room for what is copied to them. */
outcome job_cuda_map_paths(job_rank *state);

/** Queue what slows the paths of an operator, in one step. */
outcome job_cuda_congest(job_rank *state, uint32_t operator_index, uint64_t number);

#endif
