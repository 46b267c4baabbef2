/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mailboxes as messages. Whoever publishes sends its mail to rank 0 at once, and a thread of its
 * own pushes what does not go at once, so that neither end waits for the program to call MPI. Rank
 * 0 keeps one receive waiting for each rank and, when it looks into a mailbox, takes over what
 * came. Messages of one rank do not overtake each other, and a mail is there as a whole or not at
 * all; docs/mpi.md says what speaks against windows.
 */
#include "gather/mpi/mpi.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/signals.h"

#define TAG_MAIL 0
#define DEPTH DXT_GATHER_DEPTH
/* Buffers of a rank at rank 0: the mails it keeps and the one that is coming. */
#define SLOTS (DEPTH + 1)
/* When MPI ends: how long nothing comes before the others are given up. */
#define NO_NEWS_NS INT64_C(60000000000)

/* Begin of a message; the mail follows. A sequence of DXT_GATHER_NEWEST: there is nothing more to
 * come. */
typedef struct letter {
    uint64_t sequence;
    uint64_t size;
    unsigned char mail[];
} letter;

/* Rank 0: what is there of one rank. */
typedef struct box {
    MPI_Request receive;
    uint32_t next;  /* slot that the receive fills */
    uint32_t count; /* mails kept, in the slots before */
    bool closed;    /* the rank has said that it is done */
} box;

typedef struct mail {
    MPI_Comm comm;
    int rank, ranks;
    size_t capacity, stride;
    unsigned char *memory; /* rank 0: [ranks][SLOTS] letters; others: [SLOTS] */
    size_t mapped;
    pthread_mutex_t lock; /* of all below, and of calls of MPI */
    box *boxes;           /* rank 0: [ranks] */
    MPI_Request sends[SLOTS];
    bool threaded; /* there is a thread */
    bool pushing;  /* there is something for it to do */
    bool stop;
    pid_t pid; /* of the creator */
    pthread_t thread;
    pthread_cond_t wake;
    /* the end */
    bool said;       /* rank 0 has been sent word of it */
    int64_t news_ns; /* when something went or came last */
    mpi_part_rest rest;
} mail;

static letter *slot_at(const mail *m, int rank, uint32_t slot)
{
    return (letter *)(void *)(m->memory + ((size_t)rank * SLOTS + slot) * m->stride);
}

/* ---- sending ---- */

/* Under the lock. @return Whether all has gone. */
static bool push(mail *m)
{
    bool all = true;
    for (uint32_t i = 0; i < SLOTS; i++) {
        int done = 1;
        if (m->sends[i] == MPI_REQUEST_NULL) continue;
        MPI_Test(&m->sends[i], &done, MPI_STATUS_IGNORE);
        if (done) m->news_ns = mpi_part_now_ns();
        all = all && done;
    }
    return all;
}

static void *run(void *argument)
{
    mail *m = argument;
    int64_t pause_ns = 50000;
    pthread_setname_np(pthread_self(), "dxt-mail");
    pthread_mutex_lock(&m->lock);
    while (!m->stop) {
        if (!m->pushing) {
            pthread_cond_wait(&m->wake, &m->lock);
            pause_ns = 50000;
            continue;
        }
        m->pushing = !push(m);
        pthread_mutex_unlock(&m->lock);
        mpi_part_pause(&pause_ns);
        pthread_mutex_lock(&m->lock);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* Under the lock. */
static dxt_status send(mail *m, uint64_t sequence, const void *bytes, size_t size)
{
    push(m);
    uint32_t i = 0;
    while (i < SLOTS && m->sends[i] != MPI_REQUEST_NULL) i++;
    if (i == SLOTS) return DXT_ERR_IO; /* rank 0 does not take them */
    letter *out = slot_at(m, 0, i);
    out->sequence = sequence;
    out->size = size;
    if (size > 0) memcpy(out->mail, bytes, size);
    if (MPI_Isend(out, (int)(sizeof *out + size), MPI_BYTE, 0, TAG_MAIL, m->comm, &m->sends[i]) !=
        MPI_SUCCESS) {
        m->sends[i] = MPI_REQUEST_NULL;
        return DXT_ERR_IO;
    }
    m->pushing = !push(m);
    if (m->pushing) pthread_cond_signal(&m->wake);
    return DXT_OK;
}

/* ---- receiving ---- */

static int receive(mail *m, int rank)
{
    box *b = &m->boxes[rank];
    return MPI_Irecv(slot_at(m, rank, b->next), (int)m->stride, MPI_BYTE, rank, TAG_MAIL, m->comm,
                     &b->receive);
}

static void keep(box *b)
{
    b->next = (b->next + 1) % SLOTS;
    if (b->count < DEPTH) b->count++;
}

/* What has come of a rank. Under the lock. @return DXT_OK: the slot to fill is full; DXT_AGAIN;
 * DXT_ERR_FORMAT: what came is no letter; DXT_ERR_IO. */
static dxt_status arrived(mail *m, int rank)
{
    box *b = &m->boxes[rank];
    MPI_Status status;
    int done = 0, size = 0;
    if (MPI_Test(&b->receive, &done, &status) != MPI_SUCCESS)
        return b->receive == MPI_REQUEST_NULL ? DXT_ERR_FORMAT : DXT_ERR_IO; /* it was too long */
    if (!done) return DXT_AGAIN;
    const letter *in = slot_at(m, rank, b->next);
    MPI_Get_count(&status, MPI_BYTE, &size);
    bool whole = size >= (int)sizeof *in && in->size == (size_t)size - sizeof *in;
    return whole ? DXT_OK : DXT_ERR_FORMAT;
}

/* Take over what has come of a rank. Under the lock. What is no letter is left out, and the next
 * one waited for. @return DXT_OK; DXT_ERR_FORMAT if there was such; DXT_ERR_IO. */
static dxt_status take(mail *m, int rank)
{
    box *b = &m->boxes[rank];
    dxt_status result = DXT_OK;
    if (rank == 0) return DXT_OK; /* its own mails are put into the box by publish() */
    for (uint32_t i = 0; i <= DEPTH && !b->closed; i++) {
        dxt_status status = DXT_AGAIN;
        if (b->receive != MPI_REQUEST_NULL) status = arrived(m, rank);
        if (status == DXT_ERR_IO) return status;
        if (status == DXT_ERR_FORMAT) result = status;
        if (status != DXT_AGAIN) m->news_ns = mpi_part_now_ns();
        if (status == DXT_OK && slot_at(m, rank, b->next)->sequence == DXT_GATHER_NEWEST)
            b->closed = true;
        else if (status == DXT_OK)
            keep(b);
        bool waiting = b->receive != MPI_REQUEST_NULL;
        if (waiting) return result;
        if (!b->closed && receive(m, rank) != MPI_SUCCESS) return DXT_ERR_IO;
    }
    return result;
}

/* The newest mail, or the one with this sequence; NULL if it is not there. */
static const letter *find(const mail *m, int rank, uint64_t wanted)
{
    const box *b = &m->boxes[rank];
    for (uint32_t i = 1; i <= b->count; i++) {
        const letter *l = slot_at(m, rank, (b->next + SLOTS - i) % SLOTS);
        if (wanted == DXT_GATHER_NEWEST || l->sequence == wanted) return l;
    }
    return NULL;
}

/* ---- the transport ---- */

static dxt_status publish(void *context, uint64_t sequence, const void *bytes, size_t size)
{
    mail *m = context;
    if (size > m->capacity) return DXT_ERR_LIMIT;
    dxt_status status = DXT_OK;
    pthread_mutex_lock(&m->lock);
    if (m->rank != 0) {
        status = send(m, sequence, bytes, size);
    } else {
        letter *own = slot_at(m, 0, m->boxes[0].next);
        own->sequence = sequence;
        own->size = size;
        if (size > 0) memcpy(own->mail, bytes, size);
        keep(&m->boxes[0]);
    }
    pthread_mutex_unlock(&m->lock);
    return status;
}

static dxt_status collect(void *context, uint32_t rank, uint64_t wanted, void *bytes,
                          size_t capacity, size_t *size, uint64_t *sequence)
{
    mail *m = context;
    if (m->rank != 0) return DXT_ERR_INVALID;
    pthread_mutex_lock(&m->lock);
    dxt_status status = take(m, (int)rank);
    const letter *found = status != DXT_ERR_IO ? find(m, (int)rank, wanted) : NULL;
    if (status == DXT_OK && !found) status = DXT_AGAIN;
    if (found) status = found->size > capacity ? DXT_ERR_LIMIT : DXT_OK;
    if (status == DXT_OK) {
        memcpy(bytes, found->mail, found->size);
        *size = found->size;
        *sequence = found->sequence;
    }
    pthread_mutex_unlock(&m->lock);
    return status;
}

/* ---- the end ---- */

static void stop_thread(mail *m)
{
    if (!m->threaded) return;
    pthread_mutex_lock(&m->lock);
    m->stop = true;
    pthread_cond_signal(&m->wake);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
}

static void release(mail *m)
{
    if (m->memory) munmap(m->memory, m->mapped);
    free(m->boxes);
    pthread_cond_destroy(&m->wake);
    pthread_mutex_destroy(&m->lock);
    if (m->comm != MPI_COMM_NULL) MPI_Comm_free(&m->comm);
    free(m);
}

/* Rank 0: whether all have said that they are done. */
static bool all_closed(mail *m)
{
    bool all = true;
    for (int r = 1; r < m->ranks; r++) {
        if (take(m, r) == DXT_ERR_IO) m->boxes[r].closed = true;
        all = all && m->boxes[r].closed;
    }
    return all;
}

/* @return Whether nothing is under way any more, in either direction. */
static bool is_done(mail *m)
{
    if (m->rank == 0) return all_closed(m);
    /* As long as nothing of it goes, there may be no slot to say it in. */
    m->said = m->said || send(m, DXT_GATHER_NEWEST, NULL, 0) == DXT_OK;
    return push(m) && m->said;
}

static bool finish(void *context)
{
    mail *m = context;
    if (is_done(m)) {
        release(m);
        return true;
    }
    return mpi_part_now_ns() - m->news_ns >= NO_NEWS_NS; /* its memory is left to MPI */
}

/* Some MPIs wait for long letters that nobody takes in when they end, and the number of a
 * communicator that is freed may be given to another, whose letters those would be. So rank 0 takes
 * in what still comes, and the others keep what has not gone, up to the end of MPI. */
static void close_mail(void *context)
{
    mail *m = context;
    int64_t pause_ns = 50000, end_ns = mpi_part_now_ns() + MPI_PART_LINGER_NS;
    if (m->pid != getpid()) return; /* the thread, and what MPI has under way, are the parent's */
    stop_thread(m);
    bool done = is_done(m);
    while (!done && mpi_part_now_ns() < end_ns) {
        mpi_part_pause(&pause_ns);
        done = is_done(m);
    }
    if (done)
        release(m);
    else
        mpi_part_leave(&m->rest);
}

/* ---- the beginning ---- */

static int start_thread(mail *m)
{
    sigset_t before;
    dxt_leave_signals(&before);
    int error = pthread_create(&m->thread, NULL, run, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    m->threaded = error == 0;
    return error;
}

/* @p longest: mail of any rank. A letter that does not fit makes some MPIs end the job. */
static dxt_status set_up(mail *m, uint64_t longest, char *why)
{
    size_t ranks = m->rank == 0 ? (size_t)m->ranks : 1;
    const uint64_t most = INT_MAX - 64 - sizeof(letter);
    if (longest > most)
        return mpi_part_say(DXT_ERR_LIMIT, why, "mails have %llu bytes, but MPI sends at most %llu",
                            (unsigned long long)longest, (unsigned long long)most);
    m->stride = (sizeof(letter) + (size_t)longest + 63) / 64 * 64;
    /* Only what comes takes memory. */
    m->mapped = ranks * SLOTS * m->stride;
    void *memory = mmap(NULL, m->mapped, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    m->memory = memory == MAP_FAILED ? NULL : memory;
    m->boxes = calloc(ranks, sizeof *m->boxes);
    if (!m->memory || !m->boxes)
        return mpi_part_say(DXT_ERR_NO_MEMORY, why, "out of memory (%zu bytes)", m->mapped);
    for (size_t r = 0; r < ranks; r++) m->boxes[r].receive = MPI_REQUEST_NULL;
    if (m->rank != 0 && start_thread(m) != 0)
        return mpi_part_say(DXT_ERR_IO, why, "cannot start the thread that sends mails");
    return DXT_OK;
}

static mail *make(MPI_Comm comm, size_t mail_capacity)
{
    mail *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    m->comm = comm;
    m->capacity = mail_capacity;
    m->pid = getpid();
    m->news_ns = mpi_part_now_ns();
    m->rest = (mpi_part_rest){.finish = finish, .context = m};
    MPI_Comm_rank(comm, &m->rank);
    MPI_Comm_size(comm, &m->ranks);
    for (uint32_t i = 0; i < SLOTS; i++) m->sends[i] = MPI_REQUEST_NULL;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->wake, NULL);
    return m;
}

dxt_status mpi_part_open_mail(const void *comm, size_t mail_capacity, dxt_status ready,
                              dxt_gather_transport *transport, char *why)
{
    MPI_Comm own = MPI_COMM_NULL;
    dxt_status status = mpi_part_open(comm, &own, why);
    if (own == MPI_COMM_NULL) return status;
    if (ready != DXT_OK) status = ready;
    uint64_t capacity = status == DXT_OK ? mail_capacity : 0, longest = 0;
    if (MPI_Allreduce(&capacity, &longest, 1, MPI_UINT64_T, MPI_MAX, own) != MPI_SUCCESS)
        longest = UINT64_MAX;
    mail *m = status == DXT_OK ? make(own, mail_capacity) : NULL;
    if (m)
        status = set_up(m, longest, why);
    else if (status == DXT_OK)
        status = mpi_part_say(DXT_ERR_NO_MEMORY, why, "out of memory");
    status = mpi_part_all_well(own, status, why);
    for (int r = 1; status == DXT_OK && m->rank == 0 && r < m->ranks; r++)
        status = mpi_part_check(receive(m, r), why);
    if (status == DXT_OK) {
        *transport = (dxt_gather_transport){.struct_size = sizeof *transport,
                                            .context = m,
                                            .publish = publish,
                                            .collect = collect,
                                            .destroy = close_mail};
        return DXT_OK;
    }
    if (m) stop_thread(m);
    if (m)
        release(m);
    else
        MPI_Comm_free(&own);
    return status;
}
