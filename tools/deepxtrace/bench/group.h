/* SPDX-License-Identifier: Apache-2.0 */
/* Rank processes of a benchmark: started together, in step where they want to be, and all ended
 * when one fails. */
#ifndef TOOLS_BENCH_GROUP_H
#define TOOLS_BENCH_GROUP_H

#include <stdatomic.h>
#include <stdint.h>

#include <deepxtrace/status.h>

#define BENCH_MAX_RANKS 64u

/** What the processes share: in memory that they inherit. Zero it, set `ranks`. */
struct bench_group {
    uint32_t ranks; /**< 1 … BENCH_MAX_RANKS */
    _Atomic uint32_t arrived;
    _Atomic uint32_t generation;
    _Atomic uint32_t failed;
    char error[256]; /**< the first failure, in one line */
};

/** What a process does. @return 0, or anything else after bench_complain(). */
typedef int (*bench_body)(void *context, uint32_t rank);

/** Note a failure; only the first is kept. @return −1. */
int bench_complain(struct bench_group *group, const char *format, ...) DXT_PRINTF(2, 3);

/** Wait until all ranks are here. @return 0, or −1 when one has failed. */
int bench_meet(struct bench_group *group);

/**
 * Fork one process a rank and wait for all of them to end.
 *
 * @return 0, or −1 with the reason in group->error.
 */
int bench_start(struct bench_group *group, bench_body body, void *context);

#endif
