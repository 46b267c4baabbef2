/* SPDX-License-Identifier: Apache-2.0 */
#include "follow.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Of the first line so much makes the identity of a file. */
#define IDENTITY_BYTES 65536

/* ---- which files ---- */

static bool ends_in(const char *name, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length >= n && memcmp(name + length - n, end, n) == 0;
}

/* "x.jsonl", "x.jsonl.1", "x.log.2026-11-26", "x.jsonl.3.gz": its length up to the kind. */
static bool is_followed_name(const char *name, bool *log, bool *packed)
{
    size_t length = strlen(name);
    *packed = ends_in(name, length, ".gz");
    if (*packed) length -= 3;
    size_t end = length;
    while (end > 0 && (isdigit((unsigned char)name[end - 1]) || name[end - 1] == '-')) end--;
    if (end < length && end > 0 && name[end - 1] == '.') length = end - 1;
    *log = ends_in(name, length, ".log");
    return name[0] != '.' && (*log || ends_in(name, length, ".jsonl"));
}

static bool add(follower *f, const char *path, bool log, bool packed)
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
    f->files[f->count++] =
        (followed){.path = copy, .log = log, .packed = packed, .seen = true, .size = -1};
    return true;
}

struct entry {
    char *path;
    struct timespec time;
    bool log, packed;
};

static int older_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->time.tv_sec != y->time.tv_sec) return x->time.tv_sec < y->time.tv_sec ? -1 : 1;
    if (x->time.tv_nsec != y->time.tv_nsec) return x->time.tv_nsec < y->time.tv_nsec ? -1 : 1;
    return strcmp(x->path, y->path);
}

static bool scan_folder(follower *f, const char *folder, DIR *open)
{
    struct entry *entries = NULL;
    size_t count = 0, capacity = 0;
    bool well = true;
    for (struct dirent *d; well && (d = readdir(open));) {
        struct entry e = {0};
        struct stat info;
        if (!is_followed_name(d->d_name, &e.log, &e.packed)) continue;
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
        well = well && add(f, entries[i].path, entries[i].log, entries[i].packed);
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
        bool log, packed;
        is_followed_name(slash ? slash + 1 : f->inputs[i], &log, &packed);
        well = add(f, f->inputs[i], log, packed);
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

static ssize_t packed_line(gzFile packed, char **line, size_t *capacity)
{
    size_t used = 0;
    for (;;) {
        if (*capacity < used + 2) {
            size_t grown = *capacity ? 2 * *capacity : 65536;
            char *larger = grown <= FOLLOW_MAX_LINE ? realloc(*line, grown) : NULL;
            if (!larger) return -1;
            *line = larger;
            *capacity = grown;
        }
        size_t room = *capacity - used;
        if (!gzgets(packed, *line + used, room > INT32_MAX ? INT32_MAX : (int)room)) {
            int error;
            gzerror(packed, &error);
            return error == Z_OK || error == Z_BUF_ERROR ? 0 : -1;
        }
        size_t more = strlen(*line + used);
        used += more;
        if (used > 0 && (*line)[used - 1] == '\n') return (ssize_t)used;
        if (more + 1 < room) return 0; /* the file ends here, without a newline */
    }
}

ssize_t follow_line(text_source *source, char **line, size_t *capacity)
{
    if (source->packed) return packed_line(source->packed, line, capacity);
    errno = 0;
    ssize_t length = getline(line, capacity, source->plain);
    if (length < 0) return errno == 0 || feof(source->plain) ? 0 : -1;
    return length > 0 && (*line)[length - 1] == '\n' ? length : 0;
}

static uint64_t hash(const char *bytes, size_t size)
{
    uint64_t value = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        value = (value ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return value;
}

bool follow_seek(text_source *source, int64_t position)
{
    if (source->packed) return gzseek(source->packed, position, SEEK_SET) == position;
    return fseeko(source->plain, position, SEEK_SET) == 0;
}

/* A link is followed, as every reader does; what is no file any more is not waited for. */
static int open_text(const followed *file, text_source *source)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0) return errno;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        close(fd);
        return EINVAL;
    }
    if (file->packed)
        source->packed = gzdopen(fd, "rb");
    else
        source->plain = fdopen(fd, "rb");
    if (source->packed || source->plain) return 0;
    close(fd);
    return ENOMEM;
}

int follow_open(const followed *file, text_source *source, char *identity)
{
    char *line = NULL;
    size_t capacity = 0;
    *source = (text_source){0};
    identity[0] = '\0';
    int error = open_text(file, source);
    if (error != 0) return error;
    ssize_t length = follow_line(source, &line, &capacity);
    if (length > 0) {
        size_t part = length < IDENTITY_BYTES ? (size_t)length : IDENTITY_BYTES;
        snprintf(identity, 40, "%016" PRIx64 "-%zx", hash(line, part), (size_t)length);
    }
    free(line);
    if (length < 0) {
        follow_close(source);
        return EIO;
    }
    return 0;
}

void follow_close(text_source *source)
{
    if (source->plain) fclose(source->plain);
    if (source->packed) gzclose(source->packed);
    *source = (text_source){0};
}

void follow_free(follower *f)
{
    for (size_t i = 0; i < f->count; i++) free(f->files[i].path);
    free(f->files);
    f->files = NULL;
    f->count = f->capacity = 0;
}
