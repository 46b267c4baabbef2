/* SPDX-License-Identifier: Apache-2.0 */
/* `bench`: one function per thing measured. Each prints a table or, with json, one line a row, and
 * returns an exit status. */
#ifndef TOOLS_BENCH_BENCH_H
#define TOOLS_BENCH_BENCH_H

#include <stdbool.h>

#include <deepxtrace/deepxtrace.h>

#include "outcome.h"

/** What was asked for; counts of 0 were not given. */
typedef struct bench_options {
    uint64_t ranks, nodes, repeat, skip, tokens, hidden;
    bool json, quick, bf16, logfmt, mpi, misses, list;
    const char *engine;  /**< NULL = "shm" */
    const char *against; /**< folder of another build, or NULL */
    const char *name;    /**< accuracy: name of a case, or part of several; NULL = all */
    char *const *files;  /**< accuracy: recordings */
    int file_count;
} bench_options;

outcome bench_probe(const bench_options *bench);
outcome bench_ep(const bench_options *bench);
/** The same two with an engine on GPUs. */
outcome bench_cuda_ep(const bench_options *bench);
outcome bench_cuda_probe(const bench_options *bench);
outcome bench_analysis(const bench_options *bench);
outcome bench_gather(const bench_options *bench);
/** Gather among the ranks that mpirun has started. */
outcome bench_gather_mpi(const bench_options *bench);
outcome bench_accuracy(const bench_options *bench);

/** Say why a measurement failed. @return EXIT_FAILED. */
outcome bench_failed(const char *error);

/** The value below which @p part (0 … 1) of the values lie; sorts them. @p count at least 1. */
double bench_quantile(double *values, size_t count, double part);

/** CLOCK_MONOTONIC in ns. */
double bench_now_ns(void);

/** What the calling thread has used of its processor, in ns. */
double bench_thread_ns(void);

/** Complain that memory is short. @return EXIT_FAILED. */
outcome bench_no_memory(void);

#endif
