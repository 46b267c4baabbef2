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

/**
 * Read an archive whole.
 *
 * @param head  Its first bytes, which have been read from @p fd already.
 * @param fd    The rest of it; −1 = there is none.
 * @return DXT_OK; DXT_ERR_FORMAT; DXT_ERR_LIMIT; DXT_ERR_IO with errno; DXT_ERR_NO_MEMORY.
 */
dxt_status zip_read(zip_archive *archive, const void *head, size_t head_size, int fd);

void zip_free(zip_archive *archive);

#endif
