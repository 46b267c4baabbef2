/* SPDX-License-Identifier: Apache-2.0 */
/* What NCCL tells only C++, and only kernels: who can be reached, and where their windows are. */
#include <nccl.h>
#include <nccl_device.h>

#include "cuda/cuda.h"

uint32_t dxt_ep_cuda_ranks_within_reach(void *nccl_comm)
{
    return (uint32_t)ncclTeamLsa((ncclComm_t)nccl_comm).nRanks;
}

static __global__ void find_windows(ncclWindow_t window, uint32_t ranks, uint8_t **windows)
{
    if (threadIdx.x < ranks)
        windows[threadIdx.x] = (uint8_t *)ncclGetLsaPointer(window, 0, (int)threadIdx.x);
}

cudaError_t dxt_ep_cuda_window_pointers(void *nccl_window, uint32_t ranks, uint8_t **windows)
{
    uint8_t **found = NULL;
    cudaError_t error = cudaMalloc((void **)&found, ranks * sizeof *found);
    if (error != cudaSuccess) return error;
    find_windows<<<1, 32>>>((ncclWindow_t)nccl_window, ranks, found);
    error = cudaGetLastError();
    if (error == cudaSuccess)
        error = cudaMemcpy(windows, found, ranks * sizeof *found, cudaMemcpyDeviceToHost);
    cudaFree(found);
    return error;
}
