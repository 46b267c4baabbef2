/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a tar archive, one after the other, as their bytes come: nothing is held but the
 * name of the one under way. Only plain files count; folders, links and devices are passed over,
 * and so are the "._" files of macOS.
 */
#ifndef TOOLS_CLI_TAR_H
#define TOOLS_CLI_TAR_H

#include <stdbool.h>
#include <stddef.h>

#include <deepxtrace/status.h>

/** Bytes of a head, by which an archive is known. */
#define TAR_BLOCK ((size_t)512)

/** Where bytes come from: as the `read` of a dxt_source. */
typedef dxt_status (*tar_read_fn)(void *context, void *buffer, size_t size, size_t *got);

typedef struct tar_archive tar_archive;

/** Whether these first bytes of a file are the head of a member. */
bool tar_is(const unsigned char *bytes, size_t size);

/**
 * Begin to read an archive; no member is under way yet.
 *
 * @param made  Receives it; release with tar_free(). Untouched on error.
 * @return DXT_OK; DXT_ERR_NO_MEMORY.
 */
dxt_status tar_create(tar_read_fn read, void *context, tar_archive **made);

/**
 * Go on to the next member, over what was not read of this one.
 *
 * @return DXT_OK; DXT_END; DXT_ERR_FORMAT (damaged, or cut off); DXT_ERR_NO_MEMORY; what `read`
 *         returned.
 */
dxt_status tar_next(tar_archive *archive);

/** Name of the member under way; "" before the first one. */
const char *tar_name(const tar_archive *archive);

/**
 * Read on in the member under way.
 *
 * @param got  Receives how many bytes there are; 0 = its end.
 * @return DXT_OK; DXT_ERR_FORMAT (the archive ends within it, or it is stored without its holes,
 *         as `tar --sparse` does); what `read` returned.
 */
dxt_status tar_read(tar_archive *archive, void *buffer, size_t size, size_t *got);

void tar_free(tar_archive *archive);

#endif
