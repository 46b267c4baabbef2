/* SPDX-License-Identifier: Apache-2.0 */
/* What counting costs. Medians over many short batches, so that a batch during which the thread was
 * taken off its core does not count. */
#include <deepxtrace/probe.h>

#include <stdlib.h>

#include "base/base.h"
#include "system/order.h"

#define BATCHES 201
#define CALLS 2000

struct bench {
    dxt_probe *probe; /* NULL: counting nothing */
    uint32_t sources;
};

/* Makes the compiler believe that the operation has changed, as it would between two waits. */
static inline void forget(dxt_probe_op *op)
{
    __asm__ volatile("" : : "r"(op) : "memory");
}

static void run_clock(const struct bench *bench)
{
    (void)bench;
    for (int i = 0; i < CALLS; i++) {
        uint64_t now = dxt_probe_clock();
        __asm__ volatile("" : : "r"(now));
    }
}

static void run_wait(const struct bench *bench)
{
    dxt_probe_op op;
    dxt_probe_begin(&op, bench->probe, 0);
    uint32_t source = 0;
    for (int i = 0; i < CALLS; i++) {
        forget(&op);
        dxt_probe_wait(&op, source, dxt_probe_elapsed(&op), 4096);
        if (++source == bench->sources) source = 0;
    }
    dxt_probe_end(&op);
}

static void run_wait_shared(const struct bench *bench)
{
    dxt_probe_op op;
    dxt_probe_begin(&op, bench->probe, 0);
    uint32_t source = 0;
    for (int i = 0; i < CALLS; i++) {
        forget(&op);
        dxt_probe_wait_shared(&op, source, dxt_probe_elapsed(&op), 4096);
        if (++source == bench->sources) source = 0;
    }
    dxt_probe_end(&op);
}

static void run_operation(const struct bench *bench)
{
    for (int i = 0; i < CALLS; i++) {
        dxt_probe_op op;
        dxt_probe_begin(&op, bench->probe, 0);
        forget(&op);
        dxt_probe_end(&op);
    }
}

static double median_ns(void (*run)(const struct bench *), const struct bench *bench)
{
    double ns[BATCHES];
    run(bench); /* caches and branch predictors */
    for (int i = 0; i < BATCHES; i++) {
        int64_t begin = dxt_now_ns();
        run(bench);
        ns[i] = (double)(dxt_now_ns() - begin) / CALLS;
    }
    qsort(ns, BATCHES, sizeof ns[0], dxt_ascending);
    return ns[BATCHES / 2];
}

dxt_status dxt_probe_calibrate(uint32_t sources, dxt_probe_cost *cost)
{
    if (!cost) return dxt_fail(DXT_ERR_INVALID, "cost must not be NULL");
    if (cost->struct_size < DXT_SIZE_UP_TO(dxt_probe_cost, operation_ns))
        return dxt_fail_size("cost", "dxt_probe_cost", cost->struct_size);
    struct bench counting = {.sources = sources};
    const struct bench nothing = {.sources = sources};
    dxt_status status = dxt_probe_create(1, sources, &counting.probe);
    if (status != DXT_OK) return status;
    const dxt_probe_cost measured = {
        .struct_size = sizeof measured,
        .clock_ns = median_ns(run_clock, &counting),
        .wait_ns = median_ns(run_wait, &counting),
        .wait_shared_ns = median_ns(run_wait_shared, &counting),
        .null_wait_ns = median_ns(run_wait, &nothing),
        .operation_ns = median_ns(run_operation, &counting),
    };
    dxt_give_struct(cost, &measured, sizeof measured, sizeof measured.struct_size);
    dxt_probe_destroy(counting.probe);
    return DXT_OK;
}
