/* SPDX-License-Identifier: Apache-2.0 */
#include "ep_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POISON 0xa5

int ep_complain(const struct ep_rank *rank, const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: rank %u of %u: not so: %s (%s)\n", file, line, rank->rank,
            rank->c->ranks, what, dxt_ep_error());
    return 1;
}

/* ---- random numbers ---- */

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t key(const struct ep_case *c, uint64_t round, uint32_t rank, uint32_t token)
{
    return mix(mix(mix(c->seed ^ round << 32) + rank) + token);
}

float ep_bf16_value(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

static uint16_t bf16_nearest(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

float ep_fp8_value(uint8_t code)
{
    if ((code & 0x7f) == 0x7f) return NAN;
    int exponent = code >> 3 & 15;
    int mantissa = code & 7;
    double value = exponent == 0 ? ldexp(mantissa, -9) : ldexp(8 + mantissa, exponent - 10);
    return (float)(code & 0x80 ? -value : value);
}

/* A row of roughly normal values, a few of them 0. */
static void row_of(const struct ep_case *c, uint64_t round, uint32_t rank, uint32_t token,
                   uint16_t *row)
{
    uint64_t state = key(c, round, rank, token);
    for (uint32_t i = 0; i < c->hidden; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t bits = state >> 16;
        float sum = (float)(bits & 0xfff) + (float)(bits >> 12 & 0xfff) +
                    (float)(bits >> 24 & 0xfff) + (float)(bits >> 36 & 0xfff);
        row[i] = (bits & 0x3f) == 0 ? 0 : bf16_nearest((sum - 8190.0f) / 2364.0f);
    }
}

uint32_t ep_tokens(const struct ep_case *c, uint64_t round, uint32_t rank)
{
    uint64_t dice = mix(c->seed + round * 131 + rank);
    switch (dice % 5) {
    case 0: return 0;
    case 1: return 1;
    case 2: return c->max_tokens;
    default: return (uint32_t)(dice >> 8) % (c->max_tokens + 1);
    }
}

/* Distinct experts; about one route in eight is not used. */
static void routes_of(const struct ep_case *c, uint64_t round, uint32_t rank, uint32_t token,
                      int64_t *routes)
{
    uint64_t state = key(c, round, rank, token) ^ 0x55;
    uint32_t start = (uint32_t)(mix(state) % c->experts);
    uint32_t step = 1;
    for (uint32_t k = 0; k < c->topk; k++) {
        state = mix(state);
        routes[k] = state % 8 == 0 ? -1 : (int64_t)((start + k * step) % c->experts);
    }
}

/* ---- buffers ---- */

static uint32_t local_experts(const struct ep_case *c)
{
    return c->experts / c->ranks;
}

static size_t slots(const struct ep_case *c)
{
    return (size_t)c->ranks * c->max_tokens;
}

static size_t all_slots(const struct ep_case *c)
{
    return local_experts(c) * slots(c);
}

static void *buffer(size_t count, size_t size)
{
    void *memory = NULL;
    if (posix_memalign(&memory, 64, count * size) != 0) abort();
    memset(memory, POISON, count * size);
    return memory;
}

static void make_buffers(const struct ep_case *c, struct ep_buffers *b)
{
    size_t tokens = c->max_tokens;
    b->x = buffer(tokens * c->hidden, sizeof *b->x);
    b->topk_idx = buffer(tokens * c->topk, sizeof *b->topk_idx);
    b->weights = buffer(tokens * c->topk, sizeof *b->weights);
    b->recv_x = buffer(all_slots(c) * c->hidden, sizeof(uint16_t));
    b->recv_scales = buffer(all_slots(c) * (c->hidden / DXT_EP_BLOCK), sizeof *b->recv_scales);
    b->recv_count = buffer(local_experts(c), sizeof *b->recv_count);
    b->handle.src_info = buffer(all_slots(c), sizeof *b->handle.src_info);
    b->handle.src_slot = buffer(all_slots(c), sizeof *b->handle.src_slot);
    b->handle.layout_range = buffer((size_t)local_experts(c) * c->ranks, sizeof(dxt_ep_range));
    b->y = buffer(all_slots(c) * c->hidden, sizeof *b->y);
    b->out = buffer(tokens * c->hidden, sizeof *b->out);
}

static void free_buffers(struct ep_buffers *b)
{
    free(b->x);
    free(b->topk_idx);
    free(b->weights);
    free(b->recv_x);
    free(b->recv_scales);
    free(b->recv_count);
    free(b->handle.src_info);
    free(b->handle.src_slot);
    free(b->handle.layout_range);
    free(b->y);
    free(b->out);
}

void ep_prepare(const struct ep_rank *rank, uint64_t round, struct ep_buffers *b)
{
    const struct ep_case *c = rank->c;
    b->tokens = ep_tokens(c, round, rank->rank);
    for (uint32_t t = 0; t < b->tokens; t++) {
        row_of(c, round, rank->rank, t, b->x + (size_t)t * c->hidden);
        routes_of(c, round, rank->rank, t, b->topk_idx + (size_t)t * c->topk);
        for (uint32_t k = 0; k < c->topk; k++)
            b->weights[t * c->topk + k] =
                0.05f + (float)(mix(key(c, round, rank->rank, t) + k) % 1000) * 1e-3f;
    }
    memset(b->recv_x, POISON, all_slots(c) * c->hidden * sizeof(uint16_t));
    memset(b->recv_scales, POISON,
           all_slots(c) * (c->hidden / DXT_EP_BLOCK) * sizeof *b->recv_scales);
    memset(b->recv_count, POISON, local_experts(c) * sizeof *b->recv_count);
    memset(b->handle.src_info, POISON, all_slots(c) * sizeof *b->handle.src_info);
    memset(b->handle.src_slot, POISON, all_slots(c) * sizeof *b->handle.src_slot);
    memset(b->handle.layout_range, POISON,
           (size_t)local_experts(c) * c->ranks * sizeof *b->handle.layout_range);
    memset(b->out, POISON, (size_t)c->max_tokens * c->hidden * sizeof *b->out);
}

dxt_ep_dispatch ep_dispatch_of(const struct ep_rank *rank, struct ep_buffers *b,
                               dxt_ep_dispatch_format format)
{
    return (dxt_ep_dispatch){.struct_size = sizeof(dxt_ep_dispatch),
                             .format = format,
                             .x = b->x,
                             .topk_idx = b->topk_idx,
                             .tokens = b->tokens,
                             .topk = rank->c->topk,
                             .recv_x = b->recv_x,
                             .recv_scales = b->recv_scales,
                             .recv_count = b->recv_count,
                             .handle = b->handle};
}

dxt_ep_combine ep_combine_of(const struct ep_rank *rank, struct ep_buffers *b,
                             dxt_ep_combine_format format)
{
    return (dxt_ep_combine){.struct_size = sizeof(dxt_ep_combine),
                            .format = format,
                            .x = b->y,
                            .handle = b->handle,
                            .topk_idx = b->topk_idx,
                            .topk_weights = b->weights,
                            .tokens = b->tokens,
                            .topk = rank->c->topk,
                            .out = b->out};
}

/* ---- checking dispatch ---- */

static bool all_poison(const void *memory, size_t size)
{
    const uint8_t *bytes = memory;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != POISON) return false;
    return true;
}

static bool close_to(const struct ep_case *c, const struct ep_buffers *b, size_t slot,
                     const uint16_t *row)
{
    const uint8_t *codes = (const uint8_t *)b->recv_x + slot * c->hidden;
    const float *scales = b->recv_scales + slot * (c->hidden / DXT_EP_BLOCK);
    for (uint32_t i = 0; i < c->hidden; i++) {
        float scale = scales[i / DXT_EP_BLOCK];
        float want = ep_bf16_value(row[i]);
        /* Half a step of 3 mantissa bits, or half of the smallest code. */
        float allowed = fmaxf(fabsf(want) / 16.0f, scale / 1024.0f) * 1.001f;
        if (!(fabsf(ep_fp8_value(codes[i]) * scale - want) <= allowed)) return false;
    }
    return true;
}

static int check_slot(const struct ep_rank *rank, const struct ep_buffers *b, size_t slot,
                      uint32_t token, uint32_t k, const uint16_t *row,
                      dxt_ep_dispatch_format format)
{
    size_t bytes = rank->c->hidden * sizeof(uint16_t);
    EP_CHECK(b->handle.src_info[slot] == (int32_t)token);
    EP_CHECK(b->handle.src_slot[slot] == k);
    if (format == DXT_EP_BF16)
        EP_CHECK(memcmp((const uint8_t *)b->recv_x + slot * bytes, row, bytes) == 0);
    else
        EP_CHECK(close_to(rank->c, b, slot, row));
    return 0;
}

/* Tokens of one source: in order of the token, behind those of the sources before. */
static int check_source(const struct ep_rank *rank, uint64_t round, const struct ep_buffers *b,
                        dxt_ep_dispatch_format format, uint32_t source, uint32_t *seen)
{
    const struct ep_case *c = rank->c;
    uint16_t *row = buffer(c->hidden, sizeof *row);
    int64_t routes[DXT_EP_MAX_TOPK];
    int failed = 0;
    for (uint32_t t = 0; t < ep_tokens(c, round, source) && !failed; t++) {
        row_of(c, round, source, t, row);
        routes_of(c, round, source, t, routes);
        for (uint32_t k = 0; k < c->topk && !failed; k++) {
            if (routes[k] < 0 || routes[k] / local_experts(c) != rank->rank) continue;
            uint32_t expert = (uint32_t)routes[k] % local_experts(c);
            failed = check_slot(rank, b, expert * slots(c) + seen[expert]++, t, k, row, format);
        }
    }
    free(row);
    return failed;
}

static int check_rest(const struct ep_rank *rank, const struct ep_buffers *b,
                      dxt_ep_dispatch_format format, const uint32_t *seen)
{
    const struct ep_case *c = rank->c;
    size_t bytes = c->hidden * (format == DXT_EP_BF16 ? sizeof(uint16_t) : 1);
    for (uint32_t expert = 0; expert < local_experts(c); expert++) {
        EP_CHECK(b->recv_count[expert] == (int32_t)seen[expert]);
        size_t first = expert * slots(c) + seen[expert];
        size_t rest = slots(c) - seen[expert];
        EP_CHECK(all_poison((const uint8_t *)b->recv_x + first * bytes, rest * bytes));
    }
    return 0;
}

int ep_check_dispatch(const struct ep_rank *rank, uint64_t round, const struct ep_buffers *b,
                      dxt_ep_dispatch_format format, const uint8_t *absent)
{
    const struct ep_case *c = rank->c;
    uint32_t *seen = calloc(local_experts(c), sizeof *seen);
    uint32_t *before = calloc(local_experts(c), sizeof *before);
    int failed = 0;
    for (uint32_t source = 0; source < c->ranks && !failed; source++) {
        memcpy(before, seen, local_experts(c) * sizeof *seen);
        if (!absent || !absent[source]) failed = check_source(rank, round, b, format, source, seen);
        for (uint32_t expert = 0; expert < local_experts(c) && !failed; expert++) {
            dxt_ep_range range = b->handle.layout_range[expert * c->ranks + source];
            if (range.begin != (int32_t)before[expert] ||
                range.count != (int32_t)(seen[expert] - before[expert]))
                failed = ep_complain(rank, __FILE__, __LINE__, "layout_range");
        }
    }
    if (!failed) failed = check_rest(rank, b, format, seen);
    free(seen);
    free(before);
    return failed;
}

/* ---- experts and combine ---- */

static float expert_factor(uint32_t expert)
{
    return 0.5f + 0.125f * (float)(expert % 9);
}

void ep_experts(const struct ep_rank *rank, struct ep_buffers *b, dxt_ep_dispatch_format format)
{
    const struct ep_case *c = rank->c;
    memset(b->y, POISON, all_slots(c) * c->hidden * sizeof *b->y);
    float decoded[256];
    for (int code = 0; code < 256; code++) decoded[code] = ep_fp8_value((uint8_t)code);
    for (uint32_t expert = 0; expert < local_experts(c); expert++) {
        float factor = expert_factor(rank->rank * local_experts(c) + expert);
        for (int32_t i = 0; i < b->recv_count[expert]; i++) {
            size_t slot = expert * slots(c) + (size_t)i;
            for (uint32_t h = 0; h < c->hidden; h++) {
                size_t at = slot * c->hidden + h;
                float x = format == DXT_EP_BF16 ? ep_bf16_value(((const uint16_t *)b->recv_x)[at])
                                                : decoded[((const uint8_t *)b->recv_x)[at]] *
                                                      b->recv_scales[at / DXT_EP_BLOCK];
                b->y[at] = bf16_nearest(factor * x);
            }
        }
    }
}

/* Sum of a token's expert outputs at one channel. */
static double dense(const struct ep_case *c, const struct ep_buffers *b, uint32_t t, uint32_t h,
                    const uint8_t *absent)
{
    float x = ep_bf16_value(b->x[(size_t)t * c->hidden + h]);
    double sum = 0;
    for (uint32_t k = 0; k < c->topk; k++) {
        int64_t expert = b->topk_idx[t * c->topk + k];
        if (expert < 0 || (absent && absent[expert / local_experts(c)])) continue;
        uint16_t output = bf16_nearest(expert_factor((uint32_t)expert) * x);
        sum += (double)b->weights[t * c->topk + k] * ep_bf16_value(output);
    }
    return sum;
}

int ep_check_combine(const struct ep_rank *rank, const struct ep_buffers *b, double limit,
                     const uint8_t *absent)
{
    const struct ep_case *c = rank->c;
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (uint32_t t = 0; t < b->tokens; t++)
        for (uint32_t h = 0; h < c->hidden; h++) {
            double want = dense(c, b, t, h, absent);
            double have = ep_bf16_value(b->out[(size_t)t * c->hidden + h]);
            xy += want * have;
            xx += want * want;
            yy += have * have;
        }
    EP_CHECK(all_poison(b->out + (size_t)b->tokens * c->hidden,
                        (size_t)(c->max_tokens - b->tokens) * c->hidden * sizeof *b->out));
    double difference = xx + yy > 0 ? 1 - 2 * xy / (xx + yy) : 0;
    if (!(difference < limit)) fprintf(stderr, "difference %g, limit %g\n", difference, limit);
    EP_CHECK(difference < limit);
    return 0;
}

int ep_round(struct ep_rank *rank, uint64_t round, struct ep_buffers *b,
             dxt_ep_dispatch_format dispatch_format, dxt_ep_combine_format combine_format,
             const uint8_t *absent)
{
    ep_prepare(rank, round, b);
    dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, dispatch_format);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    if (ep_check_dispatch(rank, round, b, dispatch_format, absent)) return 1;
    ep_experts(rank, b, dispatch_format);
    dxt_ep_combine combine = ep_combine_of(rank, b, combine_format);
    EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
    EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
    bool exact = dispatch_format == DXT_EP_BF16 && combine_format == DXT_EP_COMBINE_BF16;
    return ep_check_combine(rank, b, exact ? 1e-5 : 9e-4, absent);
}

/* ---- running ---- */

static uint64_t clock_rate(void)
{
    struct timespec from;
    struct timespec to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    uint64_t begin = dxt_probe_clock();
    usleep(10000);
    clock_gettime(CLOCK_MONOTONIC, &to);
    uint64_t ticks = dxt_probe_clock() - begin;
    double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
    return (uint64_t)((double)ticks * 1e9 / ns);
}

dxt_probe *ep_probe_new(uint32_t sources)
{
    size_t size = dxt_probe_size(DXT_EP_OPERATORS, sources);
    void *memory = NULL;
    if (posix_memalign(&memory, 64, size) != 0) abort();
    dxt_probe *probe = memory;
    memset(probe, 0, size);
    probe->layout = DXT_PROBE_LAYOUT;
    probe->operators = DXT_EP_OPERATORS;
    probe->sources = sources;
    probe->ticks_per_second = clock_rate();
    return probe;
}

dxt_ep_config ep_config_of(const struct ep_case *c, uint32_t rank)
{
    return (dxt_ep_config){.struct_size = sizeof(dxt_ep_config),
                           .engine = c->engine,
                           .rank = rank,
                           .ranks = c->ranks,
                           .max_tokens = c->max_tokens,
                           .hidden = c->hidden,
                           .experts = c->experts,
                           .max_topk = c->topk,
                           .timeout_ns = c->timeout_ns ? c->timeout_ns : INT64_C(20000000000),
                           .fd = -1};
}

int ep_run_here(struct ep_rank *rank, ep_body body)
{
    dxt_probe *probe = rank->c->probe ? ep_probe_new(rank->c->ranks) : NULL;
    rank->config.probe = probe;
    if (rank->c->enter) rank->c->enter(rank);
    EP_CHECK(dxt_ep_create(&rank->config, &rank->ep) == DXT_OK);
    make_buffers(rank->c, &rank->buffers[0]);
    make_buffers(rank->c, &rank->buffers[1]);
    int failed = body(rank);
    free_buffers(&rank->buffers[0]);
    free_buffers(&rank->buffers[1]);
    dxt_ep_destroy(rank->ep);
    free(probe);
    return failed;
}
