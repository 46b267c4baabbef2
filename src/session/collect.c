/* SPDX-License-Identifier: Apache-2.0 */
#include "session/collect.h"

#include <stdlib.h>
#include <string.h>

#include <deepxtrace/session.h>

#include "base/base.h"
#include "gather/attempt.h"

/* Pauses between two looks at the mailboxes grow from the first to the second. */
#define SHORTEST_PAUSE_NS 50000
#define LONGEST_PAUSE_NS 2000000
/* How long a rank that was silent is waited for when nothing says that it is back. */
#define GRACE_NS 1000000
/* How far back the mail with which a rank began is looked for. */
#define LOOK_BACK 16u

struct peer {
    uint64_t *before, *after; /* buffers */
    bool has_before, has_after;
    bool refused;    /* its mail of this window was malformed, or is not coming */
    bool silent;     /* sent nothing in the window before */
    uint64_t newest; /* sequence of its newest mail that was read; valid once it is known */
};

struct dxt_collector {
    dxt_gather *gather;
    uint32_t ranks, operators;
    size_t mail_size;
    uint64_t *buffers;
    struct peer *peers;
    dxt_identity *identities;
    const uint64_t **before, **after; /* what the view points to */
    char instance[DXT_MAIL_TEXT];
    bool is_first;       /* no window has ended yet */
    bool strangers_told; /* the log knows of mails of another instance */
    /* transport failures that may pass */
    dxt_status failure; /* of this window; DXT_OK = none */
    uint32_t failed_rank;
    bool failing; /* there were some in the window before */
};

bool dxt_failure_lasts(dxt_status status)
{
    return status == DXT_ERR_INVALID || status == DXT_ERR_NO_MEMORY || status == DXT_ERR_LIMIT ||
           status == DXT_ERR_STATE;
}

dxt_status dxt_collector_create(dxt_gather *gather, uint32_t operators,
                                const char instance[DXT_MAIL_TEXT], dxt_collector **collector)
{
    dxt_collector *c = calloc(1, sizeof *c);
    if (!c) return dxt_fail_memory(sizeof *c);
    c->gather = gather;
    c->ranks = dxt_gather_ranks(gather);
    c->operators = operators;
    memcpy(c->instance, instance, sizeof c->instance);
    c->is_first = true;
    c->mail_size = dxt_session_mail_size(operators, c->ranks);
    c->buffers = calloc(2 * (size_t)c->ranks, c->mail_size);
    c->peers = calloc(c->ranks, sizeof *c->peers);
    c->identities = calloc(c->ranks, sizeof *c->identities);
    c->before = calloc(c->ranks, sizeof *c->before);
    c->after = calloc(c->ranks, sizeof *c->after);
    if (!c->buffers || !c->peers || !c->identities || !c->before || !c->after) {
        size_t size = 2 * c->ranks * c->mail_size;
        dxt_collector_destroy(c);
        return dxt_fail_memory(size);
    }
    size_t words = c->mail_size / sizeof *c->buffers;
    for (uint32_t r = 0; r < c->ranks; r++) {
        c->peers[r].before = c->buffers + 2 * r * words;
        c->peers[r].after = c->buffers + (2 * r + 1) * words;
    }
    *collector = c;
    return DXT_OK;
}

void dxt_collector_destroy(dxt_collector *c)
{
    if (!c) return;
    free(c->buffers);
    free(c->peers);
    free(c->identities);
    free(c->before);
    free(c->after);
    free(c);
}

/* Read one mail of a rank. @return DXT_OK; DXT_AGAIN; DXT_ERR_FORMAT (what came is no mail of that
 * rank); what the transport failed with, not logged. */
static dxt_status read_mail(dxt_collector *c, uint32_t rank, uint64_t wanted, uint64_t *buffer,
                            dxt_mail_head *head)
{
    size_t size;
    dxt_mail_head expect = {.rank = rank, .ranks = c->ranks, .operators = c->operators};
    dxt_status status = dxt_gather_try_collect(c->gather, rank, wanted, buffer, c->mail_size, &size,
                                               &expect.sequence);
    if (status == DXT_ERR_LIMIT || status == DXT_ERR_FORMAT)
        return dxt_fail(DXT_ERR_FORMAT, "rank %u sent nonsense", rank);
    if (status == DXT_OK) status = dxt_mail_decode(buffer, size, &expect, head);
    if (status != DXT_OK || strcmp(head->instance, c->instance) == 0) return status;
    /* Left behind by another job; what belongs to this one may still come. */
    if (!c->strangers_told)
        dxt_log(DXT_LOG_WARNING, "rank %u sent a mail of instance \"%s\", not \"%s\": left alone",
                rank, head->instance, c->instance);
    c->strangers_told = true;
    return DXT_AGAIN;
}

/* A mail that cannot be read is a missing one. @return DXT_OK; the failure if it is to stay. */
static dxt_status forgive(dxt_collector *c, uint32_t rank, dxt_status status)
{
    if (status >= 0 || status == DXT_ERR_FORMAT) return DXT_OK;
    if (dxt_failure_lasts(status))
        return dxt_fail(status, "cannot collect the mail of rank %u: %s", rank,
                        dxt_status_string(status));
    c->failure = status;
    c->failed_rank = rank;
    return DXT_OK;
}

/* Once when it begins and once when it ends. */
static void tell_of_failures(dxt_collector *c)
{
    bool failing = c->failure != DXT_OK;
    if (failing && !c->failing)
        dxt_log(DXT_LOG_WARNING, "cannot collect the mail of rank %u: %s; trying again",
                c->failed_rank, dxt_status_string(c->failure));
    else if (c->failing && !failing)
        dxt_log(DXT_LOG_INFO, "mails can be collected again");
    c->failing = failing;
}

static void remember(dxt_identity *identity, const dxt_mail_head *head)
{
    identity->known = true;
    identity->ticks_per_second = head->ticks_per_second;
    identity->node = (int32_t)head->node;
    memcpy(identity->host, head->host, sizeof identity->host);
}

/* Where the window that ends with mail @p sequence begins, when nothing was collected before it.
 * The first one: at the oldest mail there is. Any other: at the mail that the rank was missed with,
 * if that has come since; an older one would count earlier windows again. */
static dxt_status find_beginning(dxt_collector *c, uint32_t rank, uint64_t sequence)
{
    struct peer *peer = &c->peers[rank];
    dxt_status status = DXT_AGAIN;
    uint64_t back = c->is_first ? LOOK_BACK : 1;
    uint64_t s = sequence > back ? sequence - back : 0;
    for (; s < sequence && status == DXT_AGAIN; s++) {
        dxt_mail_head head;
        status = read_mail(c, rank, s, peer->before, &head);
    }
    peer->has_before = status == DXT_OK;
    return forgive(c, rank, status);
}

/* Look for a mail. @return DXT_OK, whether it is there or not; what the transport failed with for
 * good. */
static dxt_status look(dxt_collector *c, uint32_t rank, uint64_t wanted)
{
    struct peer *peer = &c->peers[rank];
    dxt_mail_head head;
    dxt_status status = read_mail(c, rank, wanted, peer->after, &head);
    if (status == DXT_ERR_FORMAT) peer->refused = true;
    if (status != DXT_OK) return forgive(c, rank, status);
    if (c->identities[rank].known && head.sequence <= peer->newest) return DXT_OK;
    peer->has_after = true;
    peer->newest = head.sequence;
    remember(&c->identities[rank], &head);
    return peer->has_before ? DXT_OK : find_beginning(c, rank, head.sequence);
}

/* A silent rank that has published this mail or the one before is back, and worth waiting for. */
static dxt_status look_for_life(dxt_collector *c, uint32_t rank, uint64_t sequence)
{
    struct peer *peer = &c->peers[rank];
    dxt_mail_head head;
    dxt_status status = read_mail(c, rank, DXT_GATHER_NEWEST, peer->after, &head);
    if (status != DXT_OK) return forgive(c, rank, status);
    bool recent = head.sequence == sequence || head.sequence + 1 == sequence;
    if (recent && (!c->identities[rank].known || head.sequence > peer->newest))
        peer->silent = false;
    return DXT_OK;
}

struct round {
    uint32_t waiting; /* ranks whose mail should still come */
    uint32_t hoped;   /* silent ranks whose mail might */
};

static dxt_status look_at_all(dxt_collector *c, uint64_t sequence, struct round *round)
{
    *round = (struct round){0, 0};
    for (uint32_t r = 0; r < c->ranks; r++) {
        struct peer *peer = &c->peers[r];
        if (peer->has_after || peer->refused) continue;
        dxt_status status = look(c, r, sequence);
        if (status != DXT_OK) return status;
        if (peer->has_after || peer->refused) continue;
        if (peer->silent)
            round->hoped++;
        else
            round->waiting++;
    }
    return DXT_OK;
}

static dxt_status wait_for_all(dxt_collector *c, const dxt_collect_options *options)
{
    int64_t grace_ns = dxt_now_ns() + GRACE_NS, pause_ns = SHORTEST_PAUSE_NS;
    if (grace_ns > options->deadline_ns) grace_ns = options->deadline_ns;
    for (;;) {
        struct round round;
        int64_t now_ns = dxt_now_ns();
        dxt_status status = look_at_all(c, options->sequence, &round);
        if (status != DXT_OK) return status;
        int64_t until_ns = round.waiting > 0 ? options->deadline_ns : grace_ns;
        if (round.waiting + round.hoped == 0 || now_ns >= until_ns) return DXT_OK;
        int64_t wake_ns = now_ns + pause_ns < until_ns ? now_ns + pause_ns : until_ns;
        if (options->pause(options->context, wake_ns)) return DXT_AGAIN;
        if (pause_ns < LONGEST_PAUSE_NS) pause_ns *= 2;
    }
}

dxt_status dxt_collector_collect(dxt_collector *c, const dxt_collect_options *options)
{
    dxt_status status = DXT_OK;
    c->failure = DXT_OK;
    if (options->unpublished) c->peers[dxt_gather_rank(c->gather)].refused = true;
    for (uint32_t r = 0; r < c->ranks && status == DXT_OK; r++)
        if (c->peers[r].silent) status = look_for_life(c, r, options->sequence);
    if (status == DXT_OK) status = wait_for_all(c, options);
    for (uint32_t r = 0; r < c->ranks && status == DXT_OK; r++) {
        struct peer *peer = &c->peers[r];
        if (options->any_newer && !peer->has_after && !peer->refused)
            status = look(c, r, DXT_GATHER_NEWEST);
        peer->silent = !peer->has_after;
    }
    if (status == DXT_OK) tell_of_failures(c);
    return status;
}

void dxt_collector_view(dxt_collector *c, dxt_assembly *assembly)
{
    for (uint32_t r = 0; r < c->ranks; r++) {
        c->before[r] = c->peers[r].has_before ? c->peers[r].before : NULL;
        c->after[r] = c->peers[r].has_after ? c->peers[r].after : NULL;
    }
    assembly->ranks = c->ranks;
    assembly->before = c->before;
    assembly->after = c->after;
    assembly->identities = c->identities;
}

void dxt_collector_roll(dxt_collector *c)
{
    for (uint32_t r = 0; r < c->ranks; r++) {
        struct peer *peer = &c->peers[r];
        uint64_t *begin = peer->after;
        peer->has_before = peer->has_after;
        peer->after = peer->before;
        peer->before = begin;
        peer->has_after = false;
        peer->refused = false;
    }
    c->is_first = false;
}
