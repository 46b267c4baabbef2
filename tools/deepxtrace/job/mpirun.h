/* SPDX-License-Identifier: Apache-2.0 */
/* `job --engine mpi`: mpirun has started this process as one of the ranks. There is no parent, and
 * what the ranks of one machine share otherwise is shown on a board by rank 0. */
#ifndef TOOLS_JOB_MPIRUN_H
#define TOOLS_JOB_MPIRUN_H

#include "job.h"

/** What ties the ranks together. */
struct job_mpi {
    dxt_mpi_place place;
    dxt_mpi_board *board; /**< words: intervals that may begin, first step that nobody takes, and
                               two of which the name of the job is made */
};

/**
 * Start MPI and find this process's place. Ranks above 0 leave it to rank 0 to complain.
 *
 * @param mpi  Zeroed; filled in.
 * @return GO_ON; otherwise the exit status.
 */
outcome job_mpi_start(struct job_mpi *mpi);

/** Be the control of this process, and stop when mpirun passes on what interrupts it. */
void job_mpi_take_part(job *run);

/** Make the board that the ranks share. @return GO_ON; otherwise the exit status. */
outcome job_mpi_open_board(const job *run);

/** End MPI, whatever has become of the others. @return @p result. */
outcome job_mpi_end(outcome result);

/** Open this rank's mailboxes. */
dxt_status job_mpi_gather(const job *run, dxt_gather **gather);

/** Rank 0 lets the others begin. @return GO_ON; otherwise the exit status. */
outcome job_mpi_meet(const job *run);

/**
 * job_open_gate() and job_wait_gate() in one; here is also agreed on the end.
 *
 * @param step  The next one.
 * @return GO_ON; otherwise the exit status.
 */
outcome job_mpi_begin(const job *run, uint32_t number, uint64_t step);

#endif
