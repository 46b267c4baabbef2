/* SPDX-License-Identifier: Apache-2.0 */
/* Durations of all ranks become the waits that counters by source would have had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "base/base.h"
#include "random.h"
#include "session/durations.h"

#define RANKS 4

static const uint8_t nobody_absent[RANKS];

static uint64_t random_state = RANDOM_SEED;

static uint64_t random_below(uint64_t limit)
{
    return random_bits(&random_state) % limit;
}

static dxt_durations *new_durations(uint32_t ranks)
{
    dxt_durations *made = NULL;
    assert_int_equal(dxt_durations_create(ranks, 2, &made), DXT_OK);
    return made;
}

/* One mail: rank r comes to each operation after 100 × r ticks, and all leave at 1000. */
static void tell(dxt_durations *d, uint32_t rank, uint64_t from, uint64_t until, uint64_t step)
{
    static dxt_duration told[10000];
    uint32_t count = 0;
    for (uint64_t number = from; number < until; number += step)
        told[count++] = (dxt_duration){number, 1000 - 100 * rank};
    dxt_durations_add(d, rank, 0, told, count);
}

static void waits_are_those_of_counters_by_source(void **state)
{
    (void)state;
    enum { N = 5, OPERATIONS = 300 };
    static const uint8_t absent[N];
    dxt_durations *d = new_durations(N);
    int64_t expected[N][N] = {{0}}, wait[N * N];
    static dxt_duration told[N][OPERATIONS];
    for (uint64_t k = 0; k < OPERATIONS; k++) {
        uint64_t come[N], leave = 0;
        for (int r = 0; r < N; r++) {
            come[r] = random_below(100000);
            if (come[r] > leave) leave = come[r];
        }
        for (int i = 0; i < N; i++) {
            told[i][k] = (dxt_duration){10 * k, leave + 7 - come[i]};
            for (int j = 0; j < N; j++)
                if (come[j] > come[i]) expected[i][j] += (int64_t)(come[j] - come[i]);
        }
    }
    for (uint32_t r = 0; r < N; r++) dxt_durations_add(d, r, 1, told[r], OPERATIONS);
    assert_false(dxt_durations_known(d, 0));
    assert_true(dxt_durations_known(d, 1));
    dxt_common common = dxt_durations_match(d, 1, absent, NULL, wait);
    assert_int_equal(common.count, OPERATIONS);
    assert_false(common.unequal);
    assert_memory_equal(wait, expected, sizeof wait);
    /* They are used up. */
    assert_int_equal(dxt_durations_match(d, 1, absent, NULL, wait).count, 0);
    assert_int_equal(wait[1], DXT_NOT_OBSERVED);
    dxt_durations_destroy(d);
    dxt_durations_destroy(NULL);
}

/* 300 operations, of which one of `step` was measured: rank 1 is late by 10, and in `stray` of them
 * rank 0 by 100,000. What they wait, per operation. */
static void wait_with_stray(uint64_t step, uint32_t stray, double mean[2])
{
    enum { OPERATIONS = 300 };
    static dxt_duration told[2][OPERATIONS];
    dxt_durations *d = new_durations(2);
    int64_t wait[4];
    for (uint32_t k = 0; k < OPERATIONS; k++)
        for (uint32_t r = 0; r < 2; r++) {
            told[r][k] = (dxt_duration){step * k, 1000 + (r == 0 ? 10 : 0)};
            if (k % 90 == 7 && k / 90 < stray && r == 1) told[r][k].ticks += 100010;
        }
    for (uint32_t r = 0; r < 2; r++) dxt_durations_add(d, r, 0, told[r], OPERATIONS);
    dxt_common common = dxt_durations_match(d, 0, nobody_absent, NULL, wait);
    assert_int_equal(common.count, OPERATIONS);
    mean[0] = (double)wait[1] / OPERATIONS;
    mean[1] = (double)wait[2] / OPERATIONS;
    dxt_durations_destroy(d);
}

static void what_happened_once_does_not_count_for_what_was_not_measured(void **state)
{
    (void)state;
    double mean[2];
    wait_with_stray(32, 1, mean); /* once in 32 × 300 operations */
    assert_float_equal(mean[0], 10, 0.1);
    assert_float_equal(mean[1], 100000.0 / (32 * 300), 0.1);
    wait_with_stray(32, 2, mean); /* one of 128 at most */
    assert_float_equal(mean[1], 2 * 100000.0 / (32 * 300), 0.2);
    wait_with_stray(32, 3, mean); /* more of them are a fault */
    assert_float_equal(mean[1], 3 * 100000.0 / 300, 0.1);
    wait_with_stray(1, 1, mean); /* each was measured */
    assert_float_equal(mean[1], 100000.0 / 300, 0.1);
}

/* What one rank alone has told of later says nothing of how many operations are measured. */
static void a_number_that_one_rank_alone_told_of_makes_no_sample(void **state)
{
    (void)state;
    enum { OPERATIONS = 300 };
    dxt_durations *d = new_durations(2);
    int64_t wait[4];
    for (uint32_t r = 0; r < 2; r++) tell(d, r, 0, OPERATIONS, 1);
    dxt_duration stray = {OPERATIONS, 1000};
    dxt_durations_add(d, 0, 0, &stray, 1);
    stray.ticks = 1000000;
    dxt_durations_add(d, 1, 0, &stray, 1);
    tell(d, 0, 1000000, 1000001, 1);
    assert_int_equal(dxt_durations_match(d, 0, nobody_absent, NULL, wait).count, OPERATIONS + 1);
    assert_int_equal(wait[2], 999000);
    dxt_durations_destroy(d);
}

static void clocks_are_converted_rank_by_rank(void **state)
{
    (void)state;
    dxt_durations *d = new_durations(2);
    int64_t wait[4];
    const double ns[] = {1, 0.5};
    const dxt_duration own = {3, 100}, other = {3, 140};
    dxt_durations_add(d, 0, 0, &own, 1);
    dxt_durations_add(d, 1, 0, &other, 1);
    assert_int_equal(dxt_durations_match(d, 0, nobody_absent, ns, wait).count, 1);
    assert_int_equal(wait[1], 30);
    assert_int_equal(wait[2], 0);
    dxt_durations_destroy(d);
}

static void what_some_have_not_told_of_waits_for_them(void **state)
{
    (void)state;
    dxt_durations *d = new_durations(RANKS);
    int64_t wait[RANKS * RANKS];
    for (uint32_t r = 0; r < RANKS; r++) tell(d, r, 0, r == 2 ? 40 : 50, 1);
    assert_int_equal(dxt_durations_match(d, 0, nobody_absent, NULL, wait).count, 40);
    assert_int_equal(wait[0 * RANKS + 3], 40 * 300);
    assert_int_equal(wait[3 * RANKS + 0], 0);
    /* A mail repeats what the one before had. */
    for (uint32_t r = 0; r < RANKS; r++) tell(d, r, 20, 100, 1);
    for (uint32_t r = 0; r < RANKS; r++) tell(d, r, 90, 100, 1);
    assert_int_equal(dxt_durations_match(d, 0, nobody_absent, NULL, wait).count, 60);
    assert_int_equal(wait[0 * RANKS + 3], 60 * 300);
    dxt_durations_destroy(d);
}

static void who_sent_nothing_is_not_observed(void **state)
{
    (void)state;
    dxt_durations *d = new_durations(RANKS);
    int64_t wait[RANKS * RANKS];
    const uint8_t absent[RANKS] = {0, 1, 0, 0};
    for (uint32_t r = 0; r < RANKS; r++)
        if (r != 3) tell(d, r, 0, 50, 1); /* rank 3 never tells */
    assert_int_equal(dxt_durations_match(d, 0, absent, NULL, wait).count, 50);
    assert_int_equal(wait[0 * RANKS + 2], 50 * 200);
    assert_int_equal(wait[0 * RANKS + 1], DXT_NOT_OBSERVED);
    assert_int_equal(wait[0 * RANKS + 3], DXT_NOT_OBSERVED);
    assert_int_equal(wait[3 * RANKS + 0], DXT_NOT_OBSERVED);
    assert_int_equal(wait[1 * RANKS + 0], DXT_NOT_OBSERVED);
    /* It is back. */
    for (uint32_t r = 0; r < RANKS; r++)
        if (r != 3) tell(d, r, 50, 80, 1);
    assert_int_equal(dxt_durations_match(d, 0, nobody_absent, NULL, wait).count, 30);
    assert_int_equal(wait[0 * RANKS + 1], 30 * 100);
    dxt_durations_destroy(d);
}

static void numbers_that_do_not_match_say_nothing(void **state)
{
    (void)state;
    int64_t wait[RANKS * RANKS];
    for (int much = 0; much < 2; much++) {
        dxt_durations *d = new_durations(RANKS);
        /* Every tenth; on rank 2 others: none in common, or ten times as many. */
        for (uint32_t r = 0; r < RANKS; r++)
            tell(d, r, r == 2 && !much ? 5 : 0, 2000, r == 2 && much ? 1 : 10);
        dxt_common common = dxt_durations_match(d, 0, nobody_absent, NULL, wait);
        assert_true(common.unequal);
        assert_int_equal(common.count, 0);
        for (int c = 0; c < RANKS * RANKS; c++) assert_int_equal(wait[c], DXT_NOT_OBSERVED);
        dxt_durations_destroy(d);
    }
    /* Too few to tell. */
    dxt_durations *d = new_durations(RANKS);
    for (uint32_t r = 0; r < RANKS; r++) tell(d, r, r == 2 ? 5 : 0, 50, 10);
    assert_false(dxt_durations_match(d, 0, nobody_absent, NULL, wait).unequal);
    dxt_durations_destroy(d);
}

static void a_rank_that_begins_anew_counts_from_there(void **state)
{
    (void)state;
    dxt_durations *d = new_durations(RANKS);
    int64_t wait[RANKS * RANKS];
    for (uint32_t r = 0; r < RANKS; r++) tell(d, r, 0, 600, 1);
    assert_int_equal(dxt_durations_match(d, 0, nobody_absent, NULL, wait).count, 600);
    for (uint32_t r = 0; r < RANKS; r++) {
        const dxt_duration anew[] = {{0, 500}, {1, 500 + r}};
        dxt_durations_add(d, r, 0, anew, 2);
    }
    assert_int_equal(dxt_durations_match(d, 0, nobody_absent, NULL, wait).count, 2);
    assert_int_equal(wait[3 * RANKS + 0], 3);
    dxt_durations_destroy(d);
}

static void more_than_is_kept_drops_the_oldest(void **state)
{
    (void)state;
    dxt_durations *d = new_durations(RANKS);
    int64_t wait[RANKS * RANKS];
    for (uint32_t r = 0; r < RANKS; r++) tell(d, r, 0, r == 1 ? 3000 : 10000, 1);
    /* Rank 1 has up to 3,000, and the others only what is newer. */
    dxt_common common = dxt_durations_match(d, 0, nobody_absent, NULL, wait);
    assert_int_equal(common.count, 0);
    tell(d, 1, 3000, 10000, 1);
    common = dxt_durations_match(d, 0, nobody_absent, NULL, wait);
    assert_in_range(common.count, DXT_DURATIONS_KEPT / 2, DXT_DURATIONS_KEPT);
    assert_int_equal(wait[3], 300 * (int64_t)common.count);
    dxt_durations_destroy(d);
}

static void many_ranks_look_at_some_operations(void **state)
{
    (void)state;
    enum { MANY = 800 };
    static uint8_t absent[MANY];
    dxt_durations *d = new_durations(MANY);
    int64_t *wait = malloc(sizeof *wait * MANY * MANY);
    assert_non_null(wait);
    for (uint32_t r = 0; r < MANY; r++)
        for (uint64_t k = 0; k < 400; k++) {
            const dxt_duration one = {k, r == 7 ? 0 : 50};
            dxt_durations_add(d, r, 0, &one, 1);
        }
    dxt_common common = dxt_durations_match(d, 0, absent, NULL, wait);
    assert_in_range(common.count, 32, 399);
    assert_int_equal(wait[7], 50 * (int64_t)common.count);
    free(wait);
    dxt_durations_destroy(d);
}

static void nonsense_is_survived(void **state)
{
    (void)state;
    int64_t wait[RANKS * RANKS];
    dxt_durations *d = new_durations(RANKS);
    for (int round = 0; round < 3000; round++) {
        dxt_duration told[16];
        uint32_t count = (uint32_t)random_below(17);
        for (uint32_t k = 0; k < count; k++)
            told[k] = (dxt_duration){random_below(2) ? random_below(50) : random_state,
                                     random_below(3) ? random_below(9) : random_state};
        dxt_durations_add(d, (uint32_t)random_below(RANKS), 0, told, count);
        if (random_below(8) > 0) continue;
        dxt_durations_match(d, 0, nobody_absent, NULL, wait);
        for (int c = 0; c < RANKS * RANKS; c++) assert_true(wait[c] >= DXT_NOT_OBSERVED);
    }
    dxt_durations_destroy(d);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    dxt_durations *d = NULL;
    dxt_status status;
    long k = 1;
    for (; alloc_fail_arm(k), status = dxt_durations_create(3, 2, &d), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_int_equal(k, 6);
    dxt_durations_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_those_of_counters_by_source),
        cmocka_unit_test(what_happened_once_does_not_count_for_what_was_not_measured),
        cmocka_unit_test(a_number_that_one_rank_alone_told_of_makes_no_sample),
        cmocka_unit_test(clocks_are_converted_rank_by_rank),
        cmocka_unit_test(what_some_have_not_told_of_waits_for_them),
        cmocka_unit_test(who_sent_nothing_is_not_observed),
        cmocka_unit_test(numbers_that_do_not_match_say_nothing),
        cmocka_unit_test(a_rank_that_begins_anew_counts_from_there),
        cmocka_unit_test(more_than_is_kept_drops_the_oldest),
        cmocka_unit_test(many_ranks_look_at_some_operations),
        cmocka_unit_test(nonsense_is_survived),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
