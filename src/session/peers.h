/* SPDX-License-Identifier: Apache-2.0 */
/* The state of each rank's mailbox on rank 0, for the files that collect. */
#ifndef DXT_SESSION_PEERS_H
#define DXT_SESSION_PEERS_H

#include "gather/attempt.h"
#include "session/collect.h"

/* Pauses between two looks at the mailboxes grow from the first to the second. */
#define DXT_SHORTEST_PAUSE_NS 50000
#define DXT_LONGEST_PAUSE_NS 2000000

typedef struct dxt_peer {
    uint64_t *before, *after; /* buffers */
    bool has_before, has_after;
    bool refused;    /* its mail of this window is not coming, … */
    bool malformed;  /* … or was no mail */
    bool silent;     /* sent nothing in the window before */
    bool gone;       /* its newest mail says that it has left in order */
    bool told;       /* the log knows that it sends what is no mail */
    uint64_t newest; /* sequence of its newest mail that was read; valid once it is known */
    /* for dxt_collector_collect(): how far its numbers are ahead of ours, since its clock is */
    int64_t ahead;
    int64_t seen_ahead; /* so far they were in the last window, … */
    uint32_t seen_so;   /* … and in so many in a row */
    /* of dxt_collector_try() */
    bool heard;        /* the two below are valid */
    uint64_t heard_of; /* sequence of the newest mail in its box … */
    uint64_t heard_at; /* … and the window at whose end that was new, */
    int64_t heard_ns;  /* at this time */
    uint32_t misses;   /* deadlines missed in a row */
    uint64_t spare;    /* windows in which it is not waited for */
} dxt_peer;

struct dxt_collector {
    dxt_gather *gather;
    uint32_t ranks, operators;
    size_t mail_size;
    uint64_t *buffers;
    dxt_peer *peers;
    dxt_identity *identities;
    const uint64_t **before, **after; /* what the view points to */
    uint8_t *excused;
    char instance[DXT_MAIL_TEXT];
    bool is_first;       /* no window has ended yet */
    int64_t begin_ns;    /* CLOCK_MONOTONIC when it was made */
    bool strangers_told; /* the log knows of mails of another instance */
    /* transport failures that may pass */
    dxt_status failure; /* of this window; DXT_OK = none */
    uint32_t failed_rank;
    bool failing;      /* there were some in the window before, … */
    bool told;         /* … and the log knows */
    uint64_t failures; /* how often that began */
};

/** The result of one look at all mailboxes. */
typedef struct dxt_look {
    uint32_t waiting; /* ranks whose mail should still come */
    uint32_t hoped;   /* silent ranks whose mail might */
} dxt_look;

/** Look for a mail. @return DXT_OK, whether it is there or not; a permanent failure of the
 *  transport. */
dxt_status dxt_peer_look(dxt_collector *c, uint32_t rank, uint64_t wanted);

/** Look for the mails that are not there yet, and count them. */
dxt_status dxt_collector_look_at_all(dxt_collector *c, uint64_t sequence, dxt_look *look);

/**
 * Read the newest mail of a rank, to see whether the rank is back after it was silent or had left,
 * or whether it has left.
 *
 * @param head  Receives the head of that mail, if DXT_OK.
 * @return DXT_OK; DXT_AGAIN (there is none); what the transport failed with for good.
 */
dxt_status dxt_peer_look_for_news(dxt_collector *c, uint32_t rank, dxt_mail_head *head);

/** The number that a rank gives to the mail of a window. */
uint64_t dxt_peer_number(const dxt_peer *peer, uint64_t sequence);

/** Note that mail @p sequence is there. At the end of the first window it may be an old one. */
void dxt_peer_note(dxt_collector *c, dxt_peer *peer, uint64_t sequence,
                   const dxt_collect_options *options);

/** Whether a rank counts as alive, by how long ago something came from it. */
bool dxt_peer_is_recent(const dxt_collector *c, const dxt_peer *peer,
                        const dxt_collect_options *options);

/** Log passing failures when they begin and when they end; the more often, the more rarely. */
void dxt_collector_tell_of_failures(dxt_collector *c);

#endif
