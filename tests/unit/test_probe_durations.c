/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of durations of a probe. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/probe.cuh>
#include <deepxtrace/probe.h>

#include "alloc_fail.h"

static dxt_probe *new_probe(uint32_t durations)
{
    dxt_probe *probe = NULL;
    assert_int_equal(dxt_probe_create_durations(2, 3, durations, &probe), DXT_OK);
    return probe;
}

static void a_ring_lies_behind_the_cells(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(8);
    assert_int_equal((uintptr_t)probe % 64, 0);
    assert_int_equal(probe->durations, 8);
    size_t cells = dxt_probe_size(2, 3);
    assert_int_equal(dxt_probe_bytes(probe), cells + 2 * 8 * 16);
    assert_ptr_equal(dxt_probe_durations(probe, 1), (char *)probe + cells + 8 * 16);
    dxt_probe_destroy(probe);
    assert_int_equal(dxt_probe_create(2, 3, &probe), DXT_OK);
    assert_int_equal(dxt_probe_bytes(probe), cells);
    /* Without a ring the operation counts, and that is all. */
    dxt_duration told[4];
    dxt_probe_duration(probe, 1, 4, 10);
    assert_int_equal(dxt_probe_operator(probe, 1)->ops, 5);
    assert_int_equal(dxt_probe_read_durations(probe, 1, 0, told, 4), 0);
    dxt_probe_destroy(probe);
    assert_int_equal(dxt_probe_create_durations(2, 3, 12, &probe), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_create_durations(2, 3, 0, &probe), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_create_durations(2, 3, 2 * DXT_MAX_DURATIONS, &probe),
                     DXT_ERR_LIMIT);
    assert_int_equal(dxt_probe_create_durations(0, 3, 8, &probe), DXT_ERR_INVALID);
    assert_int_equal(dxt_probe_create_durations(1, 3, 8, NULL), DXT_ERR_INVALID);
}

static void the_newest_are_kept(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(8);
    dxt_duration told[20];
    dxt_probe_duration(NULL, 1, 0, 1);
    assert_int_equal(dxt_probe_read_durations(probe, 1, 0, told, 20), 0);
    dxt_probe_duration(probe, 1, 0, 100);
    dxt_gpu_duration(probe, 1, 10, 110);
    dxt_gpu_duration(NULL, 1, 10, 110);
    dxt_probe_note_duration(probe, 1, 20, 120);
    dxt_probe_note_duration(probe, 2, 20, 120); /* there is no such operator */
    dxt_probe_note_duration(NULL, 1, 20, 120);
    assert_int_equal(dxt_probe_read_durations(probe, 1, 0, told, 20), 3);
    assert_true(told[0].number == 0 && told[0].ticks == 100);
    assert_true(told[1].number == 10 && told[1].ticks == 110);
    assert_true(told[2].number == 20 && told[2].ticks == 120);
    assert_int_equal(dxt_probe_read_durations(probe, 1, 10, told, 20), 2);
    assert_int_equal(told[0].number, 10);
    assert_int_equal(dxt_probe_read_durations(probe, 1, 21, told, 20), 0);
    assert_int_equal(dxt_probe_read_durations(probe, 0, 0, told, 20), 0);
    assert_int_equal(dxt_probe_read_durations(probe, 2, 0, told, 20), 0);
    assert_int_equal(dxt_probe_operator(probe, 1)->ops, 21);
    assert_int_equal(dxt_probe_operator(probe, 1)->durations, 3);
    assert_int_equal(dxt_probe_operator(probe, 1)->inside_ticks_sum, 330);
    for (uint64_t number = 21; number < 100; number++) dxt_probe_duration(probe, 1, number, number);
    /* The slot behind the newest may be under the writer's pen. */
    assert_int_equal(dxt_probe_read_durations(probe, 1, 0, told, 20), 7);
    assert_int_equal(told[0].number, 93);
    assert_int_equal(dxt_probe_read_durations(probe, 1, 0, told, 3), 3);
    assert_int_equal(told[2].number, 99);
    dxt_probe_destroy(probe);
}

static void snapshots_count_them(void **state)
{
    (void)state;
    dxt_probe *probe = new_probe(8);
    dxt_snapshot *before = NULL, *after = NULL;
    assert_int_equal(dxt_snapshot_create(2, 3, &before), DXT_OK);
    assert_int_equal(dxt_snapshot_create(2, 3, &after), DXT_OK);
    dxt_probe_duration(probe, 0, 0, 5);
    assert_int_equal(dxt_probe_snapshot(probe, before), DXT_OK);
    dxt_probe_duration(probe, 0, 1, 5);
    dxt_probe_duration(probe, 0, 2, 5);
    assert_int_equal(dxt_probe_snapshot(probe, after), DXT_OK);
    assert_int_equal(dxt_snapshot_difference(after, before, before), DXT_OK);
    assert_int_equal(dxt_probe_operator(before->data, 0)->durations, 2);
    assert_int_equal(dxt_probe_operator(before->data, 0)->ops, 2);
    assert_int_equal(before->data->durations, 0); /* the ring stays where it is */
    dxt_snapshot_destroy(before);
    dxt_snapshot_destroy(after);
    dxt_probe_destroy(probe);
}

struct writing {
    dxt_probe *probe;
    atomic_int stop;
};

/* Each duration is three times its number. */
static void *write_on(void *context)
{
    struct writing *writing = context;
    for (uint64_t number = 0; !atomic_load(&writing->stop); number++)
        dxt_probe_duration(writing->probe, 0, number, 3 * number);
    return NULL;
}

static void readers_see_whole_durations(void **state)
{
    (void)state;
    struct writing writing = {.probe = new_probe(16)};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &writing), 0);
    uint64_t read = 0;
    for (int round = 0; round < 20000 || read == 0; round++) {
        dxt_duration told[16];
        uint32_t count = dxt_probe_read_durations(writing.probe, 0, 0, told, 16);
        for (uint32_t k = 0; k < count; k++) {
            assert_int_equal(told[k].ticks, 3 * told[k].number);
            if (k > 0) assert_true(told[k].number > told[k - 1].number);
        }
        read += count;
    }
    atomic_store(&writing.stop, 1);
    pthread_join(thread, NULL);
    dxt_probe_destroy(writing.probe);
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    dxt_probe *probe = NULL;
    alloc_fail_arm(1);
    assert_int_equal(dxt_probe_create_durations(2, 3, 8, &probe), DXT_ERR_NO_MEMORY);
    assert_true(alloc_fail_disarm());
    assert_null(probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_lies_behind_the_cells),
        cmocka_unit_test(the_newest_are_kept),
        cmocka_unit_test(snapshots_count_them),
        cmocka_unit_test(readers_see_whole_durations),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
