/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <deepxtrace/probe.h>

#include "alloc_fail.h"
#include "base/base.h"

int probe_disabled_operation(dxt_probe *probe);

static dxt_probe *new_probe(uint32_t operators, uint32_t sources)
{
    dxt_probe *probe = NULL;
    assert_int_equal(dxt_probe_create(operators, sources, &probe), DXT_OK);
    return probe;
}

static dxt_snapshot *new_snapshot(uint32_t operators, uint32_t sources)
{
    dxt_snapshot *snapshot = NULL;
    assert_int_equal(dxt_snapshot_create(operators, sources, &snapshot), DXT_OK);
    return snapshot;
}

static void a_block_is_laid_out_as_documented(void **state)
{
    (void)state;
    assert_int_equal(dxt_probe_size(2, 8), 64 + 2 * 64 + 2 * 8 * 192);
    assert_int_equal(dxt_probe_size(0, 8), 0);
    assert_int_equal(dxt_probe_size(1, 0), 0);
    assert_int_equal(dxt_probe_size(DXT_MAX_OPERATORS + 1, 1), 0);
    assert_int_equal(dxt_probe_size(1, DXT_MAX_RANKS + 1), 0);
    dxt_probe *probe = new_probe(2, 8);
    assert_int_equal((uintptr_t)probe % 64, 0);
    assert_int_equal(probe->layout, DXT_PROBE_LAYOUT);
    assert_int_equal(probe->ticks_per_second, dxt_probe_clock_rate());
    assert_ptr_equal(dxt_probe_operator(probe, 1), (char *)probe + 128);
    assert_ptr_equal(dxt_probe_cell(probe, 1, 3), (char *)probe + 192 + (8 + 3) * 192);
    dxt_probe_destroy(probe);
    dxt_probe_destroy(NULL);
}

static void bad_blocks_are_refused(void **state)
{
    (void)state;
    _Alignas(64) static char memory[4096];
    dxt_probe *probe = NULL;
    assert_int_equal(dxt_probe_create(0, 4, &probe), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_create(1, 4, NULL), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_create(DXT_MAX_OPERATORS + 1, 4, &probe), DXT_ERR_LIMIT);
    assert_int_equal(dxt_probe_create(1, DXT_MAX_RANKS + 1, &probe), DXT_ERR_LIMIT);
    size_t size = dxt_probe_size(1, 4);
    assert_int_equal(dxt_probe_init(memory, size - 1, 1, 4, &probe), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_init(memory + 8, size, 1, 4, &probe), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_init(NULL, size, 1, 4, &probe), DXT_ERR_INVALID);
    assert_null(probe);
    memset(memory, 0xff, sizeof memory);
    assert_int_equal(dxt_probe_init(memory, size, 1, 4, &probe), DXT_OK);
    assert_ptr_equal(probe, memory);
    assert_int_equal(dxt_probe_cell(probe, 0, 3)->histogram[31], 0);
    assert_int_equal(memory[size], (char)0xff);
}

static void sums_are_exact(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(2, 4);
    for (uint64_t i = 1; i <= 100; i++) {
        dxt_probe_op op;
        dxt_probe_begin(&op, probe, DXT_COMBINE);
        dxt_probe_wait(&op, 1, 10 * i, 3);
        dxt_probe_wait(&op, 3, i, 5);
        dxt_probe_wait(&op, 0, 0, 7);
        dxt_probe_end(&op);
    }
    const dxt_cell *cell = dxt_probe_cell(probe, DXT_COMBINE, 1);
    assert_int_equal(cell->wait_ticks_sum, 50500);
    assert_int_equal(cell->samples, 100);
    assert_int_equal(cell->wait_ticks_max, 1000);
    assert_int_equal(cell->bytes, 300);
    assert_int_equal(cell->last_count, 100);
    assert_int_equal(cell->last_margin_ticks_sum, 9 * 5050);
    assert_int_equal(dxt_probe_cell(probe, DXT_COMBINE, 3)->wait_ticks_sum, 5050);
    assert_int_equal(dxt_probe_cell(probe, DXT_COMBINE, 3)->last_count, 0);
    assert_int_equal(dxt_probe_cell(probe, DXT_COMBINE, 0)->samples, 100);
    assert_int_equal(dxt_probe_cell(probe, DXT_COMBINE, 0)->histogram[0], 100);
    assert_int_equal(dxt_probe_cell(probe, DXT_COMBINE, 2)->samples, 0);
    assert_int_equal(dxt_probe_operator(probe, DXT_COMBINE)->ops, 100);
    assert_int_equal(dxt_probe_operator(probe, DXT_DISPATCH)->ops, 0);
    assert_int_equal(dxt_probe_cell(probe, DXT_DISPATCH, 1)->samples, 0);
    dxt_probe_destroy(probe);
}

static void histogram_bins_are_powers_of_two(void **state)
{
    (void)state;
    assert_int_equal(dxt_histogram_bin(0), 0);
    for (uint32_t b = 0; b < 64; b++) {
        uint32_t bin = b < DXT_HISTOGRAM_BINS ? b : DXT_HISTOGRAM_BINS - 1;
        uint64_t edge = UINT64_C(1) << b;
        assert_int_equal(dxt_histogram_bin(edge), bin);
        assert_int_equal(dxt_histogram_bin(edge + (edge - 1)), bin);
    }
    dxt_probe *probe = new_probe(1, 1);
    dxt_probe_op op;
    dxt_probe_begin(&op, probe, 0);
    dxt_probe_wait(&op, 0, 1023, 0);
    dxt_probe_wait(&op, 0, 1024, 0);
    dxt_probe_wait_shared(&op, 0, 2047, 0);
    dxt_probe_wait(&op, 0, UINT64_C(1) << 40, 0);
    dxt_probe_end(&op);
    const uint32_t *bins = dxt_probe_cell(probe, 0, 0)->histogram;
    assert_int_equal(bins[9], 1);
    assert_int_equal(bins[10], 2);
    assert_int_equal(bins[31], 1);
    dxt_probe_destroy(probe);
}

static void who_came_last(void **state)
{
    (void)state;
    struct wait {
        uint32_t source;
        uint64_t ticks;
    };
    static const struct {
        struct wait waits[5];
        int count;
        uint32_t last; /* DXT_NO_RANK: nobody */
        uint64_t margin;
    } cases[] = {
        {{{0, 5}, {1, 9}, {2, 7}}, 3, 1, 2},
        {{{0, 0}, {1, 0}, {2, 0}}, 3, DXT_NO_RANK, 0},
        {{{2, 4}}, 1, 2, 4},
        {{{1, 0}, {2, 4}, {0, 0}}, 3, 2, 4},
        {{{0, 9}, {1, 9}, {2, 1}}, 3, 0, 0},         /* a tie: the first, by nothing */
        {{{0, 3}, {1, 8}, {1, 9}}, 3, 1, 6},         /* several waits: not one's own second */
        {{{1, 9}, {1, 8}, {0, 3}}, 3, 1, 6},         /* in any order */
        {{{0, 5}, {1, 6}, {0, 7}, {2, 2}}, 4, 0, 1}, /* the lead changes twice */
        {{{0, 5}, {1, 6}, {0, 5}, {1, 8}}, 4, 1, 3},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        dxt_probe *probe = new_probe(1, 3);
        /* In one thread, and dealt out to two that are joined, whoever gets which. */
        for (unsigned deal = 0; deal < 32; deal++) {
            dxt_probe_op op[2];
            for (int t = 0; t < 2; t++) dxt_probe_begin(&op[t], probe, 0);
            for (int w = 0; w < cases[c].count; w++)
                dxt_probe_wait(&op[deal >> w & 1], cases[c].waits[w].source,
                               cases[c].waits[w].ticks, 0);
            dxt_probe_join(&op[0], &op[1]);
            if (cases[c].last != DXT_NO_RANK)
                assert_int_equal(op[0].last_ticks - op[0].second_ticks, cases[c].margin);
            dxt_probe_end(&op[0]);
        }
        uint64_t count = 0, margin = 0;
        for (uint32_t s = 0; s < 3; s++) {
            count += dxt_probe_cell(probe, 0, s)->last_count;
            margin += dxt_probe_cell(probe, 0, s)->last_margin_ticks_sum;
        }
        assert_int_equal(count, cases[c].last == DXT_NO_RANK ? 0 : 32);
        assert_int_equal(margin, 32 * cases[c].margin);
        if (cases[c].margin > 0)
            assert_int_equal(dxt_probe_cell(probe, 0, cases[c].last)->last_count, 32);
        assert_int_equal(dxt_probe_operator(probe, 0)->ops, 32);
        dxt_probe_destroy(probe);
    }
}

static void waits_are_measured_from_the_beginning(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(1, 2);
    dxt_probe_op op;
    dxt_probe_begin(&op, probe, 0);
    assert_int_equal(dxt_probe_until(&op, op.begin_ticks), 0);
    assert_int_equal(dxt_probe_until(&op, op.begin_ticks - 5), 0);
    assert_int_equal(dxt_probe_until(&op, op.begin_ticks + 5), 5);
    dxt_sleep_until_ns(dxt_now_ns() + 2000000);
    uint64_t elapsed = dxt_probe_elapsed(&op);
    /* Two clocks: a hundredth for those that are disciplined while this runs. */
    assert_true((double)elapsed > 1.98e-3 * (double)dxt_probe_clock_rate());
    dxt_probe_end(&op);
    assert_true(dxt_probe_operator(probe, 0)->inside_ticks_sum >= elapsed);
    /* A begin in the future, as another core's clock might have it, is no wait. */
    op.begin_ticks = dxt_probe_clock() + (UINT64_C(1) << 50);
    assert_int_equal(dxt_probe_elapsed(&op), 0);
    dxt_probe_destroy(probe);
}

static void timeouts_do_not_drown_the_sum(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(1, 2);
    dxt_probe_op op;
    dxt_probe_begin(&op, probe, 0);
    dxt_probe_timeout(&op, 1);
    dxt_probe_end(&op);
    assert_int_equal(dxt_probe_cell(probe, 0, 1)->timeouts, 1);
    assert_int_equal(dxt_probe_cell(probe, 0, 1)->wait_ticks_sum, 0);
    assert_int_equal(dxt_probe_cell(probe, 0, 1)->samples, 0);
    assert_int_equal(dxt_probe_cell(probe, 0, 1)->last_count, 0);
    dxt_probe_destroy(probe);
}

static void no_probe_counts_nothing(void **state)
{
    (void)state;
    dxt_probe_op op, other;
    dxt_probe_begin(&op, NULL, 99);
    dxt_probe_begin(&other, NULL, 99);
    dxt_probe_wait(&op, 12345, 10, 10);
    dxt_probe_wait_shared(&op, 12345, 10, 10);
    dxt_probe_timeout(&op, 12345);
    dxt_probe_join(&op, &other);
    assert_int_equal(dxt_probe_elapsed(&op), 0);
    assert_int_equal(dxt_probe_until(&op, UINT64_MAX), 0);
    dxt_probe_end(&op);
}

static void a_disabled_probe_counts_nothing(void **state)
{
    (void)state;
    size_t size = dxt_probe_size(1, 4);
    dxt_probe *probe = new_probe(1, 4), *before = new_probe(1, 4);
    assert_int_equal(probe_disabled_operation(probe), 1);
    assert_memory_equal(probe, before, size);
    dxt_probe_destroy(probe);
    dxt_probe_destroy(before);
}

enum { WRITERS = 4, WAITS = 20000 };

static void *write_shared(void *argument)
{
    dxt_probe_op op;
    dxt_probe_begin(&op, argument, 0);
    for (uint64_t i = 1; i <= WAITS; i++) dxt_probe_wait_shared(&op, i % 2, i, 2);
    return NULL;
}

static void many_writers_lose_nothing(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(1, 2);
    pthread_t threads[WRITERS];
    for (int t = 0; t < WRITERS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, write_shared, probe), 0);
    for (int t = 0; t < WRITERS; t++) pthread_join(threads[t], NULL);
    uint64_t sum = 0, samples = 0, bytes = 0, binned = 0;
    for (uint32_t s = 0; s < 2; s++) {
        const dxt_cell *cell = dxt_probe_cell(probe, 0, s);
        sum += cell->wait_ticks_sum;
        samples += cell->samples;
        bytes += cell->bytes;
        for (uint32_t b = 0; b < DXT_HISTOGRAM_BINS; b++) binned += cell->histogram[b];
        assert_int_equal(cell->wait_ticks_max, s == 0 ? WAITS : WAITS - 1);
    }
    assert_int_equal(samples, WRITERS * WAITS);
    assert_int_equal(binned, WRITERS * WAITS);
    assert_int_equal(bytes, 2 * WRITERS * WAITS);
    assert_int_equal(sum, WRITERS * ((uint64_t)WAITS * (WAITS + 1) / 2));
    dxt_probe_destroy(probe);
}

static atomic_bool writer_stops;

static void *write_alone(void *argument)
{
    for (uint64_t i = 0; !atomic_load(&writer_stops); i++) {
        dxt_probe_op op;
        dxt_probe_begin(&op, argument, i % 2);
        for (uint32_t s = 0; s < 3; s++) dxt_probe_wait(&op, s, s + 1, 10);
        dxt_probe_end(&op);
    }
    return NULL;
}

static void snapshots_follow_a_running_writer(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(2, 3);
    dxt_snapshot *earlier = new_snapshot(2, 3), *later = new_snapshot(2, 3);
    dxt_snapshot *window = new_snapshot(2, 3);
    pthread_t writer;
    uint64_t total[2] = {0, 0};
    atomic_store(&writer_stops, false);
    assert_int_equal(pthread_create(&writer, NULL, write_alone, probe), 0);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(dxt_probe_snapshot(probe, later), DXT_OK);
        for (uint32_t o = 0; o < 2; o++) {
            /* Never an operation without its waits. */
            uint64_t ops = dxt_probe_operator(later->data, o)->ops;
            for (uint32_t s = 0; s < 3; s++)
                assert_true(dxt_probe_cell(later->data, o, s)->samples >= ops);
        }
        assert_int_equal(dxt_snapshot_difference(later, earlier, window), DXT_OK);
        for (uint32_t o = 0; o < 2; o++) total[o] += dxt_probe_cell(window->data, o, 2)->samples;
        dxt_snapshot *swap = earlier;
        earlier = later;
        later = swap;
    }
    atomic_store(&writer_stops, true);
    pthread_join(writer, NULL);
    assert_int_equal(dxt_probe_snapshot(probe, later), DXT_OK);
    assert_int_equal(dxt_snapshot_difference(later, earlier, window), DXT_OK);
    for (uint32_t o = 0; o < 2; o++) {
        const dxt_cell *cell = dxt_probe_cell(probe, o, 2);
        assert_int_equal(total[o] + dxt_probe_cell(window->data, o, 2)->samples, cell->samples);
        assert_int_equal(cell->wait_ticks_sum, 3 * cell->samples);
    }
    dxt_snapshot_destroy(earlier);
    dxt_snapshot_destroy(later);
    dxt_snapshot_destroy(window);
    dxt_probe_destroy(probe);
}

/* Count `waits` on source 0 as one operation. */
static void count(dxt_probe *probe, const uint64_t *waits, int n)
{
    dxt_probe_op op;
    dxt_probe_begin(&op, probe, 0);
    for (int i = 0; i < n; i++) dxt_probe_wait(&op, 0, waits[i], 100);
    dxt_probe_end(&op);
}

static void the_longest_wait_of_a_window(void **state)
{
    (void)state;
    static const struct {
        uint64_t before[2], during[2];
        uint64_t max;
    } cases[] = {
        {{100, 50}, {70, 300}, 300}, /* grew: exact */
        {{1000, 1}, {70, 20}, 90},   /* edge 127, but 90 ticks in all */
        {{1000, 1}, {70, 80}, 127},  /* edge of the bin */
        {{100, 1}, {70, 80}, 100},   /* not above the maximum so far */
        {{100, 1}, {0, 0}, 0},
        {{UINT64_C(1) << 40, 0}, {UINT64_C(1) << 35, 0}, UINT64_C(1) << 35},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        dxt_probe *probe = new_probe(1, 1);
        dxt_snapshot *earlier = new_snapshot(1, 1), *later = new_snapshot(1, 1);
        count(probe, cases[c].before, 2);
        assert_int_equal(dxt_probe_snapshot(probe, earlier), DXT_OK);
        count(probe, cases[c].during, 2);
        assert_int_equal(dxt_probe_snapshot(probe, later), DXT_OK);
        assert_int_equal(dxt_snapshot_difference(later, earlier, earlier), DXT_OK);
        const dxt_cell *cell = dxt_probe_cell(earlier->data, 0, 0);
        assert_int_equal(cell->wait_ticks_sum, cases[c].during[0] + cases[c].during[1]);
        assert_int_equal(cell->samples, 2);
        assert_int_equal(cell->bytes, 200);
        assert_int_equal(cell->wait_ticks_max, cases[c].max);
        assert_int_equal(dxt_probe_operator(earlier->data, 0)->ops, 1);
        assert_true(earlier->time_ns >= 0 && earlier->time_ns < INT64_C(1000000000000));
        dxt_snapshot_destroy(earlier);
        dxt_snapshot_destroy(later);
        dxt_probe_destroy(probe);
    }
}

static void histogram_bins_may_wrap(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(1, 1);
    dxt_snapshot *earlier = new_snapshot(1, 1), *later = new_snapshot(1, 1);
    dxt_probe_cell(probe, 0, 0)->histogram[3] = UINT32_MAX - 1;
    assert_int_equal(dxt_probe_snapshot(probe, earlier), DXT_OK);
    count(probe, (const uint64_t[]){8, 9, 10, 11}, 4);
    assert_int_equal(dxt_probe_cell(probe, 0, 0)->histogram[3], 2);
    assert_int_equal(dxt_probe_snapshot(probe, later), DXT_OK);
    assert_int_equal(dxt_snapshot_difference(later, earlier, earlier), DXT_OK);
    assert_int_equal(dxt_probe_cell(earlier->data, 0, 0)->histogram[3], 4);
    dxt_snapshot_destroy(earlier);
    dxt_snapshot_destroy(later);
    dxt_probe_destroy(probe);
}

static void snapshots_that_do_not_match_are_refused(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(1, 2);
    dxt_snapshot *a = new_snapshot(1, 2), *b = new_snapshot(1, 2), *other = new_snapshot(2, 2);
    dxt_snapshot *narrow = new_snapshot(1, 1);
    assert_int_equal(dxt_probe_snapshot(probe, other), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_snapshot(probe, narrow), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_snapshot(NULL, a), DXT_ERR_INVALID);
    count(probe, (const uint64_t[]){7}, 1);
    assert_int_equal(dxt_probe_snapshot(probe, a), DXT_OK);
    assert_int_equal(dxt_snapshot_difference(a, other, b), DXT_ERR_INVALID);
    assert_int_equal(dxt_snapshot_difference(a, b, narrow), DXT_ERR_INVALID);
    /* Backwards in any counter; what would have been overwritten is still whole. */
    uint64_t *const counters[] = {&dxt_probe_cell(b->data, 0, 1)->wait_ticks_sum,
                                  &dxt_probe_cell(b->data, 0, 1)->samples,
                                  &dxt_probe_cell(b->data, 0, 1)->wait_ticks_max,
                                  &dxt_probe_cell(b->data, 0, 1)->bytes,
                                  &dxt_probe_cell(b->data, 0, 1)->last_count,
                                  &dxt_probe_cell(b->data, 0, 1)->last_margin_ticks_sum,
                                  &dxt_probe_cell(b->data, 0, 1)->timeouts,
                                  &dxt_probe_operator(b->data, 0)->inside_ticks_sum,
                                  &dxt_probe_operator(b->data, 0)->ops};
    for (size_t c = 0; c < sizeof counters / sizeof counters[0]; c++) {
        *counters[c] = UINT64_C(1) << 60;
        assert_int_equal(dxt_snapshot_difference(a, b, b), DXT_ERR_INVALID);
        assert_int_equal(dxt_probe_cell(b->data, 0, 0)->samples, 0);
        *counters[c] = 0;
    }
    assert_int_equal(dxt_snapshot_difference(a, b, b), DXT_OK);
    assert_int_equal(dxt_probe_cell(b->data, 0, 0)->samples, 1);
    dxt_snapshot_destroy(a);
    dxt_snapshot_destroy(b);
    dxt_snapshot_destroy(other);
    dxt_snapshot_destroy(narrow);
    dxt_snapshot_destroy(NULL);
    dxt_probe_destroy(probe);
}

static dxt_status make_all(void)
{
    dxt_probe *probe = NULL;
    dxt_snapshot *snapshot = NULL;
    dxt_probe_cost cost = {.struct_size = sizeof cost};
    dxt_status status = dxt_probe_create(1, 2, &probe);
    if (status == DXT_OK) status = dxt_snapshot_create(1, 2, &snapshot);
    if (status == DXT_OK) status = dxt_probe_calibrate(2, &cost);
    dxt_snapshot_destroy(snapshot);
    dxt_probe_destroy(probe);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    long k = 1;
    dxt_status status;
    for (; alloc_fail_arm(k), status = make_all(), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_int_equal(k, 5);
}

static double raw_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Against a longer base line than the rate was found with. Whatever lies between the readings of
 * the two clocks only widens the interval that the truth must be in. */
static void the_rate_is_right(void **state)
{
    (void)state;
    double rate = (double)dxt_probe_clock_rate();
    assert_int_equal(dxt_probe_clock_rate(), dxt_probe_clock_rate());
    double from_before = raw_seconds();
    uint64_t from = dxt_probe_clock();
    double from_after = raw_seconds();
    dxt_sleep_until_ns(dxt_now_ns() + 100000000);
    double to_before = raw_seconds();
    uint64_t to = dxt_probe_clock();
    double to_after = raw_seconds();
    double ticks = (double)(to - from);
    assert_true(rate > ticks / (to_after - from_before) * (1 - 1e-4));
    assert_true(rate < ticks / (to_before - from_after) * (1 + 1e-4));
}

static void costs_are_plausible(void **state)
{
    (void)state;
    dxt_probe_cost cost = {.struct_size = sizeof cost};
    assert_int_equal(dxt_probe_calibrate(8, NULL), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_calibrate(0, &cost), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_calibrate(8, &cost), DXT_OK);
    print_message(
        "clock %.1f ns, wait %.1f ns, shared %.1f ns, NULL %.2f ns, begin + end %.1f ns\n",
        cost.clock_ns, cost.wait_ns, cost.wait_shared_ns, cost.null_wait_ns, cost.operation_ns);
    assert_true(cost.clock_ns > 0 && cost.wait_ns > 0 && cost.wait_shared_ns > 0);
    assert_true(cost.null_wait_ns > 0 && cost.operation_ns > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_laid_out_as_documented),
        cmocka_unit_test(bad_blocks_are_refused),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(histogram_bins_are_powers_of_two),
        cmocka_unit_test(who_came_last),
        cmocka_unit_test(waits_are_measured_from_the_beginning),
        cmocka_unit_test(timeouts_do_not_drown_the_sum),
        cmocka_unit_test(no_probe_counts_nothing),
        cmocka_unit_test(a_disabled_probe_counts_nothing),
        cmocka_unit_test(many_writers_lose_nothing),
        cmocka_unit_test(snapshots_follow_a_running_writer),
        cmocka_unit_test(the_longest_wait_of_a_window),
        cmocka_unit_test(histogram_bins_may_wrap),
        cmocka_unit_test(snapshots_that_do_not_match_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_rate_is_right),
        cmocka_unit_test(costs_are_plausible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
