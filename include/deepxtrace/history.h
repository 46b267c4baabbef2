/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows of one run judged with their history, and the run summed up: who, since when, how often,
 * what it costs. Pure like the analysis: no I/O, no clock, no globals.
 */
#ifndef DEEPXTRACE_HISTORY_H
#define DEEPXTRACE_HISTORY_H

#include <deepxtrace/analysis.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Windows of an operator that are remembered rank by rank. */
#define DXT_HISTORY_WINDOWS 64u
/** Operators of a run that are followed; windows of more are judged on their own. */
#define DXT_HISTORY_OPERATORS 8u
/** Episodes that are kept per operator; of more, those that are over and cost least are forgotten.
 */
#define DXT_HISTORY_EPISODES 256u

/** Memory of one run. */
typedef struct dxt_history dxt_history;

/** Options. Zero a struct, set struct_size, then what differs from the default. */
typedef struct dxt_history_options {
    size_t struct_size;
    double min_share; /**< as in dxt_analysis_options; 0 = as the windows say, else 0.01 */
} dxt_history_options;

/** What tells runs apart, and how long this one is. */
typedef struct dxt_run_identity {
    size_t struct_size;
    uint32_t ranks;
    uint64_t windows; /**< judged so far, of the operator with the most */
    const char *instance, *source, *case_name;
} dxt_run_identity;

/** One cause over time. Fields that do not apply hold DXT_NO_RANK or −1. Frozen. */
typedef struct dxt_episode {
    const char *phase; /**< operator; owned by the history, gone when that forgets the run */
    dxt_finding_kind kind;
    uint32_t rank, source; /**< of several paths from one rank only `source`, to one only `rank` */
    int32_t node, source_node;
    int64_t first, last; /**< numbers of the first and the last window that names it */
    uint64_t seen;       /**< windows that name it */
    uint64_t windows;    /**< windows of the operator from the first one on: to the newest while
                              ongoing, else to the last that names it */
    int ongoing;         /**< whether one of the newest windows names it */
    dxt_measure measure; /**< unit of `wait` */
    double wait;         /**< mean lateness per operation in the windows that name it */
    double share;        /**< share of the step lost over `windows`; NaN = unknown */
    uint32_t path_total; /**< of several paths that are one cause: the most in one window; else 0 */
    uint32_t rank_count; /**< of a rail: how many of its ranks are listed; else 0 */
    const uint32_t *ranks; /**< those, ascending, when it was first named; NULL = none; owned as
                                `phase` */
    int or_early;    /**< of a late rank of two: 1 = in every window it may have been the other one
                       that was early, as in dxt_finding */
    char begin[40];  /**< `begin` of the first window that names it; "" = not known */
    dxt_place place; /**< where `rank` was then; what is not known is "" or −1 */
} dxt_episode;

/** Lateness of the ranks of one operator over its newest windows, one block to free(). Frozen. */
typedef struct dxt_timeline {
    uint32_t ranks;
    size_t windows;
    dxt_measure measure;
    double floor;           /**< smallest lateness worth telling in the newest window */
    const int64_t *index;   /**< [windows] numbers, ascending */
    const double *lateness; /**< [ranks][windows]; NaN = no row */
} dxt_timeline;

/**
 * Begin a history that has seen nothing.
 *
 * @param options  NULL for the defaults.
 * @param history  Receives it; release with dxt_history_destroy(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: a history belongs to one thread at a time. NULL: DXT_ERR_INVALID, but for
 * @p options.
 */
DXT_API dxt_status dxt_history_create(const dxt_history_options *options, dxt_history **history);

/**
 * Release.
 *
 * Blocking: no. Threads: after the last call with @p history. NULL: does nothing.
 */
DXT_API void dxt_history_destroy(dxt_history *history);

/**
 * Whether a window continues the run seen so far: it has the same ranks, instance, source and case,
 * and a number above that of the operator's last window. 1 also if nothing has been seen yet. 0 for
 * the eighth window in a row that measures something else (dxt_window_measure()), as when
 * operations are no longer known; if more is known than before, already when there are as many of
 * these windows as there were before.
 *
 * Blocking: no. Threads: the history belongs to one thread at a time. NULL: 0.
 */
DXT_API int dxt_history_continues(const dxt_history *history, const dxt_window *window);

/**
 * Fill in what the windows so far say about the next one: dxt_analysis_options.cell_spread, and
 * companion_spread for the companion that is set there, transfer_ordinary if `adjacent` is,
 * run_delay_before_ns, which the history owns and which is valid until its next window. Call it
 * before dxt_analyze().
 *
 * @param history  NULL, or of another run than the window: all become 0 or NULL, unknown.
 * @param window   The window to analyse. Its companion may have been followed already.
 * @param options  struct_size must be set; the other fields stay.
 * @return DXT_OK; DXT_ERR_INVALID (no window, no options, or these are too small).
 *
 * Blocking: no. Threads: the history belongs to one thread at a time. NULL: as said. Cost:
 * O(windows remembered).
 */
DXT_API dxt_status dxt_history_prior(const dxt_history *history, const dxt_window *window,
                                     dxt_analysis_options *options);

/**
 * Judge a window with those before it. If it does not continue the run, the history forgets that
 * run first. A window without a number, a window that measures something else than those before it,
 * and a result of the ratio method are returned as they are, and not remembered.
 *
 * It adds ranks whose lateness is too small for any single window, but stays. It takes away small
 * findings that the noise of the windows before explains, and those that spilled from another
 * operator, in which the rank is ten times as late. In a group of two, the work of each rank beside
 * waiting tells late from early, compared with at least eight windows of the same `mix` in which
 * nobody stood out; if that cannot tell, the finding keeps its `or_early`.
 *
 * @param window    The next window of its operator. Not modified.
 * @param findings  What dxt_analyze() says of it, with its companion if there is one.
 * @param judged    Receives the result; release with dxt_findings_free(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID (not of the same size); DXT_ERR_NO_MEMORY. After an error the
 *         window has not been counted.
 *
 * Blocking: no. Threads: the history belongs to one thread at a time. NULL: DXT_ERR_INVALID. Cost:
 * O(ranks²) time; the memory of a run is O(operators × ranks).
 */
DXT_API dxt_status dxt_history_judge(dxt_history *history, const dxt_window *window,
                                     const dxt_findings *findings, dxt_findings **judged);

/**
 * As dxt_history_judge(), in memory that it uses again: nothing is allocated once every operator
 * has had a window, whatever it finds.
 *
 * @param judged  Receives the result: owned by the history and valid until the next window of that
 *                operator or of another run; @p findings itself if they are returned as they are.
 *                Untouched on error.
 *
 * Blocking, threads, NULL: as dxt_history_judge().
 */
DXT_API dxt_status dxt_history_follow(dxt_history *history, const dxt_window *window,
                                      const dxt_findings *findings, const dxt_findings **judged);

/**
 * Which run has been seen.
 *
 * @param run  struct_size set; the rest is filled in. Nothing seen: all fields 0 and NULL. Texts
 *             are the history's own.
 * @return DXT_OK; DXT_ERR_INVALID.
 *
 * Blocking: no. Threads: the history belongs to one thread at a time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_history_run(const dxt_history *history, dxt_run_identity *run);

/**
 * Windows of the run that were judged so far, of the operator with the most.
 *
 * Blocking: no. Threads: the history belongs to one thread at a time. NULL: 0.
 */
DXT_API uint64_t dxt_history_windows(const dxt_history *history);

/**
 * Sum up the run.
 *
 * @param episodes  Receives an array to free(), the most expensive first; NULL when there are none.
 * @param count     Receives their number.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: the history belongs to one thread at a time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_history_summary(const dxt_history *history, dxt_episode **episodes,
                                       size_t *count);

/**
 * Whether a finding and an episode are about the same: the same rank, path or node, or paths of a
 * rail that share half of their ranks. Operators are not compared, nor are kinds that name a rank
 * or a node, since a rank that is late in one window may be hot in the next.
 *
 * @return 1 or 0.
 *
 * Blocking: no. Threads: reentrant. NULL: 0. Cost: O(ranks listed).
 */
DXT_API int dxt_episode_names(const dxt_episode *episode, const dxt_finding *finding);

/**
 * The lateness of all ranks in one operator, window by window.
 *
 * @param timeline  Receives it; release with free(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID (no window of that operator); DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: the history belongs to one thread at a time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_history_timeline(const dxt_history *history, const char *phase,
                                        dxt_timeline **timeline);

#ifdef __cplusplus
}
#endif

#endif
