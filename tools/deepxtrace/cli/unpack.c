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
#include "inflate.h"
#include "unzstd.h"
#include "zip.h"

/* So many bytes tell what a file is. */
#define LOOK_SIZE 64
/* Deepest packing: a member of an archive that is packed with gzip, within gzip. */
#define MOST_LAYERS 4

/* The first bytes of what is under way, which tell what it is, and what follows them. */
typedef struct head {
    unsigned char *bytes; /* INFLATE_CHUNK */
    size_t size, at;
    dxt_status failed;
} head;

/* What packs something; its bytes come from the layer below. */
typedef struct layer {
    unpack *files;
    size_t below;
    head head;
    inflater *inflater; /* gzip, or bare deflate */
    unzstd *zstd;       /* or this */
} layer;

typedef enum packing { PACKED_NOT, PACKED_DEFLATE, PACKED_GZIP, PACKED_ZSTD } packing;

struct unpack {
    char *const *paths;
    size_t count, path; /* `path` is under way */
    int fd;
    layer layers[MOST_LAYERS];
    size_t depth;    /* layers in use */
    size_t archive;  /* of these, below an archive */
    bool in_archive; /* a member of `zip` is under way */
    zip_archive zip;
    size_t member, member_at;
    carried *page;   /* that is under way */
    head page_bytes; /* of it, that were read and not taken yet */
    char *name;      /* of a member */
    head head;       /* of what lies on top */
    packing missing; /* that cannot be unpacked here */
};

/* ---- layers ---- */

/* Bytes as they lie in the file, or in the archive. */
static dxt_status read_base(unpack *files, void *buffer, size_t size, size_t *got)
{
    if (files->in_archive) {
        const zip_member *member = &files->zip.members[files->member];
        size_t left = member->size - files->member_at;
        *got = left < size ? left : size;
        memcpy(buffer, member->bytes + files->member_at, *got);
        files->member_at += *got;
        return DXT_OK;
    }
    ssize_t read_now;
    do read_now = read(files->fd, buffer, size);
    while (read_now < 0 && errno == EINTR);
    if (read_now < 0) return DXT_ERR_IO;
    *got = (size_t)read_now;
    return DXT_OK;
}

/* Unpacked bytes of so many layers. Those below an archive have been read to their end. */
static dxt_status pull(unpack *files, size_t depth, void *buffer, size_t size, size_t *got)
{
    *got = 0;
    bool base = depth == 0 || (files->in_archive && depth == files->archive);
    if (base) return read_base(files, buffer, size, got);
    const layer *top = &files->layers[depth - 1];
    return top->zstd ? unzstd_read(top->zstd, buffer, size, got)
                     : inflater_read(top->inflater, buffer, size, got);
}

/* The first bytes, then the rest. */
static dxt_status read_on(unpack *files, head *first, size_t depth, void *buffer, size_t size,
                          size_t *got)
{
    size_t left = first->size - first->at;
    *got = 0;
    if (left == 0 && first->failed != DXT_OK) return first->failed;
    if (left == 0) return pull(files, depth, buffer, size, got);
    *got = left < size ? left : size;
    memcpy(buffer, first->bytes + first->at, *got);
    first->at += *got;
    return DXT_OK;
}

static dxt_status read_below(void *context, void *buffer, size_t size, size_t *got)
{
    layer *above = context;
    return read_on(above->files, &above->head, above->below, buffer, size, got);
}

static dxt_status make_head(head *made)
{
    *made = (head){.bytes = malloc(INFLATE_CHUNK)};
    return made->bytes ? DXT_OK : DXT_ERR_NO_MEMORY;
}

/* Put a layer over what lies on top, whose first bytes it takes over. */
static dxt_status add_layer(unpack *files, packing kind)
{
    layer *made = &files->layers[files->depth];
    head fresh;
    dxt_status status = make_head(&fresh);
    if (status != DXT_OK) return status;
    *made = (layer){.files = files, .below = files->depth};
    if (kind == PACKED_ZSTD)
        status = unzstd_create(read_below, made, &made->zstd);
    else
        status = inflater_create(read_below, made, kind == PACKED_GZIP, &made->inflater);
    if (status != DXT_OK) {
        free(fresh.bytes);
        return status;
    }
    made->head = files->head;
    files->head = fresh;
    files->depth++;
    return DXT_OK;
}

static void drop_layers(unpack *files, size_t keep)
{
    while (files->depth > keep) {
        layer *top = &files->layers[--files->depth];
        inflater_free(top->inflater);
        unzstd_free(top->zstd);
        free(top->head.bytes);
    }
    files->head.size = files->head.at = 0;
    files->head.failed = DXT_OK;
}

/* ---- what it is ---- */

/* Look at the first bytes. Whoever writes into a pipe is not waited for: one read has to do. */
static dxt_status fill_head(unpack *files)
{
    head *first = &files->head;
    bool packed = files->depth > 0 || files->in_archive;
    size_t got = 1;
    do {
        dxt_status status = pull(files, files->depth, first->bytes + first->size,
                                 INFLATE_CHUNK - first->size, &got);
        bool large = status == DXT_ERR_LIMIT;
        if (status == DXT_ERR_IO || status == DXT_ERR_NO_MEMORY || (large && !files->in_archive))
            return status;
        /* The other members of an archive count. */
        first->failed = large ? DXT_ERR_FORMAT : status;
        first->size += got;
    } while (packed && first->failed == DXT_OK && got > 0 && first->size < LOOK_SIZE);
    return DXT_OK;
}

static dxt_status read_top(void *context, void *buffer, size_t size, size_t *got)
{
    unpack *files = context;
    return read_on(files, &files->head, files->depth, buffer, size, got);
}

static packing packing_of(const head *first)
{
    static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (first->size >= sizeof gzip && memcmp(first->bytes, gzip, sizeof gzip) == 0)
        return PACKED_GZIP;
    static const unsigned char skipped[] = {0x2a, 0x4d, 0x18};
    if (first->size < sizeof zstd) return PACKED_NOT;
    /* What pzstd writes begins with a frame that says how long the next one is. */
    bool frame =
        (first->bytes[0] & 0xf0) == 0x50 && memcmp(first->bytes + 1, skipped, sizeof skipped) == 0;
    return frame || memcmp(first->bytes, zstd, sizeof zstd) == 0 ? PACKED_ZSTD : PACKED_NOT;
}

/* Put layers over gzip and zstd until something else lies on top. */
static dxt_status open_packed(unpack *files)
{
    for (;;) {
        dxt_status status = fill_head(files);
        packing kind = packing_of(&files->head);
        if (status == DXT_ERR_LIMIT) files->missing = PACKED_ZSTD;
        if (status != DXT_OK || kind == PACKED_NOT || files->depth == MOST_LAYERS) return status;
        status = add_layer(files, kind);
        if (status == DXT_ERR_UNSUPPORTED) files->missing = kind;
        if (status != DXT_OK) return status;
    }
}

static dxt_status begin_member(unpack *files)
{
    const zip_member *member = &files->zip.members[files->member];
    drop_layers(files, files->archive);
    free(files->name);
    files->member_at = 0;
    if (asprintf(&files->name, "%s:%s", files->paths[files->path], member->name) < 0) {
        files->name = NULL;
        return DXT_ERR_NO_MEMORY;
    }
    dxt_status status = DXT_OK;
    if (member->deflated && files->depth < MOST_LAYERS) status = add_layer(files, PACKED_DEFLATE);
    return status == DXT_OK ? open_packed(files) : status;
}

static dxt_status begin_page(unpack *files)
{
    dxt_status status = make_head(&files->page_bytes);
    if (status == DXT_OK) files->page = carried_begin();
    return files->page ? DXT_OK : DXT_ERR_NO_MEMORY;
}

/* The recording that a page carries. */
static dxt_status read_page(unpack *files, void *buffer, size_t size, size_t *got)
{
    head *bytes = &files->page_bytes;
    dxt_status status = DXT_OK;
    *got = 0;
    while (*got == 0 && status == DXT_OK) {
        size_t more = 1;
        if (bytes->at == bytes->size) {
            status = read_top(files, bytes->bytes, INFLATE_CHUNK, &more);
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

/* A file is what it is unpacked, the members of an archive, or the recording in a page. */
static dxt_status detect(unpack *files)
{
    dxt_status status = open_packed(files);
    const head *first = &files->head;
    size_t magic = strlen(CARRIED_MAGIC);
    if (status == DXT_OK && first->size >= magic && memcmp(first->bytes, CARRIED_MAGIC, magic) == 0)
        return begin_page(files);
    if (status != DXT_OK || first->size < 4 || memcmp(first->bytes, "PK\3\4", 4) != 0)
        return status;
    status = zip_read(&files->zip, read_top, files);
    if (status != DXT_OK) return status;
    files->archive = files->depth;
    files->in_archive = true;
    files->member = 0;
    return begin_member(files);
}

/* ---- files ---- */

static void end_file(unpack *files)
{
    drop_layers(files, 0);
    zip_free(&files->zip);
    files->in_archive = false;
    files->archive = 0;
    carried_end(files->page);
    free(files->page_bytes.bytes);
    files->page = NULL;
    files->page_bytes = (head){.bytes = NULL};
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
    return detect(files);
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
        if (files->missing == PACKED_ZSTD)
            return "packed with zstd --long=28 or more (zstd -dc --long=31 FILE | deepxtrace "
                   "analyze -)";
        return "a zip archive of more than 1 GiB or 65535 members";
    case DXT_ERR_UNSUPPORTED:
        if (files->missing == PACKED_ZSTD)
            return "reading it needs libzstd: install Debian's libzstd1";
        return "packed, and this build has no zlib (zcat FILE | deepxtrace analyze -)";
    default: return "out of memory";
    }
}

dxt_status unpack_open(char *const *paths, size_t count, unpack **files, char *why, size_t why_size)
{
    unpack *made = calloc(1, sizeof *made);
    if (!made || make_head(&made->head) != DXT_OK) {
        free(made);
        snprintf(why, why_size, "out of memory");
        return DXT_ERR_NO_MEMORY;
    }
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
    return read_top(files, buffer, size, got);
}

dxt_status unpack_next(void *context, const char **name)
{
    unpack *files = context;
    dxt_status status = DXT_OK;
    if (files->in_archive && files->member + 1 < files->zip.count) {
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
    free(files->head.bytes);
    free(files);
}
