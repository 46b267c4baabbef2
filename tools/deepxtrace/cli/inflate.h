/* SPDX-License-Identifier: Apache-2.0 */
/* One layer of packing: gzip or a deflated member of an archive, over whatever its bytes come from.
 */
#ifndef TOOLS_CLI_INFLATE_H
#define TOOLS_CLI_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include <deepxtrace/status.h>

/** So many bytes are read at a time. */
#define INFLATE_CHUNK ((size_t)64 << 10)

/** Where bytes come from: as the `read` of a dxt_source. */
typedef dxt_status (*inflate_read_fn)(void *context, void *buffer, size_t size, size_t *got);

typedef struct inflater inflater;

/**
 * Begin to unpack.
 *
 * @param gzip  Whether it is gzip, several streams behind each other included; else bare deflate.
 * @param made  Receives it; release with inflater_free(). Untouched on error.
 * @return DXT_OK; DXT_ERR_NO_MEMORY; DXT_ERR_UNSUPPORTED (this build has no zlib).
 */
dxt_status inflater_create(inflate_read_fn read, void *context, bool gzip, inflater **made);

/**
 * Unpack on.
 *
 * @param got  Receives how many bytes there are; 0 = the end.
 * @return DXT_OK; DXT_ERR_FORMAT (damaged, or cut off: once all before that was handed out);
 *         DXT_ERR_NO_MEMORY; what `read` returned.
 */
dxt_status inflater_read(inflater *from, void *buffer, size_t size, size_t *got);

void inflater_free(inflater *from);

#endif
