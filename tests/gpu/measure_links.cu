/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the links between GPUs carry when each GPU stores rows to all others at once, as a dispatch
 * or combine does: the ceiling for libdeepxtrace-ep, whose limit in `deepxtrace bench ep` is the
 * rate on the data sheet. Prints a line for each way to store: threads or the bulk copy unit,
 * with rows loaded from memory and added, and with a flag behind each row.
 *
 *     measure_links [GPUS]
 */
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <vector>

#include <cuda_runtime_api.h>

#include "cuda/access.cuh"

#define MOST_GPUS 8
#define ROWS 6144u
#define RUNS 9
#define IN_A_ROW 20

static int gpus;

static void check(cudaError_t error, const char *what)
{
    if (error == cudaSuccess) return;
    fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
    exit(1);
}

/* What one GPU stores: row i goes to the i-th of the others in turn. */
struct stored {
    uint8_t *to[MOST_GPUS];
    uint32_t *flags[MOST_GPUS];
    const uint8_t *from; /* two rows for each */
    uint32_t gpus, gpu, bytes;
};

DEVICE uint32_t target_of(const stored &s, uint32_t i)
{
    return (s.gpu + 1u + i % (s.gpus - 1u)) % s.gpus;
}

template <bool LOADS> DEVICE uint4 value_of(const stored &s, uint32_t i, uint32_t c)
{
    if (!LOADS) return make_uint4(i, c, 1, 2);
    const uint8_t *from = s.from + (size_t)i * s.bytes + c * 16u;
    uint4 one = load_row(from);
    uint4 two = load_row(from + (size_t)ROWS * s.bytes);
    return make_uint4(one.x + two.x, one.y + two.y, one.z + two.z, one.w + two.w);
}

template <bool LOADS, bool FLAGS>
__global__ void __launch_bounds__(256) by_threads(const __grid_constant__ stored s)
{
    for (uint32_t i = blockIdx.x; i < ROWS; i += gridDim.x) {
        uint32_t row = s.gpu * ROWS + i;
        uint8_t *to = s.to[target_of(s, i)] + (size_t)row * s.bytes;
        for (uint32_t c = threadIdx.x; c < s.bytes / 16u; c += blockDim.x)
            *(uint4 *)(to + c * 16u) = value_of<LOADS>(s, i, c);
        if (!FLAGS) continue;
        __syncthreads();
        if (threadIdx.x > 0) continue;
        fence();
        store_relaxed(s.flags[target_of(s, i)] + row, 1u);
    }
}

/* Rows are put together in shared memory, in turn in one of two places. */
template <bool LOADS, bool FLAGS>
__global__ void __launch_bounds__(256) by_bulk(const __grid_constant__ stored s)
{
    extern __shared__ __align__(128) uint8_t places[];
    uint32_t *flag = NULL; /* of the row before */
    for (uint32_t i = blockIdx.x, n = 0; i < ROWS; i += gridDim.x, n++) {
        uint32_t row = s.gpu * ROWS + i;
        uint8_t *place = places + n % 2u * s.bytes;
        if (threadIdx.x == 0) asm volatile("cp.async.bulk.wait_group.read 1;" ::: "memory");
        __syncthreads();
        for (uint32_t c = threadIdx.x; c < s.bytes / 16u; c += blockDim.x)
            *(uint4 *)(place + c * 16u) = value_of<LOADS>(s, i, c);
        asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
        __syncthreads();
        if (threadIdx.x > 0) continue;
        asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(
                         s.to[target_of(s, i)] + (size_t)row * s.bytes),
                     "r"((uint32_t)__cvta_generic_to_shared(place)), "r"(s.bytes)
                     : "memory");
        asm volatile("cp.async.bulk.commit_group;" ::: "memory");
        if (FLAGS && flag) {
            asm volatile("cp.async.bulk.wait_group 1;" ::: "memory");
            store_release(flag, 1u);
        }
        flag = s.flags[target_of(s, i)] + row;
    }
    if (threadIdx.x > 0) return;
    asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
    if (FLAGS && flag) store_release(flag, 1u);
}

/* Time of one launch on all GPUs, of the slowest, in microseconds; median of all runs. */
template <typename Kernel>
static double time_of(Kernel kernel, const std::vector<stored> &all, unsigned blocks, size_t shared)
{
    std::vector<cudaEvent_t> begin(gpus), end(gpus);
    std::vector<double> times;
    for (int g = 0; g < gpus; g++) {
        check(cudaSetDevice(g), "GPU");
        check(cudaEventCreate(&begin[g]), "event");
        check(cudaEventCreate(&end[g]), "event");
    }
    for (int run = -1; run < RUNS; run++) {
        for (int n = 0; n <= IN_A_ROW; n++)
            for (int g = 0; g < gpus; g++) {
                check(cudaSetDevice(g), "GPU");
                if (n == 0) check(cudaEventRecord(begin[g]), "event");
                if (n < IN_A_ROW) kernel<<<blocks, 256, shared>>>(all[g]);
                if (n == IN_A_ROW) check(cudaEventRecord(end[g]), "event");
                check(cudaGetLastError(), "kernel");
            }
        double slowest = 0;
        for (int g = 0; g < gpus; g++) {
            float ms;
            check(cudaSetDevice(g), "GPU");
            check(cudaEventSynchronize(end[g]), "kernel");
            check(cudaEventElapsedTime(&ms, begin[g], end[g]), "event");
            slowest = std::max(slowest, ms * 1e3 / IN_A_ROW);
        }
        if (run >= 0) times.push_back(slowest);
    }
    std::sort(times.begin(), times.end());
    return times[RUNS / 2];
}

template <typename Kernel>
static void measure(const char *what, Kernel kernel, std::vector<stored> &all, uint32_t bytes,
                    bool bulk)
{
    int processors;
    check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0), "GPU");
    for (stored &s : all) s.bytes = bytes;
    double us = time_of(kernel, all, 4u * (unsigned)processors, bulk ? 2 * bytes : 0);
    printf("rows of %5u bytes %-36s %7.1f us %6.1f GB/s\n", bytes, what, us,
           (double)ROWS * bytes / us / 1e3);
}

int main(int argc, char **argv)
{
    check(cudaGetDeviceCount(&gpus), "GPUs");
    if (argc > 1) gpus = std::min(gpus, atoi(argv[1]));
    gpus = std::min(gpus, MOST_GPUS);
    if (gpus < 2) {
        puts("needs two GPUs");
        return 77;
    }
    const uint32_t most = 14336;
    std::vector<stored> all(gpus);
    for (int g = 0; g < gpus; g++) {
        uint8_t *rows, *from;
        uint32_t *flags;
        check(cudaSetDevice(g), "GPU");
        for (int peer = 0; peer < gpus; peer++)
            if (peer != g) check(cudaDeviceEnablePeerAccess(peer, 0), "access between the GPUs");
        check(cudaMalloc(&rows, (size_t)gpus * ROWS * most), "memory");
        check(cudaMalloc(&flags, (size_t)gpus * ROWS * sizeof *flags), "memory");
        check(cudaMalloc(&from, (size_t)2 * ROWS * most), "memory");
        check(cudaMemset(from, 1, (size_t)2 * ROWS * most), "memory");
        for (stored &s : all) {
            s.to[g] = rows;
            s.flags[g] = flags;
        }
        all[g].from = from;
        all[g].gpus = (uint32_t)gpus;
        all[g].gpu = (uint32_t)g;
    }
    printf("%d GPUs, each to all others at once\n", gpus);
    for (uint32_t bytes : {most / 2, most}) {
        measure("by threads", by_threads<false, false>, all, bytes, false);
        measure("by threads, loaded", by_threads<true, false>, all, bytes, false);
        measure("by threads, loaded, flags", by_threads<true, true>, all, bytes, false);
        measure("in bulk", by_bulk<false, false>, all, bytes, true);
        measure("in bulk, loaded", by_bulk<true, false>, all, bytes, true);
        measure("in bulk, loaded, flags", by_bulk<true, true>, all, bytes, true);
    }
    return 0;
}
