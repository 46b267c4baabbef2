/* SPDX-License-Identifier: Apache-2.0 */
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/rename.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
/* How long a signal waits for a thread that writes: longer only if the disk hangs. */
#define PATIENCE_MS 5000

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

typedef struct entry {
    const char *_Atomic name;   /* the temporary one; NULL: not in use, or it has gone */
    const char *_Atomic target; /* where it grows, or is about to; NULL: nowhere */
    _Atomic int fd;             /* of one that grows */
} entry;

/* More than any command writes at a time; of one more, a signal would leave the file. */
static entry entries[16];
static _Atomic pid_t owner;
static atomic_int writers;
static atomic_bool ended; /* a signal has put the files in order: nothing more is written */

/* ---- whole lines ---- */

/* Behind the last newline of a file; -1 with errno. */
static off_t end_of_lines(int fd)
{
    char block[4096];
    struct stat there;
    if (fstat(fd, &there) != 0) return -1;
    for (off_t end = there.st_size; end > 0;) {
        size_t size = end < (off_t)sizeof block ? (size_t)end : sizeof block;
        ssize_t got = pread(fd, block, size, end - (off_t)size);
        if (got != (ssize_t)size) return -1;
        const char *newline = memrchr(block, '\n', size);
        if (newline) return end - (off_t)size + (newline + 1 - block);
        end -= (off_t)size;
    }
    return 0;
}

bool temporary_cut(int fd)
{
    off_t end = end_of_lines(fd);
    if (end < 0) return true;
    if (ftruncate(fd, end) != 0) return true;
    return end > 0;
}

/* ---- signals ---- */

/* Whether a name leads to an open file. */
static bool leads_to(const char *name, int fd)
{
    struct stat own, there;
    return fstat(fd, &own) == 0 && stat(name, &there) == 0 && own.st_dev == there.st_dev &&
           own.st_ino == there.st_ino;
}

static void put_in_order(entry *file)
{
    const char *name = file->name, *target = file->target;
    if (name) unlink(name);
    /* It may not have got there yet. */
    if (target && leads_to(target, file->fd) && !temporary_cut(file->fd)) unlink(target);
}

static void end_command(int number)
{
    int error = errno;
    /* A child that has not set its own handlers yet must not touch what its parent writes. */
    if (getpid() == owner) {
        atomic_store(&ended, true);
        for (int ms = 0; atomic_load(&writers) > 0 && ms < PATIENCE_MS; ms++) poll(NULL, 0, 1);
        for (size_t i = 0; i < COUNT(entries); i++) put_in_order(&entries[i]);
    }
    errno = error;
    /* The handler is gone (SA_RESETHAND); the signal comes again when this returns. */
    raise(number);
}

static void fill(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < COUNT(ending); i++) sigaddset(set, ending[i]);
}

void catch_hangup(const struct sigaction *action)
{
    struct sigaction before;
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, action, NULL);
}

/* Whoever ignores a signal, as under nohup, goes on ignoring it. */
static void catch_signals(void)
{
    static bool caught;
    owner = getpid();
    if (caught) return;
    caught = true;
    struct sigaction action = {.sa_handler = end_command, .sa_flags = (int)SA_RESETHAND}, before;
    fill(&action.sa_mask);
    for (size_t i = 0; i < COUNT(ending); i++)
        if (sigaction(ending[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(ending[i], &action, NULL);
}

static void hold_signals(sigset_t *before)
{
    sigset_t set;
    fill(&set);
    pthread_sigmask(SIG_BLOCK, &set, before);
}

static void release_signals(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

void temporary_writes(sigset_t *before)
{
    hold_signals(before);
    atomic_fetch_add(&writers, 1);
    if (!atomic_load(&ended) || getpid() != owner) return;
    atomic_fetch_sub(&writers, 1);
    for (;;) pause();
}

void temporary_wrote(const sigset_t *before)
{
    atomic_fetch_sub(&writers, 1);
    release_signals(before);
}

/* ---- files ---- */

static entry *find(const char *name)
{
    for (size_t i = 0; i < COUNT(entries) && name; i++)
        if (entries[i].name == name || entries[i].target == name) return &entries[i];
    return NULL;
}

int temporary_open(char *name)
{
    sigset_t before;
    catch_signals();
    hold_signals(&before);
    int fd = mkostemp(name, O_CLOEXEC);
    for (size_t i = 0; i < COUNT(entries) && fd >= 0; i++) {
        if (entries[i].name || entries[i].target) continue;
        entries[i].fd = fd;
        entries[i].name = name;
        break;
    }
    int error = errno;
    release_signals(&before);
    errno = error;
    return fd;
}

int temporary_place(const char *name, const char *target, bool replace, bool grows)
{
    sigset_t before;
    entry *file = find(name);
    hold_signals(&before);
    if (file && grows) file->target = target;
    int result = replace ? rename(name, target) : dxt_rename_new(name, target), error = errno;
    if (file && result == 0) file->name = NULL;
    if (file && result != 0) file->target = NULL;
    release_signals(&before);
    errno = error;
    return result;
}

void temporary_forget(const char *name)
{
    sigset_t before;
    hold_signals(&before);
    entry *file = find(name);
    if (file) file->name = file->target = NULL;
    release_signals(&before);
}
