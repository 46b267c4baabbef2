/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef DXT_HAVE_ZLIB
#include <zlib.h>
#endif

#include "carried.h"
#include "zip.h"

#define CHUNK ((size_t)64 << 10)

typedef enum packing { PLAIN, GZIP, ZIP, PAGE } packing;

struct unpack {
    char *const *paths;
    size_t count, path; /* `path` is under way */
    int fd;
    packing packing;
    bool ended;            /* nothing of the file is left to read */
    unsigned char *buffer; /* of packed bytes, or the first plain ones */
    size_t used, at;
    zip_archive zip;
    carried *page;
    size_t member; /* under way */
    char *name;    /* of a member */
#ifdef DXT_HAVE_ZLIB
    z_stream stream;
    bool inflating;
    dxt_status failed; /* what the next read returns: what came out before it counts */
#endif
};

/* ---- packed bytes ---- */

/* Read on into an empty buffer. @return false on a failure, with errno. */
static bool fill(unpack *files)
{
    ssize_t got;
    do got = read(files->fd, files->buffer, CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0) return false;
    files->used = (size_t)got;
    files->at = 0;
    files->ended = got == 0;
    return true;
}

static dxt_status read_plain(unpack *files, void *buffer, size_t size, size_t *got)
{
    if (files->at < files->used) {
        *got = files->used - files->at < size ? files->used - files->at : size;
        memcpy(buffer, files->buffer + files->at, *got);
        files->at += *got;
        return DXT_OK;
    }
    if (files->ended) return DXT_OK;
    ssize_t read_now;
    do read_now = read(files->fd, buffer, size);
    while (read_now < 0 && errno == EINTR);
    if (read_now < 0) return DXT_ERR_IO;
    *got = (size_t)read_now;
    files->ended = read_now == 0;
    return DXT_OK;
}

#ifdef DXT_HAVE_ZLIB

static void stop_inflating(unpack *files)
{
    if (files->inflating) inflateEnd(&files->stream);
    files->inflating = false;
}

static dxt_status start_inflating(unpack *files, int bits)
{
    stop_inflating(files);
    files->stream = (z_stream){0};
    files->failed = DXT_OK;
    if (inflateInit2(&files->stream, bits) != Z_OK) return DXT_ERR_NO_MEMORY;
    files->inflating = true;
    return DXT_OK;
}

/* Several streams behind each other are one file, as gzip has it; anything else is padding. */
static bool next_stream(unpack *files)
{
    z_stream *stream = &files->stream;
    return stream->avail_in >= 2 && stream->next_in[0] == 0x1f && stream->next_in[1] == 0x8b &&
           inflateReset(stream) == Z_OK;
}

static dxt_status read_gzip(unpack *files, void *buffer, size_t size, size_t *got)
{
    z_stream *stream = &files->stream;
    stream->next_out = buffer;
    stream->avail_out = (uInt)(size < 1u << 30 ? size : 1u << 30);
    size_t room = stream->avail_out;
    while (stream->avail_out == room && files->inflating) {
        if (stream->avail_in == 0 && !files->ended) {
            if (!fill(files)) return DXT_ERR_IO;
            stream->next_in = files->buffer;
            stream->avail_in = (uInt)files->used;
        }
        if (stream->avail_in == 0 && files->ended) return DXT_ERR_FORMAT;
        int result = inflate(stream, Z_NO_FLUSH);
        if (result == Z_STREAM_END) {
            if (!next_stream(files)) stop_inflating(files);
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            files->failed = result == Z_MEM_ERROR ? DXT_ERR_NO_MEMORY : DXT_ERR_FORMAT;
            stop_inflating(files);
        }
    }
    *got = room - stream->avail_out;
    return *got > 0 ? DXT_OK : files->failed;
}

static dxt_status read_deflated(unpack *files, void *buffer, size_t size, size_t *got)
{
    z_stream *stream = &files->stream;
    if (!files->inflating) return files->failed;
    stream->next_out = buffer;
    stream->avail_out = (uInt)(size < 1u << 30 ? size : 1u << 30);
    size_t room = stream->avail_out;
    int result = inflate(stream, Z_NO_FLUSH);
    *got = room - stream->avail_out;
    if (result == Z_OK && *got > 0) return DXT_OK;
    if (result != Z_STREAM_END)
        files->failed = result == Z_MEM_ERROR ? DXT_ERR_NO_MEMORY : DXT_ERR_FORMAT;
    stop_inflating(files);
    return *got > 0 ? DXT_OK : files->failed;
}

#else

static void stop_inflating(unpack *files)
{
    (void)files;
}

static dxt_status read_gzip(unpack *files, void *buffer, size_t size, size_t *got)
{
    (void)files, (void)buffer, (void)size, (void)got;
    return DXT_ERR_UNSUPPORTED;
}

static dxt_status read_deflated(unpack *files, void *buffer, size_t size, size_t *got)
{
    return read_gzip(files, buffer, size, got);
}

#endif

static dxt_status read_page(unpack *files, void *buffer, size_t size, size_t *got)
{
    dxt_status status = DXT_OK;
    while (*got == 0 && status == DXT_OK) {
        if (files->at == files->used && !files->ended && !fill(files)) return DXT_ERR_IO;
        const unsigned char *at = files->buffer + files->at;
        size_t left = files->used - files->at;
        status = carried_take(files->page, &at, &left, buffer, size, got);
        files->at = files->used - left;
        if (files->ended) break;
    }
    return status;
}

/* ---- members of an archive ---- */

static dxt_status read_member(unpack *files, void *buffer, size_t size, size_t *got)
{
    const zip_member *member = &files->zip.members[files->member];
    if (member->deflated) return read_deflated(files, buffer, size, got);
    size_t left = member->size - files->at;
    *got = left < size ? left : size;
    memcpy(buffer, member->bytes + files->at, *got);
    files->at += *got;
    return DXT_OK;
}

static dxt_status begin_member(unpack *files)
{
    const zip_member *member = &files->zip.members[files->member];
    free(files->name);
    files->at = 0;
    if (asprintf(&files->name, "%s:%s", files->paths[files->path], member->name) < 0) {
        files->name = NULL;
        return DXT_ERR_NO_MEMORY;
    }
#ifdef DXT_HAVE_ZLIB
    if (member->deflated) {
        dxt_status status = start_inflating(files, -MAX_WBITS);
        if (status != DXT_OK) return status;
        files->stream.next_in = (Bytef *)(uintptr_t)member->bytes;
        files->stream.avail_in = (uInt)member->size;
    }
    return DXT_OK;
#else
    return member->deflated ? DXT_ERR_UNSUPPORTED : DXT_OK;
#endif
}

/* ---- files ---- */

static void end_file(unpack *files)
{
    stop_inflating(files);
    zip_free(&files->zip);
    carried_end(files->page);
    files->page = NULL;
    free(files->name);
    files->name = NULL;
    if (files->fd > STDIN_FILENO) close(files->fd);
    files->fd = -1;
}

/* How the file is packed, by its first bytes. */
static dxt_status detect(unpack *files)
{
    const unsigned char *b = files->buffer;
    if (files->used >= 2 && b[0] == 0x1f && b[1] == 0x8b) {
        files->packing = GZIP;
#ifdef DXT_HAVE_ZLIB
        dxt_status status = start_inflating(files, 16 + MAX_WBITS);
        files->stream.next_in = files->buffer;
        files->stream.avail_in = (uInt)files->used;
        return status;
#else
        return DXT_ERR_UNSUPPORTED;
#endif
    }
    if (files->used >= 4 && memcmp(b, "PK\3\4", 4) == 0) {
        files->packing = ZIP;
        dxt_status status = zip_read(&files->zip, files->buffer, files->used, files->fd);
        files->member = 0;
        return status == DXT_OK ? begin_member(files) : status;
    }
    if (files->used >= strlen(CARRIED_MAGIC) &&
        memcmp(b, CARRIED_MAGIC, strlen(CARRIED_MAGIC)) == 0) {
        files->packing = PAGE;
        files->page = carried_begin();
        return files->page ? DXT_OK : DXT_ERR_NO_MEMORY;
    }
    return DXT_OK;
}

static dxt_status begin_file(unpack *files)
{
    const char *path = files->paths[files->path];
    bool standard = strcmp(path, "-") == 0;
    struct stat about;
    files->packing = PLAIN;
    files->ended = false;
    files->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (files->fd < 0) return DXT_ERR_IO;
    if (fstat(files->fd, &about) == 0 && S_ISDIR(about.st_mode)) {
        errno = EISDIR;
        return DXT_ERR_IO;
    }
    return fill(files) ? detect(files) : DXT_ERR_IO;
}

const char *unpack_name(const unpack *files)
{
    if (files->name) return files->name;
    const char *path = files->paths[files->path];
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static const char *reason(dxt_status status)
{
    switch (status) {
    case DXT_ERR_IO: return strerror(errno);
    case DXT_ERR_FORMAT: return "a zip archive that is damaged, or none";
    case DXT_ERR_LIMIT: return "a zip archive of more than 1 GiB or 65535 members";
    case DXT_ERR_UNSUPPORTED:
        return "packed, and this build has no zlib (zcat FILE | deepxtrace analyze -)";
    default: return "out of memory";
    }
}

dxt_status unpack_open(char *const *paths, size_t count, unpack **files, char *why, size_t why_size)
{
    unpack *made = calloc(1, sizeof *made);
    unsigned char *buffer = malloc(CHUNK);
    if (!made || !buffer) {
        free(made);
        free(buffer);
        snprintf(why, why_size, "out of memory");
        return DXT_ERR_NO_MEMORY;
    }
    *made = (unpack){.paths = paths, .count = count, .fd = -1, .buffer = buffer};
    dxt_status status = begin_file(made);
    if (status == DXT_OK) {
        *files = made;
        return DXT_OK;
    }
    snprintf(why, why_size, "%s: %s", unpack_name(made), reason(status));
    unpack_close(made);
    return status;
}

bool unpack_is_page(const unpack *files)
{
    return files->packing == PAGE;
}

dxt_status unpack_read(void *context, void *buffer, size_t size, size_t *got)
{
    unpack *files = context;
    *got = 0;
    if (files->packing == GZIP) return read_gzip(files, buffer, size, got);
    if (files->packing == PAGE) return read_page(files, buffer, size, got);
    return files->packing == ZIP ? read_member(files, buffer, size, got)
                                 : read_plain(files, buffer, size, got);
}

dxt_status unpack_next(void *context, const char **name)
{
    unpack *files = context;
    dxt_status status = DXT_OK;
    if (files->packing == ZIP && files->member + 1 < files->zip.count) {
        files->member++;
        status = begin_member(files);
    } else if (files->path + 1 < files->count) {
        end_file(files);
        files->path++;
        status = begin_file(files);
    } else {
        return DXT_END;
    }
    *name = unpack_name(files);
    return status;
}

void unpack_close(unpack *files)
{
    if (!files) return;
    end_file(files);
    free(files->buffer);
    free(files);
}
