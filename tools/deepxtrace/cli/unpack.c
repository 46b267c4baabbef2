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

#include "carried.h"
#include "layers.h"
#include "zip.h"

/* A folder of .npz that was zipped. */
#define MOST_ZIPS 2

/* An archive that has been read, and the member under way. */
typedef struct opened {
    zip_archive zip;
    size_t member, at;
    size_t floor; /* layers below it */
} opened;

struct unpack {
    char *const *paths;
    size_t count, path; /* `path` is under way */
    int fd;
    layers packed;
    opened zips[MOST_ZIPS];
    size_t depth;           /* of `zips` */
    carried *page;          /* that is under way */
    bool gave;              /* some of it was read */
    layers_head page_bytes; /* of it, that were read and not taken yet */
    char *name;             /* of a member */
};

static opened *innermost(unpack *files)
{
    return files->depth > 0 ? &files->zips[files->depth - 1] : NULL;
}

/* Where the layers ask for bytes. */
static void set_floor(unpack *files)
{
    const opened *in = innermost(files);
    files->packed.floored = in != NULL;
    files->packed.floor = in ? in->floor : 0;
}

static void leave_zip(unpack *files)
{
    zip_free(&innermost(files)->zip);
    files->depth--;
    set_floor(files);
}

/* Bytes as they lie in the file, or in the innermost archive. */
static dxt_status read_base(void *context, void *buffer, size_t size, size_t *got)
{
    unpack *files = context;
    opened *in = innermost(files);
    if (in) {
        const zip_member *member = &in->zip.members[in->member];
        size_t left = member->size - in->at;
        *got = left < size ? left : size;
        memcpy(buffer, member->bytes + in->at, *got);
        in->at += *got;
        return DXT_OK;
    }
    ssize_t read_now;
    do read_now = read(files->fd, buffer, size);
    while (read_now < 0 && errno == EINTR);
    if (read_now < 0) return DXT_ERR_IO;
    *got = (size_t)read_now;
    return DXT_OK;
}

static dxt_status begin_page(unpack *files)
{
    dxt_status status = layers_make_head(&files->page_bytes);
    if (status == DXT_OK) files->page = carried_begin();
    files->gave = false;
    return files->page ? DXT_OK : DXT_ERR_NO_MEMORY;
}

/* The recording that a page carries. */
static dxt_status read_page(unpack *files, void *buffer, size_t size, size_t *got)
{
    layers_head *bytes = &files->page_bytes;
    dxt_status status = DXT_OK;
    *got = 0;
    while (*got == 0 && status == DXT_OK) {
        size_t more = 1;
        if (bytes->at == bytes->size) {
            status = layers_read(&files->packed, bytes->bytes, INFLATE_CHUNK, &more);
            if (status != DXT_OK) return status;
            bytes->size = more;
            bytes->at = 0;
        }
        const unsigned char *at = bytes->bytes + bytes->at;
        size_t left = bytes->size - bytes->at;
        status = carried_take(files->page, &at, &left, buffer, size, got);
        bytes->at = bytes->size - left;
        if (more == 0) break;
    }
    return status;
}

static void end_page(unpack *files)
{
    carried_end(files->page);
    free(files->page_bytes.bytes);
    files->page = NULL;
    files->page_bytes = (layers_head){.bytes = NULL};
}

static dxt_status begin_member(unpack *files);

static dxt_status begin_zip(unpack *files)
{
    opened made = {.floor = files->packed.depth};
    dxt_status status = zip_read(&made.zip, layers_read, &files->packed);
    if (status == DXT_OK) {
        files->zips[files->depth++] = made;
        set_floor(files);
        return begin_member(files);
    }
    zip_free(&made.zip);
    bool lasting = status == DXT_ERR_IO || status == DXT_ERR_NO_MEMORY;
    if (lasting || (files->depth == 0 && layers_find_tar(&files->packed) == 0)) return status;
    /* The other members of the archive around it count. */
    files->packed.head.size = files->packed.head.at = 0;
    files->packed.head.failed = DXT_ERR_FORMAT;
    return DXT_OK;
}

/* A file is what it is unpacked, the members of an archive, or the recording in a page. */
static dxt_status detect(unpack *files)
{
    dxt_status status = layers_open(&files->packed);
    const layers_head *first = &files->packed.head;
    size_t magic = strlen(CARRIED_MAGIC);
    if (status == DXT_OK && first->size >= magic && memcmp(first->bytes, CARRIED_MAGIC, magic) == 0)
        return begin_page(files);
    bool zip = first->size >= 4 && memcmp(first->bytes, "PK\3\4", 4) == 0;
    return status == DXT_OK && zip && files->depth < MOST_ZIPS ? begin_zip(files) : status;
}

static dxt_status begin_member(unpack *files)
{
    opened *in = innermost(files);
    const zip_member *member = &in->zip.members[in->member];
    layers_drop(&files->packed, in->floor);
    in->at = 0;
    dxt_status status = DXT_OK;
    if (member->deflated && files->packed.depth < LAYERS_MOST)
        status = layers_add(&files->packed, PACKED_DEFLATE);
    return status == DXT_OK ? detect(files) : status;
}

/* The next member of the archive that is uppermost. @return DXT_OK; DXT_END: of none; an error. */
static dxt_status next_member(unpack *files)
{
    end_page(files);
    for (;;) {
        size_t tar = layers_find_tar(&files->packed);
        opened *in = innermost(files);
        if (tar > 0 && (!in || tar > in->floor)) {
            layers_drop(&files->packed, tar);
            dxt_status status = tar_next(files->packed.layers[tar - 1].tar);
            if (status == DXT_OK) return detect(files);
            layers_drop(&files->packed, tar - 1);
            if (status == DXT_ERR_FORMAT) files->packed.head.failed = status;
            if (status != DXT_END) return status == DXT_ERR_FORMAT ? DXT_OK : status;
        } else if (in && in->member + 1 < in->zip.count) {
            in->member++;
            return begin_member(files);
        } else if (in) {
            leave_zip(files);
        } else {
            return DXT_END;
        }
    }
}

/* ---- names ---- */

static bool add_name(unpack *files, const char *member)
{
    char *longer;
    if (asprintf(&longer, "%s:%s", unpack_name(files), member) < 0) return false;
    free(files->name);
    files->name = longer;
    return true;
}

/* "bundle.tar.gz:logs/waits.npz:dispatch.npy". */
static dxt_status name_members(unpack *files)
{
    bool named = true;
    size_t zip = 0;
    free(files->name);
    files->name = NULL;
    for (size_t i = 0; i <= files->packed.depth && named; i++) {
        for (; zip < files->depth && files->zips[zip].floor == i && named; zip++)
            named = add_name(files, files->zips[zip].zip.members[files->zips[zip].member].name);
        if (named && i < files->packed.depth && files->packed.layers[i].tar)
            named = add_name(files, tar_name(files->packed.layers[i].tar));
    }
    return named ? DXT_OK : DXT_ERR_NO_MEMORY;
}

/* ---- files ---- */

static void end_file(unpack *files)
{
    layers_drop(&files->packed, 0);
    while (files->depth > 0) leave_zip(files);
    end_page(files);
    free(files->name);
    files->name = NULL;
    if (files->fd > STDIN_FILENO) close(files->fd);
    files->fd = -1;
}

static dxt_status begin_file(unpack *files)
{
    const char *path = files->paths[files->path];
    bool standard = strcmp(path, "-") == 0;
    struct stat about;
    files->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (files->fd < 0) return DXT_ERR_IO;
    if (fstat(files->fd, &about) == 0 && S_ISDIR(about.st_mode)) {
        errno = EISDIR;
        return DXT_ERR_IO;
    }
    dxt_status status = detect(files);
    return status == DXT_OK ? name_members(files) : status;
}

const char *unpack_name(const unpack *files)
{
    if (files->name) return files->name;
    const char *path = files->paths[files->path];
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static const char *reason(const unpack *files, dxt_status status)
{
    switch (status) {
    case DXT_ERR_IO: return strerror(errno);
    case DXT_ERR_FORMAT: return "a zip archive that is damaged, or none";
    case DXT_ERR_LIMIT:
        if (files->packed.missing == PACKED_ZSTD)
            return "packed with zstd --long=28 or more (zstd -dc --long=31 FILE | deepxtrace "
                   "analyze -)";
        return "a zip archive of more than 1 GiB or 65535 members";
    case DXT_ERR_UNSUPPORTED:
        if (files->packed.missing == PACKED_ZSTD)
            return "reading it needs libzstd: install Debian's libzstd1";
        return "packed, and this build has no zlib (zcat FILE | deepxtrace analyze -)";
    default: return "out of memory";
    }
}

dxt_status unpack_open(char *const *paths, size_t count, unpack **files, char *why, size_t why_size)
{
    unpack *made = calloc(1, sizeof *made);
    if (!made || layers_make_head(&made->packed.head) != DXT_OK) {
        free(made);
        snprintf(why, why_size, "out of memory");
        return DXT_ERR_NO_MEMORY;
    }
    made->packed.read = read_base;
    made->packed.context = made;
    made->paths = paths;
    made->count = count;
    made->fd = -1;
    dxt_status status = begin_file(made);
    if (status == DXT_OK) {
        *files = made;
        return DXT_OK;
    }
    snprintf(why, why_size, "%s: %s", unpack_name(made), reason(made, status));
    unpack_close(made);
    return status;
}

bool unpack_is_page(const unpack *files)
{
    return files->page != NULL;
}

dxt_status unpack_read(void *context, void *buffer, size_t size, size_t *got)
{
    unpack *files = context;
    if (files->page) return read_page(files, buffer, size, got);
    return layers_read(&files->packed, buffer, size, got);
}

dxt_status unpack_read_or_tell(void *context, void *buffer, size_t size, size_t *got)
{
    static const char line[] = CARRIED_MAGIC;
    unpack *files = context;
    dxt_status status = unpack_read(files, buffer, size, got);
    if (status == DXT_OK && files->page && *got == 0 && !files->gave && size >= sizeof line) {
        memcpy(buffer, line, sizeof line - 1);
        *got = sizeof line - 1;
    }
    files->gave = files->gave || *got > 0;
    return status;
}

dxt_status unpack_next(void *context, const char **name)
{
    unpack *files = context;
    dxt_status status = next_member(files);
    if (status == DXT_OK) {
        status = name_members(files);
    } else if (status == DXT_END && files->path + 1 < files->count) {
        end_file(files);
        files->path++;
        status = begin_file(files);
    }
    if (status != DXT_END) *name = unpack_name(files);
    return status;
}

void unpack_close(unpack *files)
{
    if (!files) return;
    end_file(files);
    free(files->packed.head.bytes);
    free(files);
}
