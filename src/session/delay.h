/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a thread was ready to run, but waited for a CPU core: the second number of its schedstat
 * on Linux. It does not contain the time that a hypervisor takes from a virtual machine.
 */
#ifndef DXT_SESSION_DELAY_H
#define DXT_SESSION_DELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct dxt_delay {
    bool off;     /**< DEEPXTRACE_RUN_DELAY=0: not read */
    pid_t thread; /**< the thread; 0 = the caller, whichever it is */
    pid_t before; /**< the thread that was read the last time */
} dxt_delay;

/** Begin with the thread of the caller, or with any thread that reads. */
void dxt_delay_start(dxt_delay *delay, bool whoever_asks);

/**
 * Read the delay since the thread began.
 *
 * @return ns; −1 = unknown: the kernel does not count, the thread has ended, no descriptor is left,
 *         or it is another thread than the last time.
 */
int64_t dxt_delay_read(dxt_delay *delay);

/** The same from the text of the file, which ends in a zero. */
int64_t dxt_delay_parse(const char *text);

#endif
