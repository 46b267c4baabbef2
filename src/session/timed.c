/* SPDX-License-Identifier: Apache-2.0 */
/* Collect windows that end at common times: wait for their mails until the deadline. */
#include "session/peers.h"

#include "base/base.h"

/* How long to wait for a rank that was silent and gives no sign of being back. */
#define GRACE_NS 1000000
/* If a rank's numbers are off by as much in this many windows in a row, its clock is off. */
#define OTHER_CLOCK 4u

/* At the deadline, the newest mail of a rank had another number than the one wanted. If that
 * happens again and again, or if lateness cannot make the numbers so different, its clock is off:
 * ask for its next mail by the number that it will have. */
static void learn_number(dxt_peer *peer, uint64_t sequence)
{
    int64_t ahead = (int64_t)(peer->newest - sequence);
    peer->seen_so = ahead == peer->seen_ahead && peer->seen_so > 0 ? peer->seen_so + 1 : 1;
    peer->seen_ahead = ahead;
    bool far = ahead >= DXT_GATHER_DEPTH || ahead <= -(int64_t)DXT_GATHER_DEPTH;
    if (far || peer->seen_so >= OTHER_CLOCK) peer->ahead = ahead;
}

/* Whether a silent rank is back and worth waiting for: it has sent this mail or the one before. */
static dxt_status look_for_life(dxt_collector *c, uint32_t rank, uint64_t sequence)
{
    dxt_peer *peer = &c->peers[rank];
    dxt_mail_head head;
    dxt_status status = dxt_peer_look_for_news(c, rank, &head);
    if (status != DXT_OK) return status == DXT_AGAIN ? DXT_OK : status;
    uint64_t number = dxt_peer_number(peer, sequence);
    bool recent = head.sequence == number || head.sequence + 1 == number;
    if (recent && (!c->identities[rank].known || head.sequence > peer->newest))
        peer->silent = false;
    if (peer->gone) peer->refused = true;
    return DXT_OK;
}

/* Take a rank's newest mail for the window that has ended: a clock that was off may have been set
 * right, and a rank that was late may have caught up. */
static dxt_status look_at_its_clock(dxt_collector *c, uint32_t rank, uint64_t sequence)
{
    dxt_peer *peer = &c->peers[rank];
    dxt_mail_head head;
    dxt_status status = dxt_peer_look_for_news(c, rank, &head);
    if (status != DXT_OK) return status == DXT_AGAIN ? DXT_OK : status;
    if ((int64_t)(head.sequence - dxt_peer_number(peer, sequence)) > 0)
        peer->ahead = (int64_t)(head.sequence - sequence);
    return DXT_OK;
}

static dxt_status wait_for_all(dxt_collector *c, const dxt_collect_options *options)
{
    int64_t grace_ns = dxt_now_ns() + GRACE_NS, pause_ns = DXT_SHORTEST_PAUSE_NS;
    if (grace_ns > options->deadline_ns) grace_ns = options->deadline_ns;
    for (;;) {
        dxt_look round;
        int64_t now_ns = dxt_now_ns();
        dxt_status status = dxt_collector_look_at_all(c, options->sequence, &round);
        if (status != DXT_OK) return status;
        int64_t until_ns = round.waiting > 0 ? options->deadline_ns : grace_ns;
        if (round.waiting + round.hoped == 0 || now_ns >= until_ns) return DXT_OK;
        int64_t wake_ns = now_ns + pause_ns < until_ns ? now_ns + pause_ns : until_ns;
        if (options->pause(options->context, wake_ns)) return DXT_AGAIN;
        if (pause_ns < DXT_LONGEST_PAUSE_NS) pause_ns *= 2;
    }
}

dxt_status dxt_collector_collect(dxt_collector *c, const dxt_collect_options *options)
{
    dxt_status status = DXT_OK;
    c->failure = DXT_OK;
    if (options->unpublished) c->peers[dxt_gather_rank(c->gather)].refused = true;
    for (uint32_t r = 0; r < c->ranks && status == DXT_OK; r++) {
        if (c->peers[r].silent || c->peers[r].gone)
            status = look_for_life(c, r, options->sequence);
        else if (c->peers[r].ahead != 0)
            status = look_at_its_clock(c, r, options->sequence);
    }
    if (status == DXT_OK) status = wait_for_all(c, options);
    for (uint32_t r = 0; r < c->ranks && status == DXT_OK; r++) {
        dxt_peer *peer = &c->peers[r];
        bool in_time = peer->has_after;
        if (!peer->has_after && !peer->refused) status = dxt_peer_look(c, r, DXT_GATHER_NEWEST);
        if (in_time)
            peer->seen_so = 0;
        else if (peer->has_after)
            learn_number(peer, options->sequence);
        if (peer->has_after) dxt_peer_note(c, peer, peer->newest, options);
        peer->silent = !peer->has_after && !peer->gone;
        /* On a busy machine a mail may miss a short window. */
        c->excused[r] = peer->gone || (peer->silent && dxt_peer_is_recent(c, peer, options));
    }
    if (status == DXT_OK) dxt_collector_tell_of_failures(c);
    return status;
}
