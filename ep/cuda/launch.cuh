/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_EP_CUDA_LAUNCH_CUH
#define DXT_EP_CUDA_LAUNCH_CUH

#include "cuda/cuda.h"

/* Launch a kernel that may begin while the one before it in the stream still runs: it waits for
 * that itself, where it has to. */
template <typename... Parameters, typename... Arguments>
static cudaError_t launch_early(void (*kernel)(Parameters...), uint32_t blocks, uint32_t threads,
                                size_t shared, void *stream, Arguments... arguments)
{
    cudaLaunchAttribute early = {};
    early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    early.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(blocks);
    config.blockDim = dim3(threads);
    config.dynamicSmemBytes = shared;
    config.stream = (cudaStream_t)stream;
    config.attrs = &early;
    config.numAttrs = 1;
    return cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...);
}

static inline uint32_t at_most(uint32_t value, uint32_t most)
{
    return value < most ? value : most;
}

/* @p value, rounded up to whole warps. */
static inline uint32_t whole_warps(uint32_t value)
{
    return (value + 31u) / 32u * 32u;
}

#endif
