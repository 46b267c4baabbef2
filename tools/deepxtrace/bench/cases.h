/* SPDX-License-Identifier: Apache-2.0 */
/* `bench accuracy`: the cases, each a job in which something is known to be wrong. */
#ifndef TOOLS_BENCH_CASES_H
#define TOOLS_BENCH_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

/** Operations of a window where a case does not say: what `job` and a session have. */
#define CASE_OPS 100u
/** Ranks of a node in the cases that have nodes. */
#define CASE_NODE 8u

/** What is wrong in a case. */
enum case_fault {
    NOTHING,
    LATE,          /**< one rank */
    MINORITY,      /**< almost half of the ranks are late */
    EARLY,         /**< one rank */
    HOT,           /**< two even shares */
    PATH,          /**< one path */
    LATE_AND_PATH, /**< one rank and one path */
    NODE_LATE,     /**< one node */
    NIC_IN,        /**< one rank receives slowly */
    NIC_OUT,       /**< what one rank sends is slow */
    NIC_BOTH,      /**< one rank, both ways */
    NICS,          /**< `nics` ranks of each node, in, out or both */
    UPLINK,        /**< all ranks of a node, in, out or both */
    ROTATING,      /**< another rank is late in each step */
    STALLS         /**< CASE_STALLS of the paths stall in a step */
};

/** Part of the paths that stall in a step. */
#define CASE_STALLS 0.01

/** One case. */
typedef struct accuracy_case {
    const char *name;
    enum case_fault what;
    double size;          /**< of the step */
    double jitter;        /**< 0 = 5 % */
    uint32_t ops;         /**< in a window; 0 = CASE_OPS */
    uint32_t least, most; /**< number of ranks; 0 = any */
    uint32_t every;       /**< acts in one step of so many; 0 = always */
    double chance;        /**< acts in a step with this probability; 0 = always */
    double tail, cell_tail;
    uint32_t nics; /**< of each node */
    bool nodes, hybrid;
} accuracy_case;

/** All of them. */
extern const accuracy_case accuracy_cases[];
extern const size_t accuracy_case_count;

/**
 * Make the job of a case: who is at fault is drawn from @p random.
 *
 * @param config  Receives it, with its `ops` and its seed; valid until the next call.
 */
void case_set_up(const accuracy_case *test, uint32_t ranks, uint64_t *random, sim_config *config);

#endif
