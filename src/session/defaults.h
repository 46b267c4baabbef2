/* SPDX-License-Identifier: Apache-2.0 */
/* The defaults of a session; src/library/defaults.c hands them out. */
#ifndef DXT_SESSION_DEFAULTS_H
#define DXT_SESSION_DEFAULTS_H

#include <stdint.h>

/** Steps in a window of sync mode. */
#define DXT_DEFAULT_INTERVAL_OPS 100
/** Length of a window of async mode. */
#define DXT_DEFAULT_INTERVAL_NS INT64_C(20000000000)
/** How late a mail may be in async mode. */
#define DXT_DEFAULT_DEADLINE_NS INT64_C(2000000000)
/** Sync mode: longest wait of rank 0 for the mails of the first window, and of any. */
#define DXT_FIRST_BUDGET_NS INT64_C(200000000)

#endif
