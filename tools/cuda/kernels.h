/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of this part, as C calls them. */
#ifndef DXT_TOOLS_CUDA_KERNELS_H
#define DXT_TOOLS_CUDA_KERNELS_H

#include <cuda_runtime_api.h>

#include "device.h"

#ifdef __cplusplus
extern "C" {
#endif

cudaError_t dxt_cuda_compute(const dxt_device_compute *compute, cudaStream_t stream);
cudaError_t dxt_cuda_widen(const dxt_device_widen *widen, cudaStream_t stream);
cudaError_t dxt_cuda_gate(const uint32_t *word, uint32_t number, int64_t timeout_ns,
                          cudaStream_t stream);

#ifdef __cplusplus
}
#endif

#endif
