/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the ranks of a group find each other and each other's windows. They meet on a page of shared
 * memory: agree on the configuration, learn NCCL's id from rank 0, and let NCCL map the windows. A
 * group whose ranks are threads on one GPU needs no NCCL: there the pointers are written on the
 * page.
 */
#ifndef DXT_EP_CUDA_JOIN_H
#define DXT_EP_CUDA_JOIN_H

#include <stdbool.h>

#include "common/engine.h"
#include "cuda/cuda.h"

/** What joining has made, to be undone by dxt_ep_cuda_leave(). */
typedef struct dxt_ep_cuda_membership {
    void *page;
    size_t page_size;
    bool mapped;
    void *nccl_comm;   /**< ncclComm_t or NULL */
    void *nccl_window; /**< ncclWindow_t or NULL */
    void *memory;      /**< of the own window */
    bool alone;        /**< no NCCL: all ranks on this GPU, in this process */
} dxt_ep_cuda_membership;

/** Bytes of the page, a multiple of the system's page size. */
size_t dxt_ep_cuda_page_size(void);

/**
 * Meet the others, make a zeroed window of @p layout, and find theirs.
 *
 * @param windows  [ranks] as this GPU sees them.
 *
 * Blocking: until all have come, at most config.timeout_ns.
 */
dxt_status dxt_ep_cuda_join(const dxt_ep_config *config, const dxt_ep_cuda_layout *layout,
                            dxt_ep_cuda_membership *membership, uint8_t **windows);

/** Wait a while for the others to be ready to leave: they may still store into this window. */
void dxt_ep_cuda_part(dxt_ep_cuda_membership *membership);

/** Undo it, also when only half done. Does not wait for the others. */
void dxt_ep_cuda_leave(dxt_ep_cuda_membership *membership);

/** Record why a call of CUDA failed. @return DXT_ERR_UNSUPPORTED (no driver, or no GPU),
 *  DXT_ERR_NO_MEMORY or DXT_ERR_IO; DXT_OK for none. */
dxt_status dxt_ep_cuda_check(cudaError_t error, const char *what);

#endif
