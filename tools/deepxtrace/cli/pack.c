/* SPDX-License-Identifier: Apache-2.0 */
#include "pack.h"

#include <stdbool.h>
#include <stdlib.h>

#ifdef DXT_HAVE_ZLIB
#include <zlib.h>

#define MEMORY 9
/* Up to here time does not matter: the smallest is best. */
#define SMALL ((size_t)1 << 20)
/* So much from the middle tells what is best for all of it. */
#define SAMPLE ((size_t)1 << 18)

/* A way to deflate. */
struct way {
    int level, strategy;
};
static const struct way thorough = {6, Z_DEFAULT_STRATEGY};
/* For many numbers: those that repeat are found quickly, those that do not are not looked for. */
static const struct way quick[] = {{1, Z_DEFAULT_STRATEGY}, {1, Z_HUFFMAN_ONLY}};

/* @return What is packed, and its size; NULL if there is no memory. */
static unsigned char *deflated(const void *data, size_t size, struct way way, size_t *packed_size)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, way.level, Z_DEFLATED, -MAX_WBITS, MEMORY, way.strategy) != Z_OK)
        return NULL;
    uLong bound = deflateBound(&stream, (uLong)size);
    unsigned char *bytes = malloc(bound);
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)size;
    stream.next_out = bytes;
    stream.avail_out = (uInt)bound;
    bool done = bytes && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    *packed_size = stream.total_out;
    deflateEnd(&stream);
    if (done) return bytes;
    free(bytes);
    return NULL;
}

/* The way that makes least of a sample. */
static struct way way_for(const char *data, size_t size)
{
    struct way best = thorough;
    size_t least = SIZE_MAX, packed_size;
    if (size <= SMALL) return thorough;
    for (size_t i = 0; i < sizeof quick / sizeof quick[0]; i++) {
        unsigned char *bytes = deflated(data + (size - SAMPLE) / 2, SAMPLE, quick[i], &packed_size);
        if (bytes && packed_size < least) {
            least = packed_size;
            best = quick[i];
        }
        free(bytes);
    }
    return best;
}

static dxt_status pack(const void *data, size_t size, void **packed, size_t *packed_size)
{
    size_t used;
    if (size > UINT32_MAX / 2) return DXT_ERR_LIMIT;
    unsigned char *bytes = deflated(data, size, way_for(data, size), &used);
    if (!bytes) return DXT_ERR_NO_MEMORY;
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
