/* SPDX-License-Identifier: Apache-2.0 */
#include "unzstd.h"

#include <stdbool.h>
#include <stdlib.h>

#include "system/zstd.h"

struct unzstd {
    const dxt_zstd *library;
    inflate_read_fn read;
    void *context;
    void *stream;
    dxt_zstd_in in;
    bool between;      /* frames: the last one has ended */
    bool full;         /* more may come out without more going in */
    bool any;          /* something has come out */
    dxt_status failed; /* what the next read returns: what came out before it counts */
    bool ended;
    unsigned char packed[INFLATE_CHUNK];
};

dxt_status unzstd_create(inflate_read_fn read, void *context, unzstd **made)
{
    const dxt_zstd *library = dxt_zstd_library();
    if (!library) return DXT_ERR_UNSUPPORTED;
    unzstd *from = calloc(1, sizeof *from);
    void *stream = from ? library->create() : NULL;
    if (!stream) {
        free(from);
        return DXT_ERR_NO_MEMORY;
    }
    from->library = library;
    from->read = read;
    from->context = context;
    from->stream = stream;
    from->in.data = from->packed;
    from->between = true;
    *made = from;
    return DXT_OK;
}

/* Have packed bytes at hand. @return DXT_END behind the last one. */
static dxt_status fill(unzstd *from)
{
    size_t got = 0;
    dxt_status status = from->read(from->context, from->packed, sizeof from->packed, &got);
    from->in.at = 0;
    from->in.size = status == DXT_OK ? got : 0;
    if (status == DXT_OK && got == 0) return from->between ? DXT_END : DXT_ERR_FORMAT;
    return status;
}

/* Unpack what is at hand. @return DXT_OK; DXT_ERR_FORMAT; DXT_END. */
static dxt_status unpack_some(unzstd *from, dxt_zstd_out *out)
{
    if (from->in.at == from->in.size && !from->full) {
        dxt_status status = fill(from);
        if (status != DXT_OK) return status;
    }
    size_t result = from->library->decompress(from->stream, out, &from->in);
    if (from->library->is_error(result)) {
        bool large = from->library->error_code(result) == DXT_ZSTD_WINDOW_TOO_LARGE;
        return large && !from->any ? DXT_ERR_LIMIT : DXT_ERR_FORMAT;
    }
    from->any = from->any || out->at > 0;
    from->between = result == 0;
    from->full = out->at == out->size && !from->between;
    return DXT_OK;
}

dxt_status unzstd_read(unzstd *from, void *buffer, size_t size, size_t *got)
{
    dxt_zstd_out out = {buffer, size, 0};
    while (out.at == 0 && size > 0 && !from->ended) {
        dxt_status status = unpack_some(from, &out);
        from->ended = status != DXT_OK;
        if (status != DXT_OK && status != DXT_END) from->failed = status;
    }
    *got = out.at;
    return out.at > 0 ? DXT_OK : from->failed;
}

void unzstd_free(unzstd *from)
{
    if (!from) return;
    from->library->release(from->stream);
    free(from);
}
