/* SPDX-License-Identifier: Apache-2.0 */
#include "session/peers.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* How far back the mail with which a rank began is looked for. */
#define LOOK_BACK 16u

bool dxt_failure_lasts(dxt_status status)
{
    return status == DXT_ERR_INVALID || status == DXT_ERR_NO_MEMORY || status == DXT_ERR_LIMIT ||
           status == DXT_ERR_STATE;
}

dxt_status dxt_collector_create(dxt_gather *gather, uint32_t operators, size_t mail_size,
                                const char instance[DXT_MAIL_TEXT], dxt_collector **collector)
{
    dxt_collector *c = calloc(1, sizeof *c);
    if (!c) return dxt_fail_memory(sizeof *c);
    c->gather = gather;
    c->ranks = dxt_gather_ranks(gather);
    c->operators = operators;
    memcpy(c->instance, instance, sizeof c->instance);
    c->is_first = true;
    c->begin_ns = dxt_now_ns();
    c->mail_size = mail_size;
    c->buffers = calloc(2 * (size_t)c->ranks, c->mail_size);
    c->peers = calloc(c->ranks, sizeof *c->peers);
    c->identities = calloc(c->ranks, sizeof *c->identities);
    c->before = calloc(c->ranks, sizeof *c->before);
    c->after = calloc(c->ranks, sizeof *c->after);
    c->excused = calloc(c->ranks, sizeof *c->excused);
    if (!c->buffers || !c->peers || !c->identities || !c->before || !c->after || !c->excused) {
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
    free(c->excused);
    free(c);
}

/* Log that what came is no mail, once: a rank of another version sends such in every window. */
static dxt_status refuse(dxt_collector *c, uint32_t rank, const char *what)
{
    dxt_peer *peer = &c->peers[rank];
    if (!peer->told)
        dxt_log(DXT_LOG_WARNING,
                "rank %u sent %s: its mails are left out until they are right; run one version on "
                "all ranks",
                rank, what);
    peer->told = true;
    return DXT_ERR_FORMAT;
}

/* Read one mail of a rank. @return DXT_OK; DXT_AGAIN; DXT_ERR_FORMAT (no mail of that rank); the
 * failure of the transport, not logged. */
static dxt_status read_mail(dxt_collector *c, uint32_t rank, uint64_t wanted, uint64_t *buffer,
                            dxt_mail_head *head)
{
    size_t size;
    dxt_mail_head expect = {.rank = rank, .ranks = c->ranks, .operators = c->operators};
    dxt_status status = dxt_gather_try_collect(c->gather, rank, wanted, buffer, c->mail_size, &size,
                                               &expect.sequence);
    if (status == DXT_ERR_LIMIT || status == DXT_ERR_FORMAT)
        return refuse(c, rank, "a mail that cannot be read");
    if (status != DXT_OK) return status;
    dxt_mail_upgrade(buffer, c->mail_size, &size);
    const char *fault = dxt_mail_decode(buffer, size, &expect, head);
    if (fault) return refuse(c, rank, fault);
    if (strcmp(head->instance, c->instance) == 0) return DXT_OK;
    /* Another job left it behind; a mail of this job may still come. */
    if (!c->strangers_told)
        dxt_log(DXT_LOG_WARNING,
                "rank %u sent a mail of instance \"%s\" instead of \"%s\": it is left out; give "
                "each job mailboxes of its own",
                rank, head->instance, c->instance);
    c->strangers_told = true;
    return DXT_AGAIN;
}

/* Treat a mail that cannot be read as missing. @return DXT_OK; the failure if it is permanent. */
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

void dxt_collector_tell_of_failures(dxt_collector *c)
{
    bool failing = c->failure != DXT_OK, changed = failing != c->failing;
    if (changed && failing) c->told = dxt_is_news(&c->failures);
    if (changed && c->told && failing)
        dxt_log(DXT_LOG_WARNING, "cannot collect the mail of rank %u: %s; trying again",
                c->failed_rank, dxt_status_string(c->failure));
    else if (changed && c->told)
        dxt_log(DXT_LOG_INFO, "mails can be collected again");
    c->failing = failing;
}

static void remember(dxt_identity *identity, const dxt_mail_head *head)
{
    identity->known = true;
    identity->ticks_per_second = head->ticks_per_second;
    identity->node = (int32_t)head->node;
    dxt_place *device = &identity->device;
    *device = (dxt_place){.pid = head->pid, .rank = head->global_rank, .gpu = (int32_t)head->gpu};
    memcpy(device->host, head->host, sizeof head->host);
    memcpy(device->uuid, head->uuid, sizeof head->uuid);
    memcpy(device->pci, head->pci, sizeof head->pci);
}

/* Find the mail at which the window that ends with mail @p sequence begins, if the rank had none in
 * the window before. The first window begins at the oldest mail there is. Any other begins at the
 * mail that was missing, if it has come since; an older one would count earlier windows again. */
static dxt_status find_beginning(dxt_collector *c, uint32_t rank, uint64_t sequence)
{
    dxt_peer *peer = &c->peers[rank];
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

dxt_status dxt_peer_look(dxt_collector *c, uint32_t rank, uint64_t wanted)
{
    dxt_peer *peer = &c->peers[rank];
    dxt_mail_head head;
    dxt_status status = read_mail(c, rank, wanted, peer->after, &head);
    if (status == DXT_ERR_FORMAT) peer->refused = peer->malformed = true;
    if (status != DXT_OK) return forgive(c, rank, status);
    if (c->identities[rank].known && head.sequence <= peer->newest) return DXT_OK;
    /* A mail from before a rank left does not begin a window. */
    peer->gone = head.leaving != 0;
    if (peer->gone) peer->refused = true;
    if (peer->gone) return DXT_OK;
    peer->has_after = true;
    peer->newest = head.sequence;
    remember(&c->identities[rank], &head);
    return peer->has_before ? DXT_OK : find_beginning(c, rank, head.sequence);
}

uint64_t dxt_peer_number(const dxt_peer *peer, uint64_t sequence)
{
    return sequence + (uint64_t)peer->ahead;
}

dxt_status dxt_peer_look_for_news(dxt_collector *c, uint32_t rank, dxt_mail_head *head)
{
    dxt_peer *peer = &c->peers[rank];
    dxt_status status = read_mail(c, rank, DXT_GATHER_NEWEST, peer->after, head);
    if (status != DXT_OK) {
        dxt_status lasting = forgive(c, rank, status);
        return lasting != DXT_OK ? lasting : DXT_AGAIN;
    }
    peer->gone = head->leaving != 0;
    return DXT_OK;
}

dxt_status dxt_collector_look_at_all(dxt_collector *c, uint64_t sequence, dxt_look *round)
{
    *round = (dxt_look){0, 0};
    for (uint32_t r = 0; r < c->ranks; r++) {
        dxt_peer *peer = &c->peers[r];
        if (peer->has_after || peer->refused) continue;
        dxt_status status = dxt_peer_look(c, r, dxt_peer_number(peer, sequence));
        if (status != DXT_OK) return status;
        if (peer->has_after || peer->refused) continue;
        if (peer->silent)
            round->hoped++;
        else
            round->waiting++;
    }
    return DXT_OK;
}

void dxt_peer_note(dxt_collector *c, dxt_peer *peer, uint64_t sequence,
                   const dxt_collect_options *options)
{
    uint64_t current = options->current;
    if (peer->heard && sequence <= peer->heard_of) return;
    bool old = !peer->heard && c->is_first && current == options->sequence && sequence < current;
    peer->heard_at = old ? current - 1 : current;
    peer->heard_of = sequence;
    peer->heard_ns = dxt_now_ns();
    peer->heard = true;
}

bool dxt_peer_is_recent(const dxt_collector *c, const dxt_peer *peer,
                        const dxt_collect_options *options)
{
    int64_t since_ns = peer->heard ? peer->heard_ns : c->begin_ns;
    return dxt_now_ns() - since_ns < options->silence_ns;
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
    assembly->excused = c->excused;
    assembly->identities = c->identities;
}

void dxt_collector_roll(dxt_collector *c)
{
    for (uint32_t r = 0; r < c->ranks; r++) {
        dxt_peer *peer = &c->peers[r];
        uint64_t *begin = peer->after;
        peer->has_before = peer->has_after;
        peer->after = peer->before;
        peer->before = begin;
        peer->has_after = false;
        peer->refused = peer->malformed = false;
    }
    c->is_first = false;
}
