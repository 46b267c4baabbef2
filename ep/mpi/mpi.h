/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine on MPI. Ranks of one machine share memory exactly as in the engine on shared memory;
 * between machines each rank sends each other one message per operation, with what is for it and
 * nothing else. docs/mpi.md says why messages and not one-sided puts.
 *
 * Buffers. A message of epoch k lies in the region of (operator, k % 2, peer), at its sender and at
 * its receiver. The receiver has a receive waiting for each region, and starts the next one when it
 * has read what came; until then a later message stays with MPI. The sender sees by its own request
 * when its region is free. A region of a peer that was masked is never touched again, because MPI
 * may still be reading from it. Regions are as large as they could ever have to be, but memory is
 * taken only for what is used.
 *
 * Masks. Whoever gives a rank up enters that in the log of its segment and tells all ranks
 * elsewhere, whose first reader enters it there. Machines that lose sight of each other may thus
 * each go on without the other.
 */
#ifndef DXT_EP_MPI_MPI_H
#define DXT_EP_MPI_MPI_H

#include <mpi.h>

#include "shm/shm.h"

/** Set to a number, each machine's ranks count as so many nodes of that many ranks: to try out on
 *  one machine what happens between several. */
#define EPM_NODE_SIZE "DEEPXTRACE_MPI_NODE_SIZE"

/** Begin of a message. Behind it, each on a cache line of its own: of a dispatch the routes, the
 *  scales and the rows of the tokens; of a combine the row numbers and the rows. */
typedef struct dxt_ep_mpi_head {
    _Alignas(SHM_LINE) uint64_t epoch;
    uint32_t copies; /**< routes; of a combine rows */
    uint32_t rows;
    uint32_t format;
} dxt_ep_mpi_head;

/** Where the parts of a message begin. */
typedef struct dxt_ep_mpi_parts {
    size_t scales; /**< routes or row numbers lie between the head and these */
    size_t rows;
    size_t row; /**< bytes of a row */
    size_t size;
} dxt_ep_mpi_parts;

typedef struct dxt_ep_mpi_state {
    MPI_Comm comm;
    uint32_t count;  /**< of far ranks */
    uint32_t *ranks; /**< [count] */
    uint32_t *index; /**< [ranks] in `ranks` */
    uint8_t *memory; /**< all regions */
    size_t mapped;
    size_t stride[DXT_EP_OPERATORS];
    uint8_t *in[DXT_EP_OPERATORS][DXT_EP_IN_FLIGHT];
    uint8_t *out[DXT_EP_OPERATORS][DXT_EP_IN_FLIGHT];
    uint64_t expected[DXT_EP_OPERATORS][DXT_EP_IN_FLIGHT]; /**< epoch that comes next */
    MPI_Request *receives; /**< [operators][parities][count], and the one for masks */
    MPI_Request *sends;    /**< [operators][parities][count] */
    uint8_t *here;         /**< like `sends`: what came has not been read */
    int *done;             /**< scratch of MPI_Testsome() */
    MPI_Status *statuses;
    const uint8_t **found[DXT_EP_IN_FLIGHT]; /**< [tokens × topk] rows of a combine */
    uint32_t mask_in;
    uint32_t *mask_out; /**< [ranks] each its own number: read by sends that nobody waits for */
    bool armed;
} dxt_ep_mpi_state;

static inline dxt_ep_mpi_state *dxt_ep_mpi_of(const dxt_ep *ep)
{
    return ((const dxt_ep_shm_state *)ep->state)->far_state;
}

/** Place of (operator, epoch, peer) in the arrays of requests. */
static inline size_t dxt_ep_mpi_slot(const dxt_ep_mpi_state *m, uint32_t operator_index,
                                     uint64_t epoch, uint32_t peer)
{
    return (operator_index * DXT_EP_IN_FLIGHT + epoch % DXT_EP_IN_FLIGHT) * (size_t)m->count + peer;
}

/** Region of a peer. */
static inline uint8_t *dxt_ep_mpi_in(const dxt_ep_mpi_state *m, uint32_t operator_index,
                                     uint64_t epoch, uint32_t peer)
{
    return m->in[operator_index][epoch % DXT_EP_IN_FLIGHT] + peer * m->stride[operator_index];
}

static inline uint8_t *dxt_ep_mpi_out(const dxt_ep_mpi_state *m, uint32_t operator_index,
                                      uint64_t epoch, uint32_t peer)
{
    return m->out[operator_index][epoch % DXT_EP_IN_FLIGHT] + peer * m->stride[operator_index];
}

/** dxt_ep_fail() with MPI's text behind @p what. @return DXT_ERR_IO. */
dxt_status dxt_ep_mpi_failed(const char *what, int error);

/* ---- nodes.c: who shares a machine ---- */

/**
 * Find the members of this rank's segment, and make it.
 *
 * @param members  [ranks] receives them in rising order.
 * @param count    Receives their number.
 * @param fd       Receives the shared memory object of the node, to be closed.
 * @return DXT_OK on all ranks, or an error on all.
 *
 * Collective over @p comm.
 */
dxt_status dxt_ep_mpi_share(const dxt_ep_config *config, MPI_Comm comm, uint32_t *members,
                            uint32_t *count, int *fd);

/** The same outcome for all: @p status, or DXT_ERR_STATE if it is another rank's that failed.
 *  Collective. */
dxt_status dxt_ep_mpi_all_well(MPI_Comm comm, dxt_status status);

/* ---- pack.c: what is in a message ---- */

/** Parts of a message. @param format  Of its operator. */
dxt_ep_mpi_parts dxt_ep_mpi_dispatch_parts(const dxt_ep_config *config, uint32_t format,
                                           size_t copies, size_t rows);
dxt_ep_mpi_parts dxt_ep_mpi_combine_parts(const dxt_ep_config *config, uint32_t format,
                                          size_t rows);

/** Most (token, expert) copies that one rank sends another. */
size_t dxt_ep_mpi_most_copies(const dxt_ep_config *config);

/** Whether a message that came can be what it says. @param size  Bytes that came. */
bool dxt_ep_mpi_plausible(const dxt_ep *ep, uint32_t operator_index, const dxt_ep_mpi_head *head,
                          size_t size);

/** Write a message. @return Its size; 0 (combine) if the handle has more than there can be. */
size_t dxt_ep_mpi_pack_dispatch(const dxt_ep *ep, const dxt_ep_dispatch *dispatch, uint32_t target,
                                uint64_t epoch, uint8_t *message);
size_t dxt_ep_mpi_pack_combine(const dxt_ep *ep, const dxt_ep_combine *combine, uint32_t home,
                               uint64_t epoch, uint8_t *message);

/** As in dxt_ep_shm_far. */
dxt_ep_shm_sent dxt_ep_mpi_unpack(const dxt_ep *ep, uint32_t source, uint64_t epoch,
                                  dxt_ep_range *ranges);
dxt_status dxt_ep_mpi_find_rows(dxt_ep *ep, const dxt_ep_combine *combine, uint64_t epoch);
const void *dxt_ep_mpi_row(const dxt_ep *ep, uint64_t epoch, uint32_t row);

/* ---- messages.c: moving them ---- */

/** Start waiting for what others send. */
dxt_status dxt_ep_mpi_arm(dxt_ep *ep, dxt_ep_mpi_state *m);
/** Wait for nothing any more. @return Whether MPI may still be reading from the regions. */
bool dxt_ep_mpi_disarm(dxt_ep_mpi_state *m);

extern const dxt_ep_shm_far dxt_ep_mpi_far;

#endif
