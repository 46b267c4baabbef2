/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "system/zstd.h"

#define CHUNK ((size_t)64 << 10)

struct text_source {
    text_packing packing;
    int fd;     /* −1: the gzFile's */
    gzFile gz;  /* gzip */
    void *zstd; /* a stream */
    dxt_zstd_in packed;
    bool between; /* the last frame of zstd has ended */
    bool any;     /* some text was read */
    bool ended;
    char *buffer; /* of text, CHUNK bytes, and of zstd as much before it is unpacked */
    size_t at, used;
};

/* ---- opening ---- */

static const char *no_memory(void)
{
    errno = ENOMEM;
    return "out of memory";
}

static const char *begin_packed(text_source *s)
{
    if (s->packing == TEXT_GZIP) {
        s->gz = gzdopen(s->fd, "rb");
        if (!s->gz) return no_memory();
        s->fd = -1;
        gzbuffer(s->gz, (unsigned)CHUNK);
    } else if (s->packing == TEXT_ZSTD) {
        const dxt_zstd *z = dxt_zstd_library();
        if (!z) {
            errno = ENOSYS;
            return "reading it needs libzstd: install Debian's libzstd1";
        }
        s->zstd = z->create();
        if (!s->zstd) return no_memory();
    }
    s->buffer = malloc(s->packing == TEXT_ZSTD ? 2 * CHUNK : CHUNK);
    return s->buffer ? NULL : no_memory();
}

const char *text_open(const char *path, text_packing packing, text_source **source)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd < 0) return strerror(errno);
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        errno = EINVAL;
        return "not a file";
    }
    text_source *s = calloc(1, sizeof *s);
    if (!s) {
        close(fd);
        return no_memory();
    }
    *s = (text_source){.packing = packing, .fd = fd};
    const char *why = begin_packed(s);
    int error = errno;
    if (why)
        text_close(s);
    else
        *source = s;
    errno = error;
    return why;
}

void text_close(text_source *source)
{
    if (!source) return;
    if (source->gz) gzclose(source->gz);
    if (source->zstd) dxt_zstd_library()->release(source->zstd);
    if (source->fd >= 0) close(source->fd);
    free(source->buffer);
    free(source);
}

/* ---- reading ---- */

static ssize_t read_file(int fd, void *buffer, size_t size)
{
    ssize_t got;
    do got = read(fd, buffer, size);
    while (got < 0 && errno == EINTR);
    return got;
}

static ssize_t read_gzip(text_source *s, void *buffer, size_t size)
{
    int error;
    errno = 0;
    int got = gzread(s->gz, buffer, (unsigned)size);
    gzerror(s->gz, &error);
    /* Z_BUF_ERROR: the file ends in the middle. */
    if (got < 0 && error != Z_BUF_ERROR) errno = error == Z_MEM_ERROR ? ENOMEM : EBADMSG;
    s->between = got == 0 && error == Z_OK && !gzdirect(s->gz);
    return got < 0 && error == Z_BUF_ERROR ? 0 : got;
}

static ssize_t read_zstd(text_source *s, void *buffer, size_t size)
{
    const dxt_zstd *z = dxt_zstd_library();
    dxt_zstd_out out = {buffer, size, 0};
    while (out.at == 0) {
        size_t before = s->packed.at;
        bool more = before < s->packed.size || !s->between;
        size_t result = more ? z->decompress(s->zstd, &out, &s->packed) : 1;
        if (z->is_error(result)) {
            errno = EBADMSG;
            return -1;
        }
        if (more && s->packed.size > 0) s->between = result == 0;
        if (out.at > 0 || s->packed.at < s->packed.size) continue;
        ssize_t got = read_file(s->fd, s->buffer + CHUNK, CHUNK);
        if (got <= 0) return got;
        s->packed = (dxt_zstd_in){s->buffer + CHUNK, (size_t)got, 0};
        s->between = false;
    }
    return (ssize_t)out.at;
}

/* Read more text, at most as much as fits. */
static ssize_t unpack(text_source *s, void *buffer, size_t size)
{
    if (size > CHUNK) size = CHUNK;
    ssize_t got = s->packing == TEXT_GZIP   ? read_gzip(s, buffer, size)
                  : s->packing == TEXT_ZSTD ? read_zstd(s, buffer, size)
                                            : read_file(s->fd, buffer, size);
    s->any |= got > 0;
    s->ended = got == 0;
    return got;
}

/* @return Whether the buffer has text; −1 as text_read(). */
static int fill(text_source *s)
{
    if (s->at < s->used) return 1;
    ssize_t got = unpack(s, s->buffer, CHUNK);
    s->at = 0;
    s->used = got > 0 ? (size_t)got : 0;
    return got > 0 ? 1 : (int)got;
}

static size_t take(text_source *s, void *to, size_t size)
{
    size_t part = s->used - s->at < size ? s->used - s->at : size;
    if (to) memcpy(to, s->buffer + s->at, part);
    s->at += part;
    return part;
}

ssize_t text_read(text_source *source, void *buffer, size_t size)
{
    size_t got = 0;
    while (got < size) {
        int more = fill(source);
        if (more < 0) return -1;
        if (more == 0) break;
        got += take(source, (char *)buffer + got, size - got);
    }
    return (ssize_t)got;
}

static bool rewind_packed(text_source *s)
{
    s->at = s->used = 0;
    s->any = s->ended = s->between = false;
    if (s->packing == TEXT_GZIP) return gzrewind(s->gz) == 0;
    s->packed = (dxt_zstd_in){0};
    return lseek(s->fd, 0, SEEK_SET) == 0 &&
           !dxt_zstd_library()->is_error(dxt_zstd_library()->begin(s->zstd));
}

bool text_seek(text_source *source, int64_t position)
{
    if (source->packing == TEXT_PLAIN) {
        source->at = source->used = 0;
        return lseek(source->fd, position, SEEK_SET) == position;
    }
    if (!rewind_packed(source)) return false;
    while (position > 0) {
        if (fill(source) <= 0) return false;
        position -=
            (int64_t)take(source, NULL, position < (int64_t)CHUNK ? (size_t)position : CHUNK);
    }
    return true;
}

/* Make room for `size` bytes and a 0. */
static bool grow(char **line, size_t *capacity, size_t size)
{
    if (*capacity > size) return true;
    size_t grown = 2 * size + 256;
    char *larger = realloc(*line, grown);
    if (!larger) return false;
    *line = larger;
    *capacity = grown;
    return true;
}

int64_t text_line(text_source *source, char **line, size_t *capacity, size_t *kept)
{
    int64_t length = 0;
    *kept = 0;
    for (;;) {
        int more = fill(source);
        if (more <= 0) return more;
        const char *begin = source->buffer + source->at;
        const char *end = memchr(begin, '\n', source->used - source->at);
        size_t part = end ? (size_t)(end - begin) + 1 : source->used - source->at;
        length += (int64_t)part;
        bool keep = length <= (int64_t)TEXT_MOST;
        if (keep && !grow(line, capacity, (size_t)length)) {
            errno = ENOMEM;
            return -1;
        }
        take(source, keep ? *line + *kept : NULL, part);
        *kept = keep ? (size_t)length : 0;
        if (keep) (*line)[*kept] = '\0';
        if (end) return length;
    }
}

bool text_is_whole(const text_source *source)
{
    return source->ended && source->any && source->between;
}
