/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows as it is written, such as a summary for a caption. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stddef.h>

#include <deepxtrace/status.h>

/* Zero it to begin; release `text` with free(). */
struct words {
    char *text; /* terminated; NULL while there is none */
    size_t size;
};

/** A dxt_write_fn: append to the struct words that is its context. @return DXT_OK;
 *  DXT_ERR_NO_MEMORY, and the text stays as it was. */
dxt_status words_add(void *context, const void *data, size_t size);

#endif
