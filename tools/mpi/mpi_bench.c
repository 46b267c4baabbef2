/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mpi_bench [TOKENS [HIDDEN [TIMES]]], under mpirun: dispatch and combine of the engine on MPI, of
 * the one on shared memory where all ranks are on one node, and the same bytes by MPI itself: as
 * one MPI_Alltoallv, as messages with receives that wait, and as puts with flags. All take turns,
 * so that what disturbs one disturbs them all; the figures are medians of rank 0 in µs.
 */
#include <fcntl.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <deepxtrace/ep.h>

#include "system/clock.h"
#include "system/order.h"

enum { TOPK = 8, EXPERTS_PER_RANK = 8, OPERATORS = 2 };
enum way { ENGINE_MPI, ENGINE_SHM, ALLTOALLV, MESSAGES, PUTS, WAYS };
static const char *const way_names[] = {"ep/mpi", "ep/shm", "MPI_Alltoallv", "messages", "puts"};
static const char *const operator_names[] = {"dispatch", "combine"};

static int rank, ranks;
static uint32_t tokens = 128, hidden = 7168, times = 200;

/* Bytes from each to each, as MPI moves them. */
typedef struct traffic {
    int *send_counts, *send_offsets, *recv_counts, *recv_offsets;
    unsigned char *out, *in;
    MPI_Request *sends, *recvs;
    MPI_Status *statuses;
    MPI_Win window; /* MPI_WIN_NULL: this MPI has none here */
    unsigned char *base;
    size_t flags, region; /* offsets in a window */
    uint64_t flag;
} traffic;

typedef struct group {
    dxt_ep *ep;
    uint16_t *recv_x;
    dxt_ep_dispatch dispatch;
    dxt_ep_combine combine;
} group;

static void *need(void *memory)
{
    if (!memory) MPI_Abort(MPI_COMM_WORLD, 1);
    return memory;
}

static double now_us(void)
{
    return (double)dxt_clock_ns(CLOCK_MONOTONIC) * 1e-3;
}

static void *room(size_t count, size_t size)
{
    void *memory = mmap(NULL, count * size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return need(memory == MAP_FAILED ? NULL : memory);
}

/* ---- the engines ---- */

static int share(size_t size)
{
    char name[64];
    int pid = (int)getpid();
    MPI_Bcast(&pid, 1, MPI_INT, 0, MPI_COMM_WORLD);
    snprintf(name, sizeof name, "/dxt-mpi-bench-%d", pid);
    if (rank == 0) {
        int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd < 0 || ftruncate(fd, (off_t)size) != 0) MPI_Abort(MPI_COMM_WORLD, 1);
        close(fd);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    int fd = shm_open(name, O_RDWR, 0);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) shm_unlink(name);
    return fd;
}

static bool one_node(void)
{
    MPI_Comm node;
    int size;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Comm_size(node, &size);
    MPI_Comm_free(&node);
    return size == ranks;
}

static void open_group(group *g, const char *engine, const uint16_t *x, const int64_t *routes,
                       const float *weights)
{
    uint32_t experts = (uint32_t)ranks * EXPERTS_PER_RANK;
    size_t slots = (size_t)ranks * tokens, size = 0;
    dxt_ep_config config = {.struct_size = sizeof config,
                            .engine = engine,
                            .rank = (uint32_t)rank,
                            .ranks = (uint32_t)ranks,
                            .max_tokens = tokens,
                            .hidden = hidden,
                            .experts = experts,
                            .max_topk = TOPK,
                            .fd = -1};
    if (dxt_ep_buffer_size(&config, &size) == DXT_OK && size > 0) config.fd = share(size);
    if (dxt_ep_create(&config, &g->ep) != DXT_OK) {
        fprintf(stderr, "%s: %s\n", engine, dxt_ep_error());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    g->recv_x = room(EXPERTS_PER_RANK * slots, hidden * sizeof *g->recv_x);
    dxt_ep_handle handle = {
        .src_info = room(EXPERTS_PER_RANK * slots, sizeof *handle.src_info),
        .src_slot = room(EXPERTS_PER_RANK * slots, sizeof *handle.src_slot),
        .layout_range = room(EXPERTS_PER_RANK * (size_t)ranks, sizeof *handle.layout_range)};
    g->dispatch = (dxt_ep_dispatch){.struct_size = sizeof g->dispatch,
                                    .x = x,
                                    .topk_idx = routes,
                                    .tokens = tokens,
                                    .topk = TOPK,
                                    .recv_x = g->recv_x,
                                    .recv_count = room(EXPERTS_PER_RANK, sizeof(int32_t)),
                                    .handle = handle};
    g->combine = (dxt_ep_combine){.struct_size = sizeof g->combine,
                                  .x = g->recv_x,
                                  .handle = handle,
                                  .topk_idx = routes,
                                  .topk_weights = weights,
                                  .tokens = tokens,
                                  .topk = TOPK,
                                  .out = room(tokens, hidden * sizeof(uint16_t))};
}

static void run_group(group *g, int operator_index)
{
    dxt_status status = operator_index == DXT_DISPATCH ? dxt_ep_dispatch_send(g->ep, &g->dispatch)
                                                       : dxt_ep_combine_send(g->ep, &g->combine);
    if (status == DXT_OK)
        status = operator_index == DXT_DISPATCH ? dxt_ep_dispatch_recv(g->ep)
                                                : dxt_ep_combine_recv(g->ep);
    if (status == DXT_OK) return;
    fprintf(stderr, "%s\n", dxt_ep_error());
    MPI_Abort(MPI_COMM_WORLD, 1);
}

/* ---- MPI alone ---- */

static void open_traffic(traffic *t, const int *rows, size_t row)
{
    size_t n = (size_t)ranks, out = 0, in = 0, most = 0;
    t->send_counts = need(calloc(4 * n, sizeof(int)));
    t->send_offsets = t->send_counts + n;
    t->recv_counts = t->send_offsets + n;
    t->recv_offsets = t->recv_counts + n;
    for (size_t r = 0; r < n; r++) t->send_counts[r] = rows[r] * (int)row;
    MPI_Alltoall(t->send_counts, 1, MPI_INT, t->recv_counts, 1, MPI_INT, MPI_COMM_WORLD);
    for (size_t r = 0; r < n; r++) {
        t->send_offsets[r] = (int)out;
        t->recv_offsets[r] = (int)in;
        out += (size_t)t->send_counts[r];
        in += (size_t)t->recv_counts[r];
        if ((size_t)t->send_counts[r] > most) most = (size_t)t->send_counts[r];
    }
    t->out = room(out + 1, 1);
    t->in = room(in + 1, 1);
    memset(t->out, 1, out);
    t->sends = need(malloc(n * sizeof(MPI_Request)));
    t->recvs = need(malloc(n * sizeof(MPI_Request)));
    t->statuses = need(calloc(n, sizeof *t->statuses));
    MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
    t->region = (most + 63) / 64 * 64;
    t->flags = n * t->region;
    t->window = MPI_WIN_NULL;
    if (MPI_Win_allocate((MPI_Aint)(t->flags + n * 64), 1, MPI_INFO_NULL, MPI_COMM_WORLD, &t->base,
                         &t->window) != MPI_SUCCESS) {
        t->window = MPI_WIN_NULL;
        return;
    }
    memset(t->base, 0, t->flags + n * 64);
    MPI_Win_lock_all(MPI_MODE_NOCHECK, t->window);
}

/* Receives wait before anybody sends, as in the engine. */
static void post(traffic *t)
{
    for (int r = 0; r < ranks; r++)
        MPI_Irecv(t->in + t->recv_offsets[r], t->recv_counts[r], MPI_BYTE, r, 7, MPI_COMM_WORLD,
                  &t->recvs[r]);
}

static void messages(traffic *t)
{
    for (int i = 0; i < ranks; i++) {
        int r = (rank + i) % ranks;
        MPI_Isend(t->out + t->send_offsets[r], t->send_counts[r], MPI_BYTE, r, 7, MPI_COMM_WORLD,
                  &t->sends[r]);
    }
    MPI_Waitall(ranks, t->recvs, t->statuses);
    MPI_Waitall(ranks, t->sends, t->statuses);
}

/* Nothing but a flush puts the flag behind the data. */
static void puts_with_flags(traffic *t)
{
    t->flag++;
    for (int i = 0; i < ranks; i++) {
        int r = (rank + i) % ranks;
        MPI_Put(t->out + t->send_offsets[r], t->send_counts[r], MPI_BYTE, r,
                (MPI_Aint)((size_t)rank * t->region), t->send_counts[r], MPI_BYTE, t->window);
    }
    for (int i = 0; i < ranks; i++) {
        int r = (rank + i) % ranks;
        MPI_Win_flush(r, t->window);
        MPI_Put(&t->flag, 1, MPI_UINT64_T, r, (MPI_Aint)(t->flags + (size_t)rank * 64), 1,
                MPI_UINT64_T, t->window);
    }
    MPI_Win_flush_all(t->window);
    for (int r = 0; r < ranks; r++)
        while (*(volatile uint64_t *)(void *)(t->base + t->flags + (size_t)r * 64) < t->flag) {
            int any;
            MPI_Iprobe(MPI_ANY_SOURCE, 8, MPI_COMM_WORLD, &any, MPI_STATUS_IGNORE);
            MPI_Win_sync(t->window);
        }
}

/* ---- measuring ---- */

static double median(const double *values)
{
    double *sorted = need(malloc(times * sizeof *sorted));
    memcpy(sorted, values, times * sizeof *sorted);
    qsort(sorted, times, sizeof *sorted, dxt_ascending);
    double middle = sorted[times / 2];
    free(sorted);
    return middle;
}

static double once(enum way way, int o, group *groups, traffic *t)
{
    if (way == MESSAGES) post(t);
    MPI_Barrier(MPI_COMM_WORLD);
    double begin_us = now_us();
    switch (way) {
    case ENGINE_MPI:
    case ENGINE_SHM: run_group(&groups[way], o); break;
    case ALLTOALLV:
        MPI_Alltoallv(t->out, t->send_counts, t->send_offsets, MPI_BYTE, t->in, t->recv_counts,
                      t->recv_offsets, MPI_BYTE, MPI_COMM_WORLD);
        break;
    case MESSAGES: messages(t); break;
    default: puts_with_flags(t);
    }
    return now_us() - begin_us;
}

static void report(int o, enum way way, const double *took, const double *reference,
                   const traffic *t)
{
    double *ratios = need(malloc(times * sizeof *ratios)), bytes = 0;
    for (uint32_t i = 0; i < times; i++) ratios[i] = took[i] / reference[i];
    for (int r = 0; r < ranks; r++) bytes += r == rank ? 0 : t->send_counts[r];
    printf("%5d%7u%7u  %-9s%-15s%10.0f%11.1f%10.3f\n", ranks, tokens, hidden, operator_names[o],
           way_names[way], bytes / 1e3, median(took), median(ratios));
    free(ratios);
}

/* Rows for each rank: of a dispatch one of each token, of a combine one of each route. What goes
 * out in a combine is what came in for the experts. */
static void count_rows(const int64_t *routes, int *dispatch, int *combine)
{
    int *copies = need(calloc((size_t)ranks, sizeof *copies));
    for (uint32_t t = 0; t < tokens; t++)
        for (uint32_t k = 0; k < TOPK; k++) {
            int owner = (int)(routes[t * TOPK + k] / EXPERTS_PER_RANK), first = 1;
            for (uint32_t j = 0; j < k; j++)
                if (routes[t * TOPK + j] / EXPERTS_PER_RANK == owner) first = 0;
            dispatch[owner] += first;
            copies[owner]++;
        }
    MPI_Alltoall(copies, 1, MPI_INT, combine, 1, MPI_INT, MPI_COMM_WORLD);
    free(copies);
}

static int64_t *choose_routes(void)
{
    uint32_t experts = (uint32_t)ranks * EXPERTS_PER_RANK;
    int64_t *routes = need(calloc((size_t)tokens * TOPK, sizeof *routes));
    uint64_t state = 88172645463325252u + (uint64_t)rank;
    for (uint32_t t = 0; t < tokens; t++)
        for (uint32_t k = 0; k < TOPK; k++) {
            bool taken = true;
            while (taken) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                routes[t * TOPK + k] = (int64_t)(state % experts);
                taken = false;
                for (uint32_t j = 0; j < k; j++)
                    taken |= routes[t * TOPK + j] == routes[t * TOPK + k];
            }
        }
    return routes;
}

int main(int argc, char **argv)
{
    int level;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    uint32_t *const given[] = {&tokens, &hidden, &times};
    for (int i = 1; i < argc && i <= 3; i++) *given[i - 1] = (uint32_t)atoi(argv[i]);
    int64_t *routes = choose_routes();
    uint16_t *x = room((size_t)tokens, hidden * sizeof *x);
    float *weights = need(calloc((size_t)tokens * TOPK, sizeof *weights));
    int *rows[OPERATORS] = {need(calloc((size_t)ranks, sizeof(int))),
                            need(calloc((size_t)ranks, sizeof(int)))};
    count_rows(routes, rows[0], rows[1]);
    traffic traffics[OPERATORS];
    group groups[2];
    memset(traffics, 0, sizeof traffics);
    bool shared = one_node();
    open_group(&groups[ENGINE_MPI], "mpi", x, routes, weights);
    if (shared) open_group(&groups[ENGINE_SHM], "shm", x, routes, weights);
    double *took[WAYS][OPERATORS];
    for (int o = 0; o < OPERATORS; o++) {
        open_traffic(&traffics[o], rows[o], hidden * sizeof *x);
        for (int w = 0; w < WAYS; w++) took[w][o] = need(calloc(times, sizeof(double)));
    }
    const uint32_t warm_up = 10;
    for (uint32_t i = 0; i < times + warm_up; i++)
        for (int w = 0; w < WAYS; w++)
            for (int o = 0; o < OPERATORS; o++) {
                if (w == ENGINE_SHM && !shared) continue;
                if (w == PUTS && traffics[o].window == MPI_WIN_NULL) continue;
                double us = once(w, o, groups, &traffics[o]);
                if (i >= warm_up) took[w][o][i - warm_up] = us;
            }
    if (rank == 0)
        printf("%5s%7s%7s  %-24s%10s%11s%10s\n", "ranks", "tokens", "hidden", "", "kB out",
               "median us", "/Alltoallv");
    for (int o = 0; o < OPERATORS && rank == 0; o++)
        for (int w = 0; w < WAYS; w++)
            if ((w != ENGINE_SHM || shared) && (w != PUTS || traffics[o].window != MPI_WIN_NULL))
                report(o, w, took[w][o], took[ALLTOALLV][o], &traffics[o]);
    fflush(stdout);
    dxt_ep_destroy(groups[ENGINE_MPI].ep);
    if (shared) dxt_ep_destroy(groups[ENGINE_SHM].ep);
    for (int o = 0; o < OPERATORS; o++) {
        if (traffics[o].window == MPI_WIN_NULL) continue;
        MPI_Win_unlock_all(traffics[o].window);
        MPI_Win_free(&traffics[o].window);
    }
    MPI_Finalize();
    return 0;
}
