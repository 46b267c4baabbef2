/* SPDX-License-Identifier: Apache-2.0 */
/* `run --engine mpi`: mpirun has started this process as one of the ranks. There is no parent, and
 * what the ranks of one machine share otherwise is shown on a board by rank 0. */
#ifndef DXT_RUN_MPI_H
#define DXT_RUN_MPI_H

#include "job.h"

/** What ties the ranks together. */
struct dxt_run_mpi {
    dxt_mpi_place place;
    dxt_mpi_board *board; /**< words: intervals that may begin, first step that nobody takes, and
                               two of which the name of the job is made */
};

/**
 * Start MPI and find this process's place. Ranks above 0 leave it to rank 0 to complain.
 *
 * @param mpi  Zeroed; filled in.
 * @return −1 to go on; otherwise the exit status.
 */
int dxt_run_mpi_start(struct dxt_run_mpi *mpi);

/** Be this rank. @return the exit status of the process, with MPI ended. */
int dxt_run_mpi(dxt_run *run);

/** End MPI, whatever has become of the others. @return @p result. */
int dxt_run_mpi_end(int result);

/** Open this rank's mailboxes. */
dxt_status dxt_run_mpi_gather(const dxt_run *run, dxt_gather **gather);

/** Rank 0 lets the others begin. @return −1 to go on; otherwise the exit status. */
int dxt_run_mpi_meet(const dxt_run *run);

/**
 * dxt_run_open_gate() and dxt_run_wait_gate() in one; here is also agreed on the end.
 *
 * @param step  The next one.
 * @return −1 to go on; otherwise the exit status.
 */
int dxt_run_mpi_begin(const dxt_run *run, uint32_t number, uint64_t step);

#endif
