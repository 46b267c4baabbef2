/* SPDX-License-Identifier: Apache-2.0 */
/* `bench accuracy --misses`: which windows were judged wrong, and how to make them again. */
#ifndef TOOLS_BENCH_MISSES_H
#define TOOLS_BENCH_MISSES_H

#include "model.h"
#include "score.h"

/** Most windows of one job that are listed, of one way to judge them. */
#define MISSES_MOST 64u

/** Windows of one job that were judged wrong: alone, and with those before. */
typedef struct misses {
    struct {
        int phase;
        uint64_t window;
    } items[2][MISSES_MOST];
    size_t count[2];
} misses;

/** Take note of a window if @p after counts it and not as right, as @p before did not yet. */
void misses_note(misses *list, const score_sheet before[SCORE_METHODS],
                 const score_sheet after[SCORE_METHODS], int phase, uint64_t window);

/** Print the `deepxtrace simulate` that makes the job again, and behind it, as a comment for a
 *  shell, its windows that were judged wrong; nothing if there are none. */
void misses_print(const misses *list, const sim_config *config, uint64_t windows);

#endif
