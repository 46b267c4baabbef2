/* SPDX-License-Identifier: Apache-2.0 */
/* A track: the remembered windows of one operator of a run, and figures over several of them. */
#ifndef DXT_HISTORY_TRACK_H
#define DXT_HISTORY_TRACK_H

#include <assert.h>
#include <stdbool.h>

#include <deepxtrace/history.h>

#include "analysis/tuning.h"
#include "base/block.h"

/** One slot more than windows: the newest is filled in before it is counted. */
#define DXT_TRACK_SLOTS (DXT_HISTORY_WINDOWS + 1)

/** What is kept of a window beside its ranks. */
typedef struct dxt_moment {
    int64_t index;
    double error;          /**< standard error of a lateness, as that window alone knew it */
    double change;         /**< typical change of a rank since the window before, as a standard
                          deviation of one window; NaN = unknown */
    double factor;         /**< largest by which a lateness was made larger (take_lateness()) */
    uint32_t cell_changes; /**< cells that tell … */
    double cell_change;    /**< the same of the logarithm of a cell; NaN = unknown */
    double ops;            /**< 0 = unknown */
    double step;           /**< NaN = unknown */
    double transfer;       /**< base transfer time */
    double floor;          /**< smallest lateness worth telling */
    double both_ways;      /**< what two ranks waited for each other, added up; NaN = more ranks */
    bool quiet;            /**< it has no finding */
    uint64_t mix;          /**< with two ranks: its mix of work, in how many operators; 0 =
                                unknown, or remembered already */
    double work[2];        /**< of two ranks: the work of each */
} dxt_moment;

/** With two ranks: the newest healthy windows of a mix. */
typedef struct dxt_mix {
    uint64_t mix;
    uint64_t seen; /**< value of `windows` when it was last added to */
    uint32_t count, next;
    double work[2][DXT_PAIR_WINDOWS], both[DXT_PAIR_WINDOWS]; /**< of each, and the sum */
    double late[DXT_PAIR_WINDOWS];                            /**< of rank 0 */
} dxt_mix;

/** One operator of a run. Slots are a ring; position 0 is the oldest. A forgotten track keeps its
 *  operator and its memory, since the next run mostly has the same operators. */
typedef struct dxt_track {
    char *phase;
    uint32_t ranks;
    uint32_t begin, count;
    uint64_t windows; /**< seen in all */
    dxt_measure measure;
    dxt_moment moment[DXT_TRACK_SLOTS];
    double *late;     /**< [slot][rank] own lateness; NaN = no row */
    double *leaving;  /**< [slot][rank] how much later than the others it left the operator */
    uint8_t *named;   /**< [slot][rank] whether a finding named it */
    double *base;     /**< [rank] lateness when it was ordinary */
    uint8_t *base_of; /**< [rank] windows behind that; 0 = none */
    double *scratch;  /**< [ranks + DXT_TRACK_SLOTS], or of a small group [ranks² + …] */
    double *cell; /**< [2][ranks²] of a small group: logarithm of the newest cells and the floor, in
                       turns; NaN where it tells nothing */
    dxt_episode *episodes;
    uint32_t *rails;    /**< [episode][DXT_BUNDLE_LISTED] ranks of a rail */
    uint64_t *begin_at; /**< [episode] value of `windows` before its first window */
    uint64_t *last_at;  /**< [episode] and with its last one */
    size_t episode_count;
    void *block;
    dxt_block result;                /**< findings handed out by dxt_history_follow() */
    uint64_t still;                  /**< windows in a row in which nothing was completed */
    char still_since[DXT_TIME_TEXT]; /**< begin of the first */
    dxt_mix *mix;                    /**< [DXT_PAIR_MIXES] of two ranks; otherwise none */
    int64_t *issued;                 /**< [rank] of the newest, if … */
    bool knows_issued;               /**< … it says so */
    int64_t *delay_ns;               /**< [rank] dxt_analysis_options.run_delay_before_ns, if … */
    bool knows_delay;                /**< … the newest says so … */
    int64_t delay_of;                /**< … and its index */
    uint64_t odd;                    /**< windows of another measure since the newest */
} dxt_track;

dxt_status dxt_track_init(dxt_track *track, const char *phase, uint32_t ranks);
void dxt_track_free(dxt_track *track);
/** Begin anew, and keep the memory. */
void dxt_track_forget(dxt_track *track);

/** Keep how long each rank waited for a core in the newest window; with @p more, which is for
 *  windows that are not kept, since the last that is, as far back as they adjoin. */
void dxt_track_keep_delay(dxt_track *track, const dxt_window *window, bool more);

/** Count a window of another measure, which is not kept. */
void dxt_track_pass(dxt_track *track);

/** Count the newest window, with its final findings. */
void dxt_track_commit(dxt_track *track, const dxt_findings *judged);

static inline uint32_t dxt_track_slot(const dxt_track *track, uint32_t position)
{
    assert(position < DXT_TRACK_SLOTS);
    return (track->begin + position) % DXT_TRACK_SLOTS;
}

static inline double dxt_track_late(const dxt_track *track, uint32_t position, uint32_t rank)
{
    return track->late[(size_t)dxt_track_slot(track, position) * track->ranks + rank];
}

static inline const dxt_moment *dxt_track_moment(const dxt_track *track, uint32_t position)
{
    return &track->moment[dxt_track_slot(track, position)];
}

/** Standard deviation of a rank's lateness from window to window, over the first @p count
 *  positions; at least the error that the windows found themselves. NaN = unknown. */
double dxt_track_noise(dxt_track *track, uint32_t count);

/** Standard error of a lateness: the median of what the @p length windows before position @p end
 *  found themselves; NaN = unknown. */
double dxt_track_newest_error(const dxt_track *track, uint32_t end, uint32_t length);

/** Standard deviation of the logarithm of a cell (and the floor) likewise; NaN = unknown. */
double dxt_track_cell_spread(const dxt_track *track);
/** Mean lateness of a rank over the @p length positions that end before @p end; NaN if a row is
 *  missing. */
double dxt_track_mean(const dxt_track *track, uint32_t end, uint32_t length, uint32_t rank);
/** Median of `leaving` over the same positions, so that one stall does not hide the usual delay. */
double dxt_track_median_leaving(const dxt_track *track, uint32_t end, uint32_t length,
                                uint32_t rank);

/** Lateness of a rank over the windows before @p end in which nothing named it.
 *  @return How many these are; below DXT_BASE_WINDOWS it is what was known when the rank was
 *  last named or missing, or 0. */
uint32_t dxt_track_base(const dxt_track *track, uint32_t end, uint32_t rank, double *base);

/** The median, over earlier windows without findings, of what two ranks waited for each other,
 * added up; 0 if there are too few such windows, or they have another measure. */
double dxt_track_both_ways(const dxt_track *track, const dxt_window *window);

/** Standard errors that a mean lateness over some windows must exceed, where a window's is
 *  @p noise. */
double dxt_track_significance(const dxt_track *track, const dxt_moment *now, double noise,
                              uint32_t windows);

/** How much later than the others a rank left an operator in a window. */
static inline double dxt_track_leaving(const dxt_track *track, uint32_t position, uint32_t rank)
{
    return track->leaving[(size_t)dxt_track_slot(track, position) * track->ranks + rank];
}

/** Median of the values that are not NaN; NaN if none is. @param scratch  [count] */
double dxt_median_known(const double *values, uint32_t count, double *scratch);

/** Whether a finding names a rank as its cause. */
bool dxt_finding_names(const dxt_finding *finding, uint32_t rank);

#endif
