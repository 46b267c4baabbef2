/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations of all ranks in, waits out. Where no rank leaves an operation before all have come,
 * rank i waits w_i = T − e_i in it, and so for rank j max(0, w_i − w_j) = max(0, e_j − e_i). This
 * compares no clocks, only durations of the same operation, which has a number.
 *
 * Ranks may report an operation in different windows: until all have reported it, it is kept for
 * the next window. Pure: no I/O, no clock, no globals.
 */
#ifndef DXT_SESSION_DURATIONS_H
#define DXT_SESSION_DURATIONS_H

#include <stdbool.h>

#include <deepxtrace/matrix.h>

/** Durations of an operator that are kept of a rank until all others have told of theirs: those of
 * two mails. */
#define DXT_DURATIONS_KEPT 2048u

typedef struct dxt_durations dxt_durations;

/** What the waits of a window were made of. */
typedef struct dxt_common {
    uint32_t count; /**< operations that all who take part have told of; 0 = none */
    bool unequal;   /**< the numbers of the ranks do not go together: nothing can be said */
} dxt_common;

/**
 * @param ranks      2 … DXT_MAX_RANKS.
 * @param operators  1 … DXT_MAX_OPERATORS.
 * @param durations  Receives it; release with dxt_durations_destroy(). Untouched on error.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_durations_create(uint32_t ranks, uint32_t operators, dxt_durations **durations);

/** NULL is allowed. */
void dxt_durations_destroy(dxt_durations *durations);

/**
 * Take what a rank has told of an operator.
 *
 * @param told  Of any content. Operations that it told of before are passed over; if all are older,
 *              it has begun anew, and so does its list.
 */
void dxt_durations_add(dxt_durations *durations, uint32_t rank, uint32_t operator_index,
                       const dxt_duration *told, uint32_t count);

/** Whether any rank has ever told of this operator. */
bool dxt_durations_known(const dxt_durations *durations, uint32_t operator_index);

/**
 * Make waits of the operations that all ranks have told of, and drop these.
 *
 * @param absent       N: 1 = a rank that sent nothing this time.
 * @param ns_per_tick  N; NULL = not known: waits are in ticks then.
 * @param wait         N×N; cells of those who are absent, or have never told of this operator, are
 *                     DXT_NOT_OBSERVED, and all are when nothing is common.
 *
 * Where operations are measured now and then, the few (one of 128 at most) in which ranks come 20
 * times as far apart as in the ordinary one count once, and not for those that were not measured.
 *
 * Cost: O(N² × operations), at most 2^27 steps or 32 operations; allocates nothing.
 */
dxt_common dxt_durations_match(dxt_durations *durations, uint32_t operator_index,
                               const uint8_t *absent, const double *ns_per_tick, int64_t *wait);

#endif
