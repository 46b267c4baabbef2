/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line of `job` gives, and the readers of values that only `job` has. */
#ifndef TOOLS_JOB_GIVEN_H
#define TOOLS_JOB_GIVEN_H

#include "job.h"

/** Longest of all times that can be asked for. */
#define JOB_LONGEST_NS INT64_C(3600000000000)

/** What the command line gives, before it is put together. Counts of 0: not given. */
typedef struct job_given {
    const char *engine, *record;
    struct job_pictures {
        const char *paths[JOB_MAX_PICTURES];
        dxt_format formats[JOB_MAX_PICTURES];
        size_t count;
    } pictures;
    uint64_t ranks, steps, tokens, hidden, experts, topk, window, warmup, seed;
    bool fp8, bf16, logfmt, json, summary, force, exit_code;
    double jitter, min_share;
    int64_t compute_ns, timeout_ns, async_ns, slow_from_ns, slow_until_ns;
    int color;
    struct job_hot {
        uint64_t rank;
        double factor; /* 0 = not given */
    } hot;
    job_fault_list slow, paths;
} job_given;

/*
 * Readers of values, for the table of options.
 *
 * @param value  Where it goes.
 * @return false, with the reason.
 */

/** PHASE:RANK:DURATION, into a job_fault_list. */
bool job_parse_slow(const char *text, void *value, char *why, size_t why_size);
/** PHASE:FROM->TO:DURATION, likewise. */
bool job_parse_path(const char *text, void *value, char *why, size_t why_size);
/** RANK:FACTOR, into a struct job_hot. */
bool job_parse_hot(const char *text, void *value, char *why, size_t why_size);
/** Name of a picture whose format this build can draw, into a struct job_pictures. */
bool job_parse_picture(const char *text, void *value, char *why, size_t why_size);
/** Seconds, or a duration with its unit, into an int64_t of ns. */
bool job_parse_async(const char *text, void *value, char *why, size_t why_size);

#endif
