/* SPDX-License-Identifier: Apache-2.0 */
#include "growing.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "system/clock.h"
#include "system/order.h"

#define PIECE ((size_t)1 << 20)
/* A longer line is none that anybody writes: 4096 ranks take less. */
#define LONGEST ((size_t)1 << 30)
/* The last window of a log is whole when nothing more has come for so long. */
#define SETTLE_NS INT64_C(3000000000)
/* Of the first line so much says which file it is. */
#define IDENTITY_BYTES ((size_t)64 << 10)

/* ---- which files ---- */

static bool ends_in(const char *name, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length > n && memcmp(name + length - n, end, n) == 0;
}

/* "x.jsonl", "x.jsonl.1", "x.log.2026-11-26.gz": what it is, as `serve` has it. */
static growing_kind kind_of_name(const char *name, bool *log)
{
    size_t length = strlen(name);
    bool gzip = ends_in(name, length, ".gz"), zstd = ends_in(name, length, ".zst");
    bool packed = gzip || zstd;
    if (packed) length -= gzip ? 3 : 4;
    size_t end = length;
    while (end > 0 && (isdigit((unsigned char)name[end - 1]) || name[end - 1] == '-')) end--;
    if (end < length && end > 0 && name[end - 1] == '.') length = end - 1;
    bool lines = ends_in(name, length, ".jsonl");
    *log = ends_in(name, length, ".log");
    if (name[0] == '.' || (!lines && !*log)) return GROWING_UNKNOWN;
    return packed ? GROWING_PACKED : lines ? GROWING_LINES : GROWING_LOG;
}

static growing_file *find(growing *f, const struct stat *about)
{
    for (size_t i = 0; i < f->file_count; i++)
        if (f->files[i].device == about->st_dev && f->files[i].inode == about->st_ino)
            return &f->files[i];
    return NULL;
}

/* @return false with errno if it cannot be opened. A file that was renamed is the one it was. */
static bool add(growing *f, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct stat about;
    bool log;
    growing_kind kind = kind_of_name(slash ? slash + 1 : path, &log);
    if (stat(path, &about) == 0 && find(f, &about)) return true;
    if (f->file_count == GROWING_FILES) return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        int error = fd < 0 ? errno : EINVAL;
        if (fd >= 0) close(fd);
        errno = error;
        return false;
    }
    char *copy = strdup(path);
    if (!copy) {
        close(fd);
        errno = ENOMEM;
        return false;
    }
    f->files[f->file_count++] = (growing_file){.path = copy,
                                               .fd = fd,
                                               .device = about.st_dev,
                                               .inode = about.st_ino,
                                               .kind = kind,
                                               .log = log,
                                               .size = -1,
                                               .enough = PIECE};
    return true;
}

struct entry {
    char path[4096];
    struct timespec time;
};

static int older_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return dxt_older_first(&x->time, x->path, &y->time, y->path);
}

/* Those that are new, the oldest first. */
static void scan(growing *f, const char *folder)
{
    DIR *list = opendir(folder);
    struct entry *entries = NULL, e;
    size_t count = 0;
    for (const struct dirent *d; list && count < GROWING_FILES && (d = readdir(list));) {
        struct stat about;
        bool log;
        if (kind_of_name(d->d_name, &log) == GROWING_UNKNOWN) continue;
        int length = snprintf(e.path, sizeof e.path, "%s/%s", folder, d->d_name);
        if (length < 0 || (size_t)length >= sizeof e.path) continue;
        if (stat(e.path, &about) != 0 || !S_ISREG(about.st_mode) || find(f, &about)) continue;
        if (!entries) entries = malloc(GROWING_FILES * sizeof *entries);
        if (!entries) break;
        e.time = about.st_mtim;
        entries[count++] = e;
    }
    if (count > 0) qsort(entries, count, sizeof *entries, older_first);
    for (size_t i = 0; i < count; i++) add(f, entries[i].path);
    free(entries);
    if (list) closedir(list);
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

outcome growing_begin(growing *f, char **operands, size_t count)
{
    f->operands = operands;
    f->count = count;
    for (size_t i = 0; i < count; i++) {
        if (is_folder(operands[i])) {
            scan(f, operands[i]);
        } else if (!add(f, operands[i])) {
            if (errno == ENOMEM) return complain_memory("top");
            return complain("top", "%s: %s", operands[i],
                            errno == EINVAL ? "not a file or folder" : strerror(errno));
        }
    }
    return GO_ON;
}

/* ---- what a file is ---- */

/* Whatever its name: what is packed is unpacked, and a brace begins a recording. */
static void see_kind(growing_file *file)
{
    static const char page[] = "<!DOCTYPE html>";
    unsigned char first[16] = {0};
    ssize_t got = pread(file->fd, first, sizeof first, 0);
    if (got <= 0) return;
    bool gzip = first[0] == 0x1f && first[1] == 0x8b;
    bool packed = gzip || memcmp(first, "PK\3\4", 4) == 0 ||
                  memcmp(first, "\x28\xb5\x2f\xfd", 4) == 0 ||
                  memcmp(first, page, sizeof page - 1) == 0;
    if (packed)
        file->kind = GROWING_PACKED;
    else if (file->kind == GROWING_UNKNOWN || file->kind == GROWING_PACKED)
        file->kind = first[0] == '{' ? GROWING_LINES : GROWING_LOG;
    file->log |= file->kind == GROWING_LOG;
}

/* Of a first line, or its beginning; never 0. */
static uint64_t hash(const char *bytes, size_t size)
{
    const char *end = memchr(bytes, '\n', size < IDENTITY_BYTES ? size : IDENTITY_BYTES);
    if (!end && size < IDENTITY_BYTES) return 0;
    uint64_t value = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < (end ? (size_t)(end - bytes) : IDENTITY_BYTES); i++)
        value = (value ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return value ? value : 1;
}

/* The beginning of what is in a packed file. @return DXT_ERR_NO_MEMORY; else DXT_OK: what cannot be
 * read has no identity. */
static dxt_status identify(growing_file *file)
{
    unpack *files = NULL;
    char why[1200], *text = malloc(IDENTITY_BYTES);
    size_t used = 0, got = 1;
    if (!text) return DXT_ERR_NO_MEMORY;
    dxt_status status = unpack_open(&file->path, 1, &files, why, sizeof why);
    while (status == DXT_OK && got > 0 && used < IDENTITY_BYTES) {
        status = unpack_read(files, text + used, IDENTITY_BYTES - used, &got);
        if (status == DXT_OK) used += got;
    }
    file->identity = hash(text, used);
    unpack_close(files);
    free(text);
    return status == DXT_ERR_NO_MEMORY ? status : DXT_OK;
}

/* Whether a packed file is one that was read before somebody packed it. */
static bool was_read(growing *f, growing_file *file)
{
    f->failed = identify(file);
    for (const growing_file *other = f->files; other < file; other++)
        if (file->identity != 0 && other->identity == file->identity) return true;
    return f->failed != DXT_OK;
}

/* ---- reading ---- */

static void take_line(growing *f, size_t index, const char *line, size_t size)
{
    dxt_reader *reader;
    dxt_window *window = NULL;
    dxt_status status = dxt_reader_open_memory(line, size, f->files[index].path, &reader);
    if (status == DXT_OK) {
        status = dxt_reader_next(reader, &window);
        dxt_reader_close(reader);
    }
    if (status == DXT_OK)
        growing_give(f, index, window);
    else if (status == DXT_ERR_NO_MEMORY)
        f->failed = status;
    else
        f->bad++;
}

/* Take the whole lines, and keep the rest. */
static void cut_lines(growing *f, size_t index)
{
    growing_file *file = &f->files[index];
    char *at = file->buffer, *end = file->buffer + file->used, *newline;
    while (f->failed == DXT_OK && (newline = memchr(at, '\n', (size_t)(end - at)))) {
        if (newline > at) take_line(f, index, at, (size_t)(newline - at));
        at = newline + 1;
    }
    file->used = (size_t)(end - at);
    memmove(file->buffer, at, file->used);
    if (file->used > LONGEST) file->used = 0;
}

/* A piece more of the text. @return Whether any came. */
static bool read_piece(growing *f, growing_file *file)
{
    struct stat about;
    /* One that was cut begins again. */
    if (fstat(file->fd, &about) == 0 && about.st_size < file->position) {
        file->position = 0;
        file->used = 0;
    }
    if (file->capacity - file->used < PIECE + 1) {
        size_t capacity = 2 * file->capacity + PIECE + 1;
        char *grown = realloc(file->buffer, capacity);
        if (!grown) f->failed = DXT_ERR_NO_MEMORY;
        if (!grown) return false;
        file->buffer = grown;
        file->capacity = capacity;
    }
    ssize_t got = pread(file->fd, file->buffer + file->used, PIECE, file->position);
    if (got <= 0) return false;
    if (file->position == (off_t)file->used && file->identity == 0)
        file->identity = hash(file->buffer, file->used + (size_t)got);
    file->used += (size_t)got;
    file->position += got;
    file->grown_ns = dxt_clock_ns(CLOCK_MONOTONIC);
    file->looked = false;
    return true;
}

static bool read_log(growing *f, size_t index)
{
    growing_file *file = &f->files[index];
    if (read_piece(f, file)) {
        if (file->used < file->enough) return true;
        growing_cut_log(f, index, false);
        file->enough = file->used < PIECE ? PIECE : 2 * file->used;
        return true;
    }
    if (file->looked || file->used == 0) return false;
    bool whole = f->once || dxt_clock_ns(CLOCK_MONOTONIC) - file->grown_ns > SETTLE_NS;
    bool waits = file->enough == 0; /* all but the last window was taken */
    if (!whole && waits) return false;
    file->looked = whole;
    file->enough = whole ? PIECE : 0;
    return growing_cut_log(f, index, whole);
}

static bool read_packed(growing *f, size_t index)
{
    growing_file *file = &f->files[index];
    struct stat about;
    if (!file->reader) {
        if (fstat(file->fd, &about) != 0 || about.st_size == file->size) return false;
        file->size = about.st_size;
        if (file->given == 0 && was_read(f, file)) return false;
    }
    return growing_unpack(f, index);
}

static bool read_some(growing *f, size_t index, bool logs)
{
    growing_file *file = &f->files[index];
    if (file->position == 0 && !file->reader && file->size < 0) see_kind(file);
    if (file->kind == GROWING_UNKNOWN || f->failed != DXT_OK) return false;
    if ((file->kind == GROWING_LOG) != logs) return false;
    if (file->kind == GROWING_LOG) return read_log(f, index);
    if (file->kind == GROWING_PACKED) return read_packed(f, index);
    if (!read_piece(f, file)) return false;
    cut_lines(f, index);
    return true;
}

bool growing_step(growing *f)
{
    bool any = false;
    for (size_t i = 0; i < f->count; i++)
        if (is_folder(f->operands[i])) scan(f, f->operands[i]);
    for (size_t i = 0; i < f->file_count; i++) any |= read_some(f, i, false);
    /* Which instances have a recording is known before their logs are looked at. */
    for (size_t i = 0; i < f->file_count && !any; i++) any = read_some(f, i, true);
    return any;
}

void growing_end(growing *f)
{
    for (size_t i = 0; i < f->file_count; i++) {
        dxt_reader_close(f->files[i].reader);
        unpack_close(f->files[i].packed);
        close(f->files[i].fd);
        free(f->files[i].path);
        free(f->files[i].buffer);
    }
    f->file_count = 0;
}
