/* SPDX-License-Identifier: Apache-2.0 */
/* Collect windows that may be late: the steps of a program wait for no mail. */
#include "session/peers.h"

#include <string.h>

#include "base/base.h"

/* A rank is not waited for in at most 2 to the power of this many windows. */
#define MOST_MISSES 6u

/* Look at what has come from a rank since the window before ended; its newest mail may be later
 * than the one wanted. */
static dxt_status hear(dxt_collector *c, uint32_t rank, const dxt_collect_options *options)
{
    dxt_peer *peer = &c->peers[rank];
    dxt_mail_head head;
    dxt_status status = dxt_peer_look_for_news(c, rank, &head);
    if (status != DXT_OK) return status == DXT_AGAIN ? DXT_OK : status;
    dxt_peer_note(c, peer, head.sequence, options);
    if (head.sequence < options->sequence) {
        /* The mail that the first window begins with may be overwritten before the window ends. */
        if (c->is_first && !peer->has_before) memcpy(peer->before, peer->after, c->mail_size);
        if (c->is_first) peer->has_before = true;
        return DXT_OK;
    }
    /* It has come by now, or never will: mails do not overtake each other. */
    status = dxt_peer_look(c, rank, options->sequence);
    if (!peer->has_after) peer->refused = true;
    return status;
}

/* Whether a mail that missed the deadline may still come: if newer mails of its rank do, or if the
 * rank has not sent any yet. */
static bool may_come(const dxt_collector *c, const dxt_peer *peer,
                     const dxt_collect_options *options)
{
    uint64_t late = options->current - options->sequence;
    if (peer->refused || peer->gone || options->last || late >= DXT_LATEST_WINDOW) return false;
    bool news = peer->heard ? peer->heard_at == options->current : c->is_first;
    return news || (!peer->silent && (late == 0 || dxt_peer_is_recent(c, peer, options)));
}

/* Note whether the mail of a rank came in time. */
static void keep_score(dxt_peer *peer, bool in_time)
{
    if (in_time) {
        peer->misses = 0;
        peer->spare = 0;
    } else if (peer->spare > 0) {
        peer->spare--;
    } else {
        peer->spare = UINT64_C(1) << peer->misses;
        if (peer->misses < MOST_MISSES) peer->misses++;
    }
}

static bool is_waited_for(const dxt_peer *peer, const dxt_collect_options *options)
{
    return !peer->has_after && !peer->refused && !peer->silent && !peer->gone &&
           (peer->spare == 0 || options->last);
}

/* Look until all awaited mails are there, or the deadline passes. */
static dxt_status wait_in_budget(dxt_collector *c, const dxt_collect_options *options)
{
    int64_t pause_ns = DXT_SHORTEST_PAUSE_NS;
    for (;;) {
        dxt_look round;
        int64_t now_ns = dxt_now_ns();
        bool waiting = false;
        dxt_status status = dxt_collector_look_at_all(c, options->sequence, &round);
        if (status != DXT_OK) return status;
        for (uint32_t r = 0; r < c->ranks; r++)
            waiting = waiting || is_waited_for(&c->peers[r], options);
        if (!waiting || now_ns >= options->deadline_ns) return DXT_OK;
        int64_t left_ns = options->deadline_ns - now_ns;
        options->pause(options->context, now_ns + (pause_ns < left_ns ? pause_ns : left_ns));
        if (pause_ns < DXT_LONGEST_PAUSE_NS) pause_ns *= 2;
    }
}

dxt_status dxt_collector_try(dxt_collector *c, const dxt_collect_options *options)
{
    bool now = options->sequence == options->current, pending = false;
    c->failure = DXT_OK;
    if (options->unpublished && now) c->peers[dxt_gather_rank(c->gather)].refused = true;
    dxt_status status = wait_in_budget(c, options);
    for (uint32_t r = 0; r < c->ranks && status == DXT_OK; r++) {
        dxt_peer *peer = &c->peers[r];
        if (now && !peer->silent && !peer->gone && !peer->refused)
            keep_score(peer, peer->has_after);
        if (peer->has_after)
            dxt_peer_note(c, peer, peer->newest, options);
        else if (!peer->refused)
            status = hear(c, r, options);
        pending = pending || (!peer->has_after && may_come(c, peer, options));
    }
    if (status != DXT_OK) return status;
    dxt_collector_tell_of_failures(c);
    if (pending) return DXT_AGAIN;
    for (uint32_t r = 0; r < c->ranks; r++) {
        dxt_peer *peer = &c->peers[r];
        /* A rank that sent the mail of a later window was alive in this one. */
        bool heard = peer->heard &&
                     (peer->heard_at >= options->sequence || peer->heard_of >= options->sequence);
        bool alive = peer->has_after || peer->gone || heard;
        peer->silent = !alive;
        /* On a busy machine a mail may be later than all windows that would still take it. */
        bool excused = alive || (!peer->refused && dxt_peer_is_recent(c, peer, options));
        c->excused[r] = excused && !peer->has_after;
    }
    return DXT_OK;
}
