/* SPDX-License-Identifier: Apache-2.0 */
/* `simulate`: dispatch and combine, operation by operation, as docs/accuracy.md describes the
 * model. Times are ns. The same seed gives the same windows from the same build. */
#ifndef TOOLS_SIMULATE_MODEL_H
#define TOOLS_SIMULATE_MODEL_H

#include <stdbool.h>

#include <deepxtrace/matrix.h>

/** Most ranks of a simulated group. */
#define SIM_MAX_RANKS 2048u
/** Longest time that may be asked for, so that a wait fits 31 bits of ns. */
#define SIM_LONGEST_NS 1000000000
/** Most operations in a window. */
#define SIM_MAX_OPS 100000u

/** Largest part of the paths that stall in an operation. */
#define SIM_MOST_STALLS 0.5

/** What can be wrong. */
typedef enum sim_kind {
    SIM_LATE = 0,      /**< `rank` computes longer before the operator */
    SIM_EARLY = 1,     /**< `rank` computes less before it */
    SIM_HOT = 2,       /**< the experts of `rank` are chosen `factor` times as often */
    SIM_PATH = 3,      /**< what `source` sends to `rank` takes longer */
    SIM_NIC_IN = 4,    /**< what `rank` receives from other nodes takes longer */
    SIM_NIC_OUT = 5,   /**< what `rank` sends to other nodes takes longer */
    SIM_NODE = 6,      /**< every rank of node `rank` computes longer */
    SIM_NODE_PATH = 7, /**< all paths from node `source` to node `rank` take longer */
    SIM_ROTATING = 8,  /**< in each operation another rank, at random, computes longer before it */
    SIM_STALLS = 9,    /**< each path between nodes (of one node: each path) takes longer in an
                            operation with the probability `factor` */
    SIM_KINDS
} sim_kind;

/** One fault. */
typedef struct sim_fault {
    sim_kind kind;
    int phase;       /**< DXT_DISPATCH or DXT_COMBINE; not used by a hot rank */
    uint32_t rank;   /**< or node */
    uint32_t source; /**< of a path, the sending rank or node */
    double size_ns;  /**< by how much, per operation; of stalls the mean, a half to 1.5 times */
    double factor;   /**< of a hot rank; of stalls their probability, at most SIM_MOST_STALLS */
} sim_fault;

/** A job. sim_config_default() fills it in. */
typedef struct sim_config {
    uint32_t ranks;
    uint32_t ranks_per_node; /**< 0 = one node, and windows do not say so */
    bool hybrid;  /**< waits for the own node and the own rail alone are counted; needs nodes */
    uint32_t ops; /**< steps of one dispatch and one combine in a window */
    uint32_t local_experts; /**< waits that run in parallel and are all added up */
    uint64_t seed;
    double step_ns;    /**< a healthy step; what computing leaves is spent in the operators */
    double compute_ns; /**< before each of the two operators */
    double jitter;     /**< standard deviation of each computing time, as a part of it */
    double tail;       /**< sigma of a log-normal factor of each computing time; 0 = none */
    double wander;     /**< standard deviation of a rank's computing time from window to window */
    double cell_tail;  /**< sigma of a log-normal factor of each cell of a window; 0 = none */
    double latency_ns[2];    /**< of a path within a node, mean, by operator */
    double between_ns[2];    /**< of a path between nodes */
    double unevenness;       /**< sd of the latency over the paths of a run, as a part of it */
    double weather;          /**< sd of a path's latency from window to window, same measure */
    bool spread;             /**< latency varies from operation to operation (gamma, shape 2) */
    double own_ns;           /**< a rank's own work inside dispatch, nobody else's business */
    double receive_ns;       /**< time to receive one even share of tokens; for hot ranks */
    double counter_floor_ns; /**< smallest wait that a counter can see, in every wait */
    double ticks_per_second; /**< of the counters */
    double clock_spread;     /**< sd of a rank's clock rate, as a part of it */
    double chance;           /**< that the faults act in an operation; 1 = always */
    uint32_t every;          /**< the faults act in one operation of so many; 1 = always */
    uint64_t from;           /**< first window in which they act */
    const sim_fault *faults; /**< must outlive the simulation */
    size_t fault_count;
} sim_config;

/** Four ranks on NVLink, calibrated against the recording of tests/recorded; nothing is wrong. */
void sim_config_default(sim_config *config);

/** A job that runs. */
typedef struct simulation simulation;

/**
 * Set a job up.
 *
 * @param why  Receives one line if it cannot be.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY.
 */
dxt_status sim_create(const sim_config *config, simulation **sim, char *why, size_t why_size);
void sim_destroy(simulation *sim);

/**
 * Run the next window.
 *
 * @param pair  Receives the dispatch and the combine window; release both with dxt_window_free().
 *              Without a label. Untouched on error.
 */
dxt_status sim_next(simulation *sim, dxt_window *pair[2]);

/**
 * What the ranks' own variation cost in the last window: per operation, how much later the last
 * rank was than the mean of all, by its computing time alone, in ns. Rotating lateness is part of
 * it; what other faults add is not.
 */
double sim_skew_ns(const simulation *sim, int phase);

#endif
