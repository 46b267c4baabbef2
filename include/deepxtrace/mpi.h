/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs under MPI: where this process stands, and mailboxes that reach rank 0 from other
 * machines. No MPI header is needed here; a communicator is handed over as a pointer to it. The
 * code that calls MPI is a part of this library that exists once for each MPI and is loaded when it
 * is asked for: the one of the MPI that the process has loaded, or else that mpirun or srun has
 * started it with. DEEPXTRACE_MPI=openmpi or mpich chooses.
 */
#ifndef DEEPXTRACE_MPI_H
#define DEEPXTRACE_MPI_H

#include <deepxtrace/gather.h>
#include <deepxtrace/status.h>
#include <deepxtrace/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a process stands among those of a communicator. */
typedef struct dxt_mpi_place {
    size_t struct_size;
    uint32_t rank, ranks;
    int32_t node; /**< index of the machine, in the order of their first ranks */
    int32_t nodes;
    char host[64];    /**< name of the machine */
    char library[96]; /**< name and version of the MPI */
    /** Ranks for each processor that they may run on, rounded up, on the machine where these are
     *  most: above 1 they take turns */
    uint32_t ranks_per_processor;
} dxt_mpi_place;

/**
 * Initialize MPI with MPI_THREAD_MULTIPLE, unless the program has done so.
 *
 * @return DXT_OK; DXT_ERR_UNSUPPORTED (no such part, or an MPI without threads); DXT_ERR_STATE (MPI
 *         is finalized already); DXT_ERR_IO (MPI says no).
 *
 * Blocking: as MPI_Init_thread(), which all processes call. Threads: one.
 */
DXT_API dxt_status dxt_mpi_start(void);

/**
 * Finalize MPI if dxt_mpi_start() initialized it.
 *
 * Blocking: until all processes do. Threads: the one that called dxt_mpi_start().
 */
DXT_API dxt_status dxt_mpi_end(void);

/**
 * Find out where this process stands.
 *
 * @param comm   Points to an MPI_Comm; NULL = MPI_COMM_WORLD.
 * @param place  struct_size set; the rest is filled in.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_UNSUPPORTED; DXT_ERR_STATE (MPI is not initialized);
 *         DXT_ERR_LIMIT (more than DXT_MAX_RANKS); DXT_ERR_IO; DXT_ERR_NO_MEMORY.
 *
 * Blocking: collective, until all ranks of the communicator have called. Threads: one at a time for
 * a communicator. NULL: DXT_ERR_INVALID, but for @p comm.
 */
DXT_API dxt_status dxt_mpi_find_place(const void *comm, dxt_mpi_place *place);

/** Mailboxes of a communicator. */
typedef struct dxt_gather_mpi_config {
    size_t struct_size;
    const void *comm;     /**< points to an MPI_Comm, which is duplicated; NULL = MPI_COMM_WORLD */
    size_t mail_capacity; /**< largest mail in bytes; the same on all ranks */
} dxt_gather_mpi_config;

/**
 * Open this rank's end of mailboxes over MPI. The rank that publishes a mail pushes it to rank 0;
 * if it does not leave at once, a thread does so, and the program need not call MPI. Rank 0
 * receives what has arrived when it looks. A session takes node and host from this gather.
 *
 * @param gather  Receives it; release with dxt_gather_destroy() before MPI_Finalize(). Untouched on
 *                error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT; DXT_ERR_UNSUPPORTED (no such part; MPI was
 *         initialized without MPI_THREAD_MULTIPLE); DXT_ERR_STATE (MPI is not initialized);
 *         DXT_ERR_IO; DXT_ERR_NO_MEMORY.
 *
 * All ranks of the communicator open them, or none: if one has no memory, or a wrong mail_capacity,
 * it fails with that status and the others with DXT_ERR_STATE. Only a missing part
 * (DXT_ERR_UNSUPPORTED), MPI that is not initialized (DXT_ERR_STATE), and a NULL or a wrong
 * struct_size are found before the others hear of it.
 *
 * dxt_gather_publish() fails with DXT_ERR_IO while DXT_GATHER_DEPTH mails before it have not left.
 * dxt_gather_destroy() waits up to two seconds for the last ones, and MPI_Finalize() for what has
 * not left or arrived by then. Ranks may call it in any order, and hours apart.
 *
 * Blocking: collective; nothing later is. Threads: one collects at a time. NULL: DXT_ERR_INVALID.
 * Memory: rank 0 holds up to ranks × (DXT_GATHER_DEPTH + 1) mails, those that have arrived.
 */
DXT_API dxt_status dxt_gather_create_mpi(const dxt_gather_mpi_config *config, dxt_gather **gather);

/** Words that a board holds. */
#define DXT_MPI_BOARD_WORDS 4u

/** Words that rank 0 shows to all ranks, such as when to begin and when to end. */
typedef struct dxt_mpi_board dxt_mpi_board;

/**
 * Put up a board of zeros.
 *
 * @param comm   As above.
 * @param board  Receives it; release with dxt_mpi_board_destroy(). Untouched on error.
 * @return As dxt_gather_create_mpi().
 *
 * Blocking: collective; nothing later is. Threads: one at a time. NULL: DXT_ERR_INVALID, but for
 * @p comm.
 */
DXT_API dxt_status dxt_mpi_board_create(const void *comm, dxt_mpi_board **board);

/**
 * Rank 0: show these words from now on. @return DXT_OK; DXT_ERR_INVALID (another rank); DXT_ERR_IO.
 *
 * Blocking: no. Threads: one at a time for a board. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_mpi_board_show(dxt_mpi_board *board,
                                      const uint64_t words[DXT_MPI_BOARD_WORDS]);

/**
 * The newest words that have come. @return DXT_OK; DXT_ERR_IO.
 *
 * Blocking: no. Threads: one at a time for a board. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_mpi_board_read(dxt_mpi_board *board, uint64_t words[DXT_MPI_BOARD_WORDS]);

/**
 * Take the board down.
 *
 * Blocking: rank 0 up to two seconds, for the last words to leave. Threads: after the last call
 * with @p board. NULL: does nothing.
 */
DXT_API void dxt_mpi_board_destroy(dxt_mpi_board *board);

#ifdef __cplusplus
}
#endif

#endif
