/* SPDX-License-Identifier: Apache-2.0 */
/* dxt_ep_wait(), dxt_ep_wait_buffer(): what is waited for in slices. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ep_reference.h"
#include "shm/shm.h"

#define TIMEOUT_NS INT64_C(600000000)
#define SLICE_NS INT64_C(1000000)

static const struct ep_case pair = {
    .ranks = 2, .max_tokens = 6, .hidden = 512, .experts = 8, .topk = 4, .seed = 21, .probe = true};

static int after_dispatch(struct ep_rank *rank, struct ep_buffers *b)
{
    ep_experts(rank, b, DXT_EP_BF16);
    dxt_ep_combine combine = ep_combine_of(rank, b, DXT_EP_COMBINE_BF16);
    EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
    return 0;
}

static int send_dispatch(struct ep_rank *rank, uint64_t round, struct ep_buffers *b)
{
    ep_prepare(rank, round, b);
    dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, DXT_EP_BF16);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
    return 0;
}

/* Rank 1 sends its second dispatch when rank 0 has waited for it in vain, received a combine
 * meanwhile, and waited again. */
static int one_waits_in_slices(struct ep_rank *rank)
{
    atomic_uint *vain = rank->context;
    struct ep_buffers *first = &rank->buffers[0], *second = &rank->buffers[1];
    if (send_dispatch(rank, 0, first)) return 1;
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    if (after_dispatch(rank, first)) return 1;
    while (rank->rank == 1 && atomic_load(vain) < 2) usleep(1000);
    if (send_dispatch(rank, 1, second)) return 1;
    if (rank->rank == 0) {
        EP_CHECK(dxt_ep_wait(rank->ep, DXT_DISPATCH, SLICE_NS) == DXT_ERR_TIMEOUT);
        atomic_fetch_add(vain, 1);
    }
    EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
    if (ep_check_combine(rank, first, 1e-4, NULL)) return 1;
    if (rank->rank == 0) {
        EP_CHECK(dxt_ep_wait(rank->ep, DXT_DISPATCH, 0) == DXT_ERR_TIMEOUT);
        atomic_fetch_add(vain, 1);
        dxt_status status;
        do status = dxt_ep_wait(rank->ep, DXT_DISPATCH, SLICE_NS);
        while (status == DXT_ERR_TIMEOUT);
        EP_CHECK(status == DXT_OK);
        EP_CHECK(dxt_ep_wait(rank->ep, DXT_DISPATCH, 0) == DXT_OK);
    }
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    if (ep_check_dispatch(rank, 1, second, DXT_EP_BF16, NULL)) return 1;
    if (after_dispatch(rank, second)) return 1;
    EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
    if (ep_check_combine(rank, second, 1e-4, NULL)) return 1;
    /* Each wait is counted once, however many slices it took. */
    for (uint32_t op = 0; op < DXT_EP_OPERATORS; op++) {
        EP_CHECK(dxt_probe_operator(rank->config.probe, op)->ops == 2);
        for (uint32_t source = 0; source < 2; source++)
            EP_CHECK(dxt_probe_cell(rank->config.probe, op, source)->samples == 2);
    }
    return 0;
}

static void a_wait_in_slices_is_one_wait(void **state)
{
    (void)state;
    atomic_uint vain = 0;
    assert_int_equal(ep_run_threads(&pair, one_waits_in_slices, &vain), 0);
}

static int slices_end(struct ep_rank *rank)
{
    if (rank->rank == 1) {
        while (dxt_ep_masked(rank->ep, NULL) == 0) usleep(10000);
        return 0;
    }
    if (send_dispatch(rank, 0, &rank->buffers[0])) return 1;
    dxt_status status;
    do status = dxt_ep_wait(rank->ep, DXT_DISPATCH, TIMEOUT_NS / 4);
    while (status == DXT_ERR_TIMEOUT);
    EP_CHECK(status == DXT_OK && dxt_ep_masked(rank->ep, NULL) == 1);
    EP_CHECK(dxt_probe_cell(rank->config.probe, DXT_DISPATCH, 1)->timeouts == 1);
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    return 0;
}

static void a_silent_rank_is_given_up_in_slices(void **state)
{
    (void)state;
    struct ep_case two = pair;
    two.timeout_ns = TIMEOUT_NS;
    assert_int_equal(ep_run_threads(&two, slices_end, NULL), 0);
}

/* Rank 1 sends while rank 0 does something else between a slice and its receive. */
static int one_is_elsewhere_between(struct ep_rank *rank)
{
    atomic_uint *stage = rank->context;
    if (rank->rank == 1) {
        while (atomic_load(stage) < 1) usleep(1000);
        usleep(50000);
        if (send_dispatch(rank, 0, &rank->buffers[0])) return 1;
        atomic_store(stage, 2);
        EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
        return 0;
    }
    if (send_dispatch(rank, 0, &rank->buffers[0])) return 1;
    uint64_t begin = dxt_probe_clock();
    EP_CHECK(dxt_ep_wait(rank->ep, DXT_DISPATCH, 0) == DXT_ERR_TIMEOUT);
    uint64_t inside = dxt_probe_clock() - begin;
    atomic_store(stage, 1);
    while (atomic_load(stage) < 2) usleep(1000);
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    const dxt_cell *cell = dxt_probe_cell(rank->config.probe, DXT_DISPATCH, 1);
    EP_CHECK(cell->samples == 1 && cell->wait_ticks_sum <= inside);
    return 0;
}

static void time_between_slices_is_no_waiting(void **state)
{
    (void)state;
    atomic_uint stage = 0;
    assert_int_equal(ep_run_threads(&pair, one_is_elsewhere_between, &stage), 0);
}

static unsigned polls;

static dxt_status fail_second_poll(dxt_ep *ep)
{
    (void)ep;
    return ++polls == 2 ? dxt_ep_fail(DXT_ERR_IO, "cannot receive") : DXT_OK;
}

/* Rank 0 waits over a network that fails as @p poll says; rank 1 sends when it has. */
static int wait_over_failing(struct ep_rank *rank, dxt_status (*poll)(dxt_ep *), int64_t at_most_ns)
{
    const dxt_ep_shm_far failing = {.poll = poll};
    atomic_uint *failed = rank->context;
    while (rank->rank == 1 && atomic_load(failed) == 0) usleep(1000);
    if (send_dispatch(rank, 0, &rank->buffers[0])) return 1;
    if (rank->rank == 0) {
        dxt_ep_shm_state *s = rank->ep->state;
        s->far = &failing;
        dxt_status status = dxt_ep_wait(rank->ep, DXT_DISPATCH, at_most_ns);
        s->far = NULL;
        atomic_store(failed, 1);
        EP_CHECK(status == DXT_ERR_IO);
    }
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    return ep_check_dispatch(rank, 0, &rank->buffers[0], DXT_EP_BF16, NULL);
}

/* The network fails once, when rank 0 has heard itself. */
static int one_goes_on(struct ep_rank *rank)
{
    if (wait_over_failing(rank, fail_second_poll, SLICE_NS)) return 1;
    for (uint32_t source = 0; source < 2; source++)
        EP_CHECK(dxt_probe_cell(rank->config.probe, DXT_DISPATCH, source)->samples == 1);
    return 0;
}

static void after_an_error_nobody_is_counted_twice(void **state)
{
    (void)state;
    atomic_uint failed = 0;
    polls = 0;
    assert_int_equal(ep_run_threads(&pair, one_goes_on, &failed), 0);
}

/* The network fails once, in the look right before a sleep. */
static dxt_status fail_before_sleep(dxt_ep *ep)
{
    const dxt_ep_shm_state *s = ep->state;
    bool about_to_sleep =
        atomic_load(&dxt_ep_shm_area(s, s->rank)->arrivals[DXT_DISPATCH][1].sleeping);
    return about_to_sleep && polls++ == 0 ? dxt_ep_fail(DXT_ERR_IO, "cannot receive") : DXT_OK;
}

static int one_hears_of_it(struct ep_rank *rank)
{
    return wait_over_failing(rank, fail_before_sleep, TIMEOUT_NS);
}

static void an_error_before_a_sleep_is_told(void **state)
{
    (void)state;
    atomic_uint failed = 0;
    polls = 0;
    assert_int_equal(ep_run_threads(&pair, one_hears_of_it, &failed), 0);
}

/* Rank 1 sends two and receives none until rank 0 has waited for its third buffer in vain. Then it
 * receives, or stays away. */
struct held_up {
    bool for_good;
    atomic_uint vain, sent;
};

static int one_waits_for_a_buffer(struct ep_rank *rank)
{
    struct held_up *held_up = rank->context;
    if (send_dispatch(rank, 0, &rank->buffers[0])) return 1;
    if (send_dispatch(rank, 1, &rank->buffers[1])) return 1;
    /* A rank that is late with its first two would be given up for that. */
    atomic_fetch_add(&held_up->sent, 1);
    while (atomic_load(&held_up->sent) < 2) usleep(1000);
    if (rank->rank == 1) {
        while (atomic_load(&held_up->vain) < 2) usleep(1000);
        while (held_up->for_good && dxt_ep_masked(rank->ep, NULL) == 0) usleep(10000);
        if (held_up->for_good) return 0;
        EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
        return 0;
    }
    EP_CHECK(dxt_ep_wait_buffer(rank->ep, DXT_DISPATCH, NULL, 0) == DXT_ERR_STATE);
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    const dxt_operator_counters *counters = dxt_probe_operator(rank->config.probe, DXT_DISPATCH);
    EP_CHECK(counters->issued == 2);
    for (int i = 0; i < 2; i++) {
        EP_CHECK(dxt_ep_wait_buffer(rank->ep, DXT_DISPATCH, NULL, SLICE_NS) == DXT_ERR_TIMEOUT);
        EP_CHECK(counters->issued == 2); /* who is interrupted here has sent nothing */
        atomic_fetch_add(&held_up->vain, 1);
    }
    dxt_status status;
    do status = dxt_ep_wait_buffer(rank->ep, DXT_DISPATCH, NULL, TIMEOUT_NS / 4);
    while (status == DXT_ERR_TIMEOUT);
    EP_CHECK(status == DXT_OK && dxt_ep_masked(rank->ep, NULL) == held_up->for_good);
    if (send_dispatch(rank, 2, &rank->buffers[0])) return 1;
    EP_CHECK(counters->issued == 3);
    return 0;
}

static void a_buffer_is_waited_for_in_slices(void **state)
{
    (void)state;
    struct held_up held_up = {.for_good = false};
    assert_int_equal(ep_run_threads(&pair, one_waits_for_a_buffer, &held_up), 0);
}

static void a_rank_that_never_reads_is_given_up_in_slices(void **state)
{
    (void)state;
    struct ep_case two = pair;
    two.timeout_ns = 4 * TIMEOUT_NS; /* two short slices on a busy machine are shorter */
    struct held_up held_up = {.for_good = true};
    assert_int_equal(ep_run_threads(&two, one_waits_for_a_buffer, &held_up), 0);
}

/* Rank 0 waits in vain for rank 1, is away for longer than the timeout, and asks again. */
struct away {
    bool receives; /* rather than sends */
    atomic_uint stage;
};

static dxt_status ask(struct ep_rank *rank, bool receives, int64_t ns)
{
    return receives ? dxt_ep_wait(rank->ep, DXT_DISPATCH, ns)
                    : dxt_ep_wait_buffer(rank->ep, DXT_DISPATCH, NULL, ns);
}

static int one_comes_back_late(struct ep_rank *rank)
{
    struct away *away = rank->context;
    bool receives = away->receives, sends = rank->rank == 0 || !receives;
    if (sends && send_dispatch(rank, 0, &rank->buffers[0])) return 1;
    if (!receives && send_dispatch(rank, 1, &rank->buffers[1])) return 1;
    atomic_fetch_add(&away->stage, 1);
    while (atomic_load(&away->stage) < 2) usleep(1000);
    if (rank->rank == 1) {
        while (atomic_load(&away->stage) < 3) usleep(1000);
        return 0;
    }
    if (!receives) EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    EP_CHECK(ask(rank, receives, SLICE_NS) == DXT_ERR_TIMEOUT);
    /* In place of a rest of twice its timeout, the time that a rank is given beyond it included. */
    dxt_ep_shm_state *s = rank->ep->state;
    int64_t away_ns = 2 * rank->config.timeout_ns + 1;
    s->waiting[DXT_DISPATCH].begin_ns -= away_ns;
    s->waiting[DXT_DISPATCH].deadline_ns -= away_ns;
    s->waiting[DXT_DISPATCH].left_ns -= away_ns;
    s->sending[DXT_DISPATCH].begin_ns -= away_ns;
    s->sending[DXT_DISPATCH].left_ns -= away_ns;
    dxt_status status = ask(rank, receives, SLICE_NS);
    atomic_store(&away->stage, 3);
    EP_CHECK(status == DXT_ERR_TIMEOUT && dxt_ep_masked(rank->ep, NULL) == 0);
    return 0;
}

static void who_was_away_has_not_waited(void **state)
{
    (void)state;
    struct ep_case two = pair;
    two.timeout_ns = 20 * (int64_t)1000000000;
    for (int receives = 0; receives < 2; receives++) {
        struct away away = {.receives = receives != 0};
        assert_int_equal(ep_run_threads(&two, one_comes_back_late, &away), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_in_slices_is_one_wait),
        cmocka_unit_test(a_silent_rank_is_given_up_in_slices),
        cmocka_unit_test(time_between_slices_is_no_waiting),
        cmocka_unit_test(after_an_error_nobody_is_counted_twice),
        cmocka_unit_test(an_error_before_a_sleep_is_told),
        cmocka_unit_test(a_buffer_is_waited_for_in_slices),
        cmocka_unit_test(a_rank_that_never_reads_is_given_up_in_slices),
        cmocka_unit_test(who_was_away_has_not_waited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
