/* SPDX-License-Identifier: Apache-2.0 */
#include "growing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"

#define PIECE ((size_t)1 << 20)
/* A longer line is none that anybody writes: 4096 ranks take less. */
#define LONGEST ((size_t)1 << 30)

static bool is_known(const growing *f, const char *path)
{
    for (size_t i = 0; i < f->file_count; i++)
        if (strcmp(f->files[i].path, path) == 0) return true;
    return false;
}

/* @return false with errno if it cannot be opened. */
static bool add(growing *f, const char *path)
{
    if (f->file_count == GROWING_FILES || is_known(f, path)) return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about;
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
    f->files[f->file_count++] = (growing_file){.path = copy, .fd = fd};
    return true;
}

static bool is_recording(const char *name)
{
    size_t length = strlen(name);
    return length > 6 && strcmp(name + length - 6, ".jsonl") == 0;
}

static void scan(growing *f, const char *folder)
{
    DIR *list = opendir(folder);
    char path[4096];
    for (const struct dirent *entry; list && (entry = readdir(list));) {
        if (entry->d_name[0] == '.' || !is_recording(entry->d_name)) continue;
        int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (length > 0 && (size_t)length < sizeof path) add(f, path);
    }
    if (list) closedir(list);
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

outcome growing_begin(growing *f, char **operands, size_t count)
{
    *f = (growing){.operands = operands, .count = count};
    for (size_t i = 0; i < count; i++) {
        if (is_folder(operands[i])) {
            scan(f, operands[i]);
        } else if (!add(f, operands[i])) {
            return complain("top", "%s: %s", operands[i],
                            errno == EINVAL ? "is no file" : strerror(errno));
        }
    }
    return GO_ON;
}

/* Hand over the whole lines, and keep the rest. */
static void cut_lines(growing *f, size_t index, growing_fn take, void *context)
{
    growing_file *file = &f->files[index];
    char *at = file->buffer, *end = file->buffer + file->used, *newline;
    while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
        *newline = '\0';
        if (newline > at) take(context, index, at, (size_t)(newline - at));
        at = newline + 1;
    }
    file->used = (size_t)(end - at);
    memmove(file->buffer, at, file->used);
    if (file->used > LONGEST) file->used = 0;
}

static bool read_some(growing *f, size_t index, growing_fn take, void *context)
{
    growing_file *file = &f->files[index];
    struct stat about;
    /* One that was cut begins again. */
    off_t at = lseek(file->fd, 0, SEEK_CUR);
    if (fstat(file->fd, &about) == 0 && about.st_size < at) {
        lseek(file->fd, 0, SEEK_SET);
        file->used = 0;
    }
    if (file->capacity - file->used < PIECE) {
        size_t capacity = 2 * file->capacity + PIECE;
        char *grown = realloc(file->buffer, capacity);
        if (!grown) return false;
        file->buffer = grown;
        file->capacity = capacity;
    }
    ssize_t got = read(file->fd, file->buffer + file->used, PIECE);
    if (got <= 0) return false;
    file->used += (size_t)got;
    cut_lines(f, index, take, context);
    return true;
}

bool growing_step(growing *f, growing_fn take, void *context)
{
    bool any = false;
    for (size_t i = 0; i < f->count; i++)
        if (is_folder(f->operands[i])) scan(f, f->operands[i]);
    for (size_t i = 0; i < f->file_count; i++) any |= read_some(f, i, take, context);
    return any;
}

void growing_end(growing *f)
{
    for (size_t i = 0; i < f->file_count; i++) {
        close(f->files[i].fd);
        free(f->files[i].path);
        free(f->files[i].buffer);
    }
    f->file_count = 0;
}
