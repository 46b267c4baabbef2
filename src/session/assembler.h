/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of an assembler, for the files that fill it. */
#ifndef DXT_SESSION_ASSEMBLER_H
#define DXT_SESSION_ASSEMBLER_H

#include "session/assemble.h"

/* Enough for "2025-09-15T16:28:53.686Z" in any year that gmtime_r() knows. */
#define TIME_SIZE 64

/* The memory of an operator, in use or not. */
typedef struct dxt_cells {
    int64_t *plane[DXT_MAIL_PLANES];
    int64_t *ops;   /* per rank, DXT_NOT_OBSERVED = unknown */
    bool ops_known; /* of any rank, in the newest window */
    /* Planes of this interval: waits always, the others if any rank has ever counted them. */
    bool counted[DXT_MAIL_PLANES];
} dxt_cells;

struct dxt_assembler {
    uint32_t ranks, operators;
    dxt_window *windows;
    dxt_cells *cells; /* [operators] */
    /* of all operators */
    uint8_t *missing; /* 1 = no row */
    uint8_t *silent;  /* 1 = no row, and no excuse */
    double *rates;
    double *fast_rates; /* times the waits side by side */
    double *tick_ns;    /* of each rank's clock */
    int32_t *nodes;
    char **hosts;
    dxt_place *devices;
    int64_t *issued;  /* operations of all kinds, per rank */
    int64_t *delays;  /* run delay in ns, per rank */
    int64_t *tokens;  /* [ranks][columns], at most DXT_MAIL_TOKENS */
    int64_t *experts; /* per rank: waits side by side, 0 = unknown */
    char begin[TIME_SIZE];
    char mix[20];
    int64_t *ops; /* scratch */
};

/** Write how many waits run side by side on each rank into `experts`. @return Whether all ranks
 * with a row know it. */
bool dxt_assembler_find_experts(dxt_assembler *to, const dxt_assembly *a);

/**
 * Write the numbers of an operator: its operations, for each rank if they differ, and the waits
 * that were added up.
 *
 * @param experts  What dxt_assembler_find_experts() said.
 */
void dxt_assembler_count(dxt_assembler *to, const dxt_assembly *a, uint32_t index, bool experts,
                         dxt_window *window);

/**
 * If ranks have sent the durations of an operator, make its waits from these.
 *
 * @param window  Complete except for its waits.
 */
void dxt_assembler_use_durations(dxt_assembler *to, const dxt_assembly *a, uint32_t index,
                                 dxt_window *window);

/**
 * Take the time for which the diagnosis held up rank 0 out of the waits for it.
 *
 * @return For how long the operations stood still because of it, in ns.
 */
int64_t dxt_assembler_take_out(dxt_assembler *to, const dxt_assembly *a, uint32_t index);

#endif
