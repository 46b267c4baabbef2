/* SPDX-License-Identifier: Apache-2.0 */
/* What early.h finds. */
#ifndef DXT_ARRIVE_EARLY_DATA_H
#define DXT_ARRIVE_EARLY_DATA_H

#include <stdint.h>

/** What was found; zero: nothing. */
typedef struct dxt_early_levels {
    uint32_t nodes;      /**< all with as many ranks, in the order of these */
    const double *level; /**< [nodes][nodes] what a node waits for another; NULL = none */
} dxt_early_levels;

#endif
