/* SPDX-License-Identifier: Apache-2.0 */
/* One window on its way from a fit to findings: all that a rule may look at. */
#ifndef DXT_ANALYSIS_CASE_H
#define DXT_ANALYSIS_CASE_H

#include <deepxtrace/analysis.h>

#include "analysis/arrive/model.h"
#include "analysis/draft.h"
#include "analysis/explain/carried.h"
#include "analysis/explain/paths.h"

/** Nothing of it changes while the rules run but what is taken at its first use. */
typedef struct dxt_case {
    const dxt_window *window;
    const dxt_window *companion; /**< NULL: unknown */
    dxt_fit fit;                 /**< `count` 0 with the ratio method */
    dxt_fit other;               /**< of the companion; count 0 when there is none */
    const dxt_window
        *adjacent; /**< the transfer before it, or the operator behind it; NULL: unknown */
    double transfer_ordinary;   /**< as in the options; 0 = unknown */
    dxt_fit next;               /**< of that; count 0 when there is none */
    const dxt_path_list *paths; /**< what the fit does not explain; NULL with the ratio method */
    bool *passing;       /**< [fit.count] late, but only once in a while: no cause; NULL = nobody */
    bool nothing;        /**< no operation was completed: only silence is told */
    bool likely;         /**< nodes are only likely: nothing is said of them … */
    bool blocks;         /**< … though there would be something */
    bool few;            /**< of so few waits that a cost which is not known counts as small */
    double once;         /**< largest lateness of those; 0 = none */
    double mean;         /**< of all raw counters; NaN until dxt_case_mean() */
    double spent;        /**< what shares are parts of: the step, unless `beside`; NaN = unknown */
    uint32_t beside;     /**< waits that were added up side by side at least, where their number is
                              not known and they are longer than the window; otherwise 0 */
    dxt_carried carried; /**< from the companion; NULL until dxt_case_carried() */
    dxt_draft *draft;    /**< where findings go */
} dxt_case;

/** What was carried over from the companion, which must be there. It takes a pass over its matrix,
 *  so that it waits until somebody is late. */
const dxt_carried *dxt_case_carried(dxt_case *c);

/** The most that any rank carried over, either way; 0 without a companion. */
double dxt_case_most_carried(dxt_case *c);

/** Mean of all raw counters. */
double dxt_case_mean(dxt_case *c);

/** List the column (row) of a member among the abnormal ones, with its raw mean. @return Its rank.
 */
uint32_t dxt_case_list_column(dxt_case *c, uint32_t member);
uint32_t dxt_case_list_row(dxt_case *c, uint32_t member);

#endif
