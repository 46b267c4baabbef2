/* SPDX-License-Identifier: Apache-2.0 */
/* One layer of packing: zstd, over whatever its bytes come from. libzstd is loaded when the first
 * such file is there. */
#ifndef TOOLS_CLI_UNZSTD_H
#define TOOLS_CLI_UNZSTD_H

#include <stddef.h>

#include "inflate.h"

typedef struct unzstd unzstd;

/**
 * Begin to unpack.
 *
 * @param made  Receives it; release with unzstd_free(). Untouched on error.
 * @return DXT_OK; DXT_ERR_NO_MEMORY; DXT_ERR_UNSUPPORTED (there is no libzstd on this machine).
 */
dxt_status unzstd_create(inflate_read_fn read, void *context, unzstd **made);

/** Unpack on: as inflater_read(), and DXT_ERR_LIMIT where the first frame wants more than 128 MiB
 * of memory; a later one is damage. Several frames behind each other are one file. */
dxt_status unzstd_read(unzstd *from, void *buffer, size_t size, size_t *got);

void unzstd_free(unzstd *from);

#endif
