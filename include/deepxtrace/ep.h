/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Low-latency expert-parallel dispatch and combine (libdeepxtrace-ep): a communication library that
 * carries the probe, as any other would, and nothing else of ours.
 *
 * A group has N ranks; the E experts are spread in order, E/N on each rank. Per layer:
 *   dispatch: each rank sends its tokens to the owners of their top-k experts;
 *   combine:  each expert's output goes home, where the top-k outputs are summed with weights.
 * Both are self-synchronising: a rank leaves only when it has heard from all N (or masked those
 * that stay silent). Two buffers alternate, so one operation may be started (sent) while the
 * previous one is still being received, but no more than that.
 */
#ifndef DEEPXTRACE_EP_H
#define DEEPXTRACE_EP_H

#include <deepxtrace/probe.h>
#include <deepxtrace/status.h>
#include <deepxtrace/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DXT_EP_MAX_TOPK 16u
#define DXT_EP_MAX_HIDDEN 16384u
#define DXT_EP_MAX_TOKENS 8192u
#define DXT_EP_MAX_EXPERTS 65536u
/** Channels that share one scale (FP8) or one exponent range (LogFMT). */
#define DXT_EP_BLOCK 128u

/** Configuration of a group; the same on all ranks except `rank`, `probe` and `memory`. */
typedef struct dxt_ep_config {
    size_t struct_size;
    const char *engine;  /**< "shm", "mpi", "cuda"; NULL = "shm" */
    uint32_t rank;       /**< of the caller; below `ranks` */
    uint32_t ranks;      /**< N, 1 … DXT_MAX_RANKS */
    uint32_t max_tokens; /**< most tokens a rank sends in one dispatch, 1 … DXT_EP_MAX_TOKENS */
    uint32_t hidden;     /**< channels of a token: a multiple of DXT_EP_BLOCK up to
                              DXT_EP_MAX_HIDDEN */
    uint32_t experts;    /**< E: a multiple of `ranks` up to DXT_EP_MAX_EXPERTS */
    uint32_t max_topk;   /**< most experts of a token, 1 … DXT_EP_MAX_TOPK, at most `experts` */
    int64_t timeout_ns;  /**< a peer silent for longer is masked; 0 = 100 s */
    dxt_probe *probe;    /**< counts the waits of this rank (DXT_DISPATCH, DXT_COMBINE; at least
                              `ranks` sources); NULL = off. Must outlive the group. cuda: in device
                              memory, see docs/probe-cuda.md */
    int fd;              /**< shared memory object of the whole group, zeroed, at least
                              dxt_ep_buffer_size() bytes; is not closed. Ignored with `memory`.
                              cuda: a page on which the ranks meet */
    void *memory;        /**< instead of `fd`: zeroed memory that all ranks (threads) share,
                              aligned to the page size; stays the caller's */
    const void *comm;    /**< mpi: points to the MPI_Comm whose ranks the group is, in their order;
                              NULL = MPI_COMM_WORLD. MPI must be initialized. */
} dxt_ep_config;

/** One rank's membership in a group. */
typedef struct dxt_ep dxt_ep;

/** Where the tokens of one (local expert, source rank) lie in the packed buffer of that expert.
 *  Frozen. */
typedef struct dxt_ep_range {
    int32_t count;
    int32_t begin;
} dxt_ep_range;

/**
 * What combine needs to know of a dispatch; caller-owned arrays that dispatch fills. S is the slots
 * of one local expert: ranks × max_tokens; L = experts ÷ ranks.
 *
 * Frozen.
 */
typedef struct dxt_ep_handle {
    int32_t *src_info;          /**< [L][S] index of the token at its source rank */
    uint8_t *src_slot;          /**< [L][S] which of the token's top-k routes led here */
    dxt_ep_range *layout_range; /**< [L][ranks] */
} dxt_ep_handle;

/** Where a route of a token led on this rank. Frozen. */
typedef struct dxt_ep_route {
    int32_t slot; /**< in [L][S]; −1: to another rank, or nowhere */
    float weight; /**< as given to the dispatch; 0 if not here */
} dxt_ep_route;

/** How tokens travel in dispatch. */
typedef enum dxt_ep_dispatch_format {
    DXT_EP_BF16 = 0, /**< as they are; bit-exact */
    DXT_EP_FP8 = 1   /**< E4M3 with one FP32 scale (amax ÷ 448) per DXT_EP_BLOCK channels */
} dxt_ep_dispatch_format;

/** How expert outputs travel in combine. */
typedef enum dxt_ep_combine_format {
    DXT_EP_COMBINE_BF16 = 0,
    DXT_EP_COMBINE_LOGFMT = 1 /**< 10 bits per value: sign and a logarithmic magnitude within the
                                   range of its block; docs/ep.md has the layout */
} dxt_ep_combine_format;

/** Arguments of a dispatch. Buffers are the caller's and must stay valid until it is received; for
 *  cuda they are device memory, and must until the receive has ended on its stream. */
typedef struct dxt_ep_dispatch {
    size_t struct_size;
    dxt_ep_dispatch_format format;
    const uint16_t *x;       /**< [tokens][hidden] BF16 */
    const int64_t *topk_idx; /**< [tokens][topk] expert 0 … E−1, or −1 = route not used; no expert
                                  twice in one token */
    uint32_t tokens;         /**< 0 … max_tokens */
    uint32_t topk;           /**< 1 … max_topk */
    void *recv_x;            /**< [L][S][hidden] BF16 (uint16_t) or FP8 (uint8_t); only the first
                                  recv_count[l] slots of an expert are written, and of these (cuda)
                                  none whose source was given up before its row came */
    float *recv_scales;      /**< FP8: [L][S][hidden ÷ DXT_EP_BLOCK]; unused for BF16 */
    int32_t *recv_count;     /**< [L] tokens received by each local expert */
    dxt_ep_handle handle; /**< filled */
    void *stream;         /**< cuda: cudaStream_t of send and receive; shm: NULL */
    /* What follows may be left out of struct_size. */
    const float *topk_weights; /**< [tokens][topk] or NULL; travel along, for `recv_routes` */
    dxt_ep_route *recv_routes; /**< [ranks][max_tokens][max_topk] or NULL. cuda: filled with where
                                    the routes of each token led, so that a combine given it can
                                    sum before it sends. Other engines leave it alone */
} dxt_ep_dispatch;

/** Arguments of a combine. */
typedef struct dxt_ep_combine {
    size_t struct_size;
    dxt_ep_combine_format format;
    const uint16_t *x;         /**< [L][S][hidden] BF16 expert outputs, laid out as received */
    dxt_ep_handle handle;      /**< of the dispatch that these answer */
    const int64_t *topk_idx;   /**< [tokens][topk] as given to that dispatch */
    const float *topk_weights; /**< [tokens][topk]; of unused routes ignored */
    uint32_t tokens;           /**< as given to that dispatch */
    uint32_t topk;
    uint16_t *out; /**< [tokens][hidden] BF16: Σ weight × output, summed in FP32 */
    void *stream;
    /* What follows may be left out of struct_size. */
    const dxt_ep_route *recv_routes; /**< as that dispatch filled it, or NULL. cuda: the outputs of
                                          a token on one rank are summed there, with these weights,
                                          and travel as one row; docs/ep.md says how it rounds. The
                                          same for all ranks. Other engines ignore it */
} dxt_ep_combine;

/**
 * Bytes of shared memory that a group needs from the caller.
 *
 * @param config  rank, probe, fd, memory and comm are not looked at.
 * @param size    Receives the size, a multiple of the page size; 0 if the engine sees to it.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT; DXT_ERR_UNSUPPORTED (engine).
 *
 * Blocking: no. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_ep_buffer_size(const dxt_ep_config *config, size_t *size);

/**
 * Join a group.
 *
 * @param ep  Receives it; release with dxt_ep_destroy(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID (also: the others configured something else); DXT_ERR_LIMIT;
 *         DXT_ERR_UNSUPPORTED; DXT_ERR_IO; DXT_ERR_NO_MEMORY; mpi: DXT_ERR_STATE (MPI is not
 *         initialized; another rank could not join); cuda: DXT_ERR_TIMEOUT.
 *
 * Blocking: shm: no; the first operation waits for the others. mpi: collective, until all have
 * called. cuda: until all have joined, at most timeout_ns; the rank belongs to the device that is
 * current in this thread, which must be current in every later call as well. Threads: any, one for
 * each rank. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_ep_create(const dxt_ep_config *config, dxt_ep **ep);

/**
 * Leave. Others see a silent peer if they go on. cuda: waits for the rank's own
 * operations, and up to 2 s for the others to leave, unless ranks are masked.
 *
 * Blocking: as said; mpi: collective. Threads: after the last call with @p ep. NULL: does nothing.
 */
DXT_API void dxt_ep_destroy(dxt_ep *ep);

/**
 * Why the last failed call of this thread failed, in one line; empty if none did.
 *
 * Blocking: no. Threads: each thread has its own text.
 */
DXT_API const char *dxt_ep_error(void);

/**
 * Send the tokens of one dispatch.
 *
 * @return DXT_OK; DXT_ERR_INVALID (an argument; a route out of range); DXT_ERR_STATE (two
 * operations of this kind are already under way); DXT_ERR_MASKED.
 *
 * Blocking: at most until the buffer of the operation before last is free. Threads: one thread per
 * rank at a time. NULL: DXT_ERR_INVALID. cuda: never blocks; the operation waits on its stream, and
 * may be captured in a graph.
 */
DXT_API dxt_status dxt_ep_dispatch_send(dxt_ep *ep, const dxt_ep_dispatch *dispatch);

/**
 * Receive the oldest dispatch that was sent and not received, into the buffers of its arguments.
 *
 * @return DXT_OK, also when peers were masked (see dxt_ep_masked()); DXT_ERR_STATE (nothing sent);
 *         DXT_ERR_INVALID (a peer sent another format, or in combine not what this rank's routes
 *         ask for: the operation is over, its output is undefined); DXT_ERR_MASKED (the group went
 *         on without this rank).
 *
 * cuda: never blocks; the output is there when the stream has come so far. What the device finds
 * wrong is returned by a later receive, and DXT_ERR_MASKED by the next call.
 *
 * Blocking: until every unmasked rank has been heard, at most timeout_ns; for a rank that is itself
 * seen waiting for another, twice that; for one of another machine half as long again. Polls
 * briefly, then sleeps in the kernel. The waits are counted here. Threads: one thread per rank at a
 * time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_ep_dispatch_recv(dxt_ep *ep);

/**
 * Send the expert outputs of one combine. As dxt_ep_dispatch_send().
 *
 * Blocking, threads, NULL: as dxt_ep_dispatch_send().
 */
DXT_API dxt_status dxt_ep_combine_send(dxt_ep *ep, const dxt_ep_combine *combine);

/**
 * Receive the oldest combine sent and not received. As dxt_ep_dispatch_recv(). Outputs of masked
 * ranks count as 0.
 *
 * Blocking, threads, NULL: as dxt_ep_dispatch_recv().
 */
DXT_API dxt_status dxt_ep_combine_recv(dxt_ep *ep);

/**
 * Wait for what the next dxt_ep_dispatch_recv() or dxt_ep_combine_recv() would wait for, in slices
 * between which the caller looks after other things, such as signals. That receive waits for what
 * is missing still. The time between slices does not count as waiting, nor towards timeout_ns: who
 * only looks, with slices of 0, gives nobody up. After an error the receive, or another slice, goes
 * on as well: what has been heard is counted once.
 *
 * @param operator_index  DXT_DISPATCH or DXT_COMBINE.
 * @param at_most_ns      Length of the slice, >= 0.
 * @return DXT_OK (the receive will not wait); DXT_ERR_TIMEOUT (not yet); DXT_ERR_INVALID;
 *         DXT_ERR_STATE (nothing sent); DXT_ERR_MASKED; DXT_ERR_IO (mpi: MPI failed, or a message
 *         is damaged); DXT_ERR_UNSUPPORTED (cuda).
 *
 * Blocking: at most at_most_ns. Threads: one thread per rank at a time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_ep_wait(dxt_ep *ep, uint32_t operator_index, int64_t at_most_ns);

/**
 * Wait for what the next dxt_ep_dispatch_send() or dxt_ep_combine_send() would wait for, in slices
 * as dxt_ep_wait() does for a receive: until every unmasked rank has read what the buffer holds.
 * The time between slices does not count towards timeout_ns. The operation counts as issued when
 * it is sent.
 *
 * @param operator_index  DXT_DISPATCH or DXT_COMBINE.
 * @param arguments       What will be sent, a dxt_ep_dispatch or dxt_ep_combine: it is checked as
 *                        the send does, and nobody is waited for in vain. NULL: it is not.
 * @param at_most_ns      Length of the slice, >= 0.
 * @return DXT_OK (the send will not wait); DXT_ERR_TIMEOUT (not yet); DXT_ERR_INVALID;
 *         DXT_ERR_STATE (two operations of this kind are already under way); DXT_ERR_MASKED;
 *         DXT_ERR_IO (as dxt_ep_wait()). cuda: DXT_OK, since no send waits.
 *
 * Blocking: at most at_most_ns. Threads: one thread per rank at a time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_ep_wait_buffer(dxt_ep *ep, uint32_t operator_index, const void *arguments,
                                      int64_t at_most_ns);

/**
 * Which peers have been given up.
 *
 * @param masked  Receives one byte per rank, 1 = masked; NULL allowed.
 * @return How many are masked.
 *
 * Blocking: no. Threads: any. NULL: 0 for @p ep; @p masked may be NULL.
 */
DXT_API uint32_t dxt_ep_masked(const dxt_ep *ep, uint8_t *masked);

/**
 * Make what @p source sends arrive later at this rank, to try a diagnosis out.
 *
 * @param operator_index  DXT_DISPATCH or DXT_COMBINE.
 * @param delay_ns        Added latency of the path, ≥ 0; 0 ends it.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_UNSUPPORTED (engine).
 *
 * Blocking: no. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_ep_delay_path(dxt_ep *ep, uint32_t operator_index, uint32_t source,
                                     int64_t delay_ns);

#ifdef __cplusplus
}
#endif

#endif
