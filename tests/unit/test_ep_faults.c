/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks that are late, silent, killed or resumed, and what the probe says of them. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ep_reference.h"
#include "shm/shm.h"

#define TIMEOUT_NS INT64_C(600000000)

/* ---- silent ranks ---- */

static int rounds_without(struct ep_rank *rank, uint64_t from, uint64_t to, const uint8_t *absent)
{
    for (uint64_t round = from; round < to; round++)
        if (ep_round(rank, round, &rank->buffers[round % 2], round & 1 ? DXT_EP_FP8 : DXT_EP_BF16,
                     DXT_EP_COMBINE_BF16, absent))
            return 1;
    return 0;
}

/* Rank 2 joins and says nothing until the others have given it up. */
static int one_is_silent(struct ep_rank *rank)
{
    static const uint8_t absent[] = {0, 0, 1, 0};
    if (rank->rank != 2) {
        if (rounds_without(rank, 0, 6, absent)) return 1;
        EP_CHECK(dxt_ep_masked(rank->ep, NULL) == 1);
        const dxt_probe *probe = rank->config.probe;
        for (uint32_t op = 0; op < DXT_EP_OPERATORS; op++)
            for (uint32_t source = 0; source < rank->c->ranks; source++) {
                const dxt_cell *cell = dxt_probe_cell(probe, op, source);
                EP_CHECK(cell->samples == (source == 2 ? 0 : 6));
                EP_CHECK(cell->timeouts <= (source == 2 && op == DXT_DISPATCH));
            }
        /* Each may be told by another before it looks; the first to give up counts in any case. */
        atomic_fetch_add((atomic_uint *)rank->context,
                         (unsigned)dxt_probe_cell(probe, DXT_DISPATCH, 2)->timeouts);
        return 0;
    }
    while (dxt_ep_masked(rank->ep, NULL) == 0) usleep(10000);
    struct ep_buffers *b = &rank->buffers[0];
    ep_prepare(rank, 0, b);
    dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, DXT_EP_BF16);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_ERR_MASKED);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_ERR_MASKED);
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_ERR_STATE);
    return 0;
}

static const struct ep_case faulty = {.ranks = 4,
                                      .max_tokens = 6,
                                      .hidden = 512,
                                      .experts = 8,
                                      .topk = 4,
                                      .seed = 21,
                                      .timeout_ns = TIMEOUT_NS,
                                      .probe = true};

static void a_silent_rank_is_given_up(void **state)
{
    (void)state;
    atomic_uint timeouts = 0;
    assert_int_equal(ep_run_threads(&faulty, one_is_silent, &timeouts), 0);
    assert_in_range(timeouts, 1, 3);
}

/* Rank 1 sends and goes away before it receives: its tokens count, its answers do not. */
static int one_leaves(struct ep_rank *rank)
{
    static const uint8_t absent[] = {0, 1, 0, 0};
    if (rounds_without(rank, 0, 2, NULL)) return 1;
    struct ep_buffers *b = &rank->buffers[0];
    ep_prepare(rank, 2, b);
    dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, DXT_EP_BF16);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
    if (rank->rank == 1) return 0;
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    if (ep_check_dispatch(rank, 2, b, DXT_EP_BF16, NULL)) return 1;
    ep_experts(rank, b, DXT_EP_BF16);
    dxt_ep_combine combine = ep_combine_of(rank, b, DXT_EP_COMBINE_BF16);
    EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
    EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
    if (ep_check_combine(rank, b, 1e-5, absent)) return 1;
    return rounds_without(rank, 3, 6, absent);
}

static void a_rank_that_leaves_in_mid_operation_is_given_up(void **state)
{
    (void)state;
    assert_int_equal(ep_run_threads(&faulty, one_leaves, NULL), 0);
    assert_int_equal(ep_run_processes(&faulty, one_leaves, NULL), 0);
}

/* Rank 2 told rank 0 of its first dispatch, but died before it told rank 1. Rank 0 goes on to the
 * second, where it waits for 2, and for 1, which waits for 2 itself: only 2 is to blame, although
 * the clock of rank 0 runs out first. */
static int died_between_flags(struct ep_rank *rank)
{
    static const uint8_t absent[] = {0, 0, 1};
    struct ep_buffers *b = &rank->buffers[0];
    if (rank->rank == 2) {
        for (uint32_t target = 0; target < 2; target++)
            if (target == 0) dxt_ep_shm_announce(rank->ep, target, DXT_DISPATCH, 1, 0, DXT_EP_BF16);
        return 0;
    }
    ep_prepare(rank, 0, b);
    dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, DXT_EP_BF16);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
    if (rank->rank == 1) usleep(TIMEOUT_NS / 1000 / 4);
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    if (ep_check_dispatch(rank, 0, b, DXT_EP_BF16, absent)) return 1;
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
    EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
    EP_CHECK(dxt_ep_masked(rank->ep, NULL) == 1);
    return 0;
}

static void who_waits_for_the_dead_is_not_given_up(void **state)
{
    (void)state;
    struct ep_case three = faulty;
    three.ranks = 3;
    three.experts = 6;
    assert_int_equal(ep_run_threads(&three, died_between_flags, NULL), 0);
}

/* ---- killed ranks ---- */

#define KILL_ROUNDS 250

static void die(int number)
{
    (void)number;
    kill(getpid(), SIGKILL);
}

/* Rank 1 is killed some time into the run; results are checked wherever it is known who took
 * part. */
static int killed_somewhere(struct ep_rank *rank)
{
    uint8_t before[8];
    uint8_t after[8];
    if (rank->rank == 1) {
        struct itimerval timer = {.it_value.tv_usec = *(const int *)rank->context};
        signal(SIGALRM, die);
        setitimer(ITIMER_REAL, &timer, NULL);
    }
    for (uint64_t round = 0; round < KILL_ROUNDS; round++) {
        uint32_t known = dxt_ep_masked(rank->ep, before);
        struct ep_buffers *b = &rank->buffers[0];
        ep_prepare(rank, round, b);
        dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, DXT_EP_BF16);
        EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
        EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
        bool sure = known == dxt_ep_masked(rank->ep, after);
        if (sure && ep_check_dispatch(rank, round, b, DXT_EP_BF16, before)) return 1;
        ep_experts(rank, b, DXT_EP_BF16);
        dxt_ep_combine combine = ep_combine_of(rank, b, DXT_EP_COMBINE_BF16);
        EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
        EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
        sure = known == dxt_ep_masked(rank->ep, after);
        if (sure && ep_check_combine(rank, b, 1e-5, before)) return 1;
        EP_CHECK(dxt_ep_masked(rank->ep, NULL) <= 1);
    }
    while (rank->rank == 1) pause();
    EP_CHECK(dxt_ep_masked(rank->ep, after) == after[1]);
    return 0;
}

static void a_killed_rank_does_not_stop_the_others(void **state)
{
    (void)state;
    static const int after_us[] = {3000, 20000, 20500, 41000};
    for (size_t i = 0; i < sizeof after_us / sizeof after_us[0]; i++) {
        int us = after_us[i];
        assert_int_equal(ep_run_processes(&faulty, killed_somewhere, &us), 0);
    }
}

/* Rank 1 is stopped for longer than the others wait, and goes on then. */
static int stopped(struct ep_rank *rank)
{
    static const uint8_t absent[] = {0, 1, 0, 0};
    if (rounds_without(rank, 0, 2, NULL)) return 1;
    if (rank->rank != 1) return rounds_without(rank, 2, 6, absent);
    pid_t self = getpid();
    pid_t waker = fork();
    if (waker == 0) {
        while (dxt_ep_masked(rank->ep, NULL) == 0) usleep(20000);
        kill(self, SIGCONT);
        _exit(0);
    }
    raise(SIGSTOP);
    waitpid(waker, NULL, 0);
    struct ep_buffers *b = &rank->buffers[0];
    ep_prepare(rank, 2, b);
    dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, DXT_EP_BF16);
    EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_ERR_MASKED);
    return 0;
}

static void a_stopped_rank_finds_itself_given_up(void **state)
{
    (void)state;
    assert_int_equal(ep_run_processes(&faulty, stopped, NULL), 0);
}

/* Rank 2 is stopped in the middle of a row of rank 0's inbox, given up, and goes on with that row
 * at the worst time: when others have answered and rank 0 has not summed up yet. */
static int resumed(struct ep_rank *rank)
{
    static const uint8_t absent[] = {0, 0, 1};
    const uint64_t parity = 1;
    dxt_ep_shm_state *s = rank->ep->state;
    if (rank->rank == 2) {
        atomic_store(&dxt_ep_shm_area(s, 2)->writing, dxt_ep_shm_row_name(0, parity, 0));
        return 0;
    }
    uint8_t *row = dxt_ep_shm_inbox_row(rank->ep, 0, parity, 0);
    for (uint64_t round = 0; round < 12; round++) {
        struct ep_buffers *b = &rank->buffers[0];
        ep_prepare(rank, round, b);
        dxt_ep_dispatch dispatch = ep_dispatch_of(rank, b, DXT_EP_BF16);
        EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
        EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
        ep_experts(rank, b, DXT_EP_BF16);
        dxt_ep_combine combine = ep_combine_of(rank, b, DXT_EP_COMBINE_BF16);
        EP_CHECK(dxt_ep_combine_send(rank->ep, &combine) == DXT_OK);
        if (rank->rank == 0 && round >= 2) {
            const dxt_ep_shm_flag *flag = dxt_ep_shm_flag_at(s, 0, DXT_COMBINE, round + 1, 1);
            while (atomic_load(&flag->epoch) < round + 1) usleep(100);
            if ((round + 1) % 2 == parity) memset(row, 0x7f, rank->c->hidden * 2);
        }
        EP_CHECK(dxt_ep_combine_recv(rank->ep) == DXT_OK);
        if (ep_check_combine(rank, b, 1e-5, absent)) return 1;
    }
    return 0;
}

static void a_resumed_rank_harms_no_results(void **state)
{
    (void)state;
    struct ep_case three = faulty;
    three.ranks = 3;
    three.experts = 6;
    assert_int_equal(ep_run_threads(&three, resumed, NULL), 0);
}

/* ---- the probe ---- */

#define PROBED_ROUNDS 10u

static int counts_are_right(struct ep_rank *rank)
{
    const struct ep_case *c = rank->c;
    uint32_t local = c->experts / c->ranks;
    uint64_t received[8] = {0};
    uint64_t answered[8] = {0};
    for (uint64_t round = 0; round < PROBED_ROUNDS; round++) {
        struct ep_buffers *b = &rank->buffers[0];
        if (ep_round(rank, round, b, DXT_EP_FP8, DXT_EP_COMBINE_LOGFMT, NULL)) return 1;
        for (uint32_t i = 0; i < local * c->ranks; i++)
            received[i % c->ranks] += (uint64_t)b->handle.layout_range[i].count;
        for (uint32_t i = 0; i < b->tokens * c->topk; i++)
            if (b->topk_idx[i] >= 0) answered[b->topk_idx[i] / local]++;
    }
    const dxt_probe *probe = rank->config.probe;
    for (uint32_t op = 0; op < DXT_EP_OPERATORS; op++) {
        EP_CHECK(dxt_probe_operator(probe, op)->ops == PROBED_ROUNDS);
        uint64_t last = 0;
        for (uint32_t source = 0; source < c->ranks; source++) {
            const dxt_cell *cell = dxt_probe_cell(probe, op, source);
            EP_CHECK(cell->samples == PROBED_ROUNDS);
            EP_CHECK(cell->timeouts == 0);
            EP_CHECK(cell->wait_ticks_max <= cell->wait_ticks_sum);
            EP_CHECK(cell->wait_ticks_sum <= dxt_probe_operator(probe, op)->inside_ticks_sum);
            last += cell->last_count;
        }
        EP_CHECK(last <= PROBED_ROUNDS);
    }
    for (uint32_t source = 0; source < c->ranks; source++) {
        EP_CHECK(dxt_probe_cell(probe, DXT_DISPATCH, source)->bytes ==
                 received[source] * (c->hidden + c->hidden / 128 * 4));
        EP_CHECK(dxt_probe_cell(probe, DXT_COMBINE, source)->bytes ==
                 answered[source] * (c->hidden / 128 * 168));
    }
    return 0;
}

static void the_probe_counts_every_wait_and_byte(void **state)
{
    (void)state;
    struct ep_case usual = faulty;
    usual.timeout_ns = 0;
    assert_int_equal(ep_run_threads(&usual, counts_are_right, NULL), 0);
    assert_int_equal(ep_run_processes(&usual, counts_are_right, NULL), 0);
}

#define STRANGE_NS INT64_C(20000000)

/* Mean waits in ms of all ranks: [operator][waiting][source]. */
struct means {
    double ms[DXT_EP_OPERATORS][4][4];
    bool late_rank; /* else a late path */
};

static int one_is_late(struct ep_rank *rank)
{
    struct means *means = rank->context;
    if (!means->late_rank && rank->rank == 3)
        EP_CHECK(dxt_ep_delay_path(rank->ep, DXT_DISPATCH, 1, STRANGE_NS) == DXT_OK);
    for (uint64_t round = 0; round < PROBED_ROUNDS; round++) {
        if (means->late_rank && rank->rank == 1) usleep(STRANGE_NS / 1000);
        if (ep_round(rank, round, &rank->buffers[0], DXT_EP_BF16, DXT_EP_COMBINE_BF16, NULL))
            return 1;
    }
    const dxt_probe *probe = rank->config.probe;
    for (uint32_t op = 0; op < DXT_EP_OPERATORS; op++)
        for (uint32_t source = 0; source < 4; source++)
            means->ms[op][rank->rank][source] =
                (double)dxt_probe_cell(probe, op, source)->wait_ticks_sum * 1e3 / PROBED_ROUNDS /
                (double)probe->ticks_per_second;
    return 0;
}

/* Whether dispatch cells that should be high are, and all others are below half of that. A machine
 * with more to do than this test delays others as well: it may try again. */
static void late_shows(struct means *means, bool (*high)(uint32_t rank, uint32_t source))
{
    struct ep_case usual = faulty;
    usual.timeout_ns = 0;
    bool right = false;
    for (int attempt = 0; attempt < 5 && !right; attempt++) {
        assert_int_equal(ep_run_threads(&usual, one_is_late, means), 0);
        right = true;
        for (uint32_t rank = 0; rank < 4; rank++)
            for (uint32_t source = 0; source < 4; source++) {
                double ms = means->ms[DXT_DISPATCH][rank][source];
                if (high(rank, source)) assert_true(ms >= 15);
                if (!high(rank, source) && ms > 10) right = false;
            }
    }
    assert_true(right);
}

static bool column_1(uint32_t rank, uint32_t source)
{
    return source == 1 && rank != 1;
}

static bool cell_3_1(uint32_t rank, uint32_t source)
{
    return source == 1 && rank == 3;
}

static void a_late_rank_is_a_column(void **state)
{
    (void)state;
    struct means means = {.late_rank = true};
    late_shows(&means, column_1);
}

static void a_slow_path_is_a_cell(void **state)
{
    (void)state;
    struct means means = {.late_rank = false};
    late_shows(&means, cell_3_1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_rank_is_given_up),
        cmocka_unit_test(a_rank_that_leaves_in_mid_operation_is_given_up),
        cmocka_unit_test(who_waits_for_the_dead_is_not_given_up),
        cmocka_unit_test(a_killed_rank_does_not_stop_the_others),
        cmocka_unit_test(a_stopped_rank_finds_itself_given_up),
        cmocka_unit_test(a_resumed_rank_harms_no_results),
        cmocka_unit_test(the_probe_counts_every_wait_and_byte),
        cmocka_unit_test(a_late_rank_is_a_column),
        cmocka_unit_test(a_slow_path_is_a_cell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
