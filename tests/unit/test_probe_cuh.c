/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of probe.cuh, compiled for the host: it counts what probe.h counts. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned long long test_clock;
static unsigned int clock_reads;

static unsigned long long read_test_clock(void)
{
    clock_reads++;
    return test_clock;
}

#define DXT_GPU_HOST_CLOCK read_test_clock()
#include <deepxtrace/probe.cuh>
#include <deepxtrace/probe.h>

#include "random.h"

#define SOURCES 6

static dxt_probe *new_probe(void)
{
    dxt_probe *probe = NULL;
    assert_int_equal(dxt_probe_create(DXT_EP_OPERATORS, SOURCES, &probe), DXT_OK);
    return probe;
}

/* A wait of @p ticks as a thread of a GPU goes through it. */
static uint64_t wait_for(dxt_probe *probe, uint32_t source, uint64_t ticks, uint32_t samples,
                         uint64_t bytes)
{
    dxt_gpu_wait wait;
    test_clock = 1000;
    dxt_gpu_begin(&wait, probe, DXT_COMBINE);
    if (ticks > 0) dxt_gpu_poll(&wait);
    test_clock += ticks;
    return dxt_gpu_end(&wait, source, samples, bytes);
}

static void counts_what_it_is_told(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe();
    assert_int_equal(wait_for(probe, 3, 700, 1, 10), 700);
    assert_int_equal(wait_for(probe, 3, 0, 1, 20), 0);
    assert_int_equal(wait_for(probe, 3, 1500, 4, 30), 1500);
    const dxt_cell *cell = dxt_probe_cell(probe, DXT_COMBINE, 3);
    assert_int_equal(cell->wait_ticks_sum, 700 + 4 * 1500);
    assert_int_equal(cell->samples, 6);
    assert_int_equal(cell->wait_ticks_max, 1500);
    assert_int_equal(cell->bytes, 60);
    assert_int_equal(cell->histogram[0], 1);
    assert_int_equal(cell->histogram[9], 1);
    assert_int_equal(cell->histogram[10], 4);
    for (uint32_t source = 0; source < SOURCES; source++)
        if (source != 3) assert_int_equal(dxt_probe_cell(probe, DXT_COMBINE, source)->samples, 0);
    assert_int_equal(dxt_probe_cell(probe, DXT_DISPATCH, 3)->samples, 0);
    dxt_probe_destroy(probe);
}

static void first_look_is_no_wait(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe();
    dxt_gpu_wait wait;
    test_clock = 50;
    dxt_gpu_begin(&wait, probe, DXT_DISPATCH);
    test_clock = 90;
    assert_int_equal(dxt_gpu_elapsed(&wait), 0);
    assert_int_equal(dxt_gpu_inside(&wait), 40);
    dxt_gpu_poll(&wait);
    assert_int_equal(dxt_gpu_elapsed(&wait), 40);
    /* A clock that lags, as another multiprocessor's may. */
    test_clock = 20;
    assert_int_equal(dxt_gpu_elapsed(&wait), 0);
    dxt_probe_destroy(probe);
}

static void null_probe_counts_nothing(void **state)
{
    (void)state;
    uint64_t shared[SOURCES] = {0};
    dxt_gpu_longest longest = dxt_gpu_nobody();
    clock_reads = 0;
    assert_int_equal(wait_for(NULL, 1, 100, 1, 1), 0);
    dxt_gpu_wait wait;
    dxt_gpu_issue(NULL, DXT_DISPATCH);
    dxt_gpu_begin(&wait, NULL, DXT_DISPATCH);
    dxt_gpu_timeout(&wait, 1);
    assert_int_equal(dxt_gpu_inside(&wait), 0);
    dxt_gpu_finish(NULL, DXT_DISPATCH, &longest, 1);
    dxt_gpu_close_shared(shared, SOURCES, NULL, DXT_DISPATCH, 1);
    assert_int_equal(clock_reads, 0);
}

static void what_is_begun_is_counted_apart(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(), *host = new_probe();
    for (int i = 0; i < 3; i++) {
        dxt_gpu_issue(probe, DXT_COMBINE);
        dxt_probe_issue(host, DXT_COMBINE);
    }
    assert_int_equal(dxt_probe_operator(probe, DXT_COMBINE)->issued, 3);
    assert_memory_equal(probe, host, dxt_probe_size(DXT_EP_OPERATORS, SOURCES));
    dxt_probe_destroy(probe);
    dxt_probe_destroy(host);
}

static void timeouts_are_counted_apart(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe();
    dxt_gpu_wait wait;
    dxt_gpu_begin(&wait, probe, DXT_DISPATCH);
    dxt_gpu_poll(&wait);
    dxt_gpu_timeout(&wait, 5);
    const dxt_cell *cell = dxt_probe_cell(probe, DXT_DISPATCH, 5);
    assert_int_equal(cell->timeouts, 1);
    assert_int_equal(cell->samples, 0);
    assert_int_equal(cell->wait_ticks_sum, 0);
    dxt_probe_destroy(probe);
}

/* The same waits, through probe.h, in one thread. */
static void host_operation(dxt_probe *probe, const uint32_t *sources, const uint64_t *ticks,
                           uint32_t count)
{
    dxt_probe_op op;
    dxt_probe_begin(&op, probe, DXT_COMBINE);
    for (uint32_t i = 0; i < count; i++) dxt_probe_wait(&op, sources[i], ticks[i], 7);
    dxt_probe_end(&op);
    dxt_probe_operator(probe, DXT_COMBINE)->inside_ticks_sum = 0;
}

/* And through probe.cuh, in a few threads that are joined. */
static void gpu_operation(dxt_probe *probe, const uint32_t *sources, const uint64_t *ticks,
                          uint32_t count, uint32_t threads)
{
    dxt_gpu_longest all = dxt_gpu_nobody();
    for (uint32_t thread = 0; thread < threads; thread++) {
        dxt_gpu_longest longest = dxt_gpu_nobody();
        for (uint32_t i = thread; i < count; i += threads)
            dxt_gpu_note(&longest, sources[i], wait_for(probe, sources[i], ticks[i], 1, 7));
        dxt_gpu_join(&all, &longest);
    }
    dxt_gpu_finish(probe, DXT_COMBINE, &all, 0);
}

static void counts_as_the_host_does(void **state)
{
    (void)state;
    uint64_t random = 1;
    dxt_probe *gpu = new_probe();
    dxt_probe *host = new_probe();
    for (int round = 0; round < 3000; round++) {
        uint32_t sources[12];
        uint64_t ticks[12];
        uint32_t count = (uint32_t)random_bits(&random) % 13;
        for (uint32_t i = 0; i < count; i++) {
            sources[i] = (uint32_t)random_bits(&random) % SOURCES;
            ticks[i] = random_bits(&random) % 5 == 0 ? 0 : random_bits(&random) % 4096;
            /* In one thread the first of equals is last; in several it is anybody. */
            if (ticks[i] > 0) ticks[i] = ticks[i] * 16 + i;
        }
        gpu_operation(gpu, sources, ticks, count, 1 + (uint32_t)round % 4);
        host_operation(host, sources, ticks, count);
    }
    assert_int_equal(dxt_probe_operator(gpu, DXT_COMBINE)->ops, 3000);
    assert_true(dxt_probe_cell(gpu, DXT_COMBINE, 0)->last_count > 0);
    assert_memory_equal(gpu, host, dxt_probe_size(DXT_EP_OPERATORS, SOURCES));
    dxt_probe_destroy(gpu);
    dxt_probe_destroy(host);
}

static void blocks_find_the_last_together(void **state)
{
    (void)state;
    uint64_t shared[SOURCES] = {0};
    dxt_probe *probe = new_probe();
    dxt_gpu_note_shared(shared, 2, 500);
    dxt_gpu_note_shared(shared, 4, 800);
    dxt_gpu_note_shared(shared, 2, 600);
    dxt_gpu_note_shared(shared, 4, 300);
    dxt_gpu_note_shared(shared, 1, 0);
    dxt_gpu_close_shared(shared, SOURCES, probe, DXT_DISPATCH, 900);
    /* What one operation left must not be in the next. */
    dxt_gpu_note_shared(shared, 2, 100);
    dxt_gpu_close_shared(shared, SOURCES, probe, DXT_DISPATCH, 120);
    /* Nobody is last where nobody waited. */
    dxt_gpu_close_shared(shared, SOURCES, probe, DXT_DISPATCH, 5);
    assert_int_equal(dxt_probe_cell(probe, DXT_DISPATCH, 4)->last_count, 1);
    assert_int_equal(dxt_probe_cell(probe, DXT_DISPATCH, 4)->last_margin_ticks_sum, 200);
    assert_int_equal(dxt_probe_cell(probe, DXT_DISPATCH, 2)->last_count, 1);
    assert_int_equal(dxt_probe_cell(probe, DXT_DISPATCH, 2)->last_margin_ticks_sum, 100);
    assert_int_equal(dxt_probe_operator(probe, DXT_DISPATCH)->ops, 3);
    assert_int_equal(dxt_probe_operator(probe, DXT_DISPATCH)->inside_ticks_sum, 1025);
    dxt_probe_destroy(probe);
}

/* ---- threads ---- */

static dxt_probe *common_probe;
static dxt_gpu_wait common_wait;
static uint64_t common_shared[SOURCES];

static void *count_many(void *argument)
{
    uint32_t thread = *(const uint32_t *)argument;
    for (uint64_t i = 1; i <= 5000; i++) {
        dxt_gpu_count(&common_wait, (uint32_t)i % 2, i, 1, 3);
        dxt_gpu_note_shared(common_shared, (uint32_t)i % 2, i * 4 + thread);
    }
    return NULL;
}

static void threads_count_together(void **state)
{
    (void)state;
    pthread_t ids[4];
    uint32_t numbers[4];
    common_probe = new_probe();
    dxt_gpu_begin(&common_wait, common_probe, DXT_DISPATCH);
    for (uint32_t i = 0; i < 4; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&ids[i], NULL, count_many, &numbers[i]), 0);
    }
    for (uint32_t i = 0; i < 4; i++) pthread_join(ids[i], NULL);
    dxt_gpu_close_shared(common_shared, SOURCES, common_probe, DXT_DISPATCH, 1);
    const dxt_cell *even = dxt_probe_cell(common_probe, DXT_DISPATCH, 0);
    const dxt_cell *odd = dxt_probe_cell(common_probe, DXT_DISPATCH, 1);
    assert_int_equal(even->samples + odd->samples, 20000);
    assert_int_equal(even->wait_ticks_sum + odd->wait_ticks_sum, 4 * (5000 * 5001 / 2));
    assert_int_equal(even->bytes, 30000);
    assert_int_equal(even->wait_ticks_max, 5000);
    assert_int_equal(odd->wait_ticks_max, 4999);
    assert_int_equal(even->last_count, 1);
    assert_int_equal(even->last_margin_ticks_sum, 4);
    dxt_probe_destroy(common_probe);
}

static void histogram_has_room_for_all(void **state)
{
    (void)state;
    assert_int_equal(dxt_gpu_bin(0), 0);
    assert_int_equal(dxt_gpu_bin(1), 0);
    assert_int_equal(dxt_gpu_bin(2), 1);
    assert_int_equal(dxt_gpu_bin(UINT64_C(1) << 31), 31);
    assert_int_equal(dxt_gpu_bin(UINT64_MAX), 31);
    for (uint64_t ticks = 1; ticks < UINT64_C(1) << 40; ticks = ticks * 3 + 1)
        assert_int_equal(dxt_gpu_bin(ticks), dxt_histogram_bin(ticks));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_it_is_told),
        cmocka_unit_test(first_look_is_no_wait),
        cmocka_unit_test(null_probe_counts_nothing),
        cmocka_unit_test(what_is_begun_is_counted_apart),
        cmocka_unit_test(timeouts_are_counted_apart),
        cmocka_unit_test(counts_as_the_host_does),
        cmocka_unit_test(blocks_find_the_last_together),
        cmocka_unit_test(threads_count_together),
        cmocka_unit_test(histogram_has_room_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
