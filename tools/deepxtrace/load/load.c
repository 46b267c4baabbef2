/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "splitmix.h"

/* Streams of random numbers. */
enum { STREAM_TOKENS = 1, STREAM_WEIGHTS = 2, STREAM_ROUTES = 3 };

struct rank_load {
    load_shape shape;
    uint32_t rank;
    uint32_t local_experts;
    size_t slots; /* of one local expert */
    uint16_t *x;
    float *weights;
    int64_t *routes;
    void *received;   /* BF16 or FP8, as dispatched */
    float *scales;    /* FP8 only */
    uint16_t *output; /* of the experts; the same buffer as `received` for BF16 */
    uint16_t *result;
    int32_t *counts;
    dxt_ep_handle handle;
    /* for the checks */
    int64_t *other_routes;
    uint16_t *other_token;
    char message[160];
};

/* ---- numbers ---- */

uint64_t random_next(random_state *random)
{
    return splitmix_next(&random->state);
}

random_state random_for(uint64_t seed, uint64_t stream, uint64_t index)
{
    random_state random = {seed};
    random.state = random_next(&random) ^ stream;
    random.state = random_next(&random) ^ index;
    random.state = random_next(&random);
    return random;
}

double random_unit(random_state *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53;
}

static float from_bf16(uint16_t value)
{
    uint32_t bits = (uint32_t)value << 16;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

/* Finite values only. */
static uint16_t to_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static float from_e4m3(uint8_t value)
{
    int exponent = (value >> 3) & 15;
    float magnitude = exponent ? ldexpf(1.0f + (float)(value & 7) / 8.0f, exponent - 7)
                               : ldexpf((float)(value & 7), -9);
    return value & 128 ? -magnitude : magnitude;
}

/* ---- tokens and routes ---- */

static void make_token(const load_shape *shape, uint32_t rank, uint32_t token, uint16_t *row)
{
    random_state random =
        random_for(shape->seed, STREAM_TOKENS, (uint64_t)rank * shape->tokens + token);
    for (uint32_t c = 0; c < shape->hidden; c++)
        row[c] = to_bf16((float)(random_unit(&random) * 2.0 - 1.0));
}

/* A random element of [first, first + count) that is not yet chosen. There must be one. */
static int64_t pick(random_state *random, uint32_t first, uint32_t count, const int64_t *chosen,
                    uint32_t chosen_count)
{
    uint32_t at = (uint32_t)(random_unit(random) * count);
    for (;; at = (at + 1) % count) {
        bool taken = false;
        for (uint32_t k = 0; k < chosen_count; k++)
            if (chosen[k] == (int64_t)first + at) taken = true;
        if (!taken) return (int64_t)first + at;
    }
}

/* Top-k experts of one token without repetition; those of the hot rank weigh `hot_factor`. */
static void route_token(const load_shape *shape, random_state *random, int64_t *routes)
{
    uint32_t per_rank = shape->experts / shape->ranks;
    uint32_t hot_first = shape->hot_rank == DXT_NO_RANK ? 0 : shape->hot_rank * per_rank;
    uint32_t hot_left = shape->hot_rank == DXT_NO_RANK ? 0 : per_rank;
    uint32_t cold_left = shape->experts - hot_left;
    int64_t cold[DXT_EP_MAX_TOPK], hot[DXT_EP_MAX_TOPK];
    uint32_t cold_count = 0, hot_count = 0;
    for (uint32_t k = 0; k < shape->topk; k++) {
        double weight = hot_left * shape->hot_factor;
        bool is_hot =
            hot_left > 0 && (cold_left == 0 || random_unit(random) * (weight + cold_left) < weight);
        if (is_hot) {
            routes[k] = hot[hot_count] = pick(random, hot_first, per_rank, hot, hot_count);
            hot_count++;
            hot_left--;
            continue;
        }
        /* Number the cold experts without the gap that the hot ones leave. */
        uint32_t gap = shape->hot_rank == DXT_NO_RANK ? 0 : per_rank;
        int64_t number = pick(random, 0, shape->experts - gap, cold, cold_count);
        cold[cold_count++] = number;
        cold_left--;
        routes[k] = gap && number >= hot_first ? number + gap : number;
    }
}

static void make_routes(const load_shape *shape, uint32_t rank, uint64_t step, int64_t *routes)
{
    random_state random = random_for(shape->seed, STREAM_ROUTES + step, rank);
    for (uint32_t t = 0; t < shape->tokens; t++)
        route_token(shape, &random, routes + (size_t)t * shape->topk);
}

void load_route(rank_load *load, uint64_t step)
{
    make_routes(&load->shape, load->rank, step, load->routes);
}

/* ---- life ---- */

static bool allocate(rank_load *load)
{
    const load_shape *shape = &load->shape;
    size_t routes = (size_t)shape->tokens * shape->topk;
    size_t slots = load->local_experts * load->slots;
    bool fp8 = shape->dispatch_format == DXT_EP_FP8;
    load->x = calloc((size_t)shape->tokens * shape->hidden, sizeof *load->x);
    load->result = calloc((size_t)shape->tokens * shape->hidden, sizeof *load->result);
    load->weights = calloc(routes, sizeof *load->weights);
    load->routes = calloc(routes, sizeof *load->routes);
    load->other_routes = calloc(routes, sizeof *load->other_routes);
    load->other_token = calloc(shape->hidden, sizeof *load->other_token);
    load->counts = calloc(load->local_experts, sizeof *load->counts);
    load->output = calloc(slots, shape->hidden * sizeof *load->output);
    load->received = fp8 ? calloc(slots, shape->hidden) : load->output;
    if (fp8) load->scales = calloc(slots, shape->hidden / DXT_EP_BLOCK * sizeof *load->scales);
    load->handle.src_info = calloc(slots, sizeof *load->handle.src_info);
    load->handle.src_slot = calloc(slots, sizeof *load->handle.src_slot);
    load->handle.layout_range =
        calloc((size_t)load->local_experts * shape->ranks, sizeof *load->handle.layout_range);
    return load->x && load->result && load->weights && load->routes && load->other_routes &&
           load->other_token && load->counts && load->output && load->received &&
           (!fp8 || load->scales) && load->handle.src_info && load->handle.src_slot &&
           load->handle.layout_range;
}

rank_load *load_create(const load_shape *shape, uint32_t rank)
{
    rank_load *load = calloc(1, sizeof *load);
    if (!load) return NULL;
    load->shape = *shape;
    load->rank = rank;
    load->local_experts = shape->experts / shape->ranks;
    load->slots = (size_t)shape->ranks * shape->tokens;
    if (!allocate(load)) {
        load_destroy(load);
        return NULL;
    }
    for (uint32_t t = 0; t < shape->tokens; t++)
        make_token(shape, rank, t, load->x + (size_t)t * shape->hidden);
    random_state random = random_for(shape->seed, STREAM_WEIGHTS, rank);
    for (size_t r = 0; r < (size_t)shape->tokens * shape->topk; r++)
        load->weights[r] = (float)(0.1 + 0.9 * random_unit(&random));
    return load;
}

void load_destroy(rank_load *load)
{
    if (!load) return;
    if (load->received != load->output) free(load->received);
    free(load->x);
    free(load->result);
    free(load->weights);
    free(load->routes);
    free(load->other_routes);
    free(load->other_token);
    free(load->counts);
    free(load->output);
    free(load->scales);
    free(load->handle.src_info);
    free(load->handle.src_slot);
    free(load->handle.layout_range);
    free(load);
}

load_arrays load_arrays_of(const rank_load *load)
{
    return (load_arrays){
        .x = load->x,
        .weights = load->weights,
        .routes = load->routes,
        .received = load->received,
        .scales = load->scales,
        .output = load->output,
        .result = load->result,
        .counts = load->counts,
        .handle = load->handle,
        .local_experts = load->local_experts,
        .slots = load->slots,
    };
}

/* ---- a step ---- */

dxt_status load_dispatch_send(rank_load *load, dxt_ep *ep)
{
    dxt_ep_dispatch dispatch = {
        .struct_size = sizeof dispatch,
        .format = load->shape.dispatch_format,
        .x = load->x,
        .topk_idx = load->routes,
        .tokens = load->shape.tokens,
        .topk = load->shape.topk,
        .recv_x = load->received,
        .recv_scales = load->scales,
        .recv_count = load->counts,
        .handle = load->handle,
    };
    return dxt_ep_dispatch_send(ep, &dispatch);
}

dxt_status load_combine_send(rank_load *load, dxt_ep *ep)
{
    dxt_ep_combine combine = {
        .struct_size = sizeof combine,
        .format = load->shape.combine_format,
        .x = load->output,
        .handle = load->handle,
        .topk_idx = load->routes,
        .topk_weights = load->weights,
        .tokens = load->shape.tokens,
        .topk = load->shape.topk,
        .out = load->result,
    };
    return dxt_ep_combine_send(ep, &combine);
}

uint64_t load_received(const rank_load *load)
{
    uint64_t received = 0;
    for (uint32_t e = 0; e < load->local_experts; e++) received += (uint64_t)load->counts[e];
    return received;
}

/* A received FP8 token as BF16. */
static void widen(const rank_load *load, size_t slot, uint16_t *row)
{
    static float table[256];
    if (table[1] == 0.0f)
        for (int v = 0; v < 256; v++) table[v] = from_e4m3((uint8_t)v);
    size_t blocks = load->shape.hidden / DXT_EP_BLOCK;
    const uint8_t *values = (const uint8_t *)load->received + slot * load->shape.hidden;
    for (uint32_t c = 0; c < load->shape.hidden; c++)
        row[c] = to_bf16(table[values[c]] * load->scales[slot * blocks + c / DXT_EP_BLOCK]);
}

/* Expert e multiplies by 1 or 2 when checked: exact in BF16, and no two neighbours alike. */
static float factor(int64_t expert)
{
    return expert % 2 ? 2.0f : 1.0f;
}

void load_experts(rank_load *load, bool checked)
{
    uint32_t hidden = load->shape.hidden;
    for (uint32_t e = 0; e < load->local_experts; e++) {
        float by = factor((int64_t)load->rank * load->local_experts + e);
        for (int32_t s = 0; s < load->counts[e]; s++) {
            size_t slot = e * load->slots + (size_t)s;
            uint16_t *row = load->output + slot * hidden;
            if (load->scales) widen(load, slot, row);
            if (!checked || by == 1.0f) continue;
            for (uint32_t c = 0; c < hidden; c++) row[c] = to_bf16(by * from_bf16(row[c]));
        }
    }
}

/* ---- checks ---- */

/* Is the token in this slot the one that was sent? FP8 keeps three bits of the fraction. */
static bool same_token(const rank_load *load, size_t slot, const uint16_t *sent)
{
    uint32_t hidden = load->shape.hidden;
    if (!load->scales)
        return memcmp(load->output + slot * hidden, sent, hidden * sizeof *sent) == 0;
    const uint8_t *values = (const uint8_t *)load->received + slot * hidden;
    const float *scales = load->scales + slot * (hidden / DXT_EP_BLOCK);
    for (uint32_t c = 0; c < hidden; c++) {
        float scale = scales[c / DXT_EP_BLOCK];
        float error = fabsf(from_e4m3(values[c]) * scale - from_bf16(sent[c]));
        if (!(error <= fabsf(from_bf16(sent[c])) * 0.0635f + scale * 0x1p-9f)) return false;
    }
    return true;
}

static const char *check_source(rank_load *load, uint32_t expert, uint32_t source)
{
    const load_shape *shape = &load->shape;
    int64_t global = (int64_t)load->rank * load->local_experts + expert;
    int32_t expected = 0;
    for (size_t r = 0; r < (size_t)shape->tokens * shape->topk; r++)
        expected += load->other_routes[r] == global;
    dxt_ep_range range = load->handle.layout_range[(size_t)expert * shape->ranks + source];
    if (range.count != expected) {
        snprintf(load->message, sizeof load->message,
                 "expert %lld received %d tokens of rank %u instead of %d", (long long)global,
                 range.count, source, expected);
        return load->message;
    }
    for (int32_t i = range.begin; i < range.begin + range.count; i++) {
        size_t slot = expert * load->slots + (size_t)i;
        int32_t token = load->handle.src_info[slot];
        uint8_t route = load->handle.src_slot[slot];
        bool right = token >= 0 && (uint32_t)token < shape->tokens && route < shape->topk &&
                     load->other_routes[(size_t)token * shape->topk + route] == global;
        if (right) {
            make_token(shape, source, (uint32_t)token, load->other_token);
            right = same_token(load, slot, load->other_token);
        }
        if (right) continue;
        snprintf(load->message, sizeof load->message,
                 "expert %lld received token %d of rank %u with a wrong content", (long long)global,
                 token, source);
        return load->message;
    }
    return NULL;
}

const char *load_check_dispatch(rank_load *load, uint64_t step)
{
    for (uint32_t source = 0; source < load->shape.ranks; source++) {
        make_routes(&load->shape, source, step, load->other_routes);
        for (uint32_t e = 0; e < load->local_experts; e++) {
            const char *wrong = check_source(load, e, source);
            if (wrong) return wrong;
        }
    }
    return NULL;
}

const char *load_check_combine(rank_load *load)
{
    const load_shape *shape = &load->shape;
    bool coarse =
        shape->dispatch_format == DXT_EP_FP8 || shape->combine_format == DXT_EP_COMBINE_LOGFMT;
    for (uint32_t t = 0; t < shape->tokens; t++) {
        const uint16_t *x = load->x + (size_t)t * shape->hidden;
        const uint16_t *y = load->result + (size_t)t * shape->hidden;
        float gain = 0.0f;
        for (uint32_t k = 0; k < shape->topk; k++) {
            size_t r = (size_t)t * shape->topk + k;
            gain += load->weights[r] * factor(load->routes[r]);
        }
        double product = 0, norms = 0;
        for (uint32_t c = 0; c < shape->hidden; c++) {
            double want = (double)gain * from_bf16(x[c]), got = from_bf16(y[c]);
            product += want * got;
            norms += want * want + got * got;
        }
        double difference = 1.0 - 2.0 * product / norms;
        if (difference < (coarse ? 1.8e-3 : 1e-5)) continue;
        snprintf(load->message, sizeof load->message,
                 "combine brought token %u home with a wrong sum (difference %.2g)", t, difference);
        return load->message;
    }
    return NULL;
}
