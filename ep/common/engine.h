/* SPDX-License-Identifier: Apache-2.0 */
/* What an engine is, and what the public functions have already checked before it is called. */
#ifndef DXT_EP_COMMON_ENGINE_H
#define DXT_EP_COMMON_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include <deepxtrace/ep.h>

/** Operations of one kind that may be under way: sent and not yet received. */
#define DXT_EP_IN_FLIGHT 2u

typedef struct dxt_ep_engine dxt_ep_engine;

/** A membership: the part that every engine has. */
struct dxt_ep {
    const dxt_ep_engine *engine;
    dxt_ep_config config;   /**< defaults resolved */
    uint32_t local_experts; /**< L */
    uint32_t slots;         /**< S: slots of one local expert */
    uint64_t sent[DXT_EP_OPERATORS];
    uint64_t received[DXT_EP_OPERATORS];
    dxt_ep_dispatch dispatch[DXT_EP_IN_FLIGHT]; /**< arguments under way, by epoch % 2 */
    dxt_ep_combine combine[DXT_EP_IN_FLIGHT];
    void *state; /**< the engine's */
};

/**
 * One way to move the bytes. Arguments arrive checked. An operation is named by its epoch, 1, 2, …
 * per operator; at most DXT_EP_IN_FLIGHT of them are sent and not received. A send that fails has
 * not happened; a receive that fails has, unless it returns DXT_ERR_MASKED.
 */
struct dxt_ep_engine {
    const char *name;
    /** Buffers are a device's: what they hold is checked by the engine, if at all. */
    bool device_memory;
    dxt_status (*buffer_size)(const dxt_ep_config *config, size_t *size);
    dxt_status (*create)(dxt_ep *ep); /**< sets ep->state */
    void (*destroy)(dxt_ep *ep);
    dxt_status (*dispatch_send)(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint64_t epoch);
    dxt_status (*dispatch_recv)(dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint64_t epoch);
    dxt_status (*combine_send)(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch);
    dxt_status (*combine_recv)(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch);
    /** Wait for what the receive of an operation, the oldest, would wait for; that one goes on from
     *  here. @return DXT_OK; DXT_ERR_TIMEOUT; DXT_ERR_MASKED. NULL: not supported. */
    dxt_status (*wait)(dxt_ep *ep, uint32_t operator_index, uint64_t epoch, int64_t at_most_ns);
    /** Wait for what the send of an operation, the next, would wait for. @return As wait. NULL: no
     *  send waits. */
    dxt_status (*wait_buffer)(dxt_ep *ep, uint32_t operator_index, uint64_t epoch,
                              int64_t at_most_ns);
    uint32_t (*masked)(const dxt_ep *ep, uint8_t *masked);
    /** NULL: not supported. */
    dxt_status (*delay_path)(dxt_ep *ep, uint32_t operator_index, uint32_t source,
                             int64_t delay_ns);
};

extern const dxt_ep_engine dxt_ep_shm;

/** Rows that a combine sends to a rank. */
static inline size_t dxt_ep_rows_for(const dxt_ep *ep, const dxt_ep_combine *combine, uint32_t home)
{
    size_t rows = 0;
    for (uint32_t expert = 0; expert < ep->local_experts; expert++)
        rows +=
            (size_t)combine->handle.layout_range[(size_t)expert * ep->config.ranks + home].count;
    return rows;
}

/* For engines in parts too: exports.map has their names. */

/** Record the text for dxt_ep_error(). @return @p status. */
DXT_API dxt_status dxt_ep_fail(dxt_status status, const char *format, ...) DXT_PRINTF(2, 3);

/** Payload bytes of one token as dispatch moves it, scales included. */
DXT_API size_t dxt_ep_token_bytes(const dxt_ep_config *config, dxt_ep_dispatch_format format);
/** Payload bytes of one expert output as combine moves it. */
DXT_API size_t dxt_ep_output_bytes(const dxt_ep_config *config, dxt_ep_combine_format format);

#endif
