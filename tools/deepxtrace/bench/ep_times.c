/* SPDX-License-Identifier: Apache-2.0 */
#include "ep_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ep_buffers.h"
#include "group.h"
#include "progress.h"
#include "system/clock.h"

#define MAX_ITERATIONS 1000000u
#define GROUPS 2
#define COLUMNS 3 /* what is timed in an iteration: dispatch, combine, memcpy; or on, off */

/* What the processes share besides the groups. Behind it: times [ranks][rows][COLUMNS] in ns. */
struct shared {
    struct bench_group group;
    uint64_t dispatch_bytes[BENCH_MAX_RANKS];
    uint64_t combine_bytes[BENCH_MAX_RANKS];
    int64_t times[];
};

/* One run. */
struct run {
    const struct ep_bench_config *config;
    uint32_t rows; /* of times */
    struct shared *shared;
    size_t shared_size;
    size_t group_size;
    int fd[GROUPS];
};

/* One rank process. */
struct rank {
    const struct run *run;
    uint32_t index;
    dxt_probe *probe;
    dxt_ep *ep[GROUPS];
    dxt_ep_dispatch dispatch;
    dxt_ep_combine combine;
    void *copy_from, *copy_to;
    size_t copy_size;
};

typedef int (*rank_body)(struct rank *rank);

static int64_t *time_at(const struct run *run, uint32_t rank, uint32_t row, uint32_t column)
{
    return &run->shared->times[((size_t)rank * run->rows + row) * COLUMNS + column];
}

/* ---- one rank ---- */

static int make_buffers(struct rank *rank)
{
    if (ep_buffers_make(rank->run->config, rank->index, &rank->dispatch, &rank->combine) == 0)
        return 0;
    return bench_complain(&rank->run->shared->group, "rank %u: out of memory", rank->index);
}

static int join(struct rank *rank, uint32_t group, dxt_probe *probe)
{
    const struct ep_bench_config *c = rank->run->config;
    dxt_ep_config config = {.struct_size = sizeof config,
                            .rank = rank->index,
                            .ranks = c->ranks,
                            .max_tokens = c->tokens,
                            .hidden = c->hidden,
                            .experts = c->experts,
                            .max_topk = c->topk,
                            .probe = probe,
                            .fd = rank->run->fd[group]};
    if (dxt_ep_create(&config, &rank->ep[group]) == DXT_OK) return 0;
    return bench_complain(&rank->run->shared->group, "rank %u: %s", rank->index, dxt_ep_error());
}

static int operate(struct rank *rank, uint32_t group, int64_t *dispatch_ns, int64_t *combine_ns)
{
    dxt_ep *ep = rank->ep[group];
    if (bench_meet(&rank->run->shared->group) != 0) return -1;
    int64_t begin_ns = dxt_clock_ns(CLOCK_MONOTONIC);
    dxt_status status = dxt_ep_dispatch_send(ep, &rank->dispatch);
    if (status == DXT_OK) status = dxt_ep_dispatch_recv(ep);
    *dispatch_ns = dxt_clock_ns(CLOCK_MONOTONIC) - begin_ns;
    if (bench_meet(&rank->run->shared->group) != 0) return -1;
    begin_ns = dxt_clock_ns(CLOCK_MONOTONIC);
    if (status == DXT_OK) status = dxt_ep_combine_send(ep, &rank->combine);
    if (status == DXT_OK) status = dxt_ep_combine_recv(ep);
    *combine_ns = dxt_clock_ns(CLOCK_MONOTONIC) - begin_ns;
    if (status == DXT_OK) return 0;
    return bench_complain(&rank->run->shared->group, "rank %u: %s", rank->index, dxt_ep_error());
}

/* Bytes of payload that reach this rank; the buffers of the memcpy are as large. */
static int weigh(struct rank *rank)
{
    const struct ep_bench_config *c = rank->run->config;
    size_t blocks = c->hidden / DXT_EP_BLOCK;
    size_t copies = 0;
    for (uint32_t i = 0; i < c->experts / c->ranks; i++)
        copies += (size_t)rank->dispatch.recv_count[i];
    size_t token = c->dispatch_format == DXT_EP_FP8 ? c->hidden + blocks * sizeof(float)
                                                    : c->hidden * sizeof(uint16_t);
    /* LogFMT: 10 bits per channel and two floats per block. */
    size_t output = c->combine_format == DXT_EP_COMBINE_LOGFMT
                        ? blocks * (DXT_EP_BLOCK * 10 / 8 + 2 * sizeof(float))
                        : c->hidden * sizeof(uint16_t);
    rank->run->shared->dispatch_bytes[rank->index] = copies * token;
    rank->run->shared->combine_bytes[rank->index] = (uint64_t)c->tokens * c->topk * output;
    rank->copy_size = (size_t)c->tokens * c->topk * token;
    rank->copy_from = ep_buffers_filled(rank->copy_size, 1);
    rank->copy_to = ep_buffers_filled(rank->copy_size, 1);
    if (rank->copy_from && rank->copy_to) return 0;
    return bench_complain(&rank->run->shared->group, "rank %u: out of memory", rank->index);
}

static int copy(struct rank *rank, int64_t *copy_ns)
{
    if (bench_meet(&rank->run->shared->group) != 0) return -1;
    int64_t begin_ns = dxt_clock_ns(CLOCK_MONOTONIC);
    memcpy(rank->copy_to, rank->copy_from, rank->copy_size);
    __asm__ volatile("" ::"r"(rank->copy_to) : "memory");
    *copy_ns = dxt_clock_ns(CLOCK_MONOTONIC) - begin_ns;
    return 0;
}

/* Between two rows, which begin with a meeting of the ranks: what is written is in no time. */
static void show_row(const struct rank *rank, uint32_t row)
{
    const struct ep_bench_config *c = rank->run->config;
    if (rank->index != 0) return;
    progress("deepxtrace bench: %u ranks, %u tokens of %u channels, %u of %u times", c->ranks,
             c->tokens, c->hidden, row, rank->run->rows);
}

static int measure(struct rank *rank)
{
    const struct run *run = rank->run;
    int64_t ignored[COLUMNS];
    if (join(rank, 0, run->config->probe ? rank->probe : NULL) != 0 ||
        operate(rank, 0, &ignored[0], &ignored[1]) != 0 || weigh(rank) != 0)
        return -1;
    for (uint32_t i = 0; i < run->config->warmup; i++)
        if (operate(rank, 0, &ignored[0], &ignored[1]) != 0 || copy(rank, &ignored[2]) != 0)
            return -1;
    for (uint32_t row = 0; row < run->rows; row++) {
        show_row(rank, row);
        if (operate(rank, 0, time_at(run, rank->index, row, 0), time_at(run, rank->index, row, 1)))
            return -1;
        if (copy(rank, time_at(run, rank->index, row, 2)) != 0) return -1;
    }
    return bench_meet(&run->shared->group);
}

/* Times of one pair into columns 0 (on) and 1 (off); group `on` carries the probe. */
static int measure_pair(struct rank *rank, uint32_t row, uint32_t on)
{
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t column = (row + i) % 2;
        int64_t dispatch_ns;
        int64_t combine_ns;
        if (operate(rank, column == 0 ? on : 1 - on, &dispatch_ns, &combine_ns) != 0) return -1;
        *time_at(rank->run, rank->index, row, column) = dispatch_ns + combine_ns;
    }
    return 0;
}

static int renew_groups(struct rank *rank, uint32_t on)
{
    const struct run *run = rank->run;
    for (uint32_t group = 0; group < GROUPS; group++) {
        dxt_ep_destroy(rank->ep[group]);
        rank->ep[group] = NULL;
    }
    if (bench_meet(&run->shared->group) != 0) return -1;
    for (uint32_t group = 0; group < GROUPS && rank->index == 0; group++) {
        void *memory = mmap(NULL, run->group_size, PROT_WRITE, MAP_SHARED, run->fd[group], 0);
        if (memory == MAP_FAILED)
            return bench_complain(&run->shared->group, "cannot map the shared memory of a group");
        memset(memory, 0, run->group_size);
        munmap(memory, run->group_size);
    }
    if (bench_meet(&run->shared->group) != 0) return -1;
    for (uint32_t group = 0; group < GROUPS; group++)
        if (join(rank, group, group == on ? rank->probe : NULL) != 0) return -1;
    return 0;
}

static int measure_pairs(struct rank *rank)
{
    const struct run *run = rank->run;
    for (uint32_t row = 0; row < run->rows; row++) {
        uint32_t on = row < run->rows / 2 ? 0 : 1;
        show_row(rank, row);
        if (row == 0 || row == run->rows / 2) {
            if (renew_groups(rank, on) != 0) return -1;
            for (uint32_t i = 0; i < run->config->warmup; i++)
                if (measure_pair(rank, row, on) != 0) return -1;
        }
        if (measure_pair(rank, row, on) != 0) return -1;
    }
    return bench_meet(&run->shared->group);
}

/* ---- the parent ---- */

/* A rank, as bench_start() knows it. */
struct job {
    const struct run *run;
    rank_body body;
};

static int rank_process(void *context, uint32_t index)
{
    const struct job *job = context;
    struct rank rank = {.run = job->run, .index = index};
    if (dxt_probe_create(DXT_EP_OPERATORS, job->run->config->ranks, &rank.probe) != DXT_OK)
        return bench_complain(&job->run->shared->group, "rank %u: cannot make a probe", index);
    bool failed = make_buffers(&rank) != 0 || job->body(&rank) != 0;
    progress_clear();
    return failed;
}

static int tell(char *error, size_t size, const char *text)
{
    if (error && size > 0) snprintf(error, size, "%s", text);
    return -1;
}

static int check(const struct ep_bench_config *c, uint32_t rows, size_t *size, char *error,
                 size_t error_size)
{
    if (c->ranks == 0 || c->ranks > BENCH_MAX_RANKS)
        return tell(error, error_size, "--ranks must be 1 to 64");
    if (rows == 0 || rows > MAX_ITERATIONS)
        return tell(error, error_size, "--repeat must be 1 to 1000000");
    dxt_ep_config config = {.struct_size = sizeof config,
                            .ranks = c->ranks,
                            .max_tokens = c->tokens,
                            .hidden = c->hidden,
                            .experts = c->experts,
                            .max_topk = c->topk};
    if (dxt_ep_buffer_size(&config, size) == DXT_OK) return 0;
    return tell(error, error_size, dxt_ep_error());
}

static int make_group(size_t size)
{
    int fd = memfd_create("deepxtrace-bench", MFD_CLOEXEC);
    if (fd < 0) return -1;
    int code = posix_fallocate(fd, 0, (off_t)size);
    if (code == 0) return fd;
    close(fd);
    errno = code;
    return -1;
}

/* Start the ranks over @p groups groups and leave their times in run->shared. */
static int perform(struct run *run, int groups, rank_body body, char *error, size_t error_size)
{
    if (check(run->config, run->rows, &run->group_size, error, error_size) != 0) return -1;
    run->shared_size =
        sizeof *run->shared + (size_t)run->config->ranks * run->rows * COLUMNS * sizeof(int64_t);
    int made = 0;
    run->shared =
        mmap(NULL, run->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run->shared == MAP_FAILED) return tell(error, error_size, "out of memory");
    run->shared->group.ranks = run->config->ranks;
    for (; made < groups; made++) {
        run->fd[made] = make_group(run->group_size);
        if (run->fd[made] >= 0) continue;
        bench_complain(&run->shared->group, "cannot make %zu bytes of shared memory: %s",
                       run->group_size, strerror(errno));
        break;
    }
    struct job job = {run, body};
    if (made == groups) bench_start(&run->shared->group, rank_process, &job);
    while (made > 0) close(run->fd[--made]);
    if (!atomic_load(&run->shared->group.failed)) return 0;
    tell(error, error_size, run->shared->group.error);
    munmap(run->shared, run->shared_size);
    return -1;
}

/* ---- figures ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double slowest(const struct run *run, uint32_t row, uint32_t column)
{
    int64_t most = 0;
    for (uint32_t rank = 0; rank < run->config->ranks; rank++) {
        int64_t ns = *time_at(run, rank, row, column);
        if (ns > most) most = ns;
    }
    return (double)most;
}

static struct ep_bench_latency latency(const struct run *run, uint32_t column, double *scratch)
{
    for (uint32_t row = 0; row < run->rows; row++) scratch[row] = slowest(run, row, column);
    qsort(scratch, run->rows, sizeof *scratch, by_size);
    return (struct ep_bench_latency){scratch[run->rows / 2],
                                     scratch[(size_t)(run->rows - 1) * 99 / 100]};
}

static double per_second(uint64_t bytes, double ns)
{
    return ns > 0 ? (double)bytes * 1e9 / ns : 0;
}

int ep_bench_run(const struct ep_bench_config *config, struct ep_bench_result *result, char *error,
                 size_t error_size)
{
    struct run run = {.config = config, .rows = config->iterations};
    if (perform(&run, 1, measure, error, error_size) != 0) return -1;
    double *scratch = malloc(run.rows * sizeof *scratch);
    if (scratch) {
        const struct shared *shared = run.shared;
        *result = (struct ep_bench_result){.dispatch = latency(&run, 0, scratch),
                                           .combine = latency(&run, 1, scratch)};
        for (uint32_t rank = 0; rank < config->ranks; rank++) {
            result->dispatch_bytes += shared->dispatch_bytes[rank];
            result->combine_bytes += shared->combine_bytes[rank];
        }
        result->dispatch_bytes /= config->ranks;
        result->combine_bytes /= config->ranks;
        result->dispatch_bytes_per_s =
            per_second(result->dispatch_bytes, result->dispatch.median_ns);
        result->combine_bytes_per_s = per_second(result->combine_bytes, result->combine.median_ns);
        result->memcpy_bytes_per_s =
            per_second(result->dispatch_bytes, latency(&run, 2, scratch).median_ns);
    }
    munmap(run.shared, run.shared_size);
    free(scratch);
    return scratch ? 0 : tell(error, error_size, "out of memory");
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

int ep_bench_probe_pairs(const struct ep_bench_config *config, uint32_t pairs,
                         struct ep_bench_pairs *result, char *error, size_t error_size)
{
    if (pairs < 8) return tell(error, error_size, "there must be at least 8 pairs");
    struct run run = {.config = config, .rows = pairs};
    if (perform(&run, GROUPS, measure_pairs, error, error_size) != 0) return -1;
    double *scratch = malloc(pairs * sizeof *scratch);
    if (scratch) {
        struct ep_bench_pairs got = {.pairs = pairs};
        for (uint32_t i = 0; i < pairs; i++) scratch[i] = slowest(&run, i, 0);
        got.on_ns = median(scratch, pairs);
        for (uint32_t i = 0; i < pairs; i++) scratch[i] = slowest(&run, i, 1);
        got.off_ns = median(scratch, pairs);
        for (uint32_t i = 0; i < pairs; i++) scratch[i] = slowest(&run, i, 0) / slowest(&run, i, 1);
        got.ratio = median(scratch, pairs);
        /* Binomial ranks of the median, by the normal approximation. */
        double half = 0.98 * sqrt((double)pairs);
        uint32_t low = (uint32_t)fmax(0, floor((double)pairs / 2 - half));
        got.ratio_low = scratch[low];
        got.ratio_high = scratch[pairs - 1 - low];
        *result = got;
    }
    munmap(run.shared, run.shared_size);
    free(scratch);
    return scratch ? 0 : tell(error, error_size, "out of memory");
}
