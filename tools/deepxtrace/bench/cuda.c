/* SPDX-License-Identifier: Apache-2.0 */
/* `bench ep` and `bench probe` with an engine whose ranks have a GPU each. */
#include <stdio.h>

#include "bench.h"
#include "device.h"
#include "on_device.h"
#include "options.h"
#include "outcome.h"
#include "output.h"

static const uint32_t token_counts[] = {1, 8, 32, 128, 512};
static const char *const timed[TIME_COUNT] = {"dispatch", "combine", "pair", "in a row"};

/* 256 experts, top 8, FP8 there and BF16 back: what low-latency kernels are usually quoted for. */
static device_bench configure(const bench_options *bench)
{
    uint32_t ranks = bench->ranks ? (uint32_t)bench->ranks : 4;
    device_bench device = {
        .engine = bench->engine,
        .shape = {.ranks = ranks,
                  .hidden = bench->hidden ? (uint32_t)bench->hidden : 7168,
                  .experts = 256 % ranks == 0 ? 256 : 32 * ranks,
                  .topk = 8,
                  .dispatch_format = bench->bf16 ? DXT_EP_BF16 : DXT_EP_FP8,
                  .combine_format = bench->logfmt ? DXT_EP_COMBINE_LOGFMT : DXT_EP_COMBINE_BF16,
                  .hot_rank = DXT_NO_RANK,
                  .seed = 1},
        .tokens = {bench->tokens ? (uint32_t)bench->tokens : 128},
        .count = 1,
        .repeat = bench->repeat ? (uint32_t)bench->repeat : 400,
        .against = bench->against,
    };
    return device;
}

static void describe(const device_bench *bench, char *text, size_t size)
{
    const load_shape *shape = &bench->shape;
    snprintf(text, size, "%u ranks, hidden %u, top %u of %u experts, %s there, %s back",
             shape->ranks, shape->hidden, shape->topk, shape->experts,
             shape->dispatch_format == DXT_EP_FP8 ? "FP8" : "BF16",
             shape->combine_format == DXT_EP_COMBINE_BF16 ? "BF16" : "LogFMT");
}

/* ---- dispatch and combine ---- */

static void print_times(const bench_options *bench, const device_bench *device,
                        const device_times *times, uint32_t tokens, const char *about)
{
    const load_shape *shape = &device->shape;
    for (int what = 0; what < TIME_COUNT; what++) {
        double median_ns = times->median_ns[what];
        double rate = times->bytes[what] / median_ns, part = median_ns / times->limit_ns[what];
        if (bench->json)
            stdout_printf(
                "{\"v\": 1, \"bench\": \"ep\", \"engine\": \"%s\", \"device\": \"%s\", "
                "\"operator\": \"%s\", \"ranks\": %u, \"tokens\": %u, \"hidden\": %u, "
                "\"experts\": %u, \"topk\": %u, \"fp8\": %s, \"logfmt\": %s, \"repeat\": %u, "
                "\"median_us\": %.3f, \"p99_us\": %.3f, \"sent_bytes\": %.0f, "
                "\"gb_per_s\": %.3f, \"limit_us\": %.3f, \"times_limit\": %.3f}\n",
                device->engine, about, timed[what], shape->ranks, tokens, shape->hidden,
                shape->experts, shape->topk,
                shape->dispatch_format == DXT_EP_FP8 ? "true" : "false",
                shape->combine_format == DXT_EP_COMBINE_LOGFMT ? "true" : "false", device->repeat,
                median_ns / 1e3, times->p99_ns[what] / 1e3, times->bytes[what], rate,
                times->limit_ns[what] / 1e3, part);
        else
            stdout_printf("%6u  %-9s%10.2f%10.2f%12.0f%9.1f%10.2f%9.1f\n", tokens, timed[what],
                          median_ns / 1e3, times->p99_ns[what] / 1e3, times->bytes[what] / 1e3,
                          rate, times->limit_ns[what] / 1e3, part);
    }
}

outcome bench_cuda_ep(const bench_options *bench)
{
    char about[128], error[256], shape[128];
    device_times times[BENCH_SHAPES];
    device_bench device = configure(bench);
    device.repeat = bench->repeat ? (uint32_t)bench->repeat : 1000;
    if (!bench->tokens) {
        device.count = sizeof token_counts / sizeof token_counts[0];
        for (uint32_t i = 0; i < device.count; i++) device.tokens[i] = token_counts[i];
    }
    if (device_bench_times(&device, times, about, error) != 0) return bench_failed(error);
    describe(&device, shape, sizeof shape);
    if (!bench->json)
        stdout_printf("Dispatch and combine: %s\n%s\n"
                      "Graphs replayed %u times, slowest rank; limit: %.0f GB/s a rank and "
                      "direction;\nin a row: per pair, %u pairs in a graph\n"
                      "%6s  %-9s%10s%10s%12s%9s%10s%9s\n%6s  %-9s%10s%10s%12s%9s%10s%9s\n",
                      shape, about, device.repeat, LINK_BYTES_PER_S / 1e9, BENCH_IN_A_ROW, "tokens",
                      "", "median", "p99", "sent", "sent", "limit", "median", "", "", "us", "us",
                      "kB", "GB/s", "us", "/limit");
    for (uint32_t i = 0; i < device.count; i++)
        print_times(bench, &device, &times[i], device.tokens[i], about);
    return EXIT_DONE;
}

/* ---- the probe ---- */

static outcome compare(const bench_options *bench, const device_bench *device, int what)
{
    char error[256], shape[128];
    device_pairs pairs;
    if (device_bench_pairs(device, what, &pairs, error) != 0) return bench_failed(error);
    const char *first = what == PAIRS_PROBE ? "on" : "off";
    const char *second = what == PAIRS_PROBE ? "off" : "compiled out";
    describe(device, shape, sizeof shape);
    if (bench->json)
        stdout_printf("{\"v\": 1, \"bench\": \"probe\", \"engine\": \"%s\", \"first\": \"%s\", "
                      "\"second\": \"%s\", \"ranks\": %u, \"tokens\": %u, \"hidden\": %u, "
                      "\"first_us\": %.3f, \"second_us\": %.3f, \"pairs\": %u, "
                      "\"ratio\": %.5f, \"ratio_low\": %.5f, \"ratio_high\": %.5f}\n",
                      device->engine, first, second, device->shape.ranks, device->tokens[0],
                      device->shape.hidden, pairs.first_ns / 1e3, pairs.second_ns / 1e3,
                      device->repeat, pairs.ratio, pairs.low, pairs.high);
    else
        stdout_printf("Probe %s and %s, %u tokens, %s:\n  %.2f us and %.2f us a dispatch and "
                      "combine; ratio, median of %u pairs: %.4f (95 %% within %.4f to %.4f)\n",
                      first, second, device->tokens[0], shape, pairs.first_ns / 1e3,
                      pairs.second_ns / 1e3, device->repeat, pairs.ratio, pairs.low, pairs.high);
    return EXIT_DONE;
}

outcome bench_cuda_probe(const bench_options *bench)
{
    device_bench device = configure(bench);
    if (device.repeat < 8) device.repeat = 8;
    outcome result = compare(bench, &device, PAIRS_PROBE);
    return result == EXIT_DONE && bench->against ? compare(bench, &device, PAIRS_NULL) : result;
}
