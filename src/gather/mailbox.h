/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mailboxes in shared memory. One word says for whom they were laid out; behind it each rank has
 * DXT_GATHER_DEPTH slots that it fills in turn. Publication p (from 0) goes to slot p mod depth,
 * whose version is 2p + 1 while it is written and 2p + 2 when it is whole. A reader that finds the
 * same even version before and after copying has a whole mail. A writer that dies leaves one odd
 * slot, which everybody skips, and the slots before as they were.
 */
#ifndef DXT_GATHER_MAILBOX_H
#define DXT_GATHER_MAILBOX_H

#include <deepxtrace/gather.h>

/** First cache line of the memory. */
typedef struct dxt_mailbox_head {
    uint64_t layout; /**< dxt_mailbox_layout(); 0 = nobody was here yet */
    uint64_t reserved[7];
} dxt_mailbox_head;

/** A slot; the mail follows in words of 8 bytes. All fields are accessed atomically. */
typedef struct dxt_mailbox_slot {
    uint64_t version;
    uint64_t sequence;
    uint64_t size;
    uint64_t reserved[5];
    uint64_t words[];
} dxt_mailbox_slot;

_Static_assert(sizeof(dxt_mailbox_head) == 64, "slots start on cache lines");
_Static_assert(sizeof(dxt_mailbox_slot) == 64, "mails start on cache lines");

/** Everything that must agree between the ranks, in one word, so that a single compare-and-swap
 *  lays the mailboxes out and nobody can die half-way. */
uint64_t dxt_mailbox_layout(uint32_t ranks, size_t mail_capacity);

/** Open one end of local mailboxes as a transport. @return As dxt_gather_create_local(). */
dxt_status dxt_mailbox_open(const dxt_gather_local_config *config, dxt_gather_transport *transport);

#endif
