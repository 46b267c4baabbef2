/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files as plain bytes: as they are, out of gzip or zstd, out of a page that carries a recording,
 * or out of a zip archive such as an .npz, of which every member is a file; also an archive within
 * gzip, and gzip within an archive. What unpacks is never held as a whole, but for the archive
 * itself.
 */
#ifndef TOOLS_CLI_UNPACK_H
#define TOOLS_CLI_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#include <deepxtrace/matrix.h>

/** Several files, opened one after the other. */
typedef struct unpack unpack;

/**
 * Open the first file.
 *
 * @param paths  "-" is standard input; must outlive @p files, as the array.
 * @param files  Receives it; release with unpack_close(). Untouched on error.
 * @param why    Receives one line on error: "PATH: reason".
 * @return DXT_OK; DXT_ERR_IO; DXT_ERR_FORMAT (an archive that is none); DXT_ERR_UNSUPPORTED
 *         (packed, and this build has no zlib, or
 *         this machine no libzstd); DXT_ERR_LIMIT (an archive above 1 GiB);
 *         DXT_ERR_NO_MEMORY.
 */
dxt_status unpack_open(char *const *paths, size_t count, unpack **files, char *why,
                       size_t why_size);

/** Whether the file under way is a page; then its recording is what is read. */
bool unpack_is_page(const unpack *files);

/** Name of the file under way for messages: "waits.npz:dispatch.npy". */
const char *unpack_name(const unpack *files);

/** The functions of a dxt_source; the context is the unpack. */
dxt_status unpack_read(void *context, void *buffer, size_t size, size_t *got);

/** The same for a dxt_reader: of a page that carries nothing its first lines, so that it can be
 *  said what it is. */
dxt_status unpack_read_or_tell(void *context, void *buffer, size_t size, size_t *got);
dxt_status unpack_next(void *context, const char **name);

void unpack_close(unpack *files);

#endif
