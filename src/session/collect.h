/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0's side of the gather: the mails of all ranks of one window, and of the one before. */
#ifndef DXT_SESSION_COLLECT_H
#define DXT_SESSION_COLLECT_H

#include <deepxtrace/gather.h>

#include "session/assemble.h"

/** How many windows later the mails of one may come: mailboxes keep DXT_GATHER_DEPTH. */
#define DXT_LATEST_WINDOW (DXT_GATHER_DEPTH - 1u)

/** How a collection goes. */
typedef struct dxt_collect_options {
    uint64_t sequence;   /**< of the mails wanted */
    uint64_t current;    /**< of the window that has just ended: `sequence`, or above it */
    int64_t deadline_ns; /**< CLOCK_MONOTONIC until when to wait for them */
    int64_t silence_ns;  /**< how long nothing comes of a rank before it is silent */
    bool unpublished;    /**< this rank's own mail `current` is not coming */
    bool last;           /**< there will be no other try */
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
 * @param mail_size Of the largest mail.
 * @param instance  Mails of others are as good as not there. Copied.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_collector_create(dxt_gather *gather, uint32_t operators, size_t mail_size,
                                const char instance[DXT_MAIL_TEXT], dxt_collector **collector);

void dxt_collector_destroy(dxt_collector *collector);

/**
 * Collect the mails of one window from all ranks, and at the deadline what is newer than the last
 * mail of a rank. Those that were silent in the window before, and give no sign that this mail is
 * coming, are waited for no longer than the others need. Who sent nothing is excused as long as
 * something has come of it within silence_ns.
 *
 * @return DXT_OK, also when mails are missing, malformed or, for the moment, out of reach, of which
 *         the log is told once; DXT_AGAIN (told to give up); what the transport failed with for
 *         good.
 */
dxt_status dxt_collector_collect(dxt_collector *collector, const dxt_collect_options *options);

/**
 * Collect the mails of one window, neither more nor less, where windows may be late: what is not
 * there by the deadline may come until DXT_LATEST_WINDOW more have ended, as long as newer mails of
 * that rank arrive. A rank that missed a deadline is not waited for in the next window, then in the
 * next two, four … A rank is silent if nothing of it has come for a window, and for silence_ns.
 *
 * @return DXT_OK (nothing more will come); DXT_AGAIN (try again when the next window has ended);
 *         what the transport failed with for good.
 */
dxt_status dxt_collector_try(dxt_collector *collector, const dxt_collect_options *options);

/** Fill `ranks`, `before`, `after`, `excused` and `identities` of an assembly; valid until the next
 *  call. */
void dxt_collector_view(dxt_collector *collector, dxt_assembly *assembly);

/** Begin the next window where the last one ended. A rank without a mail has a beginning then only
 *  if that mail has come by the time of the next. */
void dxt_collector_roll(dxt_collector *collector);

#endif
