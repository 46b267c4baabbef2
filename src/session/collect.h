/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0's side of the gather: collect the mails of all ranks for a window and the one before. */
#ifndef DXT_SESSION_COLLECT_H
#define DXT_SESSION_COLLECT_H

#include <deepxtrace/gather.h>

#include "session/assemble.h"

/** How many windows late a mail may come: mailboxes keep DXT_GATHER_DEPTH mails. */
#define DXT_LATEST_WINDOW (DXT_GATHER_DEPTH - 1u)

/** How to collect the mails of a window. */
typedef struct dxt_collect_options {
    uint64_t sequence;   /**< of the mails wanted */
    uint64_t current;    /**< of the window that has just ended: `sequence`, or above it */
    int64_t deadline_ns; /**< CLOCK_MONOTONIC until when to wait for them */
    int64_t silence_ns;  /**< a rank is silent after nothing has come from it for this long */
    bool unpublished;    /**< this rank's own mail `current` is not coming */
    bool last;           /**< this is the last try */
    /** Sleep until a CLOCK_MONOTONIC time. @return true = give up at once. */
    bool (*pause)(void *context, int64_t until_ns);
    void *context;
} dxt_collect_options;

typedef struct dxt_collector dxt_collector;

/** Whether a failure is permanent. Others cost one mail, and trying again may help.
 */
bool dxt_failure_lasts(dxt_status status);

/**
 * @param gather    Must outlive the collector.
 * @param mail_size Size of the largest mail.
 * @param instance  Mails of other instances are ignored. Copied.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status dxt_collector_create(dxt_gather *gather, uint32_t operators, size_t mail_size,
                                const char instance[DXT_MAIL_TEXT], dxt_collector **collector);

void dxt_collector_destroy(dxt_collector *collector);

/**
 * Collect the mails of one window from all ranks; at the deadline take any mail that is newer than
 * a rank's last one. A rank that was silent in the window before, and gives no sign of this mail,
 * is waited for no longer than the others need. A rank that sent nothing is excused as long as
 * something has come from it within silence_ns.
 *
 * @return DXT_OK, also if mails are missing, malformed or, for the moment, out of reach, which is
 *         logged once; DXT_AGAIN (told to give up); a permanent failure of the transport.
 */
dxt_status dxt_collector_collect(dxt_collector *collector, const dxt_collect_options *options);

/**
 * Collect exactly the mails of one window, where windows may be late. A mail that is not there by
 * the deadline may come until DXT_LATEST_WINDOW more windows have ended, as long as newer mails of
 * its rank arrive. A rank that missed a deadline is not waited for in the next window, then in the
 * next two, four … A rank is silent if nothing has come from it for a window, and for silence_ns.
 *
 * @return DXT_OK (nothing more will come); DXT_AGAIN (try again when the next window has ended); a
 *         permanent failure of the transport.
 */
dxt_status dxt_collector_try(dxt_collector *collector, const dxt_collect_options *options);

/** Fill `ranks`, `before`, `after`, `excused` and `identities` of an assembly; valid until the next
 *  call. */
void dxt_collector_view(dxt_collector *collector, dxt_assembly *assembly);

/** Begin the next window where the last one ended. A rank whose mail is missing has a beginning
 * only if that mail has come by the end of the next window. */
void dxt_collector_roll(dxt_collector *collector);

#endif
