/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <stdlib.h>
#include <string.h>

dxt_status words_add(void *context, const void *data, size_t size)
{
    struct words *words = context;
    char *grown = realloc(words->text, words->size + size + 1);
    if (!grown) return DXT_ERR_NO_MEMORY;
    words->text = grown;
    memcpy(grown + words->size, data, size);
    words->size += size;
    grown[words->size] = '\0';
    return DXT_OK;
}
