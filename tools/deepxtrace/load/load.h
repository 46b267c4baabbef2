/* SPDX-License-Identifier: Apache-2.0 */
/* What a rank of `run` computes and sends: tokens, routes, stand-in experts, and the check that
 * what came back is what it should be. */
#ifndef DXT_RUN_LOAD_H
#define DXT_RUN_LOAD_H

#include <stdbool.h>

#include <deepxtrace/ep.h>

/** Random numbers: splitmix64. Seed it with any value. */
typedef struct dxt_random {
    uint64_t state;
} dxt_random;

/** A generator of its own for each combination of the three numbers. */
dxt_random dxt_random_for(uint64_t seed, uint64_t stream, uint64_t index);
uint64_t dxt_random_next(dxt_random *random);
/** Uniform in [0, 1). */
double dxt_random_unit(dxt_random *random);

/** The shape of the job; the same on all ranks. */
typedef struct dxt_load_shape {
    uint32_t ranks, tokens, hidden, experts, topk;
    dxt_ep_dispatch_format dispatch_format;
    dxt_ep_combine_format combine_format;
    uint32_t hot_rank; /**< whose experts are chosen more often; DXT_NO_RANK = nobody's */
    double hot_factor; /**< how many times more often than any other expert */
    uint64_t seed;
} dxt_load_shape;

/** The step that is checked before a job; no other has its routes. */
#define DXT_LOAD_CHECKED_STEP (UINT64_MAX / 2)

/** Buffers of one rank. */
typedef struct dxt_load dxt_load;

/** @return NULL when memory is short. Release with dxt_load_destroy(). */
dxt_load *dxt_load_create(const dxt_load_shape *shape, uint32_t rank);
void dxt_load_destroy(dxt_load *load);

/** Where the buffers of a load are, for a rank that keeps copies of them on a device. */
typedef struct dxt_load_arrays {
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
} dxt_load_arrays;

dxt_load_arrays dxt_load_arrays_of(const dxt_load *load);

/** Choose the experts of this rank's tokens for a step. Any step can be asked for at any time. */
void dxt_load_route(dxt_load *load, uint64_t step);

dxt_status dxt_load_dispatch_send(dxt_load *load, dxt_ep *ep);
dxt_status dxt_load_combine_send(dxt_load *load, dxt_ep *ep);

/** Tokens received in the last dispatch. */
uint64_t dxt_load_received(const dxt_load *load);
/** Let the experts make their outputs; with @p checked such that dxt_load_check_combine() works. */
void dxt_load_experts(dxt_load *load, bool checked);

/** Compare what the last dispatch brought with what the others must have sent in @p step.
 *  @return NULL, or one line that says what is wrong, valid until the next call. */
const char *dxt_load_check_dispatch(dxt_load *load, uint64_t step);
/** Compare what the last combine brought with the sums computed here. As above. */
const char *dxt_load_check_combine(dxt_load *load);

#endif
