/* SPDX-License-Identifier: Apache-2.0 */
/* `simulate`: one row of one operation, the loop where all the time goes. */
#ifndef TOOLS_SIMULATE_ROW_H
#define TOOLS_SIMULATE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Factors of a latency, equally likely: quantiles of a distribution of mean 1. */
#define SIM_SPREAD_BITS 12
typedef struct sim_spread {
    bool constant; /**< all are 1 */
    float factor[1 << SIM_SPREAD_BITS];
} sim_spread;

/** Gamma of shape 2, cut at the last quantile; or none at all. */
void sim_spread_set(sim_spread *spread, bool wanted);

/** About standard normal, from any number: cheap, and without a state. */
double sim_cheap_normal(uint64_t number);

/** One rank in one operation. Times are ns after the earliest arrival. */
typedef struct sim_row {
    uint32_t ranks;
    uint32_t own;         /**< this rank; it does not wait for itself here */
    uint32_t noise;       /**< any number */
    const float *arrival; /**< [ranks] */
    const float *latency; /**< [ranks] of these paths */
    const float *usual;   /**< [ranks] of such paths */
    const float *extra;   /**< [ranks]; NULL = none */
    float head_start;     /**< when this rank begins to wait, less what receiving costs it */
} sim_row;

/**
 * Add max(0, arrival + latency × factor − own arrival), in whole ns, to each cell of a row.
 *
 * @return The longest with the usual latency and no factor: those say how soon a wait within the
 *         operation is over; the operation is over when all data is there, whatever came first.
 */
int32_t sim_add_row(const sim_row *row, const sim_spread *spread, int64_t *sum);

#endif
