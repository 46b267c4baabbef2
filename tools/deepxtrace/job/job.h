/* SPDX-License-Identifier: Apache-2.0 */
/* `job`: the job as it was asked for, and what its processes share. One parent watches
 * (watch.c), N ranks work (rank.c), rank 0 also reports (report.c). */
#ifndef TOOLS_JOB_JOB_H
#define TOOLS_JOB_JOB_H

#include <stdatomic.h>
#include <stdbool.h>

#include <deepxtrace/deepxtrace.h>
#include <deepxtrace/ep.h>

#include "device.h"
#include "load.h"
#include "output.h"

/** Most of --slow and of --slow-path each. */
#define JOB_MAX_FAULTS 64u

/** Most of --heatmap. */
#define JOB_MAX_PICTURES 4u

/** A rank that sleeps before every operation of a kind, or, with a source, a slow path to it. */
typedef struct job_fault {
    uint32_t operator_index;
    uint32_t rank;   /**< of a path, the receiver */
    uint32_t source; /**< of a path; otherwise DXT_NO_RANK */
    int64_t delay_ns;
} job_fault;

/** A list of them, as the command line fills it. */
typedef struct job_fault_list {
    job_fault items[JOB_MAX_FAULTS];
    size_t count;
} job_fault_list;

/** What the processes of a job share. Zeroed but for the limits. */
typedef struct job_control {
    _Atomic uint32_t stop;        /**< 1 = end after a step that all agree on */
    _Atomic uint32_t ready;       /**< ranks that are set up */
    _Atomic uint32_t gate;        /**< futex: intervals that may begin; UINT32_MAX = all */
    _Atomic uint64_t last_step;   /**< first step that nobody takes */
    _Atomic uint32_t told;        /**< what all ranks find: 1 = one is telling it; 2 = told */
    _Atomic uint32_t met;         /**< devices: comings of ranks to their meetings */
    _Atomic uint32_t device_gate; /**< devices: intervals that may begin */
    uint8_t buffers[JOB_MAX_FAULTS][DEVICE_SHARED_BYTES]; /**< devices: of the receiver of
                                                                       each slow path */
} job_control;

/** A job. Read-only once its ranks are there, but for what `control` points to. */
typedef struct job {
    const char *engine;
    load_shape shape;
    uint64_t steps; /**< 0 = until `windows` are diagnosed, or until stopped */
    uint64_t windows;
    uint64_t window_ops;
    int64_t async_ns; /**< 0 = sync */
    uint64_t warmup_windows;
    int64_t compute_ns;
    double jitter; /**< of the compute time, 0 … 1 */
    int64_t timeout_ns;
    double min_share;
    bool min_share_raised; /**< by default, since ranks share processors */
    job_fault_list slow, paths;
    int64_t slow_from_ns,
        slow_until_ns; /**< time of the work in which `slow` acts; until 0 = its end
                                          */
    bool json, text, summary, exit_code, progress;
    dxt_color color;
    output_file record;
    bool recording;
    output_file pictures[JOB_MAX_PICTURES];
    dxt_format picture_formats[JOB_MAX_PICTURES];
    size_t picture_count;

    int fd; /**< shared memory: first the engine's, then the mailboxes */
    size_t engine_size, gather_size;
    job_control *control;
    struct job_mpi *mpi; /**< NULL: the ranks are children of one process */
    int parent;          /**< process id */
    char *instance;      /**< name of the job, JOB_NAME_SIZE bytes */
} job;

#define JOB_NAME_SIZE 40

/** Make a name of two random numbers, that tells the windows of this run from those of any other.
 */
void job_name(char name[JOB_NAME_SIZE], uint64_t a, uint64_t b);

/** How long rank 0 waits for the mails of the others. */
int64_t job_deadline_ns(const job *run);

/** Engine configuration of a rank; the probe is the caller's to set. */
dxt_ep_config job_ep_config(const job *run, uint32_t rank);

/**
 * Make the shared memory of the job; it has no name any more when this returns.
 *
 * @return GO_ON; otherwise the exit status, said on standard error.
 */
outcome job_share(job *run);
void job_unshare(job *run);

/** Ask all ranks to end. Safe in a signal handler. */
void job_stop(job_control *control);
/**
 * Whether @p step is not to be taken any more. All ranks get the same answer.
 *
 * @param ahead  Steps that a rank may have begun without having completed the first; the same on
 *               all ranks, at least 1.
 */
bool job_ended(const job *run, uint64_t step, uint64_t ahead);

/** Let interval @p number (from 0) begin; UINT32_MAX opens for good. Wakes all who wait. */
void job_open_gate(job_control *control, uint32_t number);
/** Wait until interval @p number may begin, at most @p timeout_ns. */
void job_wait_gate(job_control *control, uint32_t number, int64_t timeout_ns);

/** CLOCK_MONOTONIC in ns. */
int64_t job_now_ns(void);

/** Be rank @p rank; called in its process. @return its exit status. */
outcome job_work(const job *run, uint32_t rank);

/** The same in a process that mpirun started. @return its exit status. */
outcome job_mpi(job *run);

/** Start the ranks, see them through, leave nothing behind. @return the exit status. */
outcome job_watch(const job *run);

#endif
