/* SPDX-License-Identifier: Apache-2.0 */
/* A buffer that grows: for a page, an answer or a diagnosis. */
#ifndef DXT_MONITOR_BYTES_H
#define DXT_MONITOR_BYTES_H

#include <stddef.h>

#include <deepxtrace/status.h>

/** Zero it to begin; free() `data` at the end. */
typedef struct bytes {
    char *data; /**< a 0 follows; NULL until the first bytes_append() */
    size_t size, capacity;
} bytes;

/** A dxt_write_fn; @p context is the buffer. DXT_ERR_NO_MEMORY leaves it unchanged. */
dxt_status bytes_append(void *context, const void *data, size_t size);

#endif
