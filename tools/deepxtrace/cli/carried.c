/* SPDX-License-Identifier: Apache-2.0 */
#include "carried.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef DXT_HAVE_ZLIB
#include <zlib.h>
#endif

/* What a piece begins with. Its first character is nowhere else in it. */
static const char begin[] = "<script type=\"text/plain\" class=\"raw\" data-coding=\"";
/* What a whole page ends with. */
static const char page_end[] = "</html>";
static const char packed_end[] = "deflate-raw\">", plain_end[] = "plain\">";

struct carried {
    enum { SEEKING, CODING, DATA } where;
    size_t matched; /* characters of what is sought, or of the coding */
    char coding[sizeof packed_end];
    bool packed;      /* the piece is */
    bool done;        /* its stream has ended */
    uint32_t bits;    /* of base64 under way */
    unsigned sextets; /* how many */
    bool padded;      /* its end was met */
    size_t ending;    /* characters of the page's end that were met */
    unsigned char decoded[4096];
    size_t used, at; /* of these */
#ifdef DXT_HAVE_ZLIB
    z_stream stream;
    bool inflating;
#endif
};

carried *carried_begin(void)
{
    return calloc(1, sizeof(carried));
}

static void stop_inflating(carried *page)
{
#ifdef DXT_HAVE_ZLIB
    if (page->inflating) inflateEnd(&page->stream);
    page->inflating = false;
#else
    (void)page;
#endif
}

void carried_end(carried *page)
{
    if (page) stop_inflating(page);
    free(page);
}

static dxt_status begin_piece(carried *page)
{
    page->where = DATA;
    page->bits = page->sextets = 0;
    page->padded = page->done = false;
    if (!page->packed) return DXT_OK;
#ifdef DXT_HAVE_ZLIB
    page->stream = (z_stream){0};
    if (inflateInit2(&page->stream, -MAX_WBITS) != Z_OK) return DXT_ERR_NO_MEMORY;
    page->inflating = true;
    return DXT_OK;
#else
    return DXT_ERR_UNSUPPORTED;
#endif
}

/* One character before or within the begin of a piece. */
static dxt_status seek(carried *page, char c)
{
    if (page->where == SEEKING) {
        if (page_end[page->ending])
            page->ending = c == page_end[page->ending] ? page->ending + 1 : c == page_end[0];
        page->matched = c == begin[page->matched] ? page->matched + 1 : c == begin[0];
        if (begin[page->matched]) return DXT_OK;
        page->where = CODING;
        page->matched = 0;
        return DXT_OK;
    }
    page->coding[page->matched++] = c;
    page->coding[page->matched] = '\0';
    bool packed = strcmp(page->coding, packed_end) == 0;
    if (packed || strcmp(page->coding, plain_end) == 0) {
        page->packed = packed;
        return begin_piece(page);
    }
    return page->matched + 1 < sizeof page->coding ? DXT_OK : DXT_ERR_FORMAT;
}

static int value_of(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* One character of base64; blanks and ends of lines may stand between. */
static dxt_status decode(carried *page, unsigned char c)
{
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') return DXT_OK;
    if (c == '=') {
        page->padded = true;
        return DXT_OK;
    }
    int value = value_of(c);
    if (value < 0 || page->padded) return DXT_ERR_FORMAT;
    page->bits = page->bits << 6 | (uint32_t)value;
    if (++page->sextets % 4 == 1) return DXT_OK;
    unsigned shift = 6 - 2 * ((page->sextets - 1) % 4);
    page->decoded[page->used++] = (unsigned char)(page->bits >> shift);
    return DXT_OK;
}

/* Bytes of the recording out of those that were decoded. */
static dxt_status give(carried *page, unsigned char *buffer, size_t size, size_t *got)
{
    size_t there = page->used - page->at;
    if (!page->packed) {
        size_t count = there < size ? there : size;
        memcpy(buffer, page->decoded + page->at, count);
        page->at += count;
        *got = count;
        return DXT_OK;
    }
#ifdef DXT_HAVE_ZLIB
    z_stream *stream = &page->stream;
    if (page->done) return there ? DXT_ERR_FORMAT : DXT_OK;
    stream->next_in = page->decoded + page->at;
    stream->avail_in = (uInt)there;
    stream->next_out = buffer;
    stream->avail_out = (uInt)(size < 1u << 30 ? size : 1u << 30);
    size_t room = stream->avail_out;
    int result = inflate(stream, Z_NO_FLUSH);
    *got = room - stream->avail_out;
    page->at = page->used - stream->avail_in;
    page->done = result == Z_STREAM_END;
    if (result == Z_MEM_ERROR) return DXT_ERR_NO_MEMORY;
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? DXT_OK
                                                                             : DXT_ERR_FORMAT;
#else
    return DXT_ERR_UNSUPPORTED;
#endif
}

/* A piece ends whole. */
static dxt_status end_piece(carried *page)
{
    bool whole = !page->packed || page->done;
    stop_inflating(page);
    page->where = SEEKING;
    page->matched = page->ending = 1; /* the character that ended it */
    return whole ? DXT_OK : DXT_ERR_FORMAT;
}

dxt_status carried_take(carried *page, const unsigned char **bytes, size_t *left, void *buffer,
                        size_t size, size_t *got)
{
    dxt_status status = DXT_OK;
    bool ended = *left == 0;
    *got = 0;
    while (status == DXT_OK && *got == 0) {
        /* All that there is, before more is taken: a packed byte may be many. */
        if (page->where == DATA) status = give(page, buffer, size, got);
        if (status != DXT_OK || *got > 0 || *left == 0) break;
        if (page->at == page->used) page->at = page->used = 0;
        if (page->where == DATA && page->used == sizeof page->decoded) return DXT_ERR_FORMAT;
        for (bool more = true; more && *left > 0 && status == DXT_OK; ++*bytes, --*left) {
            unsigned char c = **bytes;
            if (page->where != DATA) {
                status = seek(page, (char)c);
                continue;
            }
            if (c == '<' && page->used > page->at) break;
            if (c == '<')
                status = end_piece(page);
            else
                status = decode(page, c);
            more = page->where != DATA || page->used < sizeof page->decoded;
        }
    }
    /* A page that ends without its end is cut, if not within a piece. */
    bool cut = ended && *got == 0 && (page->where != SEEKING || page_end[page->ending]);
    return status == DXT_OK && cut ? DXT_ERR_FORMAT : status;
}
