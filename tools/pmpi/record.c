/* SPDX-License-Identifier: Apache-2.0 */
/* Files of rank 0, which hold whole lines whatever happens to the disk, and whoever is forked. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pmpi.h"
#include "system/rename.h"

/* Files of older jobs in a folder: with more, no further job writes there. */
#define MOST_OLDER 9999
/* Jobs that begin there at the same time. */
#define MOST_JOBS 100

struct pmpi_file {
    FILE *file; /* which writes into fd */
    int fd;
    pid_t pid;          /* who made it */
    char *path;         /* from the root, if that could be found: a program may change its folder */
    off_t whole;        /* bytes that were written with success */
    int error;          /* of what was added since; 0 = none */
    bool failing;       /* the last part was left out, and that was said */
    bool begun;         /* something was added since the last commit */
    mode_t mode;        /* who may read and write it */
    bool counts_links;  /* the file system says how many names a file has */
    bool name_was_free; /* when the part before this one began */
};

/* How long a job waits for another one in the folder: one that stopped there holds up nobody. */
#define LOCK_TRIES 50
#define LOCK_PAUSE_NS 1000000L

/* Lock the folder of a file for the moment between a file's change of name and the making of the
 * next one, in which the name is free, so that no other job of this machine takes it for removed.
 * @param locked  Receives whether it is.
 * @return To be closed; -1 where there is no such folder. */
static int lock_folder(const char *path, bool *locked)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *locked = false;
    for (int attempt = 0; fd >= 0 && attempt < LOCK_TRIES && !*locked; attempt++) {
        const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
        if (attempt > 0) nanosleep(&pause, NULL);
        *locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
        if (!*locked && errno != EWOULDBLOCK) break; /* a file system without locks */
    }
    return fd;
}

/* What an earlier job, or another one, has written there gets another name. Anything but a file
 * stays.
 * @return NULL; else why the name is not free, with errno: what is to be done about it. */
static const char *keep_older(const char *path)
{
    char older[PATH_MAX];
    struct stat file;
    const char *dot = strrchr(path, '.');
    if (lstat(path, &file) != 0) return NULL;
    errno = EEXIST;
    if (!dot || !S_ISREG(file.st_mode)) return "this is a link, or no file; move it away";
    for (int number = 1; number <= MOST_OLDER; number++) {
        snprintf(older, sizeof older, "%.*s.%d%s", (int)(dot - path), path, number, dot);
        if (dxt_rename_new(path, older) == 0 || errno == ENOENT) return NULL;
        if (errno != EEXIST) return "the file there cannot get another name; move it away";
    }
    return "thousands of older files are beside it; move them away";
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

/* A copy of a path that leads to the same place whatever the program does. */
static char *from_root(const char *path)
{
    char here[PATH_MAX], whole[PATH_MAX];
    if (path[0] == '/' || !getcwd(here, sizeof here)) return strdup(path);
    while (strncmp(path, "./", 2) == 0) path += 2;
    int length = snprintf(whole, sizeof whole, "%s/%s", here, path);
    return strdup(length < (int)sizeof whole ? whole : path);
}

static void look_at_new(pmpi_file *file)
{
    struct stat is;
    if (fstat(file->fd, &is) != 0) return;
    file->mode = is.st_mode & 0777;
    file->counts_links = is.st_nlink > 0;
}

/* Take over a file that is empty and that no job is about to fill. @return -1 if there is none. */
static int take_empty(const char *path)
{
    struct stat is;
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &is) == 0 && S_ISREG(is.st_mode) &&
        is.st_size == 0)
        return fd;
    close(fd);
    return -1;
}

/* A file that nobody else has: links are not followed, and jobs that begin at the same time have
 * one each, since all lock theirs.
 * @param why  As keep_older() returns it.
 * @return -1 with errno. */
static int make_first(const char *path, const char **why)
{
    bool locked;
    int folder = lock_folder(path, &locked), fd = take_empty(path), error = EEXIST;
    for (int attempt = 0; fd < 0 && error == EEXIST && attempt < MOST_JOBS; attempt++) {
        *why = keep_older(path);
        error = errno;
        if (*why) break;
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        error = fd < 0 ? errno : EEXIST;
        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) continue;
        close(fd); /* another job has found it empty */
        fd = -1;
    }
    if (folder >= 0) close(folder);
    errno = error;
    return fd;
}

static bool open_stream(pmpi_file *file, const char *path, const char **why)
{
    file->pid = getpid();
    file->path = from_root(path);
    if (!file->path) return false;
    file->fd = make_first(file->path, why);
    if (file->fd < 0) return false;
    look_at_new(file);
    file->file = fopencookie(file, "w", (cookie_io_functions_t){.write = write_own});
    return file->file != NULL;
}

pmpi_file *pmpi_file_open(const char *path)
{
    const char *why = NULL;
    pmpi_file *made = calloc(1, sizeof *made);
    if (made) {
        made->fd = -1;
        if (open_stream(made, path, &why)) return made;
    }
    pmpi_say("%s: %s%s%s", path, why && errno != EEXIST ? strerror(errno) : "",
             why && errno != EEXIST ? ": " : "", why ? why : strerror(errno));
    if (made && made->fd >= 0) close(made->fd);
    if (made) free(made->path);
    free(made);
    return NULL;
}

/* Whether somebody has removed the file: nobody could read there what is still written. The name
 * may lead to the file of another job, which has given this one another name and may do so with
 * what is made now. Between the two steps of that the name is free, but not for long. */
static bool is_removed(pmpi_file *file)
{
    struct stat is, there;
    bool was_free = file->name_was_free;
    file->name_was_free = false;
    if (fstat(file->fd, &is) != 0) return true;
    file->mode = is.st_mode & 0777;
    bool without_names = file->counts_links && is.st_nlink == 0;
    if (stat(file->path, &there) == 0)
        return without_names && (there.st_dev != is.st_dev || there.st_ino != is.st_ino);
    file->name_was_free = errno == ENOENT || errno == ENOTDIR;
    return file->name_was_free && (without_names || was_free);
}

static void make_folders(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *end = strchr(folder + 1, '/'); end; end = strchr(end + 1, '/')) {
        *end = '\0';
        mkdir(folder, 0777); /* if it fails and matters, nothing can be made in there */
        *end = '/';
    }
}

/* Nothing that is there is touched, except that a file of others gets another name. */
static int make_new(const char *path, mode_t mode)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    if (keep_older(path)) return -1;
    int fd = open(path, flags, mode);
    if (fd < 0 && errno == ENOENT) {
        make_folders(path);
        fd = open(path, flags, mode);
    }
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(fd); /* another job has found it empty */
        return -1;
    }
    if (fd >= 0) fchmod(fd, mode);
    return fd;
}

/* Make again what was removed, as open to others as it was. */
static void make_again(pmpi_file *file)
{
    struct stat there;
    bool locked;
    if (file->path[0] != '/' || !is_removed(file)) return;
    bool was_free = lstat(file->path, &there) != 0;
    int folder = lock_folder(file->path, &locked);
    /* Between two steps of another job, or a job stands between them: look again the next time. */
    bool between = folder >= 0 && (was_free && (lstat(file->path, &there) == 0 || !locked));
    int fd = between ? -1 : make_new(file->path, file->mode), error = errno;
    if (folder >= 0) close(folder);
    if (between) return;
    if (fd < 0) {
        file->error = error;
        return;
    }
    close(file->fd);
    file->fd = fd;
    file->whole = 0;
    look_at_new(file);
    file->name_was_free = false;
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
