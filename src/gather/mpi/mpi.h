/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_GATHER_MPI_MPI_H
#define DXT_GATHER_MPI_MPI_H

#include <mpi.h>
#include <stdbool.h>

#include "gather/mpi_part.h"

/** How long the end of something is waited for. */
#define MPI_PART_LINGER_NS INT64_C(2000000000)

/** CLOCK_MONOTONIC in ns. */
int64_t mpi_part_now_ns(void);

/** Sleep between two looks at something, twice as long as the last time up to a limit. */
void mpi_part_pause(int64_t *pause_ns);

/** Write why into a text of DXT_MPI_WHY bytes. @return @p status. */
dxt_status mpi_part_say(dxt_status status, char *why, const char *format, ...) DXT_PRINTF(3, 4);

/** The same for what MPI returned. @return DXT_OK; DXT_ERR_IO. */
dxt_status mpi_part_check(int error, char *why);

/** Whether MPI is between its beginning and its end. @return DXT_OK; DXT_ERR_STATE. */
dxt_status mpi_part_check_alive(char *why);

/** Whether it has threads. @return DXT_OK; DXT_ERR_UNSUPPORTED. */
dxt_status mpi_part_check_threads(char *why);

/** Duplicate a communicator that was handed over. Collective.
 *  @param comm  Receives it, or MPI_COMM_NULL. There may be one in spite of an error, which is for
 *               all ranks to hear of: see mpi_part_all_well(). */
dxt_status mpi_part_open(const void *given, MPI_Comm *comm, char *why);

/** The same outcome on all ranks: DXT_OK, or an error. Collective. */
dxt_status mpi_part_all_well(MPI_Comm comm, dxt_status status, char *why);

/** Ranks for a processor where they are most; ranks on one kernel share its processors. Collective.
 */
dxt_status mpi_part_ranks_per_processor(MPI_Comm comm, uint32_t ranks, uint32_t *most, char *why);

/** What could not be finished in time. */
typedef struct mpi_part_rest {
    bool (*finish)(void *context); /**< go on; @return whether it is done with, and may be gone */
    void *context;
    struct mpi_part_rest *next;
} mpi_part_rest;

/** Leave it until MPI ends, which goes on with it before anything else. */
void mpi_part_leave(mpi_part_rest *rest);

/** Give up a receive that may be waiting. */
void mpi_part_cancel(MPI_Request *request);

/* mail.c, board.c; as in dxt_mpi_part. */
dxt_status mpi_part_open_mail(const void *comm, size_t mail_capacity, dxt_status ready,
                              dxt_gather_transport *transport, char *why);
dxt_status mpi_part_open_board(const void *comm, dxt_status ready, void **board, char *why);
dxt_status mpi_part_show(void *board, const uint64_t *words, char *why);
dxt_status mpi_part_read(void *board, uint64_t *words, char *why);
void mpi_part_close_board(void *board);

#endif
