/* SPDX-License-Identifier: Apache-2.0 */
/* What is said where CUDA finds no driver or no GPU. Needs no CUDA. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "system/cuda_words.h"

static void what_is_missing_is_said_in_words(void **state)
{
    (void)state;
    const char *none = dxt_cuda_words(cudaErrorInsufficientDriver, 0);
    const char *old = dxt_cuda_words(cudaErrorInsufficientDriver, 12080);
    const char *no_gpu = dxt_cuda_words(cudaErrorNoDevice, 13000);
    assert_non_null(strstr(none, "no NVIDIA driver is installed"));
    assert_non_null(strstr(none, "engine shm"));
    assert_non_null(strstr(old, "older"));
    assert_non_null(strstr(old, "install a newer driver"));
    assert_non_null(strstr(no_gpu, "nvidia-smi"));
    assert_null(dxt_cuda_words(cudaErrorMemoryAllocation, 13000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_said_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
