/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "bench.h"
#include "ep_bench.h"
#include "options.h"
#include "outcome.h"
#include "output.h"

static const uint32_t token_counts[] = {1, 16, 128};
static const uint32_t hidden_sizes[] = {2048, 7168};

/* 8 experts on each rank, top 8: the shape that low-latency kernels are usually quoted for. */
static struct ep_bench_config shape(const bench_options *bench, uint32_t tokens, uint32_t hidden)
{
    uint32_t ranks = bench->ranks ? (uint32_t)bench->ranks : 2;
    return (struct ep_bench_config){
        .ranks = ranks,
        .tokens = tokens,
        .hidden = hidden,
        .experts = 8 * ranks,
        .topk = 8,
        .dispatch_format = DXT_EP_BF16,
        .combine_format = DXT_EP_COMBINE_BF16,
        .iterations = bench->repeat ? (uint32_t)bench->repeat : 200,
        .warmup = 10,
    };
}

/* ---- dispatch and combine ---- */

static void print_json(const struct ep_bench_config *config, const char *operator_name,
                       const struct ep_bench_latency *latency, double bandwidth, double memcpy_rate)
{
    stdout_printf("{\"v\": 1, \"bench\": \"ep\", \"operator\": \"%s\", \"ranks\": %u, "
                  "\"tokens\": %u, \"hidden\": %u, \"experts\": %u, \"topk\": %u, "
                  "\"median_us\": %.3f, \"p99_us\": %.3f, \"gb_per_s\": %.4f, "
                  "\"memcpy_gb_per_s\": %.4f, \"ratio\": %.4f}\n",
                  operator_name, config->ranks, config->tokens, config->hidden, config->experts,
                  config->topk, latency->median_ns / 1e3, latency->p99_ns / 1e3, bandwidth / 1e9,
                  memcpy_rate / 1e9, bandwidth / memcpy_rate);
}

static void print_row(const struct ep_bench_config *config, const char *operator_name,
                      const struct ep_bench_latency *latency, double bandwidth, double memcpy_rate)
{
    stdout_printf("%6u%7u  %-9s%10.1f%11.1f%9.2f%9.2f%8.2f\n", config->tokens, config->hidden,
                  operator_name, latency->median_ns / 1e3, latency->p99_ns / 1e3, bandwidth / 1e9,
                  memcpy_rate / 1e9, bandwidth / memcpy_rate);
}

static outcome measure(const bench_options *bench, uint32_t tokens, uint32_t hidden)
{
    char error[256];
    struct ep_bench_result r;
    struct ep_bench_config config = shape(bench, tokens, hidden);
    if (ep_bench_run(&config, &r, error, sizeof error) != 0) return bench_failed(error);
    void (*print)(const struct ep_bench_config *, const char *, const struct ep_bench_latency *,
                  double, double) = bench->json ? print_json : print_row;
    print(&config, "dispatch", &r.dispatch, r.dispatch_bytes_per_s, r.memcpy_bytes_per_s);
    print(&config, "combine", &r.combine, r.combine_bytes_per_s, r.memcpy_bytes_per_s);
    stdout_flush();
    return EXIT_DONE;
}

outcome bench_ep(const bench_options *bench)
{
    struct ep_bench_config usual = shape(bench, 1, 128);
    if (!bench->json)
        stdout_printf("Dispatch and combine, BF16, %u ranks, %u experts, top %u, %u times\n"
                      "%6s%7s  %-9s%10s%11s%9s%9s%8s\n%24s%10s%11s%9s%9s%8s\n",
                      usual.ranks, usual.experts, usual.topk, usual.iterations, "tokens", "hidden",
                      "", "median", "p99", "moved", "memcpy", "moved", "", "us", "us", "GB/s",
                      "GB/s", "/memcpy");
    outcome result = EXIT_DONE;
    size_t tokens = sizeof token_counts / sizeof token_counts[0];
    size_t sizes = sizeof hidden_sizes / sizeof hidden_sizes[0];
    for (size_t t = 0; t < (bench->tokens ? 1 : tokens); t++)
        for (size_t h = 0; h < (bench->hidden ? 1 : sizes) && result == EXIT_DONE; h++)
            result = measure(bench, bench->tokens ? (uint32_t)bench->tokens : token_counts[t],
                             bench->hidden ? (uint32_t)bench->hidden : hidden_sizes[h]);
    return result;
}

/* ---- the probe ---- */

static outcome print_pairs(const bench_options *bench, const dxt_probe_cost *cost, double per_ns)
{
    char error[256];
    struct ep_bench_pairs pairs;
    struct ep_bench_config config = shape(bench, bench->tokens ? (uint32_t)bench->tokens : 128,
                                          bench->hidden ? (uint32_t)bench->hidden : 7168);
    uint32_t count = bench->repeat ? (uint32_t)bench->repeat : 400;
    if (count < 8) count = 8;
    config.iterations = count;
    if (ep_bench_probe_pairs(&config, count, &pairs, error, sizeof error) != 0)
        return bench_failed(error);
    if (!bench->json) {
        stdout_printf("\nDispatch and combine with the probe on and off, %u ranks, %u tokens, "
                      "hidden %u\n"
                      "  on %.1f us, off %.1f us; on/off, median of %u pairs: %.4f (95 %% "
                      "within %.4f to %.4f)\n",
                      config.ranks, config.tokens, config.hidden, pairs.on_ns / 1e3,
                      pairs.off_ns / 1e3, pairs.pairs, pairs.ratio, pairs.ratio_low,
                      pairs.ratio_high);
        return EXIT_DONE;
    }
    stdout_printf("{\"v\": 1, \"bench\": \"probe\", \"clock_ns\": %.2f, \"wait_ns\": %.2f, "
                  "\"wait_cycles\": %.1f, \"wait_shared_ns\": %.2f, \"null_wait_ns\": %.2f, "
                  "\"operation_ns\": %.2f, \"ranks\": %u, \"tokens\": %u, \"hidden\": %u, "
                  "\"on_us\": %.3f, \"off_us\": %.3f, \"pairs\": %u, \"ratio\": %.5f, "
                  "\"ratio_low\": %.5f, \"ratio_high\": %.5f}\n",
                  cost->clock_ns, cost->wait_ns, cost->wait_ns * per_ns, cost->wait_shared_ns,
                  cost->null_wait_ns, cost->operation_ns, config.ranks, config.tokens,
                  config.hidden, pairs.on_ns / 1e3, pairs.off_ns / 1e3, pairs.pairs, pairs.ratio,
                  pairs.ratio_low, pairs.ratio_high);
    return EXIT_DONE;
}

outcome bench_probe(const bench_options *bench)
{
    dxt_probe_cost cost = {.struct_size = sizeof cost};
    uint32_t sources = bench->ranks ? (uint32_t)bench->ranks : 2;
    dxt_status status = dxt_probe_calibrate(sources, &cost);
    if (status != DXT_OK) return complain_status("bench", status);
    double per_ns = (double)dxt_probe_clock_rate() / 1e9;
    const struct {
        const char *name;
        double ns;
    } rows[] = {{"read the clock", cost.clock_ns},
                {"count one wait, clock read included", cost.wait_ns},
                {"the same, several writers", cost.wait_shared_ns},
                {"the same, probe off", cost.null_wait_ns},
                {"begin and end one operation", cost.operation_ns}};
    if (!bench->json) {
        stdout_printf("Counting, %u sources, clock %.3f GHz%*s%8s%9s\n", sources, per_ns, 5, "",
                      "ns", "cycles");
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            stdout_printf("  %-38s%8.2f%9.1f\n", rows[i].name, rows[i].ns, rows[i].ns * per_ns);
    }
    return print_pairs(bench, &cost, per_ns);
}
