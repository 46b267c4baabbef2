/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel notes durations, and the host reads them from a copy: the newest of a ring, by number,
 * and nothing with a NULL probe. CI compiles this (tests/unit/nvcc.sh); `make test-gpu` runs it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/probe.cuh>
#include <deepxtrace/probe.h>

enum { OPERATORS = 2, SOURCES = 4, KEPT = 8, NOTED = 19, SKIP = 77 };

static __global__ void note(dxt_probe *probe, uint32_t operator_index, int count)
{
    if (threadIdx.x > 0) return;
    for (int k = 0; k < count; k++) {
        uint64_t from = dxt_gpu_clock();
        while (dxt_gpu_clock() - from < 1000) {}
        dxt_gpu_duration(probe, operator_index, 3 * (uint64_t)k, dxt_gpu_clock() - from);
    }
}

static void check(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "test_durations_cuda: %s\n", what);
    exit(1);
}

static bool done(cudaError_t error)
{
    if (error != cudaSuccess) fprintf(stderr, "%s\n", cudaGetErrorString(error));
    return error == cudaSuccess;
}

int main(void)
{
    int devices = 0;
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
        printf("no GPU\n");
        return SKIP;
    }
    dxt_probe *probe = NULL, *device = NULL;
    check(dxt_probe_create_durations(OPERATORS, SOURCES, KEPT, &probe) == DXT_OK, "no probe");
    size_t size = dxt_probe_bytes(probe);
    check(done(cudaMalloc((void **)&device, size)), "no memory");
    check(done(cudaMemcpy(device, probe, size, cudaMemcpyHostToDevice)), "no copy");
    note<<<1, 32>>>(device, 1, NOTED);
    note<<<1, 32>>>(NULL, 1, NOTED);
    check(done(cudaDeviceSynchronize()), "the kernel failed");
    check(done(cudaMemcpy(probe, device, size, cudaMemcpyDeviceToHost)), "no copy back");

    dxt_duration found[2 * KEPT];
    uint32_t count = dxt_probe_read_durations(probe, 1, 0, found, 2 * KEPT);
    /* All but the one that the next would replace. */
    check(count == KEPT - 1, "not the newest ones");
    for (uint32_t k = 0; k < count; k++) {
        check(found[k].number == 3 * (uint64_t)(NOTED - (KEPT - 1) + k), "another number");
        check(found[k].ticks >= 1000, "another duration");
    }
    check(dxt_probe_read_durations(probe, 0, 0, found, 2 * KEPT) == 0, "the other operator's");
    cudaFree(device);
    dxt_probe_destroy(probe);
    printf("ok\n");
    return 0;
}
