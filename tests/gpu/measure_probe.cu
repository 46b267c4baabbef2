/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the probe of probe.cuh costs on a GPU: cycles of one counted wait, with counters and with a
 * NULL probe, by one warp whose lanes are sources; cycles of reading either clock; and the step of
 * %globaltimer. Prints one line each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include <deepxtrace/probe.cuh>
#include <deepxtrace/probe.h>

#define ROUNDS 1000
#define INNER 64

static void check(cudaError_t error, const char *what)
{
    if (error == cudaSuccess) return;
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
    exit(1);
}

/* Waits that end at once, as those in a healthy kernel do from the probe's point of view. */
static __global__ void count_waits(dxt_probe *probe, uint64_t *cycles, uint32_t lanes)
{
    for (int round = 0; round < ROUNDS; round++) {
        __syncwarp();
        int64_t begin = clock64();
        for (int i = 0; i < INNER; i++) {
            if (threadIdx.x < lanes) {
                dxt_gpu_wait wait;
                dxt_gpu_begin(&wait, probe, DXT_DISPATCH);
                dxt_gpu_poll(&wait);
                dxt_gpu_end(&wait, threadIdx.x, 1, 7392);
            }
            asm volatile("" ::: "memory");
        }
        __syncwarp();
        if (threadIdx.x == 0) cycles[round] = (uint64_t)(clock64() - begin);
    }
}

/* The loop alone. */
static __global__ void count_nothing(uint64_t *cycles)
{
    for (int round = 0; round < ROUNDS; round++) {
        __syncwarp();
        int64_t begin = clock64();
#pragma unroll 1
        for (int i = 0; i < INNER; i++) asm volatile("" ::: "memory");
        __syncwarp();
        if (threadIdx.x == 0) cycles[round] = (uint64_t)(clock64() - begin);
    }
}

/* One wait alone, as an operation has it: nothing hides behind anything. */
static __global__ void count_alone(dxt_probe *probe, uint64_t *cycles, uint32_t lanes)
{
    for (int round = 0; round < ROUNDS; round++) {
        __nanosleep(2000);
        __syncwarp();
        int64_t begin = clock64();
        uint64_t ticks = 0;
        dxt_gpu_wait wait;
        dxt_gpu_begin(&wait, probe, DXT_DISPATCH);
        if (threadIdx.x < lanes) {
            dxt_gpu_poll(&wait);
            ticks = dxt_gpu_end(&wait, threadIdx.x, 1, 7392);
        }
        dxt_gpu_warp_finish(&wait, threadIdx.x, ticks, 1);
        __syncwarp();
        if (threadIdx.x == 0) cycles[round] = (uint64_t)(clock64() - begin);
    }
}

static __global__ void read_clocks(uint64_t *cycles, uint64_t *steps, bool global)
{
    uint64_t sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t begin = clock64();
        for (int i = 0; i < INNER; i++) {
            uint64_t now;
            if (global)
                asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
            else
                now = (uint64_t)clock64();
            sum += now;
        }
        cycles[round] = (uint64_t)(clock64() - begin);
    }
    /* Values that follow each other. */
    uint64_t last = 0;
    for (int i = 0; i < ROUNDS;) {
        uint64_t now;
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
        if (now != last) steps[i++] = now;
        last = now;
    }
    if (sum == 1) steps[0] = 0;
}

static double median(std::vector<uint64_t> values, double divisor)
{
    std::sort(values.begin(), values.end());
    return (double)values[values.size() / 2] / divisor;
}

static std::vector<uint64_t> fetch(const uint64_t *from)
{
    std::vector<uint64_t> values(ROUNDS);
    check(cudaDeviceSynchronize(), "kernel");
    check(cudaMemcpy(values.data(), from, ROUNDS * sizeof *from, cudaMemcpyDefault), "copy");
    return values;
}

int main()
{
    uint64_t *cycles = NULL;
    uint64_t *steps = NULL;
    void *probe = NULL;
    size_t size = dxt_probe_size(DXT_EP_OPERATORS, 8);
    std::vector<uint64_t> block(size / sizeof(uint64_t));
    dxt_probe head = {};
    head.layout = DXT_PROBE_LAYOUT;
    head.operators = DXT_EP_OPERATORS;
    head.sources = 8;
    memcpy(block.data(), &head, sizeof head);
    check(cudaMalloc(&cycles, ROUNDS * sizeof *cycles), "memory");
    check(cudaMalloc(&steps, ROUNDS * sizeof *steps), "memory");
    check(cudaMalloc(&probe, size), "memory");
    check(cudaMemcpy(probe, block.data(), size, cudaMemcpyDefault), "copy");

    count_nothing<<<1, 32>>>(cycles);
    double loop = median(fetch(cycles), INNER);
    for (uint32_t lanes = 1; lanes <= 8; lanes *= 2) {
        count_waits<<<1, 32>>>((dxt_probe *)probe, cycles, lanes);
        double on = median(fetch(cycles), INNER) - loop;
        count_waits<<<1, 32>>>(NULL, cycles, lanes);
        double off = median(fetch(cycles), INNER) - loop;
        count_alone<<<1, 32>>>((dxt_probe *)probe, cycles, lanes);
        double alone = median(fetch(cycles), 1);
        count_alone<<<1, 32>>>(NULL, cycles, lanes);
        double null = median(fetch(cycles), 1);
        printf("%u sources: in a row %.1f cycles a wait, NULL %.1f; an operation alone %.0f "
               "cycles, NULL %.0f\n",
               lanes, on, off, alone, null);
    }
    for (int global = 0; global < 2; global++) {
        read_clocks<<<1, 1>>>(cycles, steps, global != 0);
        printf("reading %s: %.1f cycles\n", global ? "globaltimer" : "clock64",
               median(fetch(cycles), INNER));
    }
    std::vector<uint64_t> times = fetch(steps);
    std::vector<uint64_t> step(ROUNDS - 1);
    for (int i = 0; i + 1 < ROUNDS; i++) step[i] = times[i + 1] - times[i];
    std::sort(step.begin(), step.end());
    printf("globaltimer steps: least %llu, median %llu, largest %llu ns\n",
           (unsigned long long)step[0], (unsigned long long)step[ROUNDS / 2],
           (unsigned long long)step[ROUNDS - 2]);
    return 0;
}
