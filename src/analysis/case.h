/* SPDX-License-Identifier: Apache-2.0 */
/* All that a rule may look at: one window, its fit, and what is known around it. */
#ifndef DXT_ANALYSIS_CASE_H
#define DXT_ANALYSIS_CASE_H

#include <deepxtrace/analysis.h>

#include "analysis/arrive/model.h"
#include "analysis/draft.h"
#include "analysis/explain/carried.h"
#include "analysis/explain/paths.h"

/** While the rules run only those fields change that are filled in at their first use. */
typedef struct dxt_case {
    const dxt_window *window;
    const dxt_window *companion; /**< NULL: unknown */
    dxt_fit fit;                 /**< `count` 0 with the ratio method */
    dxt_fit other;               /**< of the companion; count 0 when there is none */
    const dxt_window
        *adjacent; /**< the transfer before it, or the operator behind it; NULL: unknown */
    double transfer_ordinary;       /**< as in the options; 0 = unknown */
    const int64_t *delay_before_ns; /**< likewise; NULL = unknown */
    dxt_fit next;                   /**< of `adjacent`; count 0 when there is none */
    const dxt_path_list *paths; /**< what the fit does not explain; NULL with the ratio method */
    bool *passing;   /**< [fit.count] late, but only once in a while: no cause; NULL = nobody */
    bool nothing;    /**< no operation was completed: only silent ranks are named */
    bool likely;     /**< the nodes are a guess: no finding names one … */
    bool blocks;     /**< … although a rule for nodes applies */
    bool few;        /**< so few waits that a cost which is not known counts as small */
    double turn;     /**< largest lateness by turns; 0 = none, NaN until explain/turns.c looks */
    double once;     /**< largest lateness of those in `passing`; 0 = none */
    double mean;     /**< of all raw counters; NaN until dxt_case_mean() */
    double spent;    /**< what shares are parts of: the step, unless `beside`; NaN = unknown */
    uint32_t beside; /**< where the waits add up to more than the window lasts: how many ran at
                              the same time, at least; otherwise 0 */
    dxt_carried carried; /**< from the companion; NULL until dxt_case_carried() */
    dxt_draft *draft;    /**< where findings go */
} dxt_case;

/** What lateness in the companion adds to the waits here. The companion must be there. Reads its
 *  whole matrix at the first call, so call it only when somebody is late. */
const dxt_carried *dxt_case_carried(dxt_case *c);

/** The largest of these amounts, early or late; 0 without a companion. */
double dxt_case_most_carried(dxt_case *c);

/** Mean of all raw counters. */
double dxt_case_mean(dxt_case *c);

/** Add the column (row) of a member to the abnormal ones, with its raw mean. @return Its rank. */
uint32_t dxt_case_list_column(dxt_case *c, uint32_t member);
uint32_t dxt_case_list_row(dxt_case *c, uint32_t member);

#endif
