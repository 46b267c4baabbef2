/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recording that a page carries (src/render/page/README.md): base64 between other things, in
 * pieces that are packed each for itself. What comes from outside may be anything.
 */
#ifndef TOOLS_CLI_CARRIED_H
#define TOOLS_CLI_CARRIED_H

#include <stdbool.h>
#include <stddef.h>

#include <deepxtrace/status.h>

/** What the first bytes of a page are. */
#define CARRIED_MAGIC "<!DOCTYPE html>\n<!-- deepxtrace page 1 -->\n"

typedef struct carried carried;

/** @return NULL if there is no memory. */
carried *carried_begin(void);
void carried_end(carried *page);

/**
 * Take bytes of the page and give bytes of the recording.
 *
 * @param bytes  Of the page, the next ones; moved behind what was taken.
 * @param left   How many; 0 = the page has ended.
 * @param got    Receives how many of @p size were given; with bytes left over, call again.
 * @return DXT_OK; DXT_ERR_FORMAT (damaged, or cut); DXT_ERR_UNSUPPORTED (packed, and this build
 *         has no zlib); DXT_ERR_NO_MEMORY.
 */
dxt_status carried_take(carried *page, const unsigned char **bytes, size_t *left, void *buffer,
                        size_t size, size_t *got);

#endif
