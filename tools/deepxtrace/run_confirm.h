/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict over a whole run names what is in the sum of its windows and in at least half of the
 * windows: one moment in which the machine was busy elsewhere is not what the run was like. */
#ifndef DXT_RUN_CONFIRM_H
#define DXT_RUN_CONFIRM_H

#include <deepxtrace/analysis.h>

/** How often each rank, path or node was named in the windows of one operator. Zero it to begin. */
typedef struct dxt_named {
    struct dxt_named_entry {
        dxt_finding finding; /**< the subject; its other fields are those of the first time */
        uint64_t windows;
    } * entries;
    size_t count, capacity;
    uint64_t windows;
} dxt_named;

/** Count the findings of one more window. @return DXT_OK; DXT_ERR_NO_MEMORY. */
dxt_status dxt_named_add(dxt_named *named, const dxt_findings *findings);

/**
 * The findings of the sum without those that the windows do not bear out. A silent rank is kept.
 *
 * @param whole      Result for the sum; must outlive @p confirmed.
 * @param confirmed  Receives a copy that shares what it can; release with dxt_confirmed_free().
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_named_confirm(const dxt_named *named, const dxt_findings *whole,
                             dxt_findings *confirmed);

/** Release what dxt_named_confirm() allocated; a zeroed one is allowed. */
void dxt_confirmed_free(dxt_findings *confirmed);
void dxt_named_free(dxt_named *named);

#endif
