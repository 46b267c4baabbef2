/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The diagnosis at run time: snapshots of this rank's probe travel to rank 0, which turns them into
 * windows, judges them with the windows before, and hands them to a callback. After the first
 * window with operations nothing is allocated any more, so a job may run for weeks.
 */
#ifndef DEEPXTRACE_SESSION_H
#define DEEPXTRACE_SESSION_H

#include <deepxtrace/analysis.h>
#include <deepxtrace/gather.h>
#include <deepxtrace/history.h>
#include <deepxtrace/probe.h>

#ifdef __cplusplus
extern "C" {
#endif

/** When a window ends. */
typedef enum dxt_session_mode {
    DXT_SESSION_SYNC =
        0, /**< every `interval_ops` steps, the same steps on all ranks: most accurate. There is
                no thread: nothing is diagnosed while rank 0 does not call, as when a hung rank
                holds it up in an operation */
    DXT_SESSION_ASYNC =
        1 /**< every `interval_ns`, on a background thread: nothing in the job's way */
} dxt_session_mode;

/**
 * One operator's window with its findings, judged with the windows before it as dxt_history_judge()
 * does. Some are judged alone: all windows if the configuration says so; windows in which ranks
 * waited but completed nothing, or in which the operations are no longer known; windows of
 * operators beyond the first DXT_HISTORY_OPERATORS; results of the ratio method.
 *
 * Both are read-only: do not free them.
 *
 * Frozen.
 */
typedef struct dxt_diagnosis {
    const dxt_window *window;
    const dxt_findings *findings;
} dxt_diagnosis;

/**
 * Receives the diagnoses of one interval on rank 0: one per operator, in their order.
 *
 * @param diagnoses  Valid during the call only.
 *
 * Must not destroy the session.
 * Threads: sync mode: the thread in dxt_session_step(); async mode: the session's thread.
 */
typedef void (*dxt_diagnosis_fn)(void *context, const dxt_diagnosis *diagnoses, size_t count);

/**
 * Reads counters that do not lie in a dxt_probe in host memory: on a device, in a tensor, in
 * another library.
 *
 * @param out  Receives the totals, which only grow: out->data has the session's operators and as
 *             many sources as there are ranks, and holds what the last call left there, zeros at
 *             first. A whole block of the same counts may be copied over it. Cells may hold
 *             wait_ticks_sum alone. data->ticks_per_second is 0 = unknown until it is set;
 *             out->time_ns is the time of the call, and may be set to a better one.
 * @return DXT_OK; anything else: the rank has no mail this time, and after DXT_ERR_INVALID,
 *         DXT_ERR_LIMIT, DXT_ERR_NO_MEMORY or DXT_ERR_STATE it has no diagnosis any more.
 *
 * Must not destroy the session.
 * Threads: as dxt_diagnosis_fn, and once the one in dxt_session_create().
 */
typedef dxt_status (*dxt_snapshot_fn)(void *context, dxt_snapshot *out);

/** Configuration. Zero a struct, set struct_size, then the fields; the same values on all ranks
 *  except where noted. */
typedef struct dxt_session_config {
    size_t struct_size;
    dxt_session_mode mode;
    dxt_gather *gather;       /**< this rank's end, for this session alone; must outlive it */
    dxt_probe *probe;         /**< this rank's counters; must outlive the session. If durations
                                   of an operator are noted (dxt_probe_duration()), its waits are
                                   made of these; the gather's mails then have the size
                                   dxt_session_duration_mail_size(), on all ranks */
    dxt_snapshot_fn snapshot; /**< instead of `probe`: reads the counters */
    void *snapshot_context;   /**< handed to it */
    uint32_t operators_count; /**< with `snapshot`: 1 … DXT_MAX_OPERATORS; with `probe`: as many
                                       as it has, or 0 */
    const char *const
        *operators;          /**< names, one per operator, copied; NULL = "dispatch", "combine".
                                       Two with these names, or with these behind a common prefix
                                       ("ll_dispatch", "ll_combine"), explain each other */
    uint64_t interval_ops;   /**< sync: steps in a window; 0 = 100 */
    int64_t interval_ns;     /**< async: length of a window; 0 = 20 s, at least 1 ms */
    int64_t deadline_ns;     /**< sync: the most that rank 0 ever waits for mails; 0 = 200 ms,
                                  which is also the most for the first window. Async: how late a
                                  mail may be; 0 = 2 s, at most the interval. A rank is silent if
                                  it sent nothing for a window and for 1 s (in sync mode, if a
                                  deadline is set here, for the deadline). Nobody waits for a
                                  silent rank until it sends again */
    uint64_t warmup_windows; /**< windows to leave out at the beginning */
    int32_t node;            /**< node index of this rank; −1 = what the gather knows (MPI); if it
                               does not know the node of each rank, but the hosts are known, the
                               ranks of a host are a node */
    const char *host;        /**< host name of this rank, copied; NULL = what the gather knows */
    const char *instance;    /**< id of the job, copied; NULL = none. Mails of another one, which an
                               earlier job may have left behind, are left out */
    const char *source;      /**< text for dxt_window.source, copied; NULL = none */
    const dxt_analysis_options *analysis; /**< copied, but for `companion` and `history`,
                                               which the session fills in; NULL = the defaults */
    dxt_diagnosis_fn on_diagnosis;        /**< rank 0 only; NULL = count, but tell nobody */
    void *on_diagnosis_context;
    int alone;               /**< rank 0: 1 = judge every window by itself */
    dxt_history *history;    /**< rank 0: what windows are judged with, for this session alone while
                               it lives; must outlive it. In on_diagnosis, and after the session,
                               dxt_history_summary() sums the run up. NULL = the session makes
                               one, with the options of `analysis` */
    double min_share;        /**< rank 0: smallest share of the step that is worth a finding, up to
                                       1; recorded in the window. 0 = that of `analysis`, or its
                                       default */
    const dxt_place *device; /**< place of this rank, copied; its `host` stands behind the one
                                       above. NULL = not known but for the process id */
    uint32_t local_experts;  /**< of this rank: waits for the same source that run side by side in
                                  an operation, and that foreign counters add up; 0 = not known, or
                                  what dxt_snapshot says. Ignored where waits are counted */
    const char *group;       /**< name of the group for dxt_window.group, copied; NULL = none */
    int64_t patience_ns;     /**< sync: how long rank 0 waits for the mails of a window at least;
                                  0 = 1 ms */
    dxt_origin origin;       /**< rank 0: where the waits that `snapshot` reads come from; of
                                  durations it is known */
    uint64_t mix;            /**< of this rank: which work it does, if that is the same in every
                                  window; any number but 0. 0 = not known. dxt_snapshot.mix, where
                                  `snapshot` sets it, counts instead. In a group of two only
                                  windows of the same work tell a late rank from an early one */
} dxt_session_config;

/** A session of one rank. */
typedef struct dxt_session dxt_session;

/**
 * Largest mail that a session publishes: the capacity its gather needs. 0 if out of range.
 *
 * Blocking: no. Threads: any.
 */
DXT_API size_t dxt_session_mail_size(uint32_t operators, uint32_t ranks);

/**
 * As dxt_session_mail_size(), for a session whose probe keeps durations.
 *
 * Blocking: no. Threads: any.
 */
DXT_API size_t dxt_session_duration_mail_size(uint32_t operators, uint32_t ranks);

/**
 * Start a session. In async mode this starts one thread.
 *
 * @param config   Copied, except what it points to where noted.
 * @param session  Receives it; release with dxt_session_destroy(). Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY; DXT_ERR_IO (no thread); what publishing the
 *         first mail failed with, such as DXT_ERR_LIMIT when the gather's mails are too small.
 *
 * If it fails on one rank alone, the others go on without that rank, and rank 0 reports it as
 * silent. If it fails on rank 0, nobody reads what the others publish. A program that wants a
 * session on all ranks or on none asks them (MPI_Allreduce), and destroys the sessions that were
 * made.
 *
 * Blocking: no; needs no other rank. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_session_create(const dxt_session_config *config, dxt_session **session);

/**
 * Tell the session that this rank has finished one more step (one operation of each operator).
 * Every `interval_ops` steps in sync mode the rank publishes, and rank 0 collects and diagnoses.
 * Does nothing in async mode.
 *
 * Rank 0 waits for the mails of a window for a thousandth of the time since the window before, at
 * least 1 ms, and less and less often for a rank whose mails were late. If mails come later, their
 * window is diagnosed at the end of one of the next two windows, before that one and under its own
 * number: in one call, on_diagnosis may be called several times or never. A rank that sent nothing
 * for a whole window is reported silent. If a mail got lost, or if the rank left in order
 * (dxt_session_destroy()), its row is not observed: DXT_NOT_OBSERVED.
 *
 * If operations are known, the time that this takes rank 0 is taken out of the waits for it in the
 * first step of the next window.
 *
 * If the transport fails, the mails that it did not carry are lost and the session goes on; the log
 * says when the failure begins and when it is over.
 *
 * @return DXT_OK. On an internal failure (DXT_ERR_INVALID, DXT_ERR_LIMIT, DXT_ERR_NO_MEMORY,
 *         DXT_ERR_STATE) the session says so once, switches itself off, and returns the status from
 *         then on; the job may go on without it.
 *
 * Blocking: rank 0 as said; other ranks never. Threads: one at a time. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_session_step(dxt_session *session);

/**
 * Tell a sync session that this rank has finished the first step after a window. Only for programs
 * that end every window themselves (interval_ops = 1) though it has several steps: in that first
 * step the others wait while rank 0 diagnoses, and with this call that time is nobody's lateness.
 *
 * @return DXT_OK; DXT_ERR_INVALID.
 *
 * Blocking: reads the counters once. Threads: as dxt_session_step(). NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_session_first_step(dxt_session *session);

/**
 * Windows diagnosed so far (rank 0), the warm-up not included.
 *
 * Blocking: no. Threads: any. NULL: 0.
 */
DXT_API uint64_t dxt_session_windows(const dxt_session *session);

/**
 * Stop, join the thread, release. The others are told that this rank leaves in
 * order. The window under way is not diagnosed; in sync mode rank 0 tells of those that have ended
 * (on_diagnosis may be called). In a child that was forked after dxt_session_create() this does
 * nothing: the thread stayed behind.
 *
 * Blocking: until a diagnosis under way is done; for mails that are missing up to the deadline.
 * Threads: after the last call with @p session, and not in on_diagnosis. NULL: does nothing.
 */
DXT_API void dxt_session_destroy(dxt_session *session);

#ifdef __cplusplus
}
#endif

#endif
