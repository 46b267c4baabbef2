/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_EP_COMMON_COPY_H
#define DXT_EP_COMMON_COPY_H

#include <stdbool.h>
#include <stddef.h>

/**
 * memcpy(); with @p stream past the caches, for more data than they hold. Streamed stores are
 * ordered before later ones only by dxt_ep_copy_done().
 */
void dxt_ep_copy(void *to, const void *from, size_t size, bool stream);

/** Order streamed stores before what follows. */
void dxt_ep_copy_done(bool stream);

#endif
