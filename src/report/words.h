/* SPDX-License-Identifier: Apache-2.0 */
/* Figures and names as words, for sentences and for the text report. */
#ifndef DXT_REPORT_WORDS_H
#define DXT_REPORT_WORDS_H

#include <deepxtrace/analysis.h>
#include <deepxtrace/history.h>
#include <deepxtrace/report.h>

#include "base/base.h"

/** Bytes of the printable UTF-8 character at the beginning of a string; 0 if there is none. */
size_t dxt_words_character(const char *string);

/** Append a name from outside; what is no printable UTF-8 becomes '?', and a long one is cut. */
void dxt_words_name(dxt_text *text, const char *name);

/** Append "rank 2", or "rank 2 (host gpu-17, GPU 3)" as far as that is known. */
void dxt_words_rank(dxt_text *text, const dxt_window *window, uint32_t rank);

/** Append " (host gpu-17, GPU 3)". @param host  NULL or "" = not known. @param gpu  Below 0
 *  likewise. */
void dxt_words_place(dxt_text *text, const char *host, int64_t gpu);

/** Append a recorded time as people have it: "2026-11-26T03:12:40+01:00", local; what is no time as
 *  it is. */
void dxt_words_time(dxt_text *text, const char *time);

/** Append "1.03 ms" or "2.1M cycles". */
void dxt_words_amount(dxt_text *text, dxt_measure measure, double wait);

/** Append "1.03 ms per operation", "2.1M cycles in the window", …. */
void dxt_words_wait(dxt_text *text, dxt_measure measure, double wait);

/** "per operation" or "in the window". */
const char *dxt_words_per(dxt_measure measure);

/** Append "840", "2.1M", "97.3k". */
void dxt_words_figure(dxt_text *text, double value);

/** Append @p lead and "38 % of the step", or nothing if the share is unknown. */
void dxt_words_share(dxt_text *text, const char *lead, double share);

/** Append ranks in ascending order as "ranks 8–15", "ranks 0, 2, 4" or "rank 3". */
void dxt_words_ranks(dxt_text *text, const uint32_t *ranks, size_t count);

/** Append the sentence of one finding. */
void dxt_words_finding(dxt_text *text, const dxt_window *window, const dxt_findings *findings,
                       size_t index);

/** Append what dxt_report_explained() says; without memory @p text has failed. @p text may be NULL,
 *  if no words are wanted. @return As there; without memory 0, and no ranks. */
uint32_t dxt_words_explained(dxt_text *text, const dxt_window *window, const dxt_findings *findings,
                             dxt_explained why, unsigned char *ranks);

/** Move @p line to @p text, broken at blanks to fit 80 columns, further lines indented. */
void dxt_words_wrap(dxt_text *text, dxt_text *line, size_t indent);

/** Append `,"host":…,"device":{…}` of JSON, what is known of it. @param host  NULL or "" = not
 *  known. @param place  NULL = nothing. */
void dxt_words_json_place(dxt_text *text, const char *host, const dxt_place *place);
/** Append `,"begin":"…"` of JSON, in UTC; nothing where it is NULL or no time. */
void dxt_words_json_begin(dxt_text *text, const char *begin);
/** Append a real number of JSON; null if it is not finite. */
void dxt_words_json_real(dxt_text *text, double value);
/** Append ,"wait_us":… of ns, @p timed; else null, and ,"wait_cycles":… */
void dxt_words_json_wait(dxt_text *text, double wait, bool timed);
/** Append a string of JSON; what is not UTF-8 becomes '?'. */
void dxt_words_json_string(dxt_text *text, const char *string);
/** As dxt_words_json_string(), of a text that is released. */
void dxt_words_json_sentence(dxt_text *text, dxt_text *sentence);

/** @return DXT_ERR_INVALID, said, unless there is a result and it is of a window of this size. */
dxt_status dxt_report_check(const dxt_window *window, const dxt_findings *findings);

#endif
