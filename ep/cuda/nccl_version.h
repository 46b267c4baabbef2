/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which NCCL an engine may run with. Kernels and library share structures, which NCCL promises to
 * keep from 2.29 on only: before, both must be of the same version.
 */
#ifndef DXT_EP_CUDA_NCCL_VERSION_H
#define DXT_EP_CUDA_NCCL_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** The first version whose library takes what was built for an older one, as NCCL_VERSION_CODE. */
#define NCCL_STABLE 22900

/** Whether code built for NCCL @p built runs with NCCL @p there; both as NCCL_VERSION_CODE. */
static inline bool nccl_fits(int built, int there)
{
    if (built == there) return true;
    return built >= NCCL_STABLE && there > built && there / 10000 == built / 10000;
}

/** What to do where it does not, into @p text: at most @p size bytes, one line. */
static inline void nccl_advice(int built, int there, char *text, size_t size)
{
    snprintf(text, size,
             "NCCL %d.%d.%d is loaded, but the engine was built for %s%d.%d.%d: pip install "
             "'nvidia-nccl-cu13%s%d.%d.%d', or build with DXT_NCCL_ROOT at the one that is loaded",
             there / 10000, there / 100 % 100, there % 100, built >= NCCL_STABLE ? "at least " : "",
             built / 10000, built / 100 % 100, built % 100,
             built >= NCCL_STABLE ? ">=" : "==", built / 10000, built / 100 % 100, built % 100);
}

#endif
