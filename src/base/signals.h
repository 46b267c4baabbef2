/* SPDX-License-Identifier: Apache-2.0 */
/* Signals and threads of ours. Inline, for parts that are linked to nothing. */
#ifndef DXT_BASE_SIGNALS_H
#define DXT_BASE_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

/**
 * Block the signals of the job for a thread that is about to be made: they are its affair. Those of
 * a crash are left alone, so that they reach the handler that the job has for them.
 *
 * @param before  Receives the mask of this thread, to be restored behind pthread_create().
 */
static inline void dxt_leave_signals(sigset_t *before)
{
    static const int crash[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    sigset_t set;
    sigfillset(&set);
    for (size_t i = 0; i < sizeof crash / sizeof crash[0]; i++) sigdelset(&set, crash[i]);
    pthread_sigmask(SIG_BLOCK, &set, before);
}

#endif
