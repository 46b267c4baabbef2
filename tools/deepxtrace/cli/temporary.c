/* SPDX-License-Identifier: Apache-2.0 */
#include "temporary.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* More than any command writes at a time; of one more, a signal would leave the file. */
static const char *volatile names[16];
static volatile bool grows[COUNT(names)];
static volatile pid_t owner;

static void delete_all(int number)
{
    /* A child that has not set its own handlers yet must not delete what its parent writes. */
    for (size_t i = 0; i < COUNT(names) && getpid() == owner; i++) {
        struct stat there;
        bool full = grows[i] && names[i] && stat(names[i], &there) == 0 && there.st_size > 0;
        if (names[i] && !full) unlink(names[i]);
    }
    /* The handler is gone (SA_RESETHAND); the signal comes again when this returns. */
    raise(number);
}

/* Whoever ignores a signal, as under nohup, goes on ignoring it. */
static void catch_signals(void)
{
    static bool caught;
    owner = getpid();
    if (caught) return;
    caught = true;
    for (size_t i = 0; i < COUNT(ending); i++) {
        struct sigaction action = {.sa_handler = delete_all, .sa_flags = (int)SA_RESETHAND}, before;
        if (sigaction(ending[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(ending[i], &action, NULL);
    }
}

static void hold_signals(sigset_t *before)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < COUNT(ending); i++) sigaddset(&set, ending[i]);
    sigprocmask(SIG_BLOCK, &set, before);
}

int temporary_open(char *name)
{
    sigset_t before;
    catch_signals();
    hold_signals(&before);
    int fd = mkostemp(name, O_CLOEXEC);
    for (size_t i = 0; i < COUNT(names) && fd >= 0; i++) {
        if (names[i]) continue;
        names[i] = name;
        break;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return fd;
}

void temporary_grows(const char *name, const char *target)
{
    sigset_t before;
    hold_signals(&before);
    for (size_t i = 0; i < COUNT(names); i++) {
        if (names[i] != name) continue;
        grows[i] = true;
        names[i] = target;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void temporary_forget(const char *name)
{
    sigset_t before;
    hold_signals(&before);
    for (size_t i = 0; i < COUNT(names); i++) {
        if (!name || names[i] != name) continue;
        names[i] = NULL;
        grows[i] = false;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}
