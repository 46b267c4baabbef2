/* SPDX-License-Identifier: Apache-2.0 */
/* What early.h finds. */
#ifndef DXT_ARRIVE_EARLY_DATA_H
#define DXT_ARRIVE_EARLY_DATA_H

#include <stdint.h>

#include "analysis/tuning.h"

/** Cells off the diagonal, spread evenly. */
typedef struct dxt_early_sample {
    uint32_t count;
    uint16_t row[DXT_LEVEL_SAMPLE], column[DXT_LEVEL_SAMPLE];
    int64_t counter[DXT_LEVEL_SAMPLE];
} dxt_early_sample;

/** What was found; zero: nothing. */
typedef struct dxt_early_data {
    uint32_t nodes; /**< all with as many ranks, in the order of these */
    double *level;  /**< [nodes][nodes] what a node waits for another; NULL = none. A fit takes
                       them over */
    double *least;  /**< [nodes] the least of each row, without the own level */
    /* For slow_links.h: counters of each rank for some ranks of other nodes. */
    uint32_t ranks, partners;
    uint32_t at[DXT_PARTNERS]; /**< [partners] which, of all ranks but those of the own node */
    const int64_t *counter;    /**< [partners][ranks] */
    double *within;            /**< for within.h, as in a fit; NULL = not kept */
    const dxt_early_sample *sample;
} dxt_early_data;

/** The rank that partner @p p of node @p a is. */
static inline uint32_t dxt_early_partner(const dxt_early_data *early, uint32_t p, uint32_t a)
{
    uint32_t size = early->ranks / early->nodes;
    return early->at[p] < a * size ? early->at[p] : early->at[p] + size;
}

#endif
