/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch and combine against the dense reference, on threads and on processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ep_reference.h"

static const struct ep_case cases[] = {
    {.ranks = 1, .max_tokens = 16, .hidden = 512, .experts = 4, .topk = 4, .seed = 1},
    {.ranks = 2, .max_tokens = 48, .hidden = 1024, .experts = 8, .topk = 8, .seed = 2},
    {.ranks = 2, .max_tokens = 5, .hidden = 8192, .experts = 16, .topk = 16, .seed = 3},
    {.ranks = 2, .max_tokens = 9, .hidden = 7168, .experts = 16, .topk = 8, .seed = 4},
    {.ranks = 3, .max_tokens = 7, .hidden = 640, .experts = 9, .topk = 3, .seed = 5},
    {.ranks = 4, .max_tokens = 16, .hidden = 512, .experts = 32, .topk = 6, .seed = 6},
    {.ranks = 4, .max_tokens = 1, .hidden = 1024, .experts = 4, .topk = 2, .seed = 7},
    {.ranks = 8, .max_tokens = 6, .hidden = 512, .experts = 16, .topk = 1, .seed = 8},
    {.ranks = 16, .max_tokens = 3, .hidden = 512, .experts = 32, .topk = 5, .seed = 9},
};

static int all_formats(struct ep_rank *rank)
{
    for (uint64_t round = 0; round < 12; round++)
        if (ep_round(rank, round, &rank->buffers[round % 2], round & 1 ? DXT_EP_FP8 : DXT_EP_BF16,
                     round & 2 ? DXT_EP_COMBINE_LOGFMT : DXT_EP_COMBINE_BF16, NULL))
            return 1;
    return 0;
}

static void threads_match_the_dense_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(ep_run_threads(&cases[i], all_formats, NULL), 0);
}

static void processes_match_the_dense_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(ep_run_processes(&cases[i], all_formats, NULL), 0);
}

static int one_round(struct ep_rank *rank)
{
    return ep_round(rank, 4, &rank->buffers[0], DXT_EP_BF16, DXT_EP_COMBINE_BF16, NULL);
}

/* Large enough to be streamed past the caches. */
static void large_operations_match_too(void **state)
{
    (void)state;
    static const struct ep_case large = {
        .ranks = 2, .max_tokens = 128, .hidden = 7168, .experts = 8, .topk = 8, .seed = 102};
    assert_int_equal(ep_tokens(&large, 4, 0), large.max_tokens);
    assert_int_equal(ep_run_processes(&large, one_round, NULL), 0);
}

/* Sends of round n+1 before the receives of round n, in both operators. */
static int overlapped(struct ep_rank *rank)
{
    const uint64_t rounds = 25;
    for (uint64_t round = 0; round <= rounds; round++) {
        struct ep_buffers *next = &rank->buffers[round % 2];
        struct ep_buffers *last = &rank->buffers[(round + 1) % 2];
        if (round < rounds) {
            ep_prepare(rank, round, next);
            dxt_ep_dispatch dispatch = ep_dispatch_of(rank, next, DXT_EP_BF16);
            EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
        }
        if (round == 0) continue;
        EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
        if (ep_check_dispatch(rank, round - 1, last, DXT_EP_BF16, NULL)) return 1;
        ep_experts(rank, last, DXT_EP_BF16);
        dxt_ep_combine combine = ep_combine_of(rank, last, DXT_EP_COMBINE_BF16);
        EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
        EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
        if (ep_check_combine(rank, last, 1e-5, NULL)) return 1;
    }
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_ERR_STATE);
    return 0;
}

/* Two operations in flight all the time: what makes a sender wait for a buffer. */
static int always_two(struct ep_rank *rank)
{
    const uint64_t rounds = 40;
    for (uint64_t round = 0; round < rounds + 2; round++) {
        struct ep_buffers *b = &rank->buffers[round % 2];
        if (round >= 2) {
            EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
            if (ep_check_dispatch(rank, round - 2, b, DXT_EP_BF16, NULL)) return 1;
        }
        if (round >= rounds) continue;
        ep_prepare(rank, round, b);
        dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, DXT_EP_BF16);
        EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
        if (round >= 1) {
            EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_ERR_STATE);
            EP_CHECK(strstr(dxt_ep_error(), "not received yet"));
        }
    }
    return 0;
}

/* The same for combine: answers to one dispatch, over and over with other weights. */
static int two_combines(struct ep_rank *rank)
{
    struct ep_buffers *b = &rank->buffers[0];
    struct ep_buffers *other = &rank->buffers[1];
    if (ep_round(rank, 7, b, DXT_EP_BF16, DXT_EP_COMBINE_BF16, NULL)) return 1;
    if (ep_round(rank, 8, other, DXT_EP_BF16, DXT_EP_COMBINE_BF16, NULL)) return 1;
    for (uint64_t i = 0; i < 32; i++) {
        struct ep_buffers *now = i % 2 ? other : b;
        if (i >= 2) {
            EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
            if (ep_check_combine(rank, now, 1e-5, NULL)) return 1;
        }
        memset(now->out, 0xa5, (size_t)rank->c->max_tokens * rank->c->hidden * sizeof *now->out);
        dxt_ep_combine combine = ep_combine_of(rank, now, DXT_EP_COMBINE_BF16);
        EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
        if (i >= 1) EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_ERR_STATE);
    }
    EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
    EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
    return ep_check_combine(rank, other, 1e-5, NULL);
}

static void two_operations_may_be_under_way(void **state)
{
    (void)state;
    static const struct ep_case few = {
        .ranks = 3, .max_tokens = 6, .hidden = 512, .experts = 6, .topk = 3, .seed = 11};
    static const ep_body bodies[] = {overlapped, always_two, two_combines};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_int_equal(ep_run_threads(&few, bodies[i], NULL), 0);
        assert_int_equal(ep_run_processes(&few, bodies[i], NULL), 0);
    }
}

/* A route of -1 in combine is not summed, and its weight not looked at. */
static int unused_weights(struct ep_rank *rank)
{
    for (uint64_t round = 0; round < 6; round++) {
        struct ep_buffers *b = &rank->buffers[0];
        ep_prepare(rank, round, b);
        for (size_t i = 0; i < (size_t)b->tokens * rank->c->topk; i++)
            if (b->topk_idx[i] < 0) memset(&b->weights[i], 0xff, sizeof b->weights[i]); /* NaN */
        dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, DXT_EP_BF16);
        EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
        EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
        ep_experts(rank, b, DXT_EP_BF16);
        dxt_ep_combine combine = ep_combine_of(rank, b, DXT_EP_COMBINE_BF16);
        EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
        EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
        if (ep_check_combine(rank, b, 1e-5, NULL)) return 1;
    }
    return 0;
}

static void weights_of_unused_routes_do_not_matter(void **state)
{
    (void)state;
    static const struct ep_case two = {
        .ranks = 2, .max_tokens = 12, .hidden = 512, .experts = 8, .topk = 8, .seed = 12};
    assert_int_equal(ep_run_threads(&two, unused_weights, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_match_the_dense_reference),
        cmocka_unit_test(processes_match_the_dense_reference),
        cmocka_unit_test(large_operations_match_too),
        cmocka_unit_test(two_operations_may_be_under_way),
        cmocka_unit_test(weights_of_unused_routes_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
