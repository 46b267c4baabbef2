/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"
#include "outcome.h"
#include "output.h"
#include "temporary.h"

static outcome refuse_file(output_file *output, int error)
{
    outcome status = error == ENOMEM
                         ? complain_memory(output->command)
                         : complain(output->command, "%s: %s", output->path, strerror(error));
    output_abandon(output);
    return status;
}

/* ---- opening ---- */

/* The full name of what does not exist yet in a directory that does; NULL with errno. */
static char *name_new(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    char *directory = slash ? strndup(path, (size_t)(name - path)) : strdup(".");
    char *real = directory ? realpath(directory, NULL) : NULL;
    char *target = NULL;
    if (real && *name == '\0')
        errno = EISDIR;
    else if (real && asprintf(&target, "%s/%s", real, name) < 0)
        target = NULL;
    free(real);
    free(directory);
    return target;
}

/* A new file is as open to others as the umask says; one that replaces another, as that was: where
 * it cannot be given to the same group, the new group may do no more than anybody. A file system
 * without permissions refuses all of this, and the file is good all the same. */
static void set_mode(int fd, const struct stat *replaced)
{
    mode_t mode;
    if (replaced) {
        mode = replaced->st_mode & 0777;
        if (fchown(fd, replaced->st_uid, replaced->st_gid) != 0 &&
            fchown(fd, (uid_t)-1, replaced->st_gid) != 0)
            mode &= ~(mode_t)070 | (mode & 07) << 3;
    } else {
        mode_t mask = umask(0);
        umask(mask);
        mode = 0666 & ~mask;
    }
    if (fchmod(fd, mode) != 0) errno = 0;
}

/* A file of a temporary name next to the target. */
static int open_temporary(output_file *output, const struct stat *replaced)
{
    output->target = replaced ? realpath(output->path, NULL) : name_new(output->path);
    if (!output->target) return -1;
    const char *name = strrchr(output->target, '/') + 1;
    if (asprintf(&output->temporary, "%.*s.%s.XXXXXX", (int)(name - output->target), output->target,
                 name) < 0) {
        output->temporary = NULL;
        errno = ENOMEM;
        return -1;
    }
    int fd = temporary_open(output->temporary);
    if (fd < 0) {
        free(output->temporary);
        output->temporary = NULL;
        return -1;
    }
    set_mode(fd, replaced);
    return fd;
}

outcome output_open(output_file *output, const char *command, const char *path, bool replace)
{
    struct stat there;
    *output = (output_file){.command = command, .path = path, .replace = replace};
    if (strcmp(path, "-") == 0) return GO_ON;
    int fd;
    if (path[0] == '\0')
        return complain(command, "the name of the output must not be empty (-o FILE)");
    if (stat(path, &there) == 0) {
        if (S_ISDIR(there.st_mode)) return refuse_file(output, EISDIR);
        if (S_ISREG(there.st_mode) && !replace)
            return complain(command, "%s already exists (--force replaces it)", path);
        fd = S_ISREG(there.st_mode) ? open_temporary(output, &there)
                                    : open(path, O_WRONLY | O_CLOEXEC);
    } else if (errno == ENOENT && lstat(path, &there) == 0) {
        return complain(command, "%s is a link to a file that does not exist; name the file", path);
    } else {
        fd = open_temporary(output, NULL);
    }
    if (fd < 0) return refuse_file(output, errno);
    output->file = fdopen(fd, "w");
    if (!output->file) {
        int error = errno;
        close(fd);
        return refuse_file(output, error);
    }
    return GO_ON;
}

bool output_same(const output_file *a, const output_file *b)
{
    return a->target && b->target && strcmp(a->target, b->target) == 0;
}

/* ---- writing ---- */

/* Nothing more is written, not even what is in the buffer: it would follow a gap. */
static dxt_status fail(output_file *output)
{
    output->error = errno ? errno : EIO;
    __fpurge(output->file);
    if (output->named) temporary_cut(fileno(output->file));
    return DXT_ERR_IO;
}

dxt_status output_write(void *context, const void *data, size_t size)
{
    output_file *output = context;
    if (!output->file) return stdout_write(NULL, data, size);
    if (output->error) return DXT_ERR_IO;
    if (!output->named) return fwrite(data, 1, size, output->file) == size ? DXT_OK : fail(output);
    sigset_t before;
    temporary_writes(&before);
    dxt_status status = fwrite(data, 1, size, output->file) == size ? DXT_OK : fail(output);
    temporary_wrote(&before);
    return status;
}

dxt_status output_flush(output_file *output)
{
    if (!output->file) return stdout_flush();
    if (output->error) return DXT_ERR_IO;
    if (!output->named) return fflush(output->file) == 0 ? DXT_OK : fail(output);
    sigset_t before;
    temporary_writes(&before);
    dxt_status status = fflush(output->file) == 0 ? DXT_OK : fail(output);
    temporary_wrote(&before);
    return status;
}

/* ---- ending ---- */

static void forget_temporary(output_file *output)
{
    if (output->temporary) temporary_forget(output->temporary);
    free(output->temporary);
    output->temporary = NULL;
}

outcome output_grow(output_file *output)
{
    if (!output->file || !output->temporary) return GO_ON;
    if (temporary_place(output->temporary, output->target, output->replace, true) != 0)
        return refuse_file(output, errno);
    free(output->temporary);
    output->temporary = NULL;
    output->named = true;
    return GO_ON;
}

/* Whether an open file that has a name, but not ours, is certainly under the one that the kernel
 * knows. Over NFS others may have moved it, and one that is removed while it is open is called
 * .nfs… until it is closed. */
static enum where { RENAMED, REMOVED, UNKNOWN } look_where(int fd, const struct stat *own)
{
    char link[40], name[PATH_MAX];
    struct stat there;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, name, sizeof name - 1);
    if (size < 0) return UNKNOWN;
    name[size] = '\0';
    const char *slash = strrchr(name, '/');
    if (slash && strncmp(slash, "/.nfs", 5) == 0) return REMOVED;
    bool found = stat(name, &there) == 0;
    return found && own->st_dev == there.st_dev && own->st_ino == there.st_ino ? RENAMED : UNKNOWN;
}

/* Where a file that has its name is not under it any more, its lines are lost, or in a file of
 * another name: that is told. */
static outcome look_for_named(const output_file *output)
{
    static const char *const what[] = {
        [RENAMED] = "somebody has renamed it; all is in the file of the new name",
        [REMOVED] = "somebody has removed it, and all that was written to it is lost",
        [UNKNOWN] = "somebody has renamed or removed it; what was written is in a file of another "
                    "name, or lost"};
    struct stat own, there;
    enum where where;
    int fd = fileno(output->file);
    if (fstat(fd, &own) != 0) {
        where = errno == ESTALE ? REMOVED : UNKNOWN;
    } else {
        bool found = stat(output->target, &there) == 0;
        if (found && own.st_dev == there.st_dev && own.st_ino == there.st_ino) return GO_ON;
        where = own.st_nlink > 0 ? look_where(fd, &own) : REMOVED;
    }
    complain(output->command, "%s: %s", output->path, what[where]);
    return where == RENAMED ? GO_ON : EXIT_FAILED;
}

outcome output_commit(output_file *output)
{
    if (!output->file) return GO_ON;
    output_flush(output);
    /* A full disk may show only when the data must really go there. */
    bool regular = output->temporary || output->named;
    if (!output->error && regular && fsync(fileno(output->file)) != 0 && errno != EINVAL &&
        errno != EROFS)
        fail(output);
    if (output->error) {
        complain(output->command, "%s: %s", output->path, strerror(output->error));
        output_abandon(output);
        return EXIT_FAILED;
    }
    outcome status = output->named ? look_for_named(output) : GO_ON;
    if (output->named) temporary_forget(output->target);
    if (fclose(output->file) != 0) {
        complain(output->command, "%s: %s", output->path, strerror(errno));
        status = EXIT_FAILED;
    } else if (output->temporary &&
               temporary_place(output->temporary, output->target, output->replace, false) != 0) {
        status = complain(output->command, "%s: %s", output->path, strerror(errno));
    } else {
        forget_temporary(output);
    }
    output->file = NULL;
    output_abandon(output);
    return status;
}

outcome output_end(output_file *output, dxt_status status)
{
    if (status == DXT_OK || output->error) {
        outcome result = output_commit(output);
        return result == GO_ON ? EXIT_DONE : result;
    }
    output_abandon(output);
    /* What went wrong with standard output is said at the end of the command, once. */
    if (status != DXT_ERR_IO) complain_status(output->command, status);
    return EXIT_FAILED;
}

bool output_is_terminal(const char *path)
{
    struct stat there;
    if (!path || strcmp(path, "-") == 0) return isatty(STDOUT_FILENO);
    /* No pipe is opened: its reader would see it end. */
    if (stat(path, &there) != 0 || !S_ISCHR(there.st_mode)) return false;
    int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    bool terminal = fd >= 0 && isatty(fd);
    if (fd >= 0) close(fd);
    return terminal;
}

outcome output_spare(const char *command, const char *path, char *const *inputs, size_t count)
{
    struct stat in, out;
    if (!path || strcmp(path, "-") == 0 || stat(path, &out) != 0 || !S_ISREG(out.st_mode))
        return GO_ON;
    for (size_t i = 0; i < count; i++) {
        bool piped = strcmp(inputs[i], "-") == 0;
        if ((piped ? fstat(STDIN_FILENO, &in) : stat(inputs[i], &in)) != 0) continue;
        if (in.st_dev == out.st_dev && in.st_ino == out.st_ino)
            return complain(command,
                            "%s is the input, which is never replaced; name another output", path);
    }
    return GO_ON;
}

/* What has its name keeps it, with the lines that are whole; nobody needs an empty file. */
static void end_named(output_file *output)
{
    struct stat own, there;
    int fd = fileno(output->file);
    if (!output->error) output_flush(output);
    output->kept = temporary_cut(fd);
    if (output->kept || fstat(fd, &own) != 0 || stat(output->target, &there) != 0) return;
    if (own.st_dev == there.st_dev && own.st_ino == there.st_ino) unlink(output->target);
}

void output_abandon(output_file *output)
{
    if (output->named && output->file) end_named(output);
    if (output->named) temporary_forget(output->target);
    if (output->file) fclose(output->file);
    if (output->temporary) unlink(output->temporary);
    forget_temporary(output);
    free(output->target);
    output->file = NULL;
    output->target = NULL;
}
