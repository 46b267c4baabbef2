/* SPDX-License-Identifier: Apache-2.0 */
#include "on_device.h"

#include <dlfcn.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "device_rank.h"

#define WARMUP 20u
#define MOST_REPEAT 20000u
#define GATE_NS INT64_C(10000000000)

/* ---- one rank ---- */

static double *time_at(const struct device_run *run, uint32_t rank, uint32_t row, uint32_t variant)
{
    return &run->shared->times[((size_t)rank * run->rows + row) * DEVICE_VARIANTS + variant];
}

/* Once without a graph: what is loaded when it is first called cannot be captured. */
static int operate(struct device_rank *rank, dxt_ep *ep)
{
    if (device_load_dispatch(rank->load, ep, 0, rank->stream) != DXT_OK ||
        device_load_combine(rank->load, ep, 0, rank->stream) != DXT_OK)
        return device_rank_engine_failed(rank);
    return rank->device->synchronize(rank->stream) == 0
               ? 0
               : device_rank_failed(rank, "an operation failed");
}

static void *capture(struct device_rank *rank, dxt_ep *ep, bool dispatch, bool combine,
                     uint32_t times)
{
    const device_table *device = rank->device;
    dxt_status status = DXT_OK;
    if (device->capture_begin(rank->stream) != 0) {
        device_rank_failed(rank, "cannot record a graph");
        return NULL;
    }
    for (uint32_t i = 0; i < times && status == DXT_OK; i++) {
        if (dispatch) status = device_load_dispatch(rank->load, ep, 0, rank->stream);
        if (combine && status == DXT_OK)
            status = device_load_combine(rank->load, ep, 0, rank->stream);
    }
    if (status != DXT_OK) device_rank_engine_failed(rank);
    void *graph = device->capture_end(rank->stream);
    if (!graph) device_rank_failed(rank, "cannot record a graph");
    return status == DXT_OK ? graph : NULL;
}

/* Replay graphs in turn, as many rows as there are to be, after a few that do not count. The hosts
 * queue ahead of the GPUs, and those begin together. In odd rows the variants come in the other
 * order. The time of each goes to rows first_row … of the shared table. */
static int replay(struct device_rank *rank, void *const *graphs, uint32_t variants,
                  uint32_t first_row, uint32_t rows)
{
    const struct device_run *run = rank->run;
    const device_table *device = rank->device;
    void **events = rank->events;
    uint32_t round = ++rank->rounds;
    int bad = device->gate(rank->gate, round, GATE_NS, rank->stream);
    for (uint32_t i = 0; i < WARMUP; i++)
        bad |= device->graph_launch(graphs[i % variants], rank->stream);
    if (bench_meet(device_group_of(rank)) != 0) return -1;
    if (rank->index == 0) atomic_store(&run->shared->gate, round);
    bad |= device->event_record(events[0], rank->stream);
    for (uint32_t i = 0; i < rows * variants; i++) {
        uint32_t variant = (i / variants + i) % variants;
        bad |= device->graph_launch(graphs[variant], rank->stream);
        bad |= device->event_record(events[i + 1], rank->stream);
    }
    bad |= device->synchronize(rank->stream);
    for (uint32_t i = 0; i < rows * variants && !bad; i++) {
        uint32_t row = first_row + i / variants, variant = (i / variants + i) % variants;
        bad = device->event_elapsed(events[i], events[i + 1],
                                    time_at(run, rank->index, row, variant));
    }
    if (bad) return device_rank_failed(rank, "cannot replay a graph");
    return bench_meet(device_group_of(rank));
}

/* ---- figures ---- */

static double slowest(const struct device_run *run, uint32_t row, uint32_t variant)
{
    double most = 0;
    for (uint32_t rank = 0; rank < run->bench->shape.ranks; rank++)
        most = fmax(most, *time_at(run, rank, row, variant));
    return most;
}

static void summarize(const struct device_run *run, int what, double *scratch, device_times *times)
{
    double per = what == TIME_ROW ? BENCH_IN_A_ROW : 1.0;
    for (uint32_t row = 0; row < run->rows; row++) scratch[row] = slowest(run, row, 0) / per;
    times->median_ns[what] = bench_quantile(scratch, run->rows, 0.5);
    times->p99_ns[what] = bench_quantile(scratch, run->rows, 0.99);
}

/* A token crosses once to a rank, whatever number of its experts are there, and so does the sum of
 * what they make of it. */
static void weigh(const struct device_run *run, device_times *times)
{
    const load_shape *shape = &run->bench->shape;
    size_t blocks = shape->hidden / DXT_EP_BLOCK;
    double token = shape->dispatch_format == DXT_EP_FP8
                       ? (double)(shape->hidden + blocks * sizeof(float))
                       : (double)shape->hidden * sizeof(uint16_t);
    double output = shape->combine_format == DXT_EP_COMBINE_LOGFMT
                        ? (double)blocks * (DXT_EP_BLOCK * 10 / 8 + 2 * sizeof(float))
                        : (double)shape->hidden * sizeof(uint16_t);
    double sent = 0, busiest = 0;
    for (uint32_t r = 0; r < shape->ranks; r++) {
        double out = 0, in = 0;
        for (uint32_t other = 0; other < shape->ranks; other++) {
            if (other == r) continue;
            out += (double)run->shared->tokens_to[r][other];
            in += (double)run->shared->tokens_to[other][r];
        }
        sent += out / shape->ranks;
        busiest = fmax(busiest, fmax(out, in));
    }
    const double bytes[TIME_COUNT] = {token, output, token + output, token + output};
    for (int what = 0; what < TIME_COUNT; what++) {
        times->bytes[what] = sent * bytes[what];
        times->limit_ns[what] = busiest * bytes[what] / LINK_BYTES_PER_S * 1e9;
    }
}

/* ---- bodies of the ranks ---- */

static int measure_shape(struct device_rank *rank, uint32_t index, double *scratch)
{
    const struct device_run *run = rank->run;
    load_shape shape = run->bench->shape;
    shape.tokens = run->bench->tokens[index];
    rank->load = device_load_create(rank->device, &shape, rank->index);
    if (!rank->load) return device_rank_failed(rank, "cannot make the buffers");
    device_load_copies(rank->load, 0, run->shared->tokens_to[rank->index]);
    dxt_ep *ep = device_rank_join(rank, dxt_ep_create, shape.tokens, run->fd[index], false);
    if (!ep || operate(rank, ep) != 0) return -1;
    device_times *times = &run->shared->results[index];
    for (int what = 0; what < TIME_COUNT; what++) {
        void *graph = capture(rank, ep, what != TIME_COMBINE, what != TIME_DISPATCH,
                              what == TIME_ROW ? BENCH_IN_A_ROW : 1);
        if (!graph || replay(rank, &graph, 1, 0, run->rows) != 0) return -1;
        if (rank->index == 0) summarize(run, what, scratch, times);
        rank->device->graph_destroy(graph);
        if (bench_meet(device_group_of(rank)) != 0) return -1;
    }
    if (rank->index == 0) weigh(run, times);
    if (dxt_ep_masked(ep, NULL) > 0)
        return bench_complain(device_group_of(rank), "a rank was given up");
    if (bench_meet(device_group_of(rank)) != 0) return -1;
    dxt_ep_destroy(ep);
    device_load_destroy(rank->load);
    return 0;
}

static int measure_times(void *context, uint32_t index)
{
    const struct device_run *run = context;
    struct device_rank rank = {.run = run, .index = index};
    double *scratch = malloc(run->rows * sizeof *scratch);
    if (!scratch) return bench_complain(device_group_of(&rank), "out of memory");
    int result = device_rank_set_up(&rank);
    for (uint32_t i = 0; i < run->bench->count && result == 0; i++)
        result = measure_shape(&rank, i, scratch);
    free(scratch);
    return result;
}

/* What joins a group of the other build: the rest of the library is the same in both. */
static device_create_function other_create(const struct device_rank *rank)
{
    char path[1024];
    device_create_function create = NULL;
    snprintf(path, sizeof path, "%s/libdeepxtrace-ep.so.0", rank->run->bench->against);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *address = library ? dlsym(library, "dxt_ep_create") : NULL;
    if (!address) bench_complain(device_group_of(rank), "%s", dlerror());
    memcpy(&create, &address, sizeof create);
    return create;
}

/* Half the rows with new groups; in the second half they are made in the other order. */
static int measure_half(struct device_rank *rank, uint32_t half,
                        const device_create_function *creates)
{
    const struct device_run *run = rank->run;
    void *graphs[DEVICE_VARIANTS] = {NULL};
    dxt_ep *eps[DEVICE_VARIANTS] = {NULL};
    for (uint32_t i = 0; i < DEVICE_VARIANTS; i++) {
        uint32_t variant = (i + half) % DEVICE_VARIANTS;
        bool probe = run->what == PAIRS_PROBE && variant == 0;
        dxt_ep *ep = device_rank_join(rank, creates[variant], run->bench->tokens[0],
                                      run->fd[half * DEVICE_VARIANTS + i], probe);
        if (!ep || operate(rank, ep) != 0) return -1;
        eps[variant] = ep;
        graphs[variant] = capture(rank, ep, true, true, BENCH_IN_A_ROW);
        if (!graphs[variant]) return -1;
    }
    uint32_t first = half * (run->rows / DEVICE_HALVES);
    uint32_t rows = half + 1 < DEVICE_HALVES ? run->rows / DEVICE_HALVES : run->rows - first;
    if (replay(rank, graphs, DEVICE_VARIANTS, first, rows) != 0) return -1;
    for (uint32_t i = 0; i < DEVICE_VARIANTS; i++) {
        rank->device->graph_destroy(graphs[i]);
        dxt_ep_destroy(eps[i]);
    }
    return bench_meet(device_group_of(rank));
}

static int measure_pairs(void *context, uint32_t index)
{
    const struct device_run *run = context;
    struct device_rank rank = {.run = run, .index = index};
    load_shape shape = run->bench->shape;
    shape.tokens = run->bench->tokens[0];
    device_create_function creates[DEVICE_VARIANTS] = {dxt_ep_create, dxt_ep_create};
    int result = device_rank_set_up(&rank);
    if (result == 0 && run->what == PAIRS_NULL && !(creates[1] = other_create(&rank))) return -1;
    if (result == 0 && !(rank.load = device_load_create(rank.device, &shape, index)))
        return device_rank_failed(&rank, "cannot make the buffers");
    for (uint32_t half = 0; half < DEVICE_HALVES && result == 0; half++)
        result = measure_half(&rank, half, creates);
    return result;
}

/* ---- the parent ---- */

static int make_groups(struct device_run *run, uint32_t count, char error[256])
{
    for (uint32_t i = 0; i < count; i++) {
        size_t size = 0;
        const load_shape *shape = &run->bench->shape;
        dxt_ep_config config = {.struct_size = sizeof config,
                                .engine = run->bench->engine,
                                .ranks = shape->ranks,
                                .max_tokens = run->bench->tokens[i % run->bench->count],
                                .hidden = shape->hidden,
                                .experts = shape->experts,
                                .max_topk = shape->topk};
        if (dxt_ep_buffer_size(&config, &size) != DXT_OK) {
            snprintf(error, 256, "%s", dxt_ep_error());
            return -1;
        }
        run->fd[i] = memfd_create("deepxtrace-bench", MFD_CLOEXEC);
        if (run->fd[i] < 0 || ftruncate(run->fd[i], (off_t)size) != 0) {
            snprintf(error, 256, "cannot make %zu bytes of shared memory", size);
            return -1;
        }
    }
    return 0;
}

static int perform(struct device_run *run, uint32_t groups, bench_body body, char error[256])
{
    const char *why = NULL;
    uint32_t ranks = run->bench->shape.ranks;
    for (size_t i = 0; i < sizeof run->fd / sizeof run->fd[0]; i++) run->fd[i] = -1;
    if (!device_find(run->bench->engine, &why)) {
        snprintf(error, 256, "%s", why);
        return -1;
    }
    if (ranks > BENCH_MAX_RANKS || run->rows > MOST_REPEAT) {
        snprintf(error, 256, "ranks must be 1 to %u, and repetitions 1 to %u", BENCH_MAX_RANKS,
                 MOST_REPEAT);
        return -1;
    }
    size_t page = 4096,
           size = sizeof *run->shared + sizeof(double) * DEVICE_VARIANTS * ranks * run->rows;
    run->shared_size = (size + page - 1) / page * page;
    run->shared =
        mmap(NULL, run->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run->shared == MAP_FAILED) {
        snprintf(error, 256, "out of memory");
        return -1;
    }
    run->shared->group.ranks = ranks;
    int result = make_groups(run, groups, error);
    if (result == 0 && (result = bench_start(&run->shared->group, body, run)) != 0)
        snprintf(error, 256, "%s", run->shared->group.error);
    for (size_t i = 0; i < sizeof run->fd / sizeof run->fd[0]; i++)
        if (run->fd[i] >= 0) close(run->fd[i]);
    if (result != 0) munmap(run->shared, run->shared_size);
    return result;
}

int device_bench_times(const device_bench *bench, device_times *times, char about[128],
                       char error[256])
{
    struct device_run run = {.bench = bench, .rows = bench->repeat};
    if (perform(&run, bench->count, measure_times, error) != 0) return -1;
    for (uint32_t i = 0; i < bench->count; i++) times[i] = run.shared->results[i];
    snprintf(about, 128, "%s", run.shared->about);
    munmap(run.shared, run.shared_size);
    return 0;
}

int device_bench_pairs(const device_bench *bench, int what, device_pairs *pairs, char error[256])
{
    struct device_run run = {
        .bench = bench, .what = what, .rows = bench->repeat < 8 ? 8 : bench->repeat};
    if (perform(&run, DEVICE_HALVES * DEVICE_VARIANTS, measure_pairs, error) != 0) return -1;
    double *scratch = malloc(run.rows * sizeof *scratch);
    if (scratch) {
        for (uint32_t i = 0; i < run.rows; i++) scratch[i] = slowest(&run, i, 0);
        pairs->first_ns = bench_quantile(scratch, run.rows, 0.5) / BENCH_IN_A_ROW;
        for (uint32_t i = 0; i < run.rows; i++) scratch[i] = slowest(&run, i, 1);
        pairs->second_ns = bench_quantile(scratch, run.rows, 0.5) / BENCH_IN_A_ROW;
        for (uint32_t i = 0; i < run.rows; i++)
            scratch[i] = slowest(&run, i, 0) / slowest(&run, i, 1);
        pairs->ratio = bench_quantile(scratch, run.rows, 0.5);
        /* Binomial ranks of the median, by the normal approximation; sorted by now. */
        double half = 0.98 * sqrt((double)run.rows);
        uint32_t low = (uint32_t)fmax(0, floor((double)run.rows / 2 - half));
        pairs->low = scratch[low];
        pairs->high = scratch[run.rows - 1 - low];
    } else {
        snprintf(error, 256, "out of memory");
    }
    munmap(run.shared, run.shared_size);
    free(scratch);
    return scratch ? 0 : -1;
}
