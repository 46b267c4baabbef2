/* SPDX-License-Identifier: Apache-2.0 */
/* One of the two runs that are compared. */
#ifndef TOOLS_COMPARE_SIDE_H
#define TOOLS_COMPARE_SIDE_H

#include <deepxtrace/history.h>

#include "cause.h"
#include "change.h"
#include "files.h"
#include "input.h"

/** An operator of a run. */
typedef struct side_operator {
    char *phase;
    dxt_measure measure;
    uint64_t windows;
    uint64_t inherited; /**< of these, those in which ranks are late because of another operator */
    series late;        /**< [ranks] how late each rank was */
    series silent;      /**< [ranks] 1 in windows in which it was, else 0 */
    series wait;        /**< [ranks][ranks] waits */
    series mean;        /**< one: mean over all of them */
    series step;        /**< one: time of an operation and what belongs to it */
    cause_list causes;  /**< what analyze names of the group */
    double floor; /**< largest of the windows' smallest lateness worth telling; 0 = not known */
} side_operator;

typedef struct side {
    uint32_t ranks;
    uint64_t windows;  /**< of the last run, of the operator with the most */
    uint64_t left_out; /**< of the runs before it */
    side_operator *operators[DXT_HISTORY_OPERATORS];
    size_t count;
    char **hosts;   /**< [ranks]; NULL = not known */
    int32_t *nodes; /**< [ranks]; NULL = not known */
    /* While it is read. */
    const analysis_options *analysis;
    dxt_history *history;
    double *row;
} side;

/** Read a file; of several runs in it the last one counts. @return GO_ON, else the exit status,
 *  with the reason said. */
outcome side_read(side *s, const file_group *files, const analysis_options *analysis, bool strict);

void side_free(side *s);

#endif
