/* SPDX-License-Identifier: Apache-2.0 */
/* The load of a rank on a device, on a device that is this process: what is checked, what is
 * counted, and what happens when memory is short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "device_load.h"

static size_t allocations_left;

static void *allocate(size_t size)
{
    if (allocations_left == 0) return NULL;
    allocations_left--;
    return calloc(1, size ? size : 1);
}

static void release(void *memory)
{
    free(memory);
}

static int copy(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return 0;
}

static int synchronize(void *stream)
{
    (void)stream;
    return 0;
}

static const char *error(void)
{
    return "no memory";
}

static device_widen widened;

static int widen(const device_widen *arguments, void *stream)
{
    (void)stream;
    widened = *arguments;
    return 0;
}

static const device_table host = {
    .layout = DEVICE_LAYOUT,
    .error = error,
    .allocate = allocate,
    .release = release,
    .copy = copy,
    .synchronize = synchronize,
    .widen = widen,
};

static load_shape shape_of(dxt_ep_dispatch_format format)
{
    return (load_shape){.ranks = 1,
                        .tokens = 8,
                        .hidden = 256,
                        .experts = 6,
                        .topk = 3,
                        .dispatch_format = format,
                        .hot_rank = DXT_NO_RANK,
                        .seed = 3};
}

static dxt_ep *join(const load_shape *shape, void **memory)
{
    size_t size;
    dxt_ep *ep = NULL;
    dxt_ep_config config = {.struct_size = sizeof config,
                            .ranks = shape->ranks,
                            .max_tokens = shape->tokens,
                            .hidden = shape->hidden,
                            .experts = shape->experts,
                            .max_topk = shape->topk};
    assert_int_equal(dxt_ep_buffer_size(&config, &size), DXT_OK);
    assert_int_equal(posix_memalign(memory, 4096, size), 0);
    memset(*memory, 0, size);
    config.memory = *memory;
    assert_int_equal(dxt_ep_create(&config, &ep), DXT_OK);
    return ep;
}

static void the_check_passes_what_is_right(void **state)
{
    (void)state;
    const dxt_ep_dispatch_format formats[] = {DXT_EP_BF16, DXT_EP_FP8};
    for (size_t f = 0; f < sizeof formats / sizeof formats[0]; f++) {
        void *memory;
        const load_shape shape = shape_of(formats[f]);
        dxt_ep *ep = join(&shape, &memory);
        allocations_left = 100;
        device_load *load = device_load_create(&host, &shape, 0);
        assert_non_null(load);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(device_load_dispatch(load, ep, 5, NULL), DXT_OK);
            assert_int_equal(device_load_experts(load, NULL), 0);
            assert_int_equal(device_load_combine(load, ep, 5, NULL), DXT_OK);
            assert_int_equal(device_load_checked_dispatch(load, ep, NULL), DXT_OK);
            assert_null(device_load_check_dispatch(load, NULL));
            assert_int_equal(device_load_checked_combine(load, ep, NULL), DXT_OK);
            assert_null(device_load_check_combine(load, NULL));
        }
        assert_int_equal(widened.hidden, formats[f] == DXT_EP_FP8 ? 256 : 0);
        device_load_destroy(load);
        dxt_ep_destroy(ep);
        free(memory);
    }
}

/* Routes of another step instead of those that are expected; a dispatch that did not happen. */
static void the_check_finds_what_is_wrong(void **state)
{
    (void)state;
    void *memory;
    const load_shape shape = shape_of(DXT_EP_BF16);
    dxt_ep *ep = join(&shape, &memory);
    allocations_left = 100;
    device_load *load = device_load_create(&host, &shape, 0);
    assert_non_null(load);
    assert_non_null(device_load_check_dispatch(load, NULL));
    assert_int_equal(device_load_dispatch(load, ep, 5, NULL), DXT_OK);
    assert_non_null(device_load_check_dispatch(load, NULL));
    assert_non_null(device_load_check_combine(load, NULL));
    device_load_destroy(load);
    dxt_ep_destroy(ep);
    free(memory);
}

static void ranges_outside_of_the_buffers_are_not_followed(void **state)
{
    (void)state;
    static int32_t counts[6];
    static dxt_ep_range ranges[6];
    const load_shape shape = shape_of(DXT_EP_BF16);
    const struct {
        int32_t count;
        dxt_ep_range range;
    } bad[] = {{9, {1, 0}}, {-1, {1, 0}}, {4, {1, 4}}, {4, {1, -1}}, {4, {-1, 0}}, {4, {5, 0}}};
    for (size_t b = 0; b < sizeof bad / sizeof bad[0]; b++) {
        dxt_ep_handle handle = {.layout_range = ranges};
        counts[2] = bad[b].count;
        ranges[2] = bad[b].range;
        assert_false(device_load_possible(&shape, counts, &handle));
    }
    counts[2] = 4;
    ranges[2] = (dxt_ep_range){4, 0};
    dxt_ep_handle handle = {.layout_range = ranges};
    assert_true(device_load_possible(&shape, counts, &handle));
}

static void tokens_are_counted_once_for_a_rank(void **state)
{
    (void)state;
    uint64_t to_rank[2];
    load_shape shape = shape_of(DXT_EP_FP8);
    shape.ranks = 2;
    /* With five of six experts in each token, all go to both ranks. */
    shape.topk = 5;
    allocations_left = 100;
    device_load *load = device_load_create(&host, &shape, 1);
    assert_non_null(load);
    device_load_copies(load, 7, to_rank);
    assert_int_equal(to_rank[0], 8);
    assert_int_equal(to_rank[1], 8);
    device_compute time = device_load_expert_time(load, 60000);
    assert_int_equal(time.mean_ns, 60000);
    assert_int_equal(time.count, 3);
    assert_true(time.usual == 40.0);
    device_load_destroy(load);
}

static void a_device_without_memory_is_no_load(void **state)
{
    (void)state;
    const load_shape shape = shape_of(DXT_EP_FP8);
    device_load *load = NULL;
    size_t some = 0;
    for (; !load && some < 100; some++) {
        allocations_left = some;
        load = device_load_create(&host, &shape, 0);
    }
    assert_in_range(some, 10, 20);
    device_load_destroy(load);
}

static void a_device_that_is_unknown_says_why(void **state)
{
    (void)state;
    const char *why = NULL;
    assert_null(device_find("fantasy", &why));
    assert_non_null(strstr(why, "libdeepxtrace-run-fantasy.so.0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_passes_what_is_right),
        cmocka_unit_test(the_check_finds_what_is_wrong),
        cmocka_unit_test(ranges_outside_of_the_buffers_are_not_followed),
        cmocka_unit_test(tokens_are_counted_once_for_a_rank),
        cmocka_unit_test(a_device_without_memory_is_no_load),
        cmocka_unit_test(a_device_that_is_unknown_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
