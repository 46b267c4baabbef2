/* SPDX-License-Identifier: Apache-2.0 */
/* `bench accuracy`: windows of known truth, judged by every method, and how the methods did. */
#ifndef TOOLS_BENCH_SCORE_H
#define TOOLS_BENCH_SCORE_H

#include <deepxtrace/deepxtrace.h>

#include "logratio.h"
#include "outcome.h"

/** The methods that are compared. */
enum {
    SCORE_ROBUST = 0, /**< this analysis, each window alone */
    SCORE_HISTORY,    /**< the same with the windows before */
    SCORE_RATIO,
    SCORE_LOGRATIO,
    SCORE_METHODS
};

/** How a method did. Items are columns, rows, points, nodes, uplinks, pairs of nodes, stalls and
 *  skew. */
typedef struct score_sheet {
    uint64_t faulted, exact;        /**< windows in which something is wrong */
    uint64_t named, true_names;     /**< items named in them, and how many of those are true */
    uint64_t items;                 /**< items to be named in them */
    uint64_t healthy, false_alarms; /**< windows in which nothing is wrong; those with a name */
    uint64_t sure, sure_true;       /**< findings of a confidence of 0.99 and more; true ones */
} score_sheet;

/** One window with all that is needed to judge it. */
typedef struct score_window {
    const dxt_window *window, *companion;
    const sim_truth *truth;
    logratio_rule *logratio;
    dxt_history *history; /**< of the run; has seen the windows before */
    bool settled;         /**< enough of them have been seen to count what it says */
    bool without_nodes;   /**< the truth says nothing about nodes: naming one besides is no fault */
} score_window;

/** Let the history see a window that is not counted. @return What the analysis returned. */
dxt_status score_learn(const score_window *given);

/** Judge a window by all methods and count. @return DXT_OK, or what the analysis returned. */
dxt_status score_add(const score_window *given, score_sheet scores[SCORE_METHODS]);

/** The 95 % interval of a rate, after Wilson. @p count may be 0. */
void score_interval(uint64_t hits, uint64_t count, double interval[2]);

/** Part of @p whole; NaN if that is 0. */
double score_rate(uint64_t part, uint64_t whole);

/** Print one row of the table, or one line of JSON for each method. */
void score_print(const char *name, uint32_t ranks, bool json,
                 const score_sheet scores[SCORE_METHODS]);
void score_print_head(void);

/**
 * Judge recorded windows whose label is known, case by case.
 *
 * @return An exit status.
 */
outcome score_file(const char *path, bool json);

#endif
