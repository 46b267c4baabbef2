/* SPDX-License-Identifier: Apache-2.0 */
/* `bench`: one function per thing measured. Each prints a table or, with json, one line a row, and
 * returns an exit status. */
#ifndef DXT_BENCH_ALL_H
#define DXT_BENCH_ALL_H

#include <stdbool.h>

#include <deepxtrace/deepxtrace.h>

/** What was asked for; counts of 0 were not given. */
typedef struct dxt_bench {
    uint64_t ranks, repeat, tokens, hidden;
    bool json, quick, bf16, logfmt, mpi;
    const char *engine;  /**< NULL = "shm" */
    const char *against; /**< folder of another build, or NULL */
    char *const *files;  /**< accuracy: recordings */
    int file_count;
} dxt_bench;

int dxt_bench_probe(const dxt_bench *bench);
int dxt_bench_ep(const dxt_bench *bench);
/** The same two with an engine on GPUs. */
int dxt_bench_cuda_ep(const dxt_bench *bench);
int dxt_bench_cuda_probe(const dxt_bench *bench);
int dxt_bench_analysis(const dxt_bench *bench);
int dxt_bench_gather(const dxt_bench *bench);
/** Gather among the ranks that mpirun has started. */
int dxt_bench_gather_mpi(const dxt_bench *bench);
int dxt_bench_accuracy(const dxt_bench *bench);

/** The value below which @p part (0 … 1) of the values lie; sorts them. @p count at least 1. */
double dxt_bench_quantile(double *values, size_t count, double part);

/** CLOCK_MONOTONIC in ns. */
double dxt_bench_now_ns(void);

/** What the calling thread has used of its processor, in ns. */
double dxt_bench_thread_ns(void);

/** Complain that memory is short. @return DXT_EXIT_FAILED. */
int dxt_bench_no_memory(void);

#endif
