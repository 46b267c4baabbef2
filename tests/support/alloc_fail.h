/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the k-th allocation fail, or counts them. Declare the test with WRAP_ALLOC in dxt_test();
 * then
 *
 *     for (long k = 1; alloc_fail_arm(k), status = call(), alloc_fail_disarm(); k++)
 *         assert_int_equal(status, DXT_ERR_NO_MEMORY);
 *     assert_int_equal(status, DXT_OK);
 *
 * fails every allocation of call() once: alloc_fail_disarm() says whether one failed. Covers this
 * program's own objects, and jansson through json_set_alloc_funcs(malloc, free).
 */
#ifndef DXT_TESTS_ALLOC_FAIL_H
#define DXT_TESTS_ALLOC_FAIL_H

#include <stdbool.h>

/** Fail the k-th allocation from now, k ≥ 1, of any thread. */
void alloc_fail_arm(long k);
/** Stop failing. @return Whether an allocation has failed since it was armed. */
bool alloc_fail_disarm(void);

/** Count from 0. */
void alloc_count_begin(void);
/** @return Allocations of any thread since then, and calls of qsort(), which allocates when there
 * is much to sort. */
long alloc_count(void);

#endif
