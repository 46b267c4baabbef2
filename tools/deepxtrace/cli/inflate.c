/* SPDX-License-Identifier: Apache-2.0 */
#include "inflate.h"

#include <stdlib.h>
#include <string.h>

#ifdef DXT_HAVE_ZLIB
#include <zlib.h>

struct inflater {
    inflate_read_fn read;
    void *context;
    z_stream stream;
    bool gzip;
    bool running;      /* the stream is under way */
    bool ended;        /* nothing packed is left to read */
    dxt_status failed; /* what the next read returns: what came out before it counts */
    unsigned char packed[INFLATE_CHUNK];
};

dxt_status inflater_create(inflate_read_fn read, void *context, bool gzip, inflater **made)
{
    inflater *from = calloc(1, sizeof *from);
    if (!from) return DXT_ERR_NO_MEMORY;
    from->read = read;
    from->context = context;
    from->gzip = gzip;
    if (inflateInit2(&from->stream, gzip ? 16 + MAX_WBITS : -MAX_WBITS) != Z_OK) {
        free(from);
        return DXT_ERR_NO_MEMORY;
    }
    from->running = true;
    *made = from;
    return DXT_OK;
}

/* Have packed bytes at hand: at least `least`, unless there are no more. */
static dxt_status fill(inflater *from, size_t least)
{
    z_stream *stream = &from->stream;
    while (stream->avail_in < least && !from->ended) {
        size_t got = 0;
        if (stream->avail_in > 0) memmove(from->packed, stream->next_in, stream->avail_in);
        dxt_status status = from->read(from->context, from->packed + stream->avail_in,
                                       sizeof from->packed - stream->avail_in, &got);
        if (status != DXT_OK) return status;
        from->ended = got == 0;
        stream->next_in = from->packed;
        stream->avail_in += (uInt)got;
    }
    return DXT_OK;
}

/* A stream has ended. Several behind each other are one file, as gzip has it; anything else is
 * padding. */
static dxt_status end_stream(inflater *from)
{
    z_stream *stream = &from->stream;
    dxt_status status = from->gzip ? fill(from, 2) : DXT_OK;
    bool more = status == DXT_OK && from->gzip && stream->avail_in >= 2 &&
                stream->next_in[0] == 0x1f && stream->next_in[1] == 0x8b &&
                inflateReset(stream) == Z_OK;
    from->running = more;
    return status;
}

dxt_status inflater_read(inflater *from, void *buffer, size_t size, size_t *got)
{
    z_stream *stream = &from->stream;
    uInt room = (uInt)(size < 1u << 30 ? size : 1u << 30);
    *got = 0;
    if (size == 0) return DXT_OK; /* nothing would ever come out */
    stream->next_out = buffer;
    stream->avail_out = room;
    while (stream->avail_out == room && from->running) {
        dxt_status status = fill(from, 1);
        if (status == DXT_OK && stream->avail_in == 0) status = DXT_ERR_FORMAT;
        int result = status == DXT_OK ? inflate(stream, Z_NO_FLUSH) : Z_OK;
        if (result == Z_STREAM_END)
            status = end_stream(from);
        else if (result != Z_OK && result != Z_BUF_ERROR)
            status = result == Z_MEM_ERROR ? DXT_ERR_NO_MEMORY : DXT_ERR_FORMAT;
        if (status == DXT_OK) continue;
        from->failed = status;
        from->running = false;
    }
    *got = room - stream->avail_out;
    return *got > 0 ? DXT_OK : from->failed;
}

void inflater_free(inflater *from)
{
    if (!from) return;
    inflateEnd(&from->stream);
    free(from);
}

#else

dxt_status inflater_create(inflate_read_fn read, void *context, bool gzip, inflater **made)
{
    (void)read, (void)context, (void)gzip, (void)made;
    return DXT_ERR_UNSUPPORTED;
}

dxt_status inflater_read(inflater *from, void *buffer, size_t size, size_t *got)
{
    (void)from, (void)buffer, (void)size, (void)got;
    return DXT_ERR_UNSUPPORTED;
}

void inflater_free(inflater *from)
{
    (void)from;
}

#endif
