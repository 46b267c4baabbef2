/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_EP_CUDA_LAUNCH_CUH
#define DXT_EP_CUDA_LAUNCH_CUH

#include "cuda/cuda.h"

/* Launch a kernel. One that is early may begin while the one before it in the stream still runs: it
 * waits for that itself, where it has to. */
template <typename... Parameters, typename... Arguments>
static cudaError_t launch(void (*kernel)(Parameters...), bool early, uint32_t blocks,
                          uint32_t threads, void *stream, Arguments... arguments)
{
    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = early;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(blocks);
    config.blockDim = dim3(threads);
    config.stream = (cudaStream_t)stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    return cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...);
}

/* Load a kernel now: loading at the first launch may wait for kernels that wait for other ranks. */
template <typename... Parameters> static cudaError_t load_kernel(void (*kernel)(Parameters...))
{
    cudaFuncAttributes attributes;
    return cudaFuncGetAttributes(&attributes, kernel);
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
