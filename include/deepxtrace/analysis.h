/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Metrics Analysis: a window in, findings out. Pure: no I/O, no clock, no globals.
 * docs/diagnosis.md explains the model and each kind of finding.
 */
#ifndef DEEPXTRACE_ANALYSIS_H
#define DEEPXTRACE_ANALYSIS_H

#include <deepxtrace/matrix.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a window is judged. */
typedef enum dxt_method {
    DXT_METHOD_ROBUST = 0, /**< arrival model with robust estimates; the default */
    DXT_METHOD_RATIO = 1   /**< the established ratio to the mean: dxt_ratio_matrix() */
} dxt_method;

/** The answer for one window. */
typedef enum dxt_verdict {
    DXT_VERDICT_HEALTHY = 0,
    DXT_VERDICT_SLOW = 1,        /**< there is at least one finding that costs time */
    DXT_VERDICT_INCONCLUSIVE = 2 /**< the window is too thin or too noisy to tell */
} dxt_verdict;

/** Kinds of findings. */
typedef enum dxt_finding_kind {
    DXT_LATE_RANK = 0,      /**< column high and own row low: `rank` computes late (Comp-Slow) */
    DXT_EARLY_RANK = 1,     /**< row high alone: `rank` arrives early; costs nothing */
    DXT_SLOW_RECEIVER = 2,  /**< row high, not early: `rank` receives slowly (Mixed-Slow) */
    DXT_HOT_EXPERT = 3,     /**< `rank` receives too much, then answers late */
    DXT_SLOW_PATH = 4,      /**< one path, `source` → `rank` (Comm-Slow) */
    DXT_LATE_NODE = 5,      /**< all ranks of `node` are late for the other nodes */
    DXT_SLOW_NODE_PATH = 6, /**< all paths `source_node` → `node` are slow */
    DXT_SYSTEMIC_SKEW = 7,  /**< everybody waits for everybody; nobody in particular */
    DXT_SILENT_RANK = 8,    /**< `rank` sent no counters, or takes no part: `silence` */
    DXT_SLOW_LINK = 9,    /**< the link of `rank` (NIC, cable, PCIe, NVLink) is slow: `direction` */
    DXT_PATH_STALLS = 10, /**< many paths stall now and then, none in particular: `paths` */
    DXT_SLOW_NODE_LINK = 11 /**< the uplink of `node` is slow: `direction` */
} dxt_finding_kind;

/** Which way what passes a link is slow. */
typedef enum dxt_direction {
    DXT_DIRECTION_NONE = 0, /**< no link */
    DXT_DIRECTION_IN = 1,   /**< what comes in through it */
    DXT_DIRECTION_OUT = 2,  /**< what goes out */
    DXT_DIRECTION_BOTH = 3
} dxt_direction;

/** How a rank is silent. */
typedef enum dxt_silence {
    DXT_SILENCE_NO_COUNTERS = 0, /**< its row is missing */
    DXT_SILENCE_NO_PART = 1,     /**< nobody waits for it and it for nobody, while others count */
    DXT_SILENCE_TIMED_OUT = 2    /**< others gave up waiting for it */
} dxt_silence;

/** How much of the time is lost: below 5 %, below 20 %, more. */
typedef enum dxt_severity {
    DXT_SEVERITY_MINOR = 0,
    DXT_SEVERITY_MAJOR = 1,
    DXT_SEVERITY_CRITICAL = 2
} dxt_severity;

/** One named cause. Fields that do not apply hold DXT_NO_RANK, −1 or NULL. It may grow at its end:
 *  step through an array of them with dxt_finding_at(). */
typedef struct dxt_finding {
    dxt_finding_kind kind;
    uint32_t rank;         /**< the rank blamed; of a path, the waiting rank */
    uint32_t source;       /**< of a path, the awaited rank */
    int32_t node;          /**< the node blamed; of a node path, the waiting node */
    int32_t source_node;   /**< of a node path, the awaited node */
    const uint32_t *ranks; /**< ranks of the node, or of the rail that `paths` are of; owned by the
                                findings */
    uint32_t rank_count;   /**< how many of them */
    double wait;           /**< lateness (slowness) per operation above the ordinary, in the measure
                                of the window: ns or cycles */
    double share; /**< part of the elapsed time that the group loses, 0 … 1; NaN = unknown */
    dxt_severity severity;   /**< by `share` where known, else by how far above the ordinary */
    double confidence;       /**< probability that the finding is true, 0 … 1 */
    dxt_direction direction; /**< of a link */
    int between_nodes;     /**< of a rank's link: 1 = slow towards the ranks of other nodes only */
    dxt_silence silence;   /**< of a silent rank */
    double share_most;     /**< if `share` is only a lower bound: the most that it can be;
                                otherwise not above `share` */
    const uint32_t *paths; /**< [path_count][2] paths that are one cause, waiting and awaited rank,
                                  the slowest first; NULL = none are listed */
    uint32_t path_count;   /**< how many are listed */
    uint32_t path_total;   /**< how many there are, ≥ path_count */
    const int32_t *nodes;  /**< nodes concerned, where these are several; NULL = not listed */
    uint32_t node_count;   /**< how many of them */
    int or_irregular; /**< of a rank's link: 1 = irregular work of the rank, now early, now late,
                           would give the same sums */
    int or_early; /**< of a late rank of two: 1 = the other one may be early instead, since waits
                       alone cannot tell; `share` is what it costs if `rank` is late */
} dxt_finding;

/** An abnormal column or row. Frozen. */
typedef struct dxt_abnormal_axis {
    uint32_t rank;
    double mean;       /**< mean of the raw counters of that column or row */
    double normalised; /**< that mean ÷ (mean of all such means + 1e-8) */
} dxt_abnormal_axis;

/** An abnormal cell. Frozen. */
typedef struct dxt_abnormal_point {
    uint32_t row, column;
    double value;      /**< raw counter */
    double normalised; /**< value ÷ (mean of the matrix + 1e-8) */
} dxt_abnormal_point;

/** The result for one window. Read-only; owned by the caller as one block. */
typedef struct dxt_findings {
    size_t struct_size;
    uint32_t ranks;
    dxt_method method;
    dxt_measure measure; /**< unit of dxt_finding.wait */
    dxt_verdict verdict;
    const dxt_abnormal_axis *cols;
    size_t col_count;
    const dxt_abnormal_axis *rows;
    size_t row_count;
    const dxt_abnormal_point *points;
    size_t point_count;
    const dxt_finding *findings; /**< most expensive first; with the ratio method
                                    silent ranks only */
    size_t finding_count;
    double
        ordinary; /**< typical wait in the window's measure, what everybody waits for anyway; 0 with
                        the ratio method */
    double step;  /**< one operation and the compute around it, in the measure; NaN = unknown */
    double transfer; /**< what a wait takes even if the awaited was there first, in the measure */
    int inherited;   /**< 1 = ranks are late here because something held them up in the
                          companion, which names the cause */
    const double *lateness; /**< [ranks] how much later each rank arrives than the ordinary ones, in
                               the measure; negative = early, NaN = no row; NULL with the ratio
                               method */
    const double *lateness_error; /**< [ranks] standard error of each; NULL like lateness */
    const double
        *lateness_of_node;     /**< [ranks] what of the lateness is that of the rank's whole node;
                                         NULL like lateness; a history takes NULL for 0 */
    uint32_t likely_node_size; /**< nodes are unknown, and ranks 0 … this − 1, and so on, behave as
                                    nodes would; 0 = nothing of the kind */
    double floor; /**< smallest lateness that was worth telling, in the measure; 0 = not known */
    uint32_t waits_beside;  /**< waits that were at least added up side by side, if their sums
                                 are longer than the window, so that no share of the step is
                                 known; 0 = not so */
    uint64_t still_windows; /**< of a history: windows in a row in which nobody completed or waited
                                for anything, this one included */
    char still_since[40];   /**< `begin` of the first of them; "" = not known, or none */
    size_t finding_size;    /**< bytes of one finding in the library that is loaded: step through
                                 `findings` with dxt_finding_at() */
    double work[2];         /**< of two ranks: what each spends per operation beside waiting in the
                                 operators looked at, in the measure */
    uint32_t work_of;      /**< how many operators these are: 1, 2 with the companion; 0 = `work` is
                                 not known */
    uint32_t delayed_rank; /**< the rank that waited longest for a CPU core, if this delay may
                             explain a cause that is therefore not named; else DXT_NO_RANK */
    int64_t delayed_ns;    /**< for how long, in the window and those that
                             dxt_analysis_options.run_delay_before_ns is of; 0 = not so */
    double lost_share;     /**< share of the step that is likely lost by ranks that wait for each
                             other, no matter for which; 0 = less than a fifth, or not known */
    double apart_share;    /**< share of the step that it takes to get from one of two nodes to the
                             other, either way: they are far apart, or an uplink is slow both ways;
                             0 = little, or not known */
    uint32_t node_size;    /**< ranks of a node, if the window does not say the nodes: from the
                             options, or else from the waits; 0 = it does, or there is one node */
} dxt_findings;

/**
 * One finding of a result, even if the loaded library knows more fields of a finding than the
 * program was compiled with.
 *
 * @param findings  From the library.
 * @param index     Below findings->finding_count.
 *
 * Blocking: no. Threads: reentrant. NULL: not allowed.
 */
static inline const dxt_finding *dxt_finding_at(const dxt_findings *findings, size_t index)
{
    return (const dxt_finding *)(const void *)((const char *)findings->findings +
                                               index * findings->finding_size);
}

/** Options of the analysis. Zero a struct, set struct_size, then what differs from the default. */
typedef struct dxt_analysis_options {
    size_t struct_size;
    dxt_method method;
    const dxt_window *companion; /**< the other operator over the same interval, which tells a hot
                                  expert from a late rank; NULL = unknown */
    double min_share;            /**< smallest share worth a finding; 0 = as the window says,
                                  else 0.01 */
    uint32_t ranks_per_node; /**< when the window has no `nodes`: ranks 0 … G−1 share a node, and
                                      so on; 0 = unknown */
    double threshold_col;    /**< ratio: 0 = default 3.0 */
    double threshold_row;    /**< ratio: 0 = default 3.0 */
    double threshold_point;  /**< ratio: 0 = default 5.0 */
    int keep_points;         /**< ratio: also report points inside flagged rows and columns */
    int excluding_zeros;     /**< ratio: normalise points by the mean of the non-zero cells */
    double cell_spread;      /**< how far single waits of the window's operator vary from window
                                  to window, from dxt_history_prior() (history.h); 0 = unknown */
    double companion_spread;    /**< the same of the companion's operator */
    const dxt_window *adjacent; /**< if a library has a barrier at either end of an operator: the
                                     transfer before the window's operator, or the operator after
                                     the window's transfer, over the same interval. A rank that
                                     leaves one late enters the next one late; NULL = unknown */
    double transfer_ordinary;   /**< of two ranks: what they usually wait for each other in that
                                     transfer, added up, from dxt_history_prior(); 0 = unknown */
    const int64_t *run_delay_before_ns; /**< N: dxt_window.run_delay_ns of the operator's window
                                             whose index is one less, since its last operation
                                             may have been completed in this one. If none was
                                             completed in it, or if it measures something else,
                                             that of the window before is added, and so on. From
                                             dxt_history_prior(); NULL = unknown, as after a gap */
} dxt_analysis_options;

/** What two operators over the same interval are to each other. */
typedef enum dxt_relation {
    DXT_RELATION_NONE = 0,
    DXT_RELATION_COMPANION, /**< "dispatch" and "combine" */
    DXT_RELATION_ADJACENT,  /**< "dispatch transfer" and "combine", "combine transfer" and
                                 "dispatch": the one begins where the other one ended */
    DXT_RELATION_STEP       /**< any other two of these four: neither says who made the other one
                                 slow */
} dxt_relation;

/**
 * Tell the relation of two operators from their names, which may have a common prefix
 * ("ll_dispatch", "ll_combine").
 *
 * @param phase, other  In any order.
 *
 * Blocking: no. Threads: reentrant. NULL: related to nothing.
 */
DXT_API dxt_relation dxt_phase_relation(const char *phase, const char *other);

/**
 * How a window of a recording is related to a later one: they need the same ranks, instance, case
 * and number, and operators that belong together. Without numbers, the operators must also follow
 * each other in their order.
 *
 * @param first, second  In the order of the recording.
 *
 * Blocking: no. Threads: reentrant. NULL: related to nothing.
 */
DXT_API dxt_relation dxt_window_relation(const dxt_window *first, const dxt_window *second);

/**
 * Analyse one window.
 *
 * @param window    Waits of one operator over one interval; at least 2 ranks. Not modified.
 * @param options   NULL for the defaults.
 * @param findings  Receives the result; release with dxt_findings_free(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID (window inconsistent); DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: reentrant. NULL: DXT_ERR_INVALID, but for @p options. Cost: O(ranks²)
 * time, one scratch matrix.
 */
DXT_API dxt_status dxt_analyze(const dxt_window *window, const dxt_analysis_options *options,
                               dxt_findings **findings);

/**
 * Release a result.
 *
 * Blocking: no. Threads: reentrant. NULL: does nothing.
 */
DXT_API void dxt_findings_free(dxt_findings *findings);

/** Analyses window after window in the same memory. */
typedef struct dxt_analyzer dxt_analyzer;

/**
 * Make one; release with dxt_analyzer_destroy(). @return DXT_OK; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_analyzer_create(dxt_analyzer **analyzer);

/**
 * Analyse one window as dxt_analyze() does. After one window of that size or larger, with the same
 * method and with a companion if this one has one, nothing is allocated any more, whatever it finds
 * (with the ratio method: at its default thresholds).
 *
 * @param findings  Receives the result, owned by the analyzer and valid until its next call.
 *                  Untouched on error.
 * @return As dxt_analyze().
 *
 * Blocking: no. Threads: one analyzer belongs to one thread at a time. NULL: DXT_ERR_INVALID, but
 * for @p options.
 */
DXT_API dxt_status dxt_analyzer_run(dxt_analyzer *analyzer, const dxt_window *window,
                                    const dxt_analysis_options *options,
                                    const dxt_findings **findings);

/**
 * Release.
 *
 * Blocking: no. Threads: reentrant. NULL: does nothing.
 */
DXT_API void dxt_analyzer_destroy(dxt_analyzer *analyzer);

/**
 * "late_rank", …: the names used in the diagnosis format. Static; "unknown" otherwise.
 *
 * Blocking: no. Threads: any.
 */
DXT_API const char *dxt_finding_kind_name(dxt_finding_kind kind);
/**
 * "in", "out", "both"; "none" otherwise.
 *
 * Blocking: no. Threads: any.
 */
DXT_API const char *dxt_direction_name(dxt_direction direction);
/**
 * "no counters", "takes no part", "timed out".
 *
 * Blocking: no. Threads: any.
 */
DXT_API const char *dxt_silence_name(dxt_silence silence);
/**
 * "minor", "major", "critical".
 *
 * Blocking: no. Threads: any.
 */
DXT_API const char *dxt_severity_name(dxt_severity severity);
/**
 * "healthy", "slow", "inconclusive".
 *
 * Blocking: no. Threads: any.
 */
DXT_API const char *dxt_verdict_name(dxt_verdict verdict);
/**
 * "robust", "ratio".
 *
 * Blocking: no. Threads: any.
 */
DXT_API const char *dxt_method_name(dxt_method method);

#ifdef __cplusplus
}
#endif

#endif
