/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <stdbool.h>
#include <stdlib.h>

#ifdef DXT_HAVE_ZLIB
#include <zlib.h>

#define LEVEL 6
#define MEMORY 9

static dxt_status pack(const void *data, size_t size, void **packed, size_t *packed_size)
{
    z_stream stream = {0};
    if (size > UINT32_MAX / 2) return DXT_ERR_LIMIT;
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, -MAX_WBITS, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return DXT_ERR_NO_MEMORY;
    uLong bound = deflateBound(&stream, (uLong)size);
    unsigned char *bytes = malloc(bound);
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)size;
    stream.next_out = bytes;
    stream.avail_out = (uInt)bound;
    bool done = bytes && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    size_t used = stream.total_out;
    deflateEnd(&stream);
    if (!done) {
        free(bytes);
        return DXT_ERR_NO_MEMORY;
    }
    unsigned char *fitting = realloc(bytes, used);
    *packed = fitting ? fitting : bytes;
    *packed_size = used;
    return DXT_OK;
}

dxt_pack_fn cli_pack(void)
{
    return pack;
}

#else

dxt_pack_fn cli_pack(void)
{
    return NULL;
}

#endif
