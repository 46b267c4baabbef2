/* SPDX-License-Identifier: Apache-2.0 */
/* How a rank of `job` works: what is the same with every engine is in rank.c and engine.c, and what
 * is not is behind the table below, in one file for each kind of engine. */
#ifndef TOOLS_JOB_ENGINE_H
#define TOOLS_JOB_ENGINE_H

#include "report.h"

/** One rank, in its own process. */
typedef struct job_rank {
    const job *run;
    uint32_t rank;
    int64_t slow_ns[DXT_EP_OPERATORS]; /**< how late this rank is to be before an operation, now */
    dxt_ep *ep;                        /**< made by the engine's set_up() */
    void *own;                         /**< whatever else set_up() made */
    dxt_gather *gather;
    dxt_session *session;
    job_report report;
} job_rank;

/** Smallest share of the step worth a finding, where each rank has a processor: steps of a job like
 *  this vary by more than those of one that trains. */
#define JOB_MIN_SHARE 0.05

/** What a job is like when nobody says. */
typedef struct job_usual {
    int64_t compute_ns;
    double min_share; /**< of the step, above which a lateness is worth a finding */
} job_usual;

/**
 * The work of a rank with one kind of engine. What returns an outcome returns GO_ON,
 * otherwise the exit status of the rank, with what is wrong said on standard error.
 */
typedef struct job_engine {
    const char *name;
    /** Steps that a rank may have begun without having completed the first of them: where a step is
     *  only queued more than 1. */
    uint64_t ahead;
    /** What is not said on the command line. */
    job_usual (*usual)(uint64_t ranks_per_processor);
    /** In the parent, before there are ranks: is everything there that can be looked for without
     *  touching a device? NULL: nothing to look for. */
    outcome (*prepare)(void);
    /** Join the group and get the load ready. What it made is for tear_down(), also on failure. */
    outcome (*set_up)(job_rank *state);
    /** Once before the job, on all ranks: is what arrives what was sent? */
    outcome (*check)(job_rank *state);
    /** Say where the session reads the counters. */
    void (*counters)(job_rank *state, dxt_session_config *config);
    /** An interval begins now, on all ranks at about the same time. */
    outcome (*begin)(job_rank *state);
    /** Compute, dispatch, compute, combine; or queue that. */
    outcome (*step)(job_rank *state, uint64_t step);
    /** Complete what is queued. NULL: nothing ever is. */
    outcome (*settle)(job_rank *state);
    void (*tear_down)(job_rank *state);
} job_engine;

/** Ranks that are processes: they compute by sleeping, and count in memory of their own. */
extern const job_engine job_processes;
/** Ranks that have a GPU each: compute and operations are queued there, and counted there. */
extern const job_engine job_cuda;

/** How ranks work with the engine of this name. */
const job_engine *job_engine_of(const char *name);

/** Complain for a rank. @return the exit status of a failure. */
outcome job_failed(const job_rank *state, const char *what, const char *why);

/** What an operation of the engine returned. @return GO_ON, otherwise the exit status. */
outcome job_heed(const job_rank *state, dxt_status status, const char *what);

/** Delay the paths to this rank as the command line asks, with what the engine offers. */
dxt_status job_delay_paths(const job_rank *state);

/** Random numbers of the compute time, apart from those of the load. */
enum { JOB_STREAM_COMPUTE = 1u << 20 };

#endif
