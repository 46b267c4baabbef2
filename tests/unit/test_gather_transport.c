/* SPDX-License-Identifier: Apache-2.0 */
/* Transports of the caller's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <deepxtrace/gather.h>

#include "base/base.h"
#include "gather/attempt.h"

struct scripted {
    dxt_status status;
    size_t size;
    uint64_t sequence;
    int destroyed;
};

static dxt_status scripted_publish(void *context, uint64_t sequence, const void *mail, size_t size)
{
    struct scripted *script = context;
    (void)mail;
    script->size = size;
    script->sequence = sequence;
    return script->status;
}

static dxt_status scripted_collect(void *context, uint32_t rank, uint64_t wanted, void *mail,
                                   size_t capacity, size_t *size, uint64_t *sequence)
{
    struct scripted *script = context;
    (void)rank, (void)wanted, (void)mail, (void)capacity;
    *size = script->size;
    *sequence = script->sequence;
    return script->status;
}

static void scripted_destroy(void *context)
{
    ((struct scripted *)context)->destroyed++;
}

static void a_transport_of_the_caller_is_not_trusted(void **state)
{
    (void)state;
    struct scripted script = {.status = DXT_OK};
    dxt_gather_transport transport = {.struct_size = sizeof transport,
                                      .context = &script,
                                      .publish = scripted_publish,
                                      .collect = scripted_collect,
                                      .destroy = scripted_destroy};
    dxt_gather *gather = NULL;
    unsigned char mail[8];
    size_t size = 99;
    assert_int_equal(dxt_gather_create(2, 2, &transport, &gather), DXT_ERR_INVALID);
    assert_int_equal(dxt_gather_create(0, DXT_MAX_RANKS + 1, &transport, &gather), DXT_ERR_LIMIT);
    dxt_gather_transport bad = transport;
    bad.collect = NULL;
    assert_int_equal(dxt_gather_create(0, 2, &bad, &gather), DXT_ERR_INVALID);
    assert_int_equal(script.destroyed, 0);
    assert_int_equal(dxt_gather_create(0, 2, &transport, &gather), DXT_OK);
    assert_int_equal(dxt_gather_publish(gather, 7, mail, 8), DXT_OK);
    assert_int_equal(script.sequence, 7);
    assert_int_equal(dxt_gather_collect(gather, 1, 7, mail, 8, &size, NULL), DXT_OK);
    assert_int_equal(dxt_gather_collect(gather, 1, 8, mail, 8, &size, NULL), DXT_ERR_FORMAT);
    script.size = 9;
    assert_int_equal(dxt_gather_collect(gather, 1, 7, mail, 8, &size, NULL), DXT_ERR_FORMAT);
    assert_int_equal(size, 8);
    script.status = DXT_AGAIN;
    assert_int_equal(dxt_gather_collect(gather, 1, 7, mail, 8, &size, NULL), DXT_AGAIN);
    assert_int_equal(dxt_gather_publish(gather, 8, mail, 8), DXT_ERR_IO);
    script.status = DXT_ERR_TIMEOUT;
    assert_int_equal(dxt_gather_collect(gather, 1, 7, mail, 8, &size, NULL), DXT_ERR_TIMEOUT);
    assert_int_equal(dxt_gather_publish(gather, 8, mail, 8), DXT_ERR_TIMEOUT);
    dxt_gather_destroy(gather);
    assert_int_equal(script.destroyed, 1);
    bad = transport, bad.struct_size = offsetof(dxt_gather_transport, collect);
    assert_int_equal(dxt_gather_create(0, 2, &bad, &gather), DXT_ERR_INVALID);
    bad.struct_size = offsetof(dxt_gather_transport, destroy);
    assert_int_equal(dxt_gather_create(0, 2, &bad, &gather), DXT_OK);
    dxt_gather_destroy(gather);
    assert_int_equal(script.destroyed, 1); /* a caller that knows of none has none */
}

static int errors;

static void count_errors(void *context, dxt_log_level level, const char *message)
{
    (void)context, (void)message;
    errors += level == DXT_LOG_ERROR;
}

/* A failure of the transport is logged, but not to those who reckon with it. */
static void attempts_are_quiet(void **state)
{
    (void)state;
    struct scripted script = {.status = DXT_ERR_IO};
    const dxt_gather_transport transport = {.struct_size = sizeof transport,
                                            .context = &script,
                                            .publish = scripted_publish,
                                            .collect = scripted_collect};
    dxt_gather *gather = NULL;
    unsigned char mail[8] = {0};
    size_t size;
    assert_int_equal(dxt_gather_create(0, 2, &transport, &gather), DXT_OK);
    dxt_set_log(count_errors, NULL);
    assert_int_equal(dxt_gather_try_publish(gather, 1, mail, 8), DXT_ERR_IO);
    assert_int_equal(dxt_gather_try_collect(gather, 1, 1, mail, 8, &size, NULL), DXT_ERR_IO);
    assert_int_equal(errors, 0);
    assert_int_equal(dxt_gather_publish(gather, 1, mail, 8), DXT_ERR_IO);
    assert_int_equal(dxt_gather_collect(gather, 1, 1, mail, 8, &size, NULL), DXT_ERR_IO);
    script.status = DXT_ERR_INVALID;
    assert_int_equal(dxt_gather_collect(gather, 1, 1, mail, 8, &size, NULL), DXT_ERR_INVALID);
    assert_int_equal(errors, 3);
    dxt_set_log(NULL, NULL);
    dxt_gather_destroy(gather);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transport_of_the_caller_is_not_trusted),
        cmocka_unit_test(attempts_are_quiet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
