/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "progress.h"
#include "splitmix.h"

/* A window as a job would give it: a floor, noise, one late rank, which waits for nobody. */
static dxt_status make_window(uint32_t ranks, uint64_t nodes, dxt_window **window)
{
    dxt_status status = dxt_window_create(ranks, "dispatch", window);
    if (status != DXT_OK) return status;
    bool placed = nodes > 0 && 2 * nodes <= ranks;
    if (placed) (*window)->nodes = calloc(ranks, sizeof *(*window)->nodes);
    if (placed && !(*window)->nodes) {
        dxt_window_free(*window);
        return DXT_ERR_NO_MEMORY;
    }
    for (uint32_t r = 0; placed && r < ranks; r++)
        (*window)->nodes[r] = (int32_t)(r * nodes / ranks);
    uint64_t noise = 12345;
    for (size_t c = 0; c < (size_t)ranks * ranks; c++) {
        int64_t wait = 2000000 + (int64_t)(splitmix_next(&noise) >> 44);
        int64_t later = 9000000 * ((c % ranks == 1) - (c / ranks == 1));
        (*window)->wait[c] = wait + later > 0 ? wait + later : 0;
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
        progress("deepxtrace bench: analysis of %u ranks, %zu of %zu", window->ranks, i, repeat);
        double begin_ns = bench_now_ns();
        dxt_status status = dxt_analyze(window, &options, &findings);
        times[i] = bench_now_ns() - begin_ns;
        dxt_findings_free(findings);
        if (status != DXT_OK) return -1.0;
    }
    return bench_quantile(times, repeat, 0.5);
}

/* What any method has to pay: every cell read once. */
static double time_reading(const dxt_window *window, double *times, size_t repeat)
{
    size_t cells = (size_t)window->ranks * window->ranks;
    volatile int64_t sink = 0;
    for (size_t i = 0; i < repeat; i++) {
        double begin_ns = bench_now_ns();
        int64_t sum = 0;
        for (size_t c = 0; c < cells; c++) sum += window->wait[c];
        sink = sum;
        times[i] = bench_now_ns() - begin_ns;
    }
    (void)sink;
    return bench_quantile(times, repeat, 0.5);
}

/* The ratio rule as it is usually written, on a matrix of the same size and kind; prints µs. */
static const char numpy_rule[] =
    "import sys, time\n"
    "import numpy as np\n"
    "n = int(sys.argv[1])\n"
    "wait = np.random.default_rng(1).integers(2000000, 2000000 + (1 << 20), (n, n))\n"
    "wait[:, 1] += 9000000\n"
    "def rule():\n"
    "    matrix = wait.astype(np.float64)\n"
    "    cols, rows = matrix.mean(axis=0), matrix.mean(axis=1)\n"
    "    cols = np.flatnonzero(cols / (cols.mean() + 1e-8) > 3)\n"
    "    rows = np.flatnonzero(rows / (rows.mean() + 1e-8) > 3)\n"
    "    points = matrix / (matrix.mean() + 1e-8) > 5\n"
    "    points[:, cols] = False\n"
    "    points[rows, :] = False\n"
    "    return cols, rows, np.argwhere(points)\n"
    "times = []\n"
    "for i in range(6):\n"
    "    begin = time.perf_counter()\n"
    "    rule()\n"
    "    times.append(time.perf_counter() - begin)\n"
    "print(sorted(times[1:])[2] * 1e6)\n";

/* Median of five by that Python; negative if it has no NumPy, or there is none. */
static double time_numpy(const char *python, uint32_t ranks)
{
    char command[sizeof numpy_rule + 128];
    double time_us = -1.0;
    snprintf(command, sizeof command, "%s -c '%s' %u 2>/dev/null", python, numpy_rule, ranks);
    FILE *answer = popen(command, "re");
    if (!answer) return -1.0;
    if (fscanf(answer, "%lf", &time_us) != 1) time_us = -1.0;
    return pclose(answer) == 0 ? time_us : -1.0;
}

/* The first Python with NumPy; NULL = none. */
static const char *find_numpy(void)
{
    static const char *const pythons[] = {"python3", "/usr/bin/python3"};
    for (size_t i = 0; i < sizeof pythons / sizeof pythons[0]; i++)
        if (time_numpy(pythons[i], 2) >= 0) return pythons[i];
    return NULL;
}

/* What one number of ranks comes to, in µs; negative = not measured. */
typedef struct row {
    uint32_t ranks, nodes; /* 0 = none */
    double robust, ratio, numpy, reading;
} row;

static void print_row(const row *r, bool json, bool numpy)
{
    if (json) {
        stdout_printf("{\"v\": 1, \"bench\": \"analysis\", \"ranks\": %u, \"robust_us\": %.3f, "
                      "\"ratio_us\": %.3f, ",
                      r->ranks, r->robust, r->ratio);
        if (r->nodes > 0) stdout_printf("\"nodes\": %u, ", r->nodes);
        if (r->numpy >= 0) stdout_printf("\"numpy_ratio_us\": %.3f, ", r->numpy);
        stdout_printf("\"read_us\": %.3f}\n", r->reading);
    } else {
        stdout_printf("%8u%16.1f%16.1f", r->ranks, r->robust, r->ratio);
        if (numpy && r->numpy >= 0) stdout_printf("%16.1f", r->numpy);
        if (numpy && r->numpy < 0) stdout_printf("%16s", "-");
        stdout_printf("%16.1f\n", r->reading);
    }
    stdout_flush();
}

static outcome measure(const bench_options *bench, uint32_t ranks, const char *python,
                       double *times, size_t repeat)
{
    dxt_window *window = NULL;
    if (make_window(ranks, bench->nodes, &window) != DXT_OK) return bench_no_memory();
    double robust_ns = time_method(window, DXT_METHOD_ROBUST, times, repeat);
    double ratio_ns = time_method(window, DXT_METHOD_RATIO, times, repeat);
    double read_ns = time_reading(window, times, repeat);
    uint32_t nodes = window->nodes ? (uint32_t)bench->nodes : 0;
    dxt_window_free(window);
    if (robust_ns < 0 || ratio_ns < 0) {
        complain("bench", "%s", dxt_error());
        return EXIT_FAILED;
    }
    const row result = {ranks,
                        nodes,
                        robust_ns / 1e3,
                        ratio_ns / 1e3,
                        python ? time_numpy(python, ranks) : -1.0,
                        read_ns / 1e3};
    print_row(&result, bench->json, python != NULL);
    return EXIT_DONE;
}

outcome bench_analysis(const bench_options *bench)
{
    static const uint32_t sizes[] = {8, 32, 128, 512, 1024, 2048, DXT_MAX_RANKS};
    uint64_t largest = bench->ranks ? bench->ranks : 2048;
    size_t repeat = bench->repeat ? bench->repeat : 20;
    double *times = calloc(repeat, sizeof *times);
    if (!times) return bench_no_memory();
    const char *python = find_numpy();
    if (!bench->json)
        stdout_printf("Analysis of one window, median of %zu, in µs%s\n%8s%16s%16s%s%16s\n", repeat,
                      python ? "; NumPy: of 5" : "", "ranks", "robust", "ratio",
                      python ? "     NumPy ratio" : "", "reading it");
    outcome result = EXIT_DONE;
    if (largest < sizes[0]) result = measure(bench, (uint32_t)largest, python, times, repeat);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && result == EXIT_DONE; i++)
        if (sizes[i] <= largest) result = measure(bench, sizes[i], python, times, repeat);
    free(times);
    return result;
}
