/* SPDX-License-Identifier: Apache-2.0 */
/* Files of rank 0, which hold whole lines whatever happens to the disk, and whoever is forked. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pmpi.h"

/* Files of older jobs in a folder: then the newest is written over. */
#define MOST_OLDER 9999

struct pmpi_file {
    FILE *file; /* which writes into fd */
    int fd;
    pid_t pid; /* who made it */
    char *path;
    off_t whole;  /* bytes that were written with success */
    int error;    /* of what was added since; 0 = none */
    bool failing; /* the last part was left out, and that was said */
    bool begun;   /* something was added since the last commit */
};

/* What an earlier job, or one that this one has started, has written there gets another name. */
static void keep_older(const char *path)
{
    char older[PATH_MAX];
    struct stat file;
    const char *dot = strrchr(path, '.');
    bool is_there = lstat(path, &file) == 0 && S_ISREG(file.st_mode) && file.st_size > 0;
    for (int number = 1; dot && is_there && number <= MOST_OLDER; number++) {
        snprintf(older, sizeof older, "%.*s.%d%s", (int)(dot - path), path, number, dot);
        if (access(older, F_OK) == 0) continue;
        rename(path, older);
        return;
    }
}

/* A forked child has a copy of what is not written yet, and its exit() would write that. */
static ssize_t write_own(void *context, const char *data, size_t size)
{
    pmpi_file *file = context;
    size_t done = 0;
    while (file->pid == getpid() && done < size) {
        ssize_t count = write(file->fd, data + done, size - done);
        if (count < 0 && errno != EINTR) return 0;
        if (count > 0) done += (size_t)count;
    }
    return (ssize_t)size;
}

static int make(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

static bool open_stream(pmpi_file *file, const char *path)
{
    file->pid = getpid();
    file->path = strdup(path);
    if (!file->path) return false;
    file->fd = make(path);
    if (file->fd < 0) return false;
    file->file = fopencookie(file, "w", (cookie_io_functions_t){.write = write_own});
    return file->file != NULL;
}

pmpi_file *pmpi_file_open(const char *path)
{
    pmpi_file *made = calloc(1, sizeof *made);
    if (made) {
        made->fd = -1;
        keep_older(path);
        if (open_stream(made, path)) return made;
    }
    pmpi_say("%s: %s", path, strerror(errno));
    if (made && made->fd >= 0) close(made->fd);
    if (made) free(made->path);
    free(made);
    return NULL;
}

/* Make again what somebody has removed, perhaps with its folder: nobody could read it there. */
static void make_again(pmpi_file *file)
{
    char folder[PATH_MAX];
    struct stat is;
    if (fstat(file->fd, &is) != 0 || is.st_nlink > 0) return;
    snprintf(folder, sizeof folder, "%s", file->path);
    int fd = make(file->path);
    if (fd < 0 && errno == ENOENT && mkdir(dirname(folder), 0777) == 0) fd = make(file->path);
    if (fd < 0) {
        file->error = errno;
        return;
    }
    close(file->fd);
    file->fd = fd;
    file->whole = 0;
}

dxt_status pmpi_file_put(void *context, const void *data, size_t size)
{
    pmpi_file *file = context;
    if (file && !file->begun) make_again(file);
    if (file) file->begun = true;
    if (!file || fwrite(data, 1, size, file->file) == size) return DXT_OK;
    file->error = errno;
    return DXT_ERR_IO;
}

/* Leave out what has not been written as a whole. */
static void cut_back(pmpi_file *file)
{
    __fpurge(file->file);
    clearerr(file->file);
    if (ftruncate(file->fd, file->whole) == 0) lseek(file->fd, file->whole, SEEK_SET);
    if (!file->failing)
        pmpi_say("%s: %s; windows are missing in it", file->path, strerror(file->error));
    file->failing = true;
    file->error = 0;
}

void pmpi_file_commit(pmpi_file *file)
{
    if (!file) return;
    file->begun = false;
    if (fflush(file->file) != 0 && file->error == 0) file->error = errno;
    if (file->error != 0) {
        cut_back(file);
        return;
    }
    file->whole = lseek(file->fd, 0, SEEK_CUR);
    file->failing = false;
}

void pmpi_file_close(pmpi_file *file)
{
    if (!file) return;
    pmpi_file_commit(file);
    fclose(file->file);
    close(file->fd);
    free(file->path);
    free(file);
}
