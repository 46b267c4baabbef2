/* SPDX-License-Identifier: Apache-2.0 */
/* What CUDA's runtime says of a machine in its own terms, in words that say what to do. */
#ifndef DXT_SYSTEM_CUDA_WORDS_H
#define DXT_SYSTEM_CUDA_WORDS_H

#include <cuda_runtime_api.h>
#include <stddef.h>

/**
 * @param driver  The version of CUDA that the driver is for; 0 if there is none.
 * @return NULL if the runtime's own text is as good.
 */
static inline const char *dxt_cuda_words(cudaError_t error, int driver)
{
    if (error == cudaErrorNoDevice)
        return "the NVIDIA driver finds none; look at nvidia-smi and CUDA_VISIBLE_DEVICES";
    if (error != cudaErrorInsufficientDriver) return NULL;
    return driver > 0 ? "the NVIDIA driver is older than the CUDA that this part was built with; "
                        "install a newer driver"
                      : "no NVIDIA driver is installed; the engine shm needs none";
}

/** The same for the driver of this machine. */
static inline const char *dxt_cuda_words_here(cudaError_t error)
{
    int driver = 0;
    if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
    return dxt_cuda_words(error, driver);
}

#endif
