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

static int measure(const dxt_bench *bench, uint32_t ranks, double *publish_ns, double *collect_ns,
                   size_t repeat)
{
    group g;
    int result = make_group(&g, ranks);
    dxt_status status = DXT_OK;
    for (size_t i = 0; result < 0 && status == DXT_OK && i < repeat; i++)
        status = round_trip(&g, i + 1, &publish_ns[i], &collect_ns[i]);
    size_t mail_size = g.mail_size;
    drop_group(&g);
    if (result >= 0) return result;
    if (status != DXT_OK) return dxt_complain_status("bench", status);
    double publish_us = dxt_bench_quantile(publish_ns, repeat, 0.5) / 1e3;
    double collect_us = dxt_bench_quantile(collect_ns, repeat, 0.5) / 1e3;
    if (bench->json)
        dxt_stdout_printf("{\"v\": 1, \"bench\": \"gather\", \"ranks\": %u, \"mail_bytes\": %zu, "
                          "\"publish_us\": %.3f, \"collect_all_us\": %.3f}\n",
                          ranks, mail_size, publish_us, collect_us);
    else
        dxt_stdout_printf("%8u%16zu%16.2f%16.2f\n", ranks, mail_size, publish_us, collect_us);
    dxt_stdout_flush();
    return DXT_EXIT_DONE;
}

int dxt_bench_gather(const dxt_bench *bench)
{
    uint64_t largest = bench->ranks ? bench->ranks : 128;
    size_t repeat = bench->repeat ? bench->repeat : 50;
    double *publish_ns = calloc(repeat, sizeof *publish_ns);
    double *collect_ns = calloc(repeat, sizeof *collect_ns);
    int result = publish_ns && collect_ns ? DXT_EXIT_DONE : dxt_bench_no_memory();
    if (result == DXT_EXIT_DONE && !bench->json)
        dxt_stdout_printf("Local mailboxes, median of %zu, in µs\n%8s%16s%16s%16s\n", repeat,
                          "ranks", "mail bytes", "publish one", "collect all");
    for (uint64_t ranks = 2; ranks <= largest && result == DXT_EXIT_DONE; ranks *= 4)
        result = measure(bench, (uint32_t)ranks, publish_ns, collect_ns, repeat);
    free(publish_ns);
    free(collect_ns);
    return result;
}
