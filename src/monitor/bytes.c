/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

dxt_status bytes_append(void *context, const void *data, size_t size)
{
    bytes *to = context;
    if (to->capacity - to->size < size + 1) {
        size_t capacity = 2 * (to->size + size) + 256;
        char *grown = realloc(to->data, capacity);
        if (!grown) return DXT_ERR_NO_MEMORY;
        to->data = grown;
        to->capacity = capacity;
    }
    if (size > 0) memcpy(to->data + to->size, data, size);
    to->size += size;
    to->data[to->size] = '\0';
    return DXT_OK;
}
