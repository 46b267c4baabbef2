/* SPDX-License-Identifier: Apache-2.0 */
/* Findings as sentences and as the diagnosis format of docs/formats.md. */
#ifndef DEEPXTRACE_REPORT_H
#define DEEPXTRACE_REPORT_H

#include <deepxtrace/analysis.h>
#include <deepxtrace/history.h>
#include <deepxtrace/render.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One finding as one plain sentence, e.g. "rank 2 is late in dispatch: +1.03 ms per operation, 38 %
 * of the step; all 15 others wait for it".
 *
 * @param window    What was analysed.
 * @param findings  Its result.
 * @param index     Which finding; below findings->finding_count.
 * @param buffer    Receives the sentence, always terminated, cut at @p size.
 * @return Length of the whole sentence in bytes, as snprintf(). Without memory for it, that of kind
 *         and rank, which are written then.
 *
 * Blocking: no. Threads: reentrant. NULL: 0, and an empty text where there is a buffer.
 */
DXT_API size_t dxt_report_sentence(const dxt_window *window, const dxt_findings *findings,
                                   size_t index, char *buffer, size_t size);

/**
 * A window's result for people: the verdict, then one line per finding; with the ratio method one
 * line per abnormal column, row and point.
 *
 * @param write  Receives UTF-8 text that ends with a newline.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY; what @p write returned.
 *
 * Blocking: on @p write. Threads: reentrant. NULL: DXT_ERR_INVALID, but for @p context.
 */
DXT_API dxt_status dxt_report_text(const dxt_window *window, const dxt_findings *findings,
                                   dxt_write_fn write, void *context);

/**
 * A window's result as one line of the diagnosis format. As dxt_report_text().
 *
 * Blocking, threads, NULL: as dxt_report_text().
 */
DXT_API dxt_status dxt_report_json(const dxt_window *window, const dxt_findings *findings,
                                   dxt_write_fn write, void *context);

/**
 * A run's summary for people: who, since when, how often, what it costs; one line per episode, the
 * most expensive first.
 *
 * @param history  Has seen at least one window.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_NO_MEMORY; what @p write returned.
 *
 * Blocking: on @p write. Threads: the history belongs to one thread at a time. NULL:
 * DXT_ERR_INVALID, but for @p context.
 */
DXT_API dxt_status dxt_report_summary_text(const dxt_history *history, dxt_write_fn write,
                                           void *context);

/**
 * A run's summary as one line of the diagnosis format. As dxt_report_summary_text().
 *
 * Blocking, threads, NULL: as dxt_report_summary_text().
 */
DXT_API dxt_status dxt_report_summary_json(const dxt_history *history, dxt_write_fn write,
                                           void *context);

/**
 * The part of a run's summary that concerns one rank.
 *
 * @param rank  Of the group.
 * @param node  The rank's node, which counts as the rank does; -1 = not known.
 * @param json  0: as dxt_report_summary_text(); else as dxt_report_summary_json().
 * @return As dxt_report_summary_text(); also DXT_ERR_INVALID for DXT_NO_RANK.
 *
 * Blocking, threads, NULL: as dxt_report_summary_text().
 */
DXT_API dxt_status dxt_report_summary_of_rank(const dxt_history *history, uint32_t rank,
                                              int32_t node, int json, dxt_write_fn write,
                                              void *context);

/** What to do next about a finding of a kind, in one line. Static. Blocking: no. Threads: any.
 */
DXT_API const char *dxt_finding_advice(dxt_finding_kind kind);

/** The same of all kinds as a JSON object: {"v":1,"late_rank":"…",…}. Static. Blocking: no.
 *  Threads: any. */
DXT_API const char *dxt_report_advice_json(void);

/**
 * What to mark in the heat map of a window.
 *
 * @param marks  Receives an array to release with free(); NULL when there are none.
 * @param count  Receives their number.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: reentrant. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_report_marks(const dxt_window *window, const dxt_findings *findings,
                                    dxt_mark **marks, size_t *count);

/** Why ranks stand out in a window's heat map though no finding names them there. */
typedef enum dxt_explained {
    DXT_EXPLAINED_HELD_UP = 0, /**< columns: these ranks are the latest, the first of them by more
                                    than dxt_findings.floor, since what findings name, here or in
                                    the companion, held them up */
    DXT_EXPLAINED_SILENT = 1,  /**< a column: the others wait for a rank that is silent */
    DXT_EXPLAINED_AHEAD = 2    /**< rows of a window without findings: these ranks come earlier than
                                    most, the first of them by more than the floor. The findings of
                                    the other operator at that moment, if it has any, say what holds
                                    up the others; without them no cause is known */
} dxt_explained;

/** Bytes that are enough for the words of dxt_report_explained(). */
#define DXT_EXPLAINED_SIZE 256

/**
 * Which ranks stand out for a reason, and "columns 0–7 are no findings of their own" in words.
 *
 * @param ranks   [window->ranks] Receives 1 for each of them, else 0.
 * @param buffer  Receives the words, always terminated, cut at @p size; NULL: not wanted.
 * @return How many; 0 also without memory, or if @p findings are of another number of ranks.
 *
 * Blocking: no. Threads: reentrant. NULL: 0.
 */
DXT_API uint32_t dxt_report_explained(const dxt_window *window, const dxt_findings *findings,
                                      dxt_explained why, unsigned char *ranks, char *buffer,
                                      size_t size);

#ifdef __cplusplus
}
#endif

#endif
