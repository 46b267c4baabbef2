/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine on the GPUs of one NVLink domain, one rank per GPU: what its host code (C) and its
 * kernels (CUDA) share. docs/ep.md draws the window and tells the protocol.
 *
 * Every rank has a window of device memory that all others can store to and load from. A rank polls
 * nothing but its own window; what is there carries the epoch of the operation that set it, or a
 * mark (marks.cuh), so nothing is ever reset. Epochs are counted on the device, so that a captured
 * graph may be replayed.
 */
#ifndef DXT_EP_CUDA_CUDA_H
#define DXT_EP_CUDA_CUDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#include <deepxtrace/ep.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CUDA_MAX_RANKS 8u
#define CUDA_MAX_TOKENS 1024u
#define CUDA_MAX_EXPERTS 1024u
#define CUDA_MAX_HIDDEN 8192u
#define CUDA_MIN_TIMEOUT_NS (INT64_C(10) * 1000000)
#define CUDA_PARITIES 2u
/** A local expert that is none: the route leads to another rank. */
#define CUDA_ELSEWHERE 0xffffu

/** One route of a token as the table of a dispatch tells it to the rank that it leads to: 16 bytes
 * that are stored as one. */
typedef struct dxt_ep_cuda_entry {
    uint16_t expert;   /**< local at the destination, or CUDA_ELSEWHERE */
    uint16_t position; /**< among the tokens of this source that go to this expert */
    float weight;
    uint32_t none; /**< 0 */
    uint32_t tag;  /**< of the epoch */
} dxt_ep_cuda_entry;

/** Rows of a window, by what they hold. Those before CUDA_PLAIN have marks (marks.cuh). */
enum dxt_ep_cuda_rows {
    CUDA_FP8,   /**< of a dispatch */
    CUDA_BF16,  /**< of a dispatch */
    CUDA_SUMS,  /**< of a combine: BF16, summed where the experts are */
    CUDA_PLAIN, /**< of a combine: BF16 by routes, or LogFMT */
    CUDA_ROWS
};

/** Head of a window: words that others store into; each array on lines of its own. */
typedef struct dxt_ep_cuda_control {
    uint32_t gossip; /**< bit per rank: somebody has given it up */
    uint32_t pad0[31];
    uint32_t beat; /**< grows while the owner waits for others; they read it */
    uint32_t pad1[31];
    /** By rank: its last operation received; what it used before may be overwritten. */
    uint32_t consumed[DXT_EP_OPERATORS][CUDA_MAX_RANKS];
    uint32_t pad2[16];
    /** By source: it has sent all its rows, the last of which may come later. Epoch, then format,
     * then rows: 32, 8, 24 bits. */
    uint64_t complete[DXT_EP_OPERATORS][CUDA_PARITIES][CUDA_MAX_RANKS];
} dxt_ep_cuda_control;

#define CUDA_BLOCK_BITS 12u
#define CUDA_ROW_BITS 13u

/** Words of one rank that only its own kernels use. */
typedef struct dxt_ep_cuda_state {
    uint32_t mask; /**< bit per rank given up; changes at the begin of a send only */
    uint32_t sent[DXT_EP_OPERATORS];
    uint32_t received[DXT_EP_OPERATORS];
    uint32_t pad0[27];
    /** Blocks that have sent, and above CUDA_BLOCK_BITS the rows that ranks 0 … 3 get of them. */
    uint64_t send_done[DXT_EP_OPERATORS];
    uint32_t more_rows[DXT_EP_OPERATORS][CUDA_MAX_RANKS]; /**< to the ranks above */
    uint32_t pad1[12];
    /** Blocks that know which operation it is; that have read all, where that is counted. */
    uint32_t receive_begun[DXT_EP_OPERATORS];
    uint32_t receive_done[DXT_EP_OPERATORS];
    uint32_t pad2[28];
    /** Who takes part in a dispatch: epoch, ranks absent, ranks decided: 32, 16, 16 bits. */
    uint64_t verdict;
    uint32_t pad3[30];
    /** By rows, token and parity, bit per rank: the mark of the row that was stored there last. */
    uint32_t marks[CUDA_PLAIN][CUDA_MAX_TOKENS][CUDA_PARITIES];
} dxt_ep_cuda_state;

/** What the device tells the host, in pinned host memory; only written when something is wrong. */
typedef struct dxt_ep_cuda_report {
    uint32_t masked;  /**< as dxt_ep_cuda_state.mask */
    uint32_t trouble; /**< CUDA_TROUBLE_… */
} dxt_ep_cuda_report;

#define CUDA_TROUBLE_FORMAT 1u /**< a peer sent another format */
#define CUDA_TROUBLE_ROUTE 2u  /**< a route led out of range, or a handle was not a dispatch's */

/** Offsets in a window, in bytes, and strides. */
typedef struct dxt_ep_cuda_layout {
    size_t size;
    size_t table; /**< [parity][source]: words [1 + L], which carry their epoch, entries [T][K] */
    size_t table_stride;
    size_t table_entries;              /**< in a table */
    size_t arrivals[DXT_EP_OPERATORS]; /**< [parity][row]: what there is of it, see words.cuh */
    uint32_t arrival_count[DXT_EP_OPERATORS];
    size_t
        rows[CUDA_ROWS]; /**< [parity][row]; row = source × T + token, or, in a combine by routes,
                                 token × K + route */
    uint32_t row_count[CUDA_ROWS];
    size_t row[CUDA_ROWS]; /**< bytes of one */
} dxt_ep_cuda_layout;

/** What all kernels of one rank get, by value. */
typedef struct dxt_ep_cuda_group {
    uint8_t *window[CUDA_MAX_RANKS]; /**< as this GPU sees them; its own too */
    dxt_ep_cuda_state *state;
    dxt_ep_cuda_report *report;
    dxt_probe *probe;
    dxt_ep_cuda_layout at;
    uint64_t timeout_ns;
    uint32_t rank, ranks, max_tokens, hidden, experts, local_experts, max_topk, slots;
    uint32_t processors; /**< of the GPU */
    uint32_t blocks;     /**< most blocks of one launch */
} dxt_ep_cuda_group;

/** How an operation fits in with the rank's others; see launch_order() in engine.c. */
typedef struct dxt_ep_cuda_order {
    bool early;    /**< a receive: may begin while the kernel before it runs */
    bool announce; /**< a send: tells others what has been received; a receive does itself */
} dxt_ep_cuda_order;

void dxt_ep_cuda_layout_of(const dxt_ep_config *config, dxt_ep_cuda_layout *layout);

/* ---- kernels, launched on the caller's stream ---- */

cudaError_t dxt_ep_cuda_launch_dispatch_send(const dxt_ep_cuda_group *group,
                                             const dxt_ep_dispatch *dispatch,
                                             dxt_ep_cuda_order order);
cudaError_t dxt_ep_cuda_launch_dispatch_receive(const dxt_ep_cuda_group *group,
                                                const dxt_ep_dispatch *dispatch,
                                                dxt_ep_cuda_order order);
cudaError_t dxt_ep_cuda_launch_combine_send(const dxt_ep_cuda_group *group,
                                            const dxt_ep_combine *combine, dxt_ep_cuda_order order);
cudaError_t dxt_ep_cuda_launch_combine_receive(const dxt_ep_cuda_group *group,
                                               const dxt_ep_combine *combine,
                                               dxt_ep_cuda_order order);

/** Load the kernels. */
cudaError_t dxt_ep_cuda_prepare_dispatch_send(void);
cudaError_t dxt_ep_cuda_prepare_dispatch_receive(void);
cudaError_t dxt_ep_cuda_prepare_combine_send(void);
cudaError_t dxt_ep_cuda_prepare_combine_receive(void);

/** Ranks of an NCCL group (ncclComm_t) that share this one's NVLink domain, itself included. */
uint32_t dxt_ep_cuda_ranks_within_reach(void *nccl_comm);

/**
 * Where the windows of all ranks are for this GPU, of an NCCL window.
 *
 * @param nccl_window  ncclWindow_t.
 * @param windows      [ranks], host memory.
 *
 * Blocking: until the device has answered.
 */
cudaError_t dxt_ep_cuda_window_pointers(void *nccl_window, uint32_t ranks, uint8_t **windows);

#ifdef __cplusplus
}
#endif

#endif
