/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of this part, as C calls them. */
#ifndef TOOLS_CUDA_KERNELS_H
#define TOOLS_CUDA_KERNELS_H

#include <cuda_runtime_api.h>

#include "device.h"

#ifdef __cplusplus
extern "C" {
#endif

cudaError_t cuda_compute(const device_compute *compute, cudaStream_t stream);
cudaError_t cuda_widen(const device_widen *widen, cudaStream_t stream);
cudaError_t cuda_gate(const uint32_t *word, uint32_t number, int64_t timeout_ns,
                      cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
