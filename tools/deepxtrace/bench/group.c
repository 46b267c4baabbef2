/* SPDX-License-Identifier: Apache-2.0 */
#include "group.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int bench_complain(struct bench_group *group, const char *format, ...)
{
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(&group->failed, &none, 1)) return -1;
    va_list args;
    va_start(args, format);
    vsnprintf(group->error, sizeof group->error, format, args);
    va_end(args);
    return -1;
}

int bench_meet(struct bench_group *group)
{
    uint32_t generation = atomic_load(&group->generation);
    if (atomic_fetch_add(&group->arrived, 1) + 1 == group->ranks) {
        atomic_store(&group->arrived, 0);
        atomic_fetch_add(&group->generation, 1);
    }
    while (atomic_load(&group->generation) == generation) {
        if (atomic_load(&group->failed)) return -1;
        sched_yield();
    }
    return 0;
}

static void reap(struct bench_group *group, pid_t *children, uint32_t count)
{
    for (uint32_t left = count; left > 0;) {
        for (uint32_t i = 0; i < count; i++) {
            int status;
            if (children[i] == 0 || waitpid(children[i], &status, WNOHANG) != children[i]) continue;
            children[i] = 0;
            left--;
            if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                bench_complain(group, "rank %u ended early", i);
        }
        if (left > 0) usleep(5000);
        /* One that sits in an operation would wait for the dead until its time-out. */
        if (atomic_load(&group->failed))
            for (uint32_t i = 0; i < count; i++)
                if (children[i] > 0) kill(children[i], SIGKILL);
    }
}

int bench_start(struct bench_group *group, bench_body body, void *context)
{
    pid_t children[BENCH_MAX_RANKS] = {0};
    uint32_t started = 0;
    for (; started < group->ranks; started++) {
        children[started] = fork();
        if (children[started] == 0) {
            /* No rank outlives its parent. */
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            _exit(body(context, started) != 0);
        }
        if (children[started] > 0) continue;
        bench_complain(group, "cannot start rank %u: %s", started, strerror(errno));
        break;
    }
    reap(group, children, started);
    return atomic_load(&group->failed) ? -1 : 0;
}
