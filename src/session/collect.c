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
/* Windows in a row in which a rank's numbers are off by the same before its clock is taken for
 * another. */
#define OTHER_CLOCK 4u
/* A rank is left out of at most 2 to the power of this many windows. */
#define MOST_MISSES 6u

struct peer {
    uint64_t *before, *after; /* buffers */
    bool has_before, has_after;
    bool refused;    /* its mail of this window is not coming, … */
    bool malformed;  /* … or was no mail */
    bool silent;     /* sent nothing in the window before */
    bool gone;       /* its newest mail says that it has left in order */
    bool told;       /* the log knows that it sends what is no mail */
    uint64_t newest; /* sequence of its newest mail that was read; valid once it is known */
    /* of dxt_collector_collect(): how far its numbers are ahead of ours, because its clock is */
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
};

struct dxt_collector {
    dxt_gather *gather;
    uint32_t ranks, operators;
    size_t mail_size;
    uint64_t *buffers;
    struct peer *peers;
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

/* What came is no mail. A rank of another version would have it told in every window. */
static dxt_status refuse(dxt_collector *c, uint32_t rank, const char *what)
{
    struct peer *peer = &c->peers[rank];
    if (!peer->told)
        dxt_log(DXT_LOG_WARNING, "rank %u sent %s; what it sends is left out as long as it is such",
                rank, what);
    peer->told = true;
    return DXT_ERR_FORMAT;
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
    if (status == DXT_ERR_LIMIT || status == DXT_ERR_FORMAT) return refuse(c, rank, "nonsense");
    if (status != DXT_OK) return status;
    dxt_mail_upgrade(buffer, c->mail_size, &size);
    const char *fault = dxt_mail_decode(buffer, size, &expect, head);
    if (fault) return refuse(c, rank, fault);
    if (strcmp(head->instance, c->instance) == 0) return DXT_OK;
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

/* When it begins and when it ends, the less the more often it does. */
static void tell_of_failures(dxt_collector *c)
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
    if (status == DXT_ERR_FORMAT) peer->refused = peer->malformed = true;
    if (status != DXT_OK) return forgive(c, rank, status);
    if (c->identities[rank].known && head.sequence <= peer->newest) return DXT_OK;
    /* What a rank did before it left is no window. */
    peer->gone = head.leaving != 0;
    if (peer->gone) peer->refused = true;
    if (peer->gone) return DXT_OK;
    peer->has_after = true;
    peer->newest = head.sequence;
    remember(&c->identities[rank], &head);
    return peer->has_before ? DXT_OK : find_beginning(c, rank, head.sequence);
}

/* The number that a rank gives to the mail of a window. */
static uint64_t its_number(const struct peer *peer, uint64_t sequence)
{
    return sequence + (uint64_t)peer->ahead;
}

/* At the deadline the newest mail of a rank was not the one wanted. If the same is seen again and
 * again, or the numbers are further apart than lateness makes them, its clock is another: the next
 * one is asked for by the number that it will have. */
static void learn_number(struct peer *peer, uint64_t sequence)
{
    int64_t ahead = (int64_t)(peer->newest - sequence);
    peer->seen_so = ahead == peer->seen_ahead && peer->seen_so > 0 ? peer->seen_so + 1 : 1;
    peer->seen_ahead = ahead;
    bool far = ahead >= DXT_GATHER_DEPTH || ahead <= -(int64_t)DXT_GATHER_DEPTH;
    if (far || peer->seen_so >= OTHER_CLOCK) peer->ahead = ahead;
}

/* The newest mail of a rank, for what it says of the rank: whether that is there again after it was
 * silent or had left, or has left. @p head: of that mail, if DXT_OK. */
static dxt_status look_for_news(dxt_collector *c, uint32_t rank, dxt_mail_head *head)
{
    struct peer *peer = &c->peers[rank];
    dxt_status status = read_mail(c, rank, DXT_GATHER_NEWEST, peer->after, head);
    if (status != DXT_OK) {
        dxt_status lasting = forgive(c, rank, status);
        return lasting != DXT_OK ? lasting : DXT_AGAIN;
    }
    peer->gone = head->leaving != 0;
    return DXT_OK;
}

/* A silent rank that has published this mail or the one before is back, and worth waiting for. */
static dxt_status look_for_life(dxt_collector *c, uint32_t rank, uint64_t sequence)
{
    struct peer *peer = &c->peers[rank];
    dxt_mail_head head;
    dxt_status status = look_for_news(c, rank, &head);
    if (status != DXT_OK) return status == DXT_AGAIN ? DXT_OK : status;
    uint64_t number = its_number(peer, sequence);
    bool recent = head.sequence == number || head.sequence + 1 == number;
    if (recent && (!c->identities[rank].known || head.sequence > peer->newest))
        peer->silent = false;
    if (peer->gone) peer->refused = true;
    return DXT_OK;
}

/* A rank whose clock is another may have it set again, and one that was late catches up: of what is
 * there when a window ends, the newest belongs to it. */
static dxt_status look_at_its_clock(dxt_collector *c, uint32_t rank, uint64_t sequence)
{
    struct peer *peer = &c->peers[rank];
    dxt_mail_head head;
    dxt_status status = look_for_news(c, rank, &head);
    if (status != DXT_OK) return status == DXT_AGAIN ? DXT_OK : status;
    if ((int64_t)(head.sequence - its_number(peer, sequence)) > 0)
        peer->ahead = (int64_t)(head.sequence - sequence);
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
        dxt_status status = look(c, r, its_number(peer, sequence));
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

/* Mail @p sequence is there. What lies there when the first window ends may be old. */
static void note(dxt_collector *c, struct peer *peer, uint64_t sequence,
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

/* Whether something has come of a rank for long enough that it may be taken for alive. */
static bool is_recent(const dxt_collector *c, const struct peer *peer,
                      const dxt_collect_options *options)
{
    int64_t since_ns = peer->heard ? peer->heard_ns : c->begin_ns;
    return dxt_now_ns() - since_ns < options->silence_ns;
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
        struct peer *peer = &c->peers[r];
        bool in_time = peer->has_after;
        if (!peer->has_after && !peer->refused) status = look(c, r, DXT_GATHER_NEWEST);
        if (in_time)
            peer->seen_so = 0;
        else if (peer->has_after)
            learn_number(peer, options->sequence);
        if (peer->has_after) note(c, peer, peer->newest, options);
        peer->silent = !peer->has_after && !peer->gone;
        /* On a busy machine a mail may miss a short window. */
        c->excused[r] = peer->gone || (peer->silent && is_recent(c, peer, options));
    }
    if (status == DXT_OK) tell_of_failures(c);
    return status;
}

/* ---- windows that may be late ---- */

/* What has come of a rank since the window before ended; its mail may be behind the one wanted. */
static dxt_status hear(dxt_collector *c, uint32_t rank, const dxt_collect_options *options)
{
    struct peer *peer = &c->peers[rank];
    dxt_mail_head head;
    dxt_status status = look_for_news(c, rank, &head);
    if (status != DXT_OK) return status == DXT_AGAIN ? DXT_OK : status;
    note(c, peer, head.sequence, options);
    if (head.sequence < options->sequence) {
        /* What the first window begins with may be gone by the time that it ends. */
        if (c->is_first && !peer->has_before) memcpy(peer->before, peer->after, c->mail_size);
        if (c->is_first) peer->has_before = true;
        return DXT_OK;
    }
    /* It has come in the meantime, or never will: mails do not overtake each other. */
    status = look(c, rank, options->sequence);
    if (!peer->has_after) peer->refused = true;
    return status;
}

/* Whether the mail of a rank may still come, when it has not by the deadline: if there are others
 * of it, or none yet of any time. */
static bool may_come(const dxt_collector *c, const struct peer *peer,
                     const dxt_collect_options *options)
{
    uint64_t late = options->current - options->sequence;
    if (peer->refused || peer->gone || options->last || late >= DXT_LATEST_WINDOW) return false;
    bool news = peer->heard ? peer->heard_at == options->current : c->is_first;
    return news || (!peer->silent && (late == 0 || is_recent(c, peer, options)));
}

/* Count a window for a rank that was, or was not, there in time. */
static void keep_score(struct peer *peer, bool in_time)
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

static bool is_waited_for(const struct peer *peer, const dxt_collect_options *options)
{
    return !peer->has_after && !peer->refused && !peer->silent && !peer->gone &&
           (peer->spare == 0 || options->last);
}

/* Look until all who are waited for are there, or the deadline passes. */
static dxt_status wait_in_budget(dxt_collector *c, const dxt_collect_options *options)
{
    int64_t pause_ns = SHORTEST_PAUSE_NS;
    for (;;) {
        struct round round;
        int64_t now_ns = dxt_now_ns();
        bool waiting = false;
        dxt_status status = look_at_all(c, options->sequence, &round);
        if (status != DXT_OK) return status;
        for (uint32_t r = 0; r < c->ranks; r++)
            waiting = waiting || is_waited_for(&c->peers[r], options);
        if (!waiting || now_ns >= options->deadline_ns) return DXT_OK;
        int64_t left_ns = options->deadline_ns - now_ns;
        options->pause(options->context, now_ns + (pause_ns < left_ns ? pause_ns : left_ns));
        if (pause_ns < LONGEST_PAUSE_NS) pause_ns *= 2;
    }
}

dxt_status dxt_collector_try(dxt_collector *c, const dxt_collect_options *options)
{
    bool now = options->sequence == options->current, pending = false;
    c->failure = DXT_OK;
    if (options->unpublished && now) c->peers[dxt_gather_rank(c->gather)].refused = true;
    dxt_status status = wait_in_budget(c, options);
    for (uint32_t r = 0; r < c->ranks && status == DXT_OK; r++) {
        struct peer *peer = &c->peers[r];
        if (now && !peer->silent && !peer->gone && !peer->refused)
            keep_score(peer, peer->has_after);
        if (peer->has_after)
            note(c, peer, peer->newest, options);
        else if (!peer->refused)
            status = hear(c, r, options);
        pending = pending || (!peer->has_after && may_come(c, peer, options));
    }
    if (status != DXT_OK) return status;
    tell_of_failures(c);
    if (pending) return DXT_AGAIN;
    for (uint32_t r = 0; r < c->ranks; r++) {
        struct peer *peer = &c->peers[r];
        bool alive =
            peer->has_after || peer->gone || (peer->heard && peer->heard_at >= options->sequence);
        peer->silent = !alive;
        c->excused[r] = alive && !peer->has_after;
    }
    return DXT_OK;
}

/* ---- what was collected ---- */

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
        struct peer *peer = &c->peers[r];
        uint64_t *begin = peer->after;
        peer->has_before = peer->has_after;
        peer->after = peer->before;
        peer->before = begin;
        peer->has_after = false;
        peer->refused = peer->malformed = false;
    }
    c->is_first = false;
}
