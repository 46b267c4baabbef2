/* SPDX-License-Identifier: Apache-2.0 */
/* What a rank of `job` computes and sends: tokens, routes, stand-in experts, and the check that
 * what came back is what it should be. */
#ifndef TOOLS_LOAD_LOAD_H
#define TOOLS_LOAD_LOAD_H

#include <stdbool.h>

#include <deepxtrace/ep.h>

/** Random numbers (splitmix.h). Seed it with any value. */
typedef struct random_state {
    uint64_t state;
} random_state;

/** A generator of its own for each combination of the three numbers. */
random_state random_for(uint64_t seed, uint64_t stream, uint64_t index);
uint64_t random_next(random_state *random);
/** Uniform in [0, 1). */
double random_unit(random_state *random);

/** The shape of the job; the same on all ranks. */
typedef struct load_shape {
    uint32_t ranks, tokens, hidden, experts, topk;
    dxt_ep_dispatch_format dispatch_format;
    dxt_ep_combine_format combine_format;
    uint32_t hot_rank; /**< whose experts are chosen more often; DXT_NO_RANK = nobody's */
    double hot_factor; /**< how many times more often than any other expert */
    uint64_t seed;
} load_shape;

/** The step that is checked before a job; no other has its routes. */
#define LOAD_CHECKED_STEP (UINT64_MAX / 2)

/** Buffers of one rank. */
typedef struct rank_load rank_load;

/** @return NULL when memory is short. Release with load_destroy(). */
rank_load *load_create(const load_shape *shape, uint32_t rank);
void load_destroy(rank_load *load);

/** Where the buffers of a load are, for a rank that keeps copies of them on a device. */
typedef struct load_arrays {
    uint16_t *x;
    float *weights;
    int64_t *routes;
    void *received;
    float *scales;    /**< NULL unless dispatch is in FP8 */
    uint16_t *output; /**< the same as `received` unless dispatch is in FP8 */
    uint16_t *result;
    int32_t *counts;
    dxt_ep_handle handle;
    uint32_t local_experts;
    size_t slots; /**< of one local expert */
} load_arrays;

load_arrays load_arrays_of(const rank_load *load);

/** Choose the experts of this rank's tokens for a step. Any step can be asked for at any time. */
void load_route(rank_load *load, uint64_t step);

dxt_status load_dispatch_send(rank_load *load, dxt_ep *ep);
dxt_status load_combine_send(rank_load *load, dxt_ep *ep);

/** Tokens received in the last dispatch. */
uint64_t load_received(const rank_load *load);
/** Let the experts make their outputs; with @p checked such that load_check_combine() works. */
void load_experts(rank_load *load, bool checked);

/** Compare what the last dispatch brought with what the others must have sent in @p step.
 *  @return NULL, or one line that says what is wrong, valid until the next call. */
const char *load_check_dispatch(rank_load *load, uint64_t step);
/** Compare what the last combine brought with the sums computed here. As above. */
const char *load_check_combine(rank_load *load);

#endif
