/* SPDX-License-Identifier: Apache-2.0 */
#include "arrivals.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* splitmix64: small, seedable, and good enough for a test. */
double arrivals_uniform(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

double arrivals_normal(uint64_t *state)
{
    double u = arrivals_uniform(state) + 0x1p-60, v = arrivals_uniform(state);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

dxt_window *arrivals_window(const arrivals *job, const char *phase)
{
    static double arrival[ARRIVALS_MAX_RANKS];
    uint32_t n = job->ranks;
    uint64_t state = job->seed;
    dxt_window *window = NULL;
    assert_true(n <= ARRIVALS_MAX_RANKS);
    assert_int_equal(dxt_window_create(n, phase, &window), DXT_OK);
    window->unit = DXT_UNIT_NS;
    window->ops = job->ops;
    window->elapsed_ns = (int64_t)(job->step * job->ops);
    if (job->record_last) {
        window->last = calloc((size_t)n * n, sizeof(int64_t));
        assert_non_null(window->last);
    }
    for (int op = 0; op < job->ops; op++) {
        for (uint32_t r = 0; r < n; r++)
            arrival[r] = job->late[r] + job->jitter * arrivals_normal(&state);
        if (op % 5 == 0) arrival[job->sometimes] += job->sometimes_late;
        for (uint32_t i = 0; i < n; i++) {
            double longest = 0;
            int64_t *last = NULL;
            for (uint32_t j = 0; j < n; j++) {
                double path = job->transfer + (job->path ? job->path(i, j) : 0);
                double wait = arrival[j] + path - arrival[i];
                if (i == j) wait = job->transfer;
                window->wait[(size_t)i * n + j] += (int64_t)(fmax(0, wait) + job->receive[i]);
                if (wait <= longest) continue;
                longest = wait;
                if (window->last) last = &window->last[(size_t)i * n + j];
            }
            if (last) (*last)++;
        }
    }
    return window;
}
