/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a zip archive, as .npz files are: where their bytes lie, not what they unpack to.
 */
#ifndef TOOLS_CLI_ZIP_H
#define TOOLS_CLI_ZIP_H

#include <stdbool.h>
#include <stddef.h>

#include <deepxtrace/status.h>

/** Largest archive that is read. */
#define ZIP_MAX_SIZE ((size_t)1 << 30)
/** Most members. */
#define ZIP_MAX_MEMBERS 65535u

typedef struct zip_member {
    char *name;
    const unsigned char *bytes; /**< packed, within the archive */
    size_t size;                /**< packed */
    bool deflated;              /**< otherwise stored */
} zip_member;

/** Zero it to begin; release with zip_free(). */
typedef struct zip_archive {
    unsigned char *bytes;
    size_t size;
    zip_member *members;
    size_t count; /**< at least one */
} zip_archive;

/** Where its bytes come from: as the `read` of a dxt_source. */
typedef dxt_status (*zip_read_fn)(void *context, void *buffer, size_t size, size_t *got);

/**
 * Read an archive whole.
 *
 * @return DXT_OK; DXT_ERR_FORMAT; DXT_ERR_LIMIT; DXT_ERR_NO_MEMORY; what @p read returned.
 */
dxt_status zip_read(zip_archive *archive, zip_read_fn read, void *context);

void zip_free(zip_archive *archive);

#endif
