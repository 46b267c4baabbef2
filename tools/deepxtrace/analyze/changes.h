/* SPDX-License-Identifier: Apache-2.0 */
/* What of a long run is worth telling: its first windows, and those that say something else than
 * the one before of the same operator. */
#ifndef TOOLS_ANALYZE_CHANGES_H
#define TOOLS_ANALYZE_CHANGES_H

#include <stdbool.h>

#include <deepxtrace/analysis.h>
#include <deepxtrace/history.h>

/** Windows of a run that are told whatever they say. */
#define CHANGES_FIRST 20u

/** Findings of a window whose cost is followed; the most expensive come first. */
#define CHANGES_COSTS 16u

/** A factor up to which a cost is the same, although it is on the other side of a severity. */
#define CHANGES_FACTOR 1.5

/** Changes of an operator that are told whatever they are, and one more for so many windows: a
 * cause that comes and goes would fill the screen. Causes and verdicts that were not told are told
 * always, and so is whoever falls silent, and the window with which a run ends. */
#define CHANGES_FEW 10u
#define CHANGES_EVERY 100u

/** Causes, each with a severity, that an operator keeps in mind as told; with more, all do. */
#define CHANGES_TOLD 64u

/** What a finding costs. */
typedef struct change_cost {
    uint64_t subject; /**< what it is about, as a number */
    int severity;
    double cost; /**< its share of the step, or its wait where that is not known */
} change_cost;

/** Windows that were left out, in a row. */
typedef struct change_left {
    int64_t first, last;
    uint64_t count;
    uint64_t slow;       /**< of these */
    bool mixed;          /**< some say something else than the newest that was told */
    dxt_verdict verdict; /**< of the last */
} change_left;

/** One operator. Zero the table to begin a run. */
typedef struct change_state {
    char phase[64];
    bool begun;        /**< it has had a window */
    bool closed;       /**< nothing more is told of it */
    uint64_t says;     /**< what the newest window that was told says, as a number … */
    size_t cost_count; /**< … and what it costs */
    change_cost costs[CHANGES_COSTS];
    int64_t told;              /**< the newest window that was told … */
    change_left left;          /**< … and those since, which say nothing new; … */
    change_left before;        /**< … the same without the newest … */
    char *newest;              /**< … and what that says in words; NULL = not kept */
    uint64_t silent;           /**< who is silent in the newest window, told or not, as a number */
    uint32_t verdicts;         /**< that were told, a bit each */
    uint64_t windows, changes; /**< of the run so far; changes that were told */
    size_t known_count;
    uint64_t known[CHANGES_TOLD]; /**< causes that were told */
} change_state;

/** A run. */
typedef struct changes {
    change_state operators[DXT_HISTORY_OPERATORS];
    size_t count;
    uint64_t windows;
} changes;

/**
 * Look at the next window.
 *
 * @param state  Receives its operator, or NULL if that is not followed.
 * @return Whether to tell it; changes_tell() comes before.
 */
bool changes_look(changes *run, const dxt_window *window, const dxt_findings *findings,
                  change_state **state);

/** Whether to keep what a window that is left out says, as the end of the run may tell it. */
bool changes_wants(const change_state *state);

/** Keep it. @param text  From malloc(); owned from now on. */
void changes_keep(change_state *state, char *text);

/** Before a window is told: say in one line which windows were left out since the last that was, if
 *  any were. @p state may be NULL. @return DXT_OK, or what writing returned. */
dxt_status changes_tell(change_state *state, const dxt_window *window);

/** From now on only changes are worth telling, although the run may be young. */
void changes_enough(changes *run);

/** Count the windows of an operator that were left out so far, and tell nothing more of it: of all
 *  later windows changes_look() says that they are to be told. As changes_tell(). */
dxt_status changes_close(change_state *state);

/** Whether there are windows that were left out and not counted yet. */
bool changes_left(const changes *run);

/** The same for all operators, at the end of a run, which is begun again. Where windows came and
 *  went, the newest is told. */
dxt_status changes_end(changes *run);

/** Forget the run, and say nothing. */
void changes_free(changes *run);

#endif
