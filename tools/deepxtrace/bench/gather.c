/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "progress.h"

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

static outcome make_group(group *g, uint32_t ranks)
{
    *g = (group){.ranks = ranks, .mail_size = dxt_session_mail_size(DXT_EP_OPERATORS, ranks)};
    size_t size = dxt_gather_local_size(ranks, g->mail_size);
    if (size == 0)
        return complain("bench", "--ranks: %u is too many; give at most %u", ranks, DXT_MAX_RANKS);
    g->ends = calloc(ranks, sizeof(dxt_gather *));
    g->mail = calloc(1, g->mail_size);
    if (!g->ends || !g->mail || posix_memalign(&g->memory, 4096, size) != 0) {
        g->memory = NULL;
        return bench_no_memory();
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
        if (status != DXT_OK) return complain_status("bench", status);
    }
    return GO_ON;
}

/* One round: every rank publishes, rank 0 collects from all. */
static dxt_status round_trip(const group *g, uint64_t sequence, double *publish_ns,
                             double *collect_ns)
{
    dxt_status status = DXT_OK;
    double begin_ns = bench_now_ns();
    for (uint32_t r = 0; r < g->ranks && status == DXT_OK; r++)
        status = dxt_gather_publish(g->ends[r], sequence, g->mail, g->mail_size);
    *publish_ns = (bench_now_ns() - begin_ns) / g->ranks;
    begin_ns = bench_now_ns();
    size_t size;
    for (uint32_t r = 0; r < g->ranks && status == DXT_OK; r++)
        status = dxt_gather_collect(g->ends[0], r, sequence, g->mail, g->mail_size, &size, NULL);
    *collect_ns = bench_now_ns() - begin_ns;
    return status;
}

/* ---- whole windows ---- */

/* Mails that a mailbox keeps make so many windows. */
#define WINDOWS (DXT_GATHER_DEPTH - 1)

/* Something to count: no two cells are the same. */
static void count_waits(dxt_probe *probe, uint32_t rank)
{
    for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++) {
        dxt_probe_op op;
        dxt_probe_begin(&op, probe, o);
        for (uint32_t source = 0; source < probe->sources; source++)
            dxt_probe_wait(&op, source, 5000 + (source * 7919 + rank * 104729) % 5000, 4096);
        dxt_probe_end(&op);
    }
}

/* Let a rank publish the mails of all windows; those of rank 0 are its own to collect. */
static dxt_status play(const group *g, uint32_t rank, double *busy_ns)
{
    dxt_probe *probe = NULL;
    dxt_session *session = NULL;
    dxt_status status = dxt_probe_create(DXT_EP_OPERATORS, g->ranks, &probe);
    const dxt_session_config config = {.struct_size = sizeof config,
                                       .gather = g->ends[rank],
                                       .probe = probe,
                                       .interval_ops = 1,
                                       .node = -1};
    if (status == DXT_OK) status = dxt_session_create(&config, &session);
    for (uint32_t w = 0; w < WINDOWS && status == DXT_OK; w++) {
        count_waits(probe, rank);
        double begin_ns = bench_thread_ns();
        status = dxt_session_step(session);
        busy_ns[w] = bench_thread_ns() - begin_ns;
    }
    dxt_session_destroy(session);
    dxt_probe_destroy(probe);
    return status;
}

/* What rank 0 is busy with in a window, from its own mail to the findings. */
static outcome replay(uint32_t ranks, double *busy_ns)
{
    group g;
    double all_ns[WINDOWS] = {0};
    outcome result = make_group(&g, ranks);
    dxt_status status = DXT_OK;
    for (uint32_t r = ranks; r-- > 0 && result == GO_ON && status == DXT_OK;) {
        progress("deepxtrace bench: windows of %u ranks, %u of %u mailboxes", ranks, ranks - r - 1,
                 ranks);
        status = play(&g, r, all_ns);
    }
    drop_group(&g);
    if (result != GO_ON) return result;
    if (status != DXT_OK) return complain_status("bench", status);
    *busy_ns = bench_quantile(all_ns, WINDOWS, 0.5);
    return GO_ON;
}

/* ---- the table ---- */

static void print_row(const bench_options *bench, const group *g, double publish_us,
                      double collect_us, double busy_us)
{
    /* At a window a second. */
    double share = busy_us / 1e6, bytes = (double)g->ranks * (double)g->mail_size;
    if (bench->json)
        stdout_printf("{\"v\": 1, \"bench\": \"gather\", \"ranks\": %u, \"mail_bytes\": %zu, "
                      "\"window_bytes\": %.0f, \"publish_us\": %.3f, "
                      "\"collect_all_us\": %.3f, \"busy_us\": %.3f, \"share\": %.6f}\n",
                      g->ranks, g->mail_size, bytes, publish_us, collect_us, busy_us, share);
    else
        stdout_printf("%8u%12zu%12.3f%12.2f%12.1f%12.1f%10.3f %%\n", g->ranks, g->mail_size,
                      bytes / 1e6, publish_us, collect_us, busy_us, 100.0 * share);
    stdout_flush();
}

static outcome measure(const bench_options *bench, uint32_t ranks, double *publish_ns,
                       double *collect_ns, size_t repeat)
{
    group g;
    double busy_ns = 0;
    outcome result = make_group(&g, ranks);
    dxt_status status = DXT_OK;
    for (size_t i = 0; result == GO_ON && status == DXT_OK && i < repeat; i++) {
        progress("deepxtrace bench: gather from %u ranks, %zu of %zu", ranks, i, repeat);
        status = round_trip(&g, i + 1, &publish_ns[i], &collect_ns[i]);
    }
    drop_group(&g);
    if (result != GO_ON) return result;
    if (status != DXT_OK) return complain_status("bench", status);
    result = replay(ranks, &busy_ns);
    if (result != GO_ON) return result;
    print_row(bench, &g, bench_quantile(publish_ns, repeat, 0.5) / 1e3,
              bench_quantile(collect_ns, repeat, 0.5) / 1e3, busy_ns / 1e3);
    return EXIT_DONE;
}

outcome bench_gather(const bench_options *bench)
{
    if (bench->mpi) return bench_gather_mpi(bench);
    uint64_t largest = bench->ranks ? bench->ranks : 128;
    size_t repeat = bench->repeat ? bench->repeat : 50;
    double *publish_ns = calloc(repeat, sizeof *publish_ns);
    double *collect_ns = calloc(repeat, sizeof *collect_ns);
    outcome result = publish_ns && collect_ns ? EXIT_DONE : bench_no_memory();
    if (result == EXIT_DONE && !bench->json)
        stdout_printf("Local mailboxes, median of %zu, in µs; rank 0 with all that a window "
                      "takes, median of %u\n%8s%12s%12s%12s%12s%12s%12s\n%32s%12s%12s%12s"
                      "%12s\n",
                      repeat, WINDOWS, "ranks", "mail bytes", "MB/window", "publish", "collect",
                      "rank 0", "of a core", "", "one", "all", "is busy", "at 1/s");
    uint64_t ranks = 2;
    for (; ranks <= largest && result == EXIT_DONE; ranks *= 4)
        result = measure(bench, (uint32_t)ranks, publish_ns, collect_ns, repeat);
    /* The largest, also when it is no power of four. */
    if (result == EXIT_DONE && ranks / 4 != largest)
        result = measure(bench, (uint32_t)largest, publish_ns, collect_ns, repeat);
    free(publish_ns);
    free(collect_ns);
    return result;
}
