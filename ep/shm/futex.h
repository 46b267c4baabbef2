/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping on a word that another process changes. */
#ifndef DXT_EP_SHM_FUTEX_H
#define DXT_EP_SHM_FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/** Sleep while *word is @p value, at most @p ns; may return early. */
static inline void dxt_ep_shm_sleep(_Atomic uint32_t *word, uint32_t value, int64_t ns)
{
    if (ns <= 0) return;
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &time, NULL, 0);
}

/** Wake all that sleep on *word. */
static inline void dxt_ep_shm_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

#endif
