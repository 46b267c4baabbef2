/* SPDX-License-Identifier: Apache-2.0 */
/* FP8, LogFMT and the weighted sum against their definitions. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/copy.h"
#include "common/fp8.h"
#include "common/logfmt.h"
#include "common/sum.h"
#include "ep_reference.h"

#define BLOCK DXT_EP_BLOCK
#define ONE 0x3f80 /* 1.0 in BF16 */
#define MOST 0x7f7f

static uint16_t bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)(bits >> 16);
}

/* ---- FP8 ---- */

static void every_fp8_code_survives(void **state)
{
    (void)state;
    uint16_t x[2 * BLOCK];
    uint8_t codes[2 * BLOCK];
    float scales[2];
    for (int half = 0; half < 2; half++) {
        for (int i = 0; i < 127; i++) x[i] = bf16(ep_fp8_value((uint8_t)(half * 0x80 + i)));
        x[127] = bf16(448);
        memset(x + BLOCK, 0, sizeof x / 2);
        dxt_fp8_encode(x, 2 * BLOCK, codes, scales);
        assert_true(scales[0] == 1.0f);
        for (int i = 0; i < 127; i++) assert_int_equal(codes[i], half * 0x80 + i);
        assert_int_equal(codes[127], 0x7e);
    }
}

/* Nearest by search over all codes. */
static double nearest_error(double value)
{
    double best = HUGE_VAL;
    for (int code = 0; code < 256; code++) {
        double error = fabs((double)ep_fp8_value((uint8_t)code) - value);
        if (error < best) best = error;
    }
    return best;
}

static void fp8_rounds_to_the_nearest_code_with_ties_to_even(void **state)
{
    (void)state;
    uint16_t x[BLOCK];
    uint8_t codes[BLOCK];
    float scale;
    x[0] = bf16(448);
    for (uint32_t base = 0x3a00; base < 0x43e0; base += BLOCK - 1) {
        for (uint32_t i = 1; i < BLOCK; i++)
            x[i] = (uint16_t)(base + i < 0x43e0 ? base + i : 0x43e0);
        dxt_fp8_encode(x, BLOCK, codes, &scale);
        for (uint32_t i = 1; i < BLOCK; i++) {
            double value = ep_bf16_value(x[i]);
            double error = fabs(ep_fp8_value(codes[i]) - value);
            assert_true(error <= nearest_error(value));
        }
    }
    /* Half-way between 16 (code 0x58, even) and 18; between 18 and 20 (0x5a, even). */
    x[1] = bf16(17);
    x[2] = bf16(19);
    x[3] = bf16(0.0009765625f);  /* half of the smallest code: to 0 */
    x[4] = bf16(-0.0029296875f); /* one and a half: to 2 */
    dxt_fp8_encode(x, BLOCK, codes, &scale);
    assert_int_equal(codes[1], 0x58);
    assert_int_equal(codes[2], 0x5a);
    assert_int_equal(codes[3], 0);
    assert_int_equal(codes[4], 0x82);
}

static void fp8_scales_each_block_by_its_largest_value(void **state)
{
    (void)state;
    uint16_t x[4 * BLOCK];
    uint8_t codes[4 * BLOCK];
    float scales[4];
    static const float peaks[4] = {3.0f, 1e-20f, 3e38f, 1e-39f};
    for (uint32_t i = 0; i < 4 * BLOCK; i++)
        x[i] = bf16(peaks[i / BLOCK] * (i % 2 ? -0.25f : 1.0f));
    dxt_fp8_encode(x, 4 * BLOCK, codes, scales);
    for (uint32_t i = 0; i < 4 * BLOCK; i++) {
        uint32_t b = i / BLOCK;
        double value = ep_bf16_value(x[i]);
        double have = (double)ep_fp8_value(codes[i]) * scales[b];
        assert_true(isfinite(scales[b]) && scales[b] >= FLT_MIN);
        assert_int_not_equal(codes[i] & 0x7f, 0x7f);
        /* Denormal input: the scale is clamped, so that codes are coarse steps of it. */
        double allowed = b == 3 ? scales[b] / 512 : fabs(value) / 15;
        assert_true(fabs(have - value) <= allowed);
    }
}

static void fp8_of_zeros_infinities_and_nans(void **state)
{
    (void)state;
    uint16_t x[2 * BLOCK] = {0};
    uint8_t codes[2 * BLOCK];
    float scales[2];
    x[1] = 0x8000;
    x[BLOCK] = 0x7f80;
    x[BLOCK + 1] = 0xff80;
    x[BLOCK + 2] = 0x7fc0;
    x[BLOCK + 3] = MOST;
    dxt_fp8_encode(x, 2 * BLOCK, codes, scales);
    assert_true(scales[0] > 0);
    assert_int_equal(codes[0], 0);
    assert_int_equal(codes[1], 0x80);
    assert_true(isfinite(scales[1]));
    assert_int_equal(codes[BLOCK], 0x7e);
    assert_int_equal(codes[BLOCK + 1], 0xfe);
    assert_int_equal(codes[BLOCK + 2] & 0x7f, 0x7f);
    assert_int_equal(codes[BLOCK + 3], 0x7e);
    assert_int_equal(codes[BLOCK + 4], 0);
}

/* ---- LogFMT ---- */

/* What a block says, by its definition. */
static void decode(const dxt_logfmt_block *block, float *values)
{
    bool nan = isnan(block->low) || isnan(block->step);
    for (uint32_t c = 0; c < BLOCK; c++) {
        uint32_t high = (uint32_t)block->bits_8_9[c % 32] >> (c / 32 * 2) & 3u;
        uint32_t code = block->bits_0_7[c] | high << 8, step = code & 0x1ffu;
        double value = exp2((double)block->low + ((double)step - 1) * (double)block->step);
        values[c] = step == 0 ? 0 : nan ? NAN : (float)(code & 0x200u ? -value : value);
    }
}

static void around(const uint16_t *x, float *back)
{
    dxt_logfmt_block block;
    dxt_logfmt_encode(x, 1, &block);
    decode(&block, back);
}

static void logfmt_of_zeros_is_zeros(void **state)
{
    (void)state;
    uint16_t x[BLOCK] = {0};
    float back[BLOCK];
    x[5] = 0x8000;
    around(x, back);
    for (uint32_t i = 0; i < BLOCK; i++) assert_true(back[i] == 0);
}

static void logfmt_of_equal_magnitudes_is_exact_with_signs(void **state)
{
    (void)state;
    static const uint16_t magnitudes[] = {ONE, 0x0080, 0x3f81, 0x4049, MOST, 0x7f00, 0x0001};
    for (size_t m = 0; m < sizeof magnitudes / sizeof magnitudes[0]; m++) {
        uint16_t x[BLOCK];
        float back[BLOCK];
        for (uint32_t i = 0; i < BLOCK; i++)
            x[i] = i % 7 == 6 ? 0 : (uint16_t)(magnitudes[m] | (i % 3 ? 0 : 0x8000));
        around(x, back);
        for (uint32_t i = 0; i < BLOCK; i++) {
            double want = ep_bf16_value(x[i]);
            assert_true(fabs(back[i] - want) <= fabs(want) * 1e-5 + 1e-44);
            assert_int_equal(!signbit(back[i]), !(i % 7 != 6 && i % 3 == 0));
        }
    }
}

/* Half a step of the block's range, in each value. */
static void logfmt_errs_by_half_a_step_at_most(void **state)
{
    (void)state;
    static const double octaves[] = {0.5, 1, 8, 20, 31.5};
    for (size_t o = 0; o < sizeof octaves / sizeof octaves[0]; o++) {
        uint16_t x[BLOCK];
        float back[BLOCK];
        for (uint32_t i = 0; i < BLOCK; i++) {
            double exponent = octaves[o] * ((i * 37) % BLOCK) / (BLOCK - 1) - 9;
            x[i] = bf16((float)(i % 2 ? -exp2(exponent) : exp2(exponent)));
        }
        around(x, back);
        double half = octaves[o] / 510 / 2 + 1e-5;
        for (uint32_t i = 0; i < BLOCK; i++) {
            double want = ep_bf16_value(x[i]);
            assert_true(want * back[i] > 0);
            assert_true(fabs(log2(back[i] / want)) <= half);
        }
    }
}

static void logfmt_survives_extremes(void **state)
{
    (void)state;
    uint16_t x[BLOCK] = {0};
    float back[BLOCK];
    x[0] = MOST;
    x[1] = 0x0001; /* the smallest: far below what the block can span */
    x[2] = 0x7f80; /* infinity */
    x[3] = 0xff80;
    x[4] = ONE;
    around(x, back);
    assert_true(fabsf(back[0] / ep_bf16_value(MOST) - 1) < 1e-4f);
    assert_true(back[1] == 0);
    assert_true(fabsf(back[2] / ep_bf16_value(MOST) - 1) < 1e-4f);
    assert_true(fabsf(back[3] / -ep_bf16_value(MOST) - 1) < 1e-4f);
    assert_true(back[4] == 0);
    x[5] = 0x7fc0; /* a NaN is not hidden */
    around(x, back);
    assert_true(isnan(back[0]) && isnan(back[5]) && back[6] == 0);
}

static void logfmt_decodes_anything_without_harm(void **state)
{
    (void)state;
    static const float strange[] = {0, -1e38f, 1e38f, INFINITY, -INFINITY, NAN, -300, 300};
    dxt_logfmt_block block;
    const dxt_logfmt_block *rows[] = {&block};
    static const float weight[] = {1};
    uint16_t out[BLOCK];
    memset(&block, 0xff, sizeof block);
    for (size_t i = 0; i < 8; i++)
        for (size_t k = 0; k < 8; k++) {
            block.low = strange[i];
            block.step = strange[k];
            dxt_logfmt_sum(rows, weight, 1, BLOCK, out);
            assert_false(isinf(ep_bf16_value(out[0])));
        }
}

/* ---- sums ---- */

static void sums_round_once_and_to_even(void **state)
{
    (void)state;
    uint16_t a[BLOCK];
    uint16_t b[BLOCK];
    uint16_t out[BLOCK];
    for (uint32_t i = 0; i < BLOCK; i++) {
        a[i] = ONE;
        b[i] = i % 2 ? 0x3b80 : 0x3c40; /* 2^-8: half a last place of 1; 3 * 2^-8 */
    }
    b[4] = 0x7f80;
    b[6] = 0x7fc0;
    const uint16_t *rows[] = {a, b};
    static const float weights[] = {1, 1};
    dxt_ep_sum_bf16(rows, weights, 2, BLOCK, out);
    assert_int_equal(out[1], ONE);     /* tie: to even */
    assert_int_equal(out[0], ONE + 2); /* 1 + 1.5 last places: tie again */
    assert_int_equal(out[4], 0x7f80);
    assert_true(isnan(ep_bf16_value(out[6])));
    dxt_ep_sum_bf16(NULL, NULL, 0, BLOCK, out);
    for (uint32_t i = 0; i < BLOCK; i++) assert_int_equal(out[i], 0);
}

static void encoded_sums_match_decoded_ones(void **state)
{
    (void)state;
    uint16_t x[2 * BLOCK];
    uint16_t out[2 * BLOCK];
    dxt_logfmt_block row[2];
    float back[BLOCK];
    for (uint32_t i = 0; i < 2 * BLOCK; i++) x[i] = (uint16_t)(0x3e00 + i * 5 + (i % 2 << 15));
    dxt_logfmt_encode(x, 2, row);
    const dxt_logfmt_block *rows[] = {row, row, row};
    static const float weights[] = {0.5f, 0.25f, 2.0f};
    dxt_logfmt_sum(rows, weights, 3, 2 * BLOCK, out);
    for (uint32_t b = 0; b < 2; b++) {
        decode(&row[b], back);
        for (uint32_t i = 0; i < BLOCK; i++) {
            double want = 2.75 * back[i];
            assert_true(fabs(ep_bf16_value(out[b * BLOCK + i]) - want) <= fabs(want) / 250);
        }
    }
}

static void copies_are_copies(void **state)
{
    (void)state;
    uint8_t from[4096 + 64];
    uint8_t to[4096 + 64];
    for (size_t i = 0; i < sizeof from; i++) from[i] = (uint8_t)(i * 31);
    for (size_t shift = 0; shift < 17; shift += 8)
        for (size_t size = 0; size <= 4096; size += 1024 - 32)
            for (int stream = 0; stream < 2; stream++) {
                memset(to, 0, sizeof to);
                dxt_ep_copy(to + shift, from + 3, size, stream);
                dxt_ep_copy_done(stream);
                assert_memory_equal(to + shift, from + 3, size);
                assert_int_equal(to[shift + size], 0);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fp8_code_survives),
        cmocka_unit_test(fp8_rounds_to_the_nearest_code_with_ties_to_even),
        cmocka_unit_test(fp8_scales_each_block_by_its_largest_value),
        cmocka_unit_test(fp8_of_zeros_infinities_and_nans),
        cmocka_unit_test(logfmt_of_zeros_is_zeros),
        cmocka_unit_test(logfmt_of_equal_magnitudes_is_exact_with_signs),
        cmocka_unit_test(logfmt_errs_by_half_a_step_at_most),
        cmocka_unit_test(logfmt_survives_extremes),
        cmocka_unit_test(logfmt_decodes_anything_without_harm),
        cmocka_unit_test(sums_round_once_and_to_even),
        cmocka_unit_test(encoded_sums_match_decoded_ones),
        cmocka_unit_test(copies_are_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
