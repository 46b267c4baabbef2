/* SPDX-License-Identifier: Apache-2.0 */
/* How a rank of `run` works: what is the same with every engine is in rank.c, and what is not
 * is behind the table below, in one file for each kind of engine. */
#ifndef DXT_RUN_ENGINE_H
#define DXT_RUN_ENGINE_H

#include "report.h"

/** One rank, in its own process. */
typedef struct dxt_run_rank_state {
    const dxt_run *run;
    uint32_t rank;
    int64_t slow_ns[DXT_EP_OPERATORS]; /**< how late this rank is to be before an operation */
    dxt_ep *ep;                        /**< made by the engine's set_up() */
    void *own;                         /**< whatever else set_up() made */
    dxt_gather *gather;
    dxt_session *session;
    dxt_run_report report;
} dxt_run_rank_state;

/** What a job is like when nobody says. */
typedef struct dxt_run_usual {
    int64_t compute_ns;
    double min_share; /**< of the step, above which a lateness is worth a finding */
} dxt_run_usual;

/**
 * The work of a rank with one kind of engine. What returns an int returns −1 to go on, otherwise
 * the exit status of the rank, with what is wrong said on standard error.
 */
typedef struct dxt_run_engine {
    const char *name;
    /** Steps that a rank may have begun without having completed the first of them: where a step is
     *  only queued more than 1. */
    uint64_t ahead;
    /** What is not said on the command line. */
    dxt_run_usual (*usual)(uint64_t ranks_per_processor);
    /** In the parent, before there are ranks: is everything there that can be looked for without
     *  touching a device? NULL: nothing to look for. */
    int (*prepare)(void);
    /** Join the group and get the load ready. What it made is for tear_down(), also on failure. */
    int (*set_up)(dxt_run_rank_state *state);
    /** Once before the job, on all ranks: is what arrives what was sent? */
    int (*check)(dxt_run_rank_state *state);
    /** Say where the session reads the counters. */
    void (*counters)(dxt_run_rank_state *state, dxt_session_config *config);
    /** An interval begins now, on all ranks at about the same time. */
    int (*begin)(dxt_run_rank_state *state);
    /** Compute, dispatch, compute, combine; or queue that. */
    int (*step)(dxt_run_rank_state *state, uint64_t step);
    /** Complete what is queued. NULL: nothing ever is. */
    int (*settle)(dxt_run_rank_state *state);
    void (*tear_down)(dxt_run_rank_state *state);
} dxt_run_engine;

/** Ranks that are processes: they compute by sleeping, and count in memory of their own. */
extern const dxt_run_engine dxt_run_processes;
/** Ranks that have a GPU each: compute and operations are queued there, and counted there. */
extern const dxt_run_engine dxt_run_cuda;

/** How ranks work with the engine of this name. */
const dxt_run_engine *dxt_run_engine_of(const char *name);

/** Complain for a rank. @return the exit status of a failure. */
int dxt_run_failed(const dxt_run_rank_state *state, const char *what, const char *why);

/** What an operation of the engine returned. @return −1 to go on, otherwise the exit status. */
int dxt_run_heed(const dxt_run_rank_state *state, dxt_status status, const char *what);

/** Delay the paths to this rank as the command line asks, with what the engine offers. */
dxt_status dxt_run_delay_paths(const dxt_run_rank_state *state);

/** Random numbers of the compute time, apart from those of the load. */
enum { DXT_RUN_STREAM_COMPUTE = 1u << 20 };

#endif
