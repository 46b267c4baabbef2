/* SPDX-License-Identifier: Apache-2.0 */
/* `simulate`: the job that runs, as setup.c makes it and model.c moves it on. */
#ifndef TOOLS_SIMULATE_STATE_H
#define TOOLS_SIMULATE_STATE_H

#include "model.h"
#include "row.h"

struct simulation {
    sim_config config;
    uint64_t random;    /* of everything that is drawn in the course of the job */
    uint64_t paths;     /* of the unevenness of paths, which stays */
    uint64_t window;    /* number of the next one */
    double *leave;      /* [ranks] when each left the operator before */
    double *compute;    /* [ranks] mean computing time, of the operator in hand */
    double *pace[2];    /* [ranks] by which its computing time differs in this window */
    double *self[2];    /* [ranks] wait for oneself */
    double *rate;       /* [ranks] clock */
    double *share;      /* [ranks] tokens received, 1 = an even share */
    float *arrival;     /* [ranks] against the earliest */
    float *usual;       /* [ranks] latency by class, to the node in hand */
    float *latency[2];  /* [ranks²] of the window in hand; the diagonal is 0 */
    float *extra[2];    /* [ranks²] what faults add to a path; NULL = none */
    double *late[2];    /* [ranks] what faults add to computing */
    double *receive;    /* [ranks] what receiving more than a share takes in dispatch */
    double rotating[2]; /* what faults add to one rank of an operation */
    double skew[2];     /* Σ over the operations of a window: last less mean computing time */
    float *row_extra;   /* [ranks] `extra` of a row with its stalls */
    uint64_t stall;     /* cell of the operation that stalls next */
    int32_t *nodes;     /* [ranks] */
    sim_spread table;   /* factors of a latency */
};

/** Whether rank @p i counts what it waits for rank @p j: not so between ranks of other nodes and
 *  other rails in hybrid mode. */
bool sim_observes(const sim_config *config, uint32_t i, uint32_t j);

/** Whether a link or a stall between nodes slows cell (@p i, @p j): with one node any cell. */
bool sim_is_outside(const simulation *sim, uint32_t i, uint32_t j);

#endif
