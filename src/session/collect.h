/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0's side of the gather: the mails of all ranks of one window, and of the one before. */
#ifndef DXT_SESSION_COLLECT_H
#define DXT_SESSION_COLLECT_H

#include <deepxtrace/gather.h>

#include "session/assemble.h"

/** How a collection goes. */
typedef struct dxt_collect_options {
    uint64_t sequence;   /**< of the mails wanted */
    int64_t deadline_ns; /**< CLOCK_MONOTONIC until when to wait for them */
    bool any_newer;      /**< at the deadline, take what is newer than the last mail of a rank */
    bool unpublished;    /**< this rank's own mail is not coming */
    /** Sleep until a CLOCK_MONOTONIC time. @return true = give up at once. */
    bool (*pause)(void *context, int64_t until_ns);
    void *context;
} dxt_collect_options;

typedef struct dxt_collector dxt_collector;

/** Whether a failure is one that trying again does not help against. Others cost a mail, no more.
 */
bool dxt_failure_lasts(dxt_status status);

/**
 * @param gather    Must outlive the collector.
 * @param instance  Mails of others are as good as not there. Copied.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_collector_create(dxt_gather *gather, uint32_t operators,
                                const char instance[DXT_MAIL_TEXT], dxt_collector **collector);

void dxt_collector_destroy(dxt_collector *collector);

/**
 * Collect the mails of one window from all ranks. Those that were silent in the window before, and
 * give no sign that this mail is coming, are waited for no longer than the others need.
 *
 * @return DXT_OK, also when mails are missing, malformed or, for the moment, out of reach, of which
 *         the log is told once; DXT_AGAIN (told to give up); what the transport failed with for
 * good.
 */
dxt_status dxt_collector_collect(dxt_collector *collector, const dxt_collect_options *options);

/** Fill `ranks`, `before`, `after` and `identities` of an assembly; valid until the next call. */
void dxt_collector_view(dxt_collector *collector, dxt_assembly *assembly);

/** Begin the next window where the last one ended. A rank without a mail has a beginning then only
 *  if that mail has come by the time of the next. */
void dxt_collector_roll(dxt_collector *collector);

#endif
