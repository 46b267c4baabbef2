/* SPDX-License-Identifier: Apache-2.0 */
/* Which NCCL an engine runs with, and what is said where it does not. Needs no NCCL. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cuda/nccl_version.h"

static void before_2_29_versions_are_equal(void **state)
{
    (void)state;
    assert_true(nccl_fits(22803, 22803));
    assert_false(nccl_fits(22803, 22809));
    assert_false(nccl_fits(22809, 22803));
    assert_false(nccl_fits(22809, 22901));
    assert_false(nccl_fits(22901, 22809));
}

static void from_2_29_on_the_library_may_be_newer(void **state)
{
    (void)state;
    assert_true(nccl_fits(22900, 22900));
    assert_true(nccl_fits(22900, 22903));
    assert_true(nccl_fits(22903, 23007));
    assert_false(nccl_fits(22903, 22902));
    assert_false(nccl_fits(22900, 30000));
}

static void advice_names_both_versions(void **state)
{
    (void)state;
    char text[256];
    nccl_advice(22803, 22809, text, sizeof text);
    assert_non_null(strstr(text, "NCCL 2.28.9 is loaded"));
    assert_non_null(strstr(text, "built for 2.28.3"));
    assert_non_null(strstr(text, "'nvidia-nccl-cu13==2.28.3'"));
    nccl_advice(23002, 22901, text, sizeof text);
    assert_non_null(strstr(text, "built for at least 2.30.2"));
    assert_non_null(strstr(text, "'nvidia-nccl-cu13>=2.30.2'"));
    assert_null(strchr(text, '\n'));
    volatile size_t small = 8; /* unknown to the compiler, which would warn */
    nccl_advice(22803, 22809, text, small);
    assert_string_equal(text, "NCCL 2.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_2_29_versions_are_equal),
        cmocka_unit_test(from_2_29_on_the_library_may_be_newer),
        cmocka_unit_test(advice_names_both_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
