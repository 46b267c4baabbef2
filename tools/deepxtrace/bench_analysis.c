/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "bench_all.h"
#include "commands.h"
#include "options.h"
#include "output.h"

/* A window as a job would give it: a floor, noise, one late rank. */
static dxt_status make_window(uint32_t ranks, dxt_window **window)
{
    dxt_status status = dxt_window_create(ranks, "dispatch", window);
    if (status != DXT_OK) return status;
    uint64_t noise = 12345;
    for (size_t c = 0; c < (size_t)ranks * ranks; c++) {
        noise = noise * 6364136223846793005u + 1442695040888963407u;
        (*window)->wait[c] = 2000000 + (int64_t)(noise >> 44) + (c % ranks == 1 ? 9000000 : 0);
    }
    (*window)->unit = DXT_UNIT_NS;
    (*window)->ops = 100;
    (*window)->samples_each = 100;
    (*window)->elapsed_ns = 100000000;
    return DXT_OK;
}

/* Time of one method in ns; negative on failure. */
static double time_method(const dxt_window *window, dxt_method method, double *times, size_t repeat)
{
    dxt_analysis_options options = {.struct_size = sizeof options, .method = method};
    for (size_t i = 0; i < repeat; i++) {
        dxt_findings *findings = NULL;
        double begin_ns = dxt_bench_now_ns();
        dxt_status status = dxt_analyze(window, &options, &findings);
        times[i] = dxt_bench_now_ns() - begin_ns;
        dxt_findings_free(findings);
        if (status != DXT_OK) return -1.0;
    }
    return dxt_bench_quantile(times, repeat, 0.5);
}

/* What any method has to pay: every cell read once. */
static double time_reading(const dxt_window *window, double *times, size_t repeat)
{
    size_t cells = (size_t)window->ranks * window->ranks;
    volatile int64_t sink = 0;
    for (size_t i = 0; i < repeat; i++) {
        double begin_ns = dxt_bench_now_ns();
        int64_t sum = 0;
        for (size_t c = 0; c < cells; c++) sum += window->wait[c];
        sink = sum;
        times[i] = dxt_bench_now_ns() - begin_ns;
    }
    (void)sink;
    return dxt_bench_quantile(times, repeat, 0.5);
}

static int measure(const dxt_bench *bench, uint32_t ranks, double *times, size_t repeat)
{
    dxt_window *window = NULL;
    if (make_window(ranks, &window) != DXT_OK) return dxt_bench_no_memory();
    double robust_ns = time_method(window, DXT_METHOD_ROBUST, times, repeat);
    double ratio_ns = time_method(window, DXT_METHOD_RATIO, times, repeat);
    double read_ns = time_reading(window, times, repeat);
    dxt_window_free(window);
    if (robust_ns < 0 || ratio_ns < 0) {
        dxt_complain("bench", "%s", dxt_error());
        return DXT_EXIT_FAILED;
    }
    if (bench->json)
        dxt_stdout_printf("{\"v\": 1, \"bench\": \"analysis\", \"ranks\": %u, \"robust_us\": %.3f, "
                          "\"ratio_us\": %.3f, \"read_us\": %.3f}\n",
                          ranks, robust_ns / 1e3, ratio_ns / 1e3, read_ns / 1e3);
    else
        dxt_stdout_printf("%8u%16.1f%16.1f%16.1f\n", ranks, robust_ns / 1e3, ratio_ns / 1e3,
                          read_ns / 1e3);
    dxt_stdout_flush();
    return DXT_EXIT_DONE;
}

int dxt_bench_analysis(const dxt_bench *bench)
{
    uint64_t largest = bench->ranks ? bench->ranks : 2048;
    size_t repeat = bench->repeat ? bench->repeat : 20;
    double *times = calloc(repeat, sizeof *times);
    if (!times) return dxt_bench_no_memory();
    if (!bench->json)
        dxt_stdout_printf("Analysis of one window, median of %zu, in µs\n%8s%16s%16s%16s\n", repeat,
                          "ranks", "robust", "ratio", "reading it");
    int result = DXT_EXIT_DONE;
    uint64_t ranks = largest < 8 ? largest : 8;
    for (; ranks <= largest && result == DXT_EXIT_DONE; ranks *= 4)
        result = measure(bench, (uint32_t)ranks, times, repeat);
    free(times);
    return result;
}
