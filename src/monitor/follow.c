/* SPDX-License-Identifier: Apache-2.0 */
#include "follow.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "system/order.h"

/* How much of a line counts for the identity of a file, and how much text is read to find it. */
#define IDENTITY_BYTES 65536

/* ---- which files ---- */

static bool ends_in(const char *name, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length >= n && memcmp(name + length - n, end, n) == 0;
}

/* Whether a file of a folder is followed, by its name: "x.jsonl", "x.jsonl.1", "x.log.2026-11-26",
 * "x.jsonl.3.zst". */
static bool is_followed_name(const char *name, bool *log, text_packing *packing)
{
    size_t length = strlen(name);
    *packing = ends_in(name, length, ".gz")    ? TEXT_GZIP
               : ends_in(name, length, ".zst") ? TEXT_ZSTD
                                               : TEXT_PLAIN;
    if (*packing != TEXT_PLAIN) length -= *packing == TEXT_GZIP ? 3 : 4;
    size_t end = length;
    while (end > 0 && (isdigit((unsigned char)name[end - 1]) || name[end - 1] == '-')) end--;
    if (end < length && end > 0 && name[end - 1] == '.') length = end - 1;
    *log = ends_in(name, length, ".log");
    return name[0] != '.' && (*log || ends_in(name, length, ".jsonl"));
}

static bool add(follower *f, const char *path, bool log, text_packing packing)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->files[i].path, path) != 0) continue;
        f->files[i].seen = true;
        return true;
    }
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 16;
        followed *grown = realloc(f->files, capacity * sizeof *grown);
        if (!grown) return false;
        f->files = grown;
        f->capacity = capacity;
    }
    char *copy = strdup(path);
    if (!copy) return false;
    f->files[f->count++] = (followed){
        .path = copy, .log = log, .packing = packing, .seen = true, .size = -1, .settled = -1};
    return true;
}

struct entry {
    char *path;
    struct timespec time;
    bool log;
    text_packing packing;
};

static int older_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return dxt_older_first(&x->time, x->path, &y->time, y->path);
}

static bool scan_folder(follower *f, const char *folder, DIR *open)
{
    struct entry *entries = NULL;
    size_t count = 0, capacity = 0;
    bool well = true;
    for (struct dirent *d; well && (d = readdir(open));) {
        struct entry e = {0};
        struct stat info;
        if (!is_followed_name(d->d_name, &e.log, &e.packing)) continue;
        well = asprintf(&e.path, "%s/%s", folder, d->d_name) >= 0;
        if (!well) break;
        if (stat(e.path, &info) != 0 || !S_ISREG(info.st_mode)) {
            free(e.path);
            continue;
        }
        e.time = info.st_mtim;
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            struct entry *grown = realloc(entries, capacity * sizeof *grown);
            if (!grown) {
                free(e.path);
                well = false;
                break;
            }
            entries = grown;
        }
        entries[count++] = e;
    }
    if (count > 0) qsort(entries, count, sizeof *entries, older_first);
    for (size_t i = 0; i < count; i++) {
        well = well && add(f, entries[i].path, entries[i].log, entries[i].packing);
        free(entries[i].path);
    }
    free(entries);
    return well;
}

bool follow_scan(follower *f)
{
    bool well = true;
    for (size_t i = 0; i < f->count; i++) f->files[i].seen = false;
    for (size_t i = 0; well && i < f->input_count; i++) {
        DIR *folder = opendir(f->inputs[i]);
        if (folder) {
            well = scan_folder(f, f->inputs[i], folder);
            closedir(folder);
            continue;
        }
        const char *slash = strrchr(f->inputs[i], '/');
        bool log;
        text_packing packing;
        is_followed_name(slash ? slash + 1 : f->inputs[i], &log, &packing);
        well = add(f, f->inputs[i], log, packing);
    }
    return well;
}

bool follow_grew(followed *file, int64_t now_ns)
{
    struct stat info;
    if (file->done || stat(file->path, &info) != 0 || !S_ISREG(info.st_mode)) return false;
    bool same = info.st_dev == file->device && info.st_ino == file->inode;
    if (same && info.st_size == file->size) return false;
    file->device = info.st_dev;
    file->inode = info.st_ino;
    file->size = info.st_size;
    file->grown_ns = now_ns;
    return true;
}

/* ---- their text ---- */

#define HASH_BEGIN UINT64_C(14695981039346656037) /* FNV-1a */

static uint64_t hash(uint64_t value, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return value;
}

/* Whether a line belongs to a window. Other lines often repeat whenever a program starts. */
static bool is_of_window(const char *line, size_t size)
{
    /* Look at the beginning of the line first: lines of recordings are long. */
    static const char *const marks[] = {"\"wait\"", "EPSize:", "rank="};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (size > 0 && memmem(line, size, marks[i], strlen(marks[i]))) return true;
    return false;
}

/* Find the identity of a text: its first lines up to the first line of a window; while it has none,
 * its first line. @param final  Receives whether the identity stays the same when more text comes.
 * @return The bytes of the last line, as text_line(). */
static int64_t identify(text_source *source, char *identity, bool *final)
{
    char *line = NULL;
    size_t capacity = 0, kept;
    uint64_t value = HASH_BEGIN;
    int64_t length, whole = 0;
    *final = false;
    while ((length = text_line(source, &line, &capacity, &kept)) > 0) {
        size_t part = kept < IDENTITY_BYTES ? kept : IDENTITY_BYTES;
        bool first = whole == 0;
        value = hash(value, line, part);
        whole += length;
        bool last = is_of_window(line, kept) || whole >= IDENTITY_BYTES;
        if (first || last)
            snprintf(identity, 40, "%016" PRIx64 "-%" PRIx64, value, (uint64_t)whole);
        *final = last;
        if (last) break;
    }
    free(line);
    return length;
}

/* The hash of the first bytes; 0 if they cannot be read. */
static uint64_t hash_head(text_source *source)
{
    char *head = malloc(IDENTITY_BYTES);
    ssize_t got = head && text_seek(source, 0) ? text_read(source, head, IDENTITY_BYTES) : -1;
    uint64_t value = got == IDENTITY_BYTES ? hash(HASH_BEGIN, head, IDENTITY_BYTES) : 0;
    free(head);
    return value;
}

/* Whether a file is still the same, without reading its first line again, which may have megabytes
 * and take as long as a window. */
static bool is_known(const followed *file, text_source *source)
{
    return file->packing == TEXT_PLAIN && file->head != 0 && file->head_device == file->device &&
           file->head_inode == file->inode && file->size >= file->position &&
           hash_head(source) == file->head;
}

static void remember_head(followed *file, text_source *source, const char *identity, bool final)
{
    file->head = file->packing == TEXT_PLAIN && final ? hash_head(source) : 0;
    file->head_device = file->device;
    file->head_inode = file->inode;
    snprintf(file->known, sizeof file->known, "%s", identity);
}

const char *follow_open(followed *file, text_source **source, char *identity)
{
    bool final;
    *source = NULL;
    identity[0] = '\0';
    const char *why = text_open(file->path, file->packing, source);
    if (why) return why;
    if (is_known(file, *source)) {
        memcpy(identity, file->known, sizeof file->known);
        return NULL;
    }
    /* Pass over the part that was read for the identity. */
    bool well = file->packing != TEXT_PLAIN || text_seek(*source, 0);
    if (well && identify(*source, identity, &final) >= 0) {
        remember_head(file, *source, identity, final);
        return NULL;
    }
    int error = errno;
    text_close(*source);
    *source = NULL;
    errno = error;
    return error == EBADMSG ? "it is damaged" : strerror(error);
}

void follow_free(follower *f)
{
    for (size_t i = 0; i < f->count; i++) free(f->files[i].path);
    free(f->files);
    f->files = NULL;
    f->count = f->capacity = 0;
}
