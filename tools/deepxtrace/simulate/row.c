/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"

#include <math.h>

#include "random.h"

/* Cells that are worked on together; their scratch stays in the first cache. */
#define CHUNK 256u

void sim_spread_set(sim_spread *spread, bool wanted)
{
    const int count = 1 << SIM_SPREAD_BITS;
    double sum = 0, x = 0;
    spread->constant = !wanted;
    for (int k = 0; k < count; k++) {
        /* 1 − (1 + x) e^−x = the probability below; Newton from the last quantile on. */
        double part = (k + 0.5) / count;
        if (k == 0) x = sqrt(2 * part);
        for (int turn = 0; turn < 30; turn++)
            x -= (1 - (1 + x) * exp(-x) - part) / fmax(x * exp(-x), 1e-12);
        spread->factor[k] = (float)x;
        sum += x;
    }
    for (int k = 0; k < count; k++)
        spread->factor[k] = wanted ? (float)(spread->factor[k] * count / sum) : 1.0f;
}

double sim_cheap_normal(uint64_t number)
{
    uint64_t bits = splitmix_mix(splitmix_mix(number + UINT64_C(0x9E3779B97F4A7C15)));
    /* The sum of four uniform numbers, of variance 1/3. */
    double sum = (double)(bits & 0xFFFF) + (double)(bits >> 16 & 0xFFFF) +
                 (double)(bits >> 32 & 0xFFFF) + (double)(bits >> 48);
    return (sum / 65536.0 - 2.0) * 1.7320508075688772;
}

static void draw_factors(const sim_spread *spread, uint32_t noise, uint32_t begin, uint32_t count,
                         float *factor)
{
    for (uint32_t k = 0; k < count; k++) {
        uint32_t bits = (begin + k) * UINT32_C(0x9E3779B1) ^ noise;
        bits = (bits ^ bits >> 15) * UINT32_C(0x85EBCA77);
        bits = (bits ^ bits >> 13) * UINT32_C(0xC2B2AE3D);
        factor[k] = spread->factor[bits >> (32 - SIM_SPREAD_BITS)];
    }
}

static void add_waits(const float *restrict due, uint32_t count, int64_t *restrict sum)
{
    for (uint32_t k = 0; k < count; k++) sum[k] += (int32_t)(due[k] > 0.0f ? due[k] + 0.5f : 0.0f);
}

static int32_t longest_of(const float *restrict due, uint32_t count)
{
    int32_t longest = 0;
    for (uint32_t k = 0; k < count; k++) {
        int32_t wait = (int32_t)(due[k] > 0.0f ? due[k] + 0.5f : 0.0f);
        longest = wait > longest ? wait : longest;
    }
    return longest;
}

/* When what each of @p count others sends is there, less when this rank began to wait. */
static void add_up(const sim_row *row, uint32_t begin, uint32_t count, const float *latency,
                   const float *factor, float *restrict due)
{
    const float *arrival = row->arrival + begin;
    if (factor)
        for (uint32_t k = 0; k < count; k++)
            due[k] = arrival[k] - row->head_start + latency[begin + k] * factor[k];
    else
        for (uint32_t k = 0; k < count; k++)
            due[k] = arrival[k] - row->head_start + latency[begin + k];
    for (uint32_t k = 0; row->extra && k < count; k++) due[k] += row->extra[begin + k];
    if (row->own >= begin && row->own - begin < count) due[row->own - begin] = 0;
}

int32_t sim_add_row(const sim_row *row, const sim_spread *spread, int64_t *sum)
{
    float factor[CHUNK], due[CHUNK];
    int32_t longest = 0;
    for (uint32_t begin = 0; begin < row->ranks; begin += CHUNK) {
        uint32_t count = row->ranks - begin < CHUNK ? row->ranks - begin : CHUNK;
        add_up(row, begin, count, row->usual, NULL, due);
        int32_t most = longest_of(due, count);
        longest = most > longest ? most : longest;
        if (!spread->constant) draw_factors(spread, row->noise, begin, count, factor);
        add_up(row, begin, count, row->latency, spread->constant ? NULL : factor, due);
        add_waits(due, count, sum + begin);
    }
    return longest;
}
