/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_all.h"
#include "commands.h"
#include "options.h"
#include "output.h"

/* A group whose ranks all live here. */
typedef struct group {
    uint32_t ranks;
    size_t mail_size;
    void *memory;
    dxt_gather **ends;
    void *mail;
} group;

static void drop_group(group *g)
{
    for (uint32_t r = 0; g->ends && r < g->ranks; r++) dxt_gather_destroy(g->ends[r]);
    free(g->ends);
    free(g->mail);
    free(g->memory);
}

static int make_group(group *g, uint32_t ranks)
{
    *g = (group){.ranks = ranks, .mail_size = dxt_session_mail_size(DXT_EP_OPERATORS, ranks)};
    size_t size = dxt_gather_local_size(ranks, g->mail_size);
    if (size == 0) return dxt_complain("bench", "--ranks: %u is too many", ranks);
    g->ends = calloc(ranks, sizeof(dxt_gather *));
    g->mail = calloc(1, g->mail_size);
    if (!g->ends || !g->mail || posix_memalign(&g->memory, 4096, size) != 0) {
        g->memory = NULL;
        return dxt_bench_no_memory();
    }
    memset(g->memory, 0, size);
    for (uint32_t r = 0; r < ranks; r++) {
        dxt_gather_local_config config = {
            .struct_size = sizeof config,
            .rank = r,
            .ranks = ranks,
            .mail_capacity = g->mail_size,
            .fd = -1,
            .memory = g->memory,
        };
        dxt_status status = dxt_gather_create_local(&config, &g->ends[r]);
        if (status != DXT_OK) return dxt_complain_status("bench", status);
    }
    return -1;
}

/* One round: every rank publishes, rank 0 collects from all. */
static dxt_status round_trip(const group *g, uint64_t sequence, double *publish_ns,
                             double *collect_ns)
{
    dxt_status status = DXT_OK;
    double begin_ns = dxt_bench_now_ns();
    for (uint32_t r = 0; r < g->ranks && status == DXT_OK; r++)
        status = dxt_gather_publish(g->ends[r], sequence, g->mail, g->mail_size);
    *publish_ns = (dxt_bench_now_ns() - begin_ns) / g->ranks;
    begin_ns = dxt_bench_now_ns();
    size_t size;
    for (uint32_t r = 0; r < g->ranks && status == DXT_OK; r++)
        status = dxt_gather_collect(g->ends[0], r, sequence, g->mail, g->mail_size, &size, NULL);
    *collect_ns = dxt_bench_now_ns() - begin_ns;
    return status;
}

/* ---- a window's end ---- */

/* Sessions of all ranks over the same counters, so that 1024 of them fit into memory. */
typedef struct job {
    group mailboxes;
    dxt_probe *probe;
    dxt_session **sessions;
} job;

static void drop_job(job *j)
{
    for (uint32_t r = 0; j->sessions && r < j->mailboxes.ranks; r++)
        dxt_session_destroy(j->sessions[r]);
    free(j->sessions);
    dxt_probe_destroy(j->probe);
    drop_group(&j->mailboxes);
}

static int make_job(job *j, uint32_t ranks)
{
    *j = (job){.probe = NULL};
    int result = make_group(&j->mailboxes, ranks);
    if (result >= 0) return result;
    j->sessions = calloc(ranks, sizeof(dxt_session *));
    if (!j->sessions) return dxt_bench_no_memory();
    dxt_status status = dxt_probe_create(DXT_EP_OPERATORS, ranks, &j->probe);
    for (uint32_t r = 0; r < ranks && status == DXT_OK; r++) {
        const dxt_session_config config = {.struct_size = sizeof config,
                                           .gather = j->mailboxes.ends[r],
                                           .probe = j->probe,
                                           .interval_ops = 1,
                                           .node = -1};
        status = dxt_session_create(&config, &j->sessions[r]);
    }
    return status == DXT_OK ? -1 : dxt_complain_status("bench", status);
}

/* A hundred operations in which everybody waits about as long for everybody. */
static void count_waits(dxt_probe *probe, uint64_t window)
{
    uint64_t noise = window;
    for (uint32_t o = 0; o < probe->operators; o++) {
        dxt_probe_operator(probe, o)->ops += 100;
        for (uint32_t s = 0; s < probe->sources; s++) {
            dxt_cell *cell = dxt_probe_cell(probe, o, s);
            noise = noise * UINT64_C(6364136223846793005) + 1;
            cell->wait_ticks_sum += 5000000 + (noise >> 44);
            cell->samples += 100;
            cell->bytes += 409600;
            cell->last_count += noise >> 61;
        }
    }
}

/* What rank 0 does when a window ends and all mails are there: publish its own, collect, diagnose.
 * The first window, which allocates, is not measured. */
static int measure_window(uint32_t ranks, double *window_ns, size_t repeat)
{
    job j;
    int result = make_job(&j, ranks);
    dxt_status status = DXT_OK;
    for (size_t i = 0; result < 0 && status == DXT_OK && i <= repeat; i++) {
        count_waits(j.probe, i);
        for (uint32_t r = ranks; r-- > 1 && status == DXT_OK;)
            status = dxt_session_step(j.sessions[r]);
        double begin_ns = dxt_bench_now_ns();
        if (status == DXT_OK) status = dxt_session_step(j.sessions[0]);
        if (i > 0) window_ns[i - 1] = dxt_bench_now_ns() - begin_ns;
    }
    drop_job(&j);
    return status == DXT_OK ? result : dxt_complain_status("bench", status);
}

/* ---- the table ---- */

static int measure_transport(uint32_t ranks, double *publish_ns, double *collect_ns, size_t repeat)
{
    group g;
    int result = make_group(&g, ranks);
    dxt_status status = DXT_OK;
    for (size_t i = 0; result < 0 && status == DXT_OK && i < repeat; i++)
        status = round_trip(&g, i + 1, &publish_ns[i], &collect_ns[i]);
    drop_group(&g);
    return status == DXT_OK ? result : dxt_complain_status("bench", status);
}

static int measure(const dxt_bench *bench, uint32_t ranks, double *times_ns, size_t repeat)
{
    double *publish_ns = times_ns, *collect_ns = times_ns + repeat;
    double *window_ns = times_ns + 2 * repeat;
    int result = measure_transport(ranks, publish_ns, collect_ns, repeat);
    if (result < 0) result = measure_window(ranks, window_ns, repeat);
    if (result >= 0) return result;
    size_t mail_size = dxt_session_mail_size(DXT_EP_OPERATORS, ranks);
    double publish_us = dxt_bench_quantile(publish_ns, repeat, 0.5) / 1e3;
    double collect_us = dxt_bench_quantile(collect_ns, repeat, 0.5) / 1e3;
    double window_us = dxt_bench_quantile(window_ns, repeat, 0.5) / 1e3;
    if (bench->json)
        dxt_stdout_printf("{\"v\": 1, \"bench\": \"gather\", \"ranks\": %u, \"mail_bytes\": %zu, "
                          "\"publish_us\": %.3f, \"collect_all_us\": %.3f, \"window_us\": %.3f}\n",
                          ranks, mail_size, publish_us, collect_us, window_us);
    else
        dxt_stdout_printf("%8u%16zu%16.2f%16.2f%16.2f\n", ranks, mail_size, publish_us, collect_us,
                          window_us);
    dxt_stdout_flush();
    return -1;
}

int dxt_bench_gather(const dxt_bench *bench)
{
    uint64_t largest = bench->ranks ? bench->ranks : 128, ranks = 2;
    size_t repeat = bench->repeat ? bench->repeat : 50;
    double *times_ns = calloc(3 * repeat, sizeof *times_ns);
    int result = times_ns ? -1 : dxt_bench_no_memory();
    if (result < 0 && !bench->json)
        dxt_stdout_printf("Local mailboxes, and rank 0 at the end of a window; median of %zu, in "
                          "µs\n%8s%16s%16s%16s%16s\n",
                          repeat, "ranks", "mail bytes", "publish one", "collect all",
                          "window's end");
    while (result < 0) {
        result = measure(bench, (uint32_t)ranks, times_ns, repeat);
        if (ranks == largest) break;
        ranks = 4 * ranks < largest ? 4 * ranks : largest;
    }
    free(times_ns);
    return result < 0 ? DXT_EXIT_DONE : result;
}
