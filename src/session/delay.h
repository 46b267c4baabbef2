/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a thread was ready to run, but waited for a CPU core: the second number of its
 * schedstat, which Linux counts. What another machine takes of a virtual one is not in it.
 */
#ifndef DXT_SESSION_DELAY_H
#define DXT_SESSION_DELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct dxt_delay {
    bool off;     /**< DEEPXTRACE_RUN_DELAY=0: it is not asked for */
    pid_t thread; /**< whose; 0 = that of the caller, whichever it is */
    pid_t before; /**< that was told of the last time */
} dxt_delay;

/** Begin with the thread of the caller, or with whichever asks. */
void dxt_delay_start(dxt_delay *delay, bool whoever_asks);

/**
 * All of it since the thread began.
 *
 * @return ns; −1 = not known: not counted here, the thread has ended, no descriptor is left, or it
 *         is another thread than the last time.
 */
int64_t dxt_delay_read(dxt_delay *delay);

/** The same from the text of the file, which ends in a zero. */
int64_t dxt_delay_parse(const char *text);

#endif
