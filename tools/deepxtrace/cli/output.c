/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"
#include "outcome.h"
#include "progress.h"

/* ---- standard output ---- */

static int stdout_error; /* errno of the first failed write */

dxt_status stdout_write(void *context, const void *data, size_t size)
{
    (void)context;
    if (stdout_error) return DXT_ERR_IO;
    progress_before_stdout();
    if (fwrite(data, 1, size, stdout) == size) return DXT_OK;
    stdout_error = errno ? errno : EIO;
    return DXT_ERR_IO;
}

dxt_status stdout_printf(const char *format, ...)
{
    if (stdout_error) return DXT_ERR_IO;
    progress_before_stdout();
    va_list args;
    va_start(args, format);
    int written = vprintf(format, args);
    va_end(args);
    if (written >= 0) return DXT_OK;
    stdout_error = errno ? errno : EIO;
    return DXT_ERR_IO;
}

dxt_status stdout_flush(void)
{
    if (!stdout_error && fflush(stdout) != 0) stdout_error = errno;
    return stdout_error ? DXT_ERR_IO : DXT_OK;
}

outcome stdout_finish(const char *command, outcome status)
{
    progress_clear();
    stdout_flush();
    if (!stdout_error) return status;
    if (stdout_error == EPIPE) return EXIT_DONE;
    complain(command, "standard output: %s", strerror(stdout_error));
    return EXIT_FAILED;
}

/* ---- files ---- */

static outcome refuse_file(output_file *output, int error)
{
    outcome status = complain(output->command, "%s: %s", output->path, strerror(error));
    output_abandon(output);
    return status;
}

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

/* A file of a temporary name next to the target, with the permissions that a new file gets. */
static int open_temporary(output_file *output, bool exists)
{
    output->target = exists ? realpath(output->path, NULL) : name_new(output->path);
    if (!output->target) return -1;
    const char *name = strrchr(output->target, '/') + 1;
    if (asprintf(&output->temporary, "%.*s.%s.XXXXXX", (int)(name - output->target), output->target,
                 name) < 0) {
        output->temporary = NULL;
        errno = ENOMEM;
        return -1;
    }
    int fd = mkostemp(output->temporary, O_CLOEXEC);
    if (fd < 0) {
        free(output->temporary);
        output->temporary = NULL;
        return -1;
    }
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(fd, 0666 & ~mask) != 0) {
        /* A file system without permissions; the file is good all the same. */
        errno = 0;
    }
    return fd;
}

outcome output_open(output_file *output, const char *command, const char *path, bool replace)
{
    struct stat there;
    *output = (output_file){.command = command, .path = path, .replace = replace};
    if (strcmp(path, "-") == 0) return GO_ON;
    int fd;
    if (path[0] == '\0') return complain(command, "the name of the output is empty");
    if (stat(path, &there) == 0) {
        if (S_ISDIR(there.st_mode)) return refuse_file(output, EISDIR);
        if (S_ISREG(there.st_mode) && !replace)
            return complain(command, "%s: already exists (--force replaces it)", path);
        fd = S_ISREG(there.st_mode) ? open_temporary(output, true)
                                    : open(path, O_WRONLY | O_CLOEXEC);
    } else if (errno == ENOENT && lstat(path, &there) == 0) {
        return complain(command, "%s: a link to a file that does not exist", path);
    } else {
        fd = open_temporary(output, false);
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

dxt_status output_write(void *context, const void *data, size_t size)
{
    output_file *output = context;
    if (!output->file) return stdout_write(NULL, data, size);
    if (output->error) return DXT_ERR_IO;
    if (fwrite(data, 1, size, output->file) == size) return DXT_OK;
    output->error = errno ? errno : EIO;
    return DXT_ERR_IO;
}

dxt_status output_flush(output_file *output)
{
    if (!output->file) return stdout_flush();
    if (!output->error && fflush(output->file) != 0) output->error = errno;
    return output->error ? DXT_ERR_IO : DXT_OK;
}

/* Move the file to its name; without `replace`, only if nothing has that name yet. */
static int put_in_place(const output_file *output)
{
    if (output->replace) return rename(output->temporary, output->target);
    if (renameat2(AT_FDCWD, output->temporary, AT_FDCWD, output->target, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    if (access(output->target, F_OK) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(output->temporary, output->target);
}

outcome output_name(output_file *output)
{
    if (!output->file || !output->temporary) return GO_ON;
    if (put_in_place(output) != 0) return refuse_file(output, errno);
    free(output->temporary);
    output->temporary = NULL;
    output->named = true;
    return GO_ON;
}

outcome output_commit(output_file *output)
{
    if (!output->file) return GO_ON;
    output_flush(output);
    /* A full disk may show only when the data must really go there. */
    if (!output->error && output->temporary && fsync(fileno(output->file)) != 0 &&
        errno != EINVAL && errno != EROFS)
        output->error = errno;
    if (fclose(output->file) != 0 && !output->error) output->error = errno;
    output->file = NULL;
    outcome status = GO_ON;
    if (!output->error && output->temporary && put_in_place(output) != 0) {
        status = complain(output->command, "%s: %s", output->path, strerror(errno));
    } else if (output->error) {
        complain(output->command, "%s: %s", output->path, strerror(output->error));
        status = EXIT_FAILED;
    } else {
        free(output->temporary);
        output->temporary = NULL;
    }
    output_abandon(output);
    return status;
}

void output_abandon(output_file *output)
{
    struct stat there;
    bool empty = output->named && output->file && fflush(output->file) == 0 &&
                 fstat(fileno(output->file), &there) == 0 && there.st_size == 0;
    if (empty) unlink(output->target);
    if (output->file) fclose(output->file);
    if (output->temporary) unlink(output->temporary);
    free(output->temporary);
    free(output->target);
    output->file = NULL;
    output->temporary = NULL;
    output->target = NULL;
}

/* ---- the terminal ---- */

dxt_color choose_color(bool terminal, const char *no_color, const char *colorterm, const char *term)
{
    if (!terminal || (no_color && *no_color)) return DXT_COLOR_NONE;
    if (!term || !*term || strcmp(term, "dumb") == 0) return DXT_COLOR_NONE;
    if (colorterm && (strcmp(colorterm, "truecolor") == 0 || strcmp(colorterm, "24bit") == 0))
        return DXT_COLOR_TRUE;
    if (strstr(term, "-direct") || strstr(term, "-truecolor")) return DXT_COLOR_TRUE;
    static const char *const able[] = {"256color", "xterm", "screen", "tmux", "rxvt", "kitty"};
    for (size_t i = 0; i < sizeof able / sizeof able[0]; i++)
        if (strstr(term, able[i])) return DXT_COLOR_256;
    return DXT_COLOR_NONE;
}

dxt_color terminal_color(int fd)
{
    return choose_color(isatty(fd), getenv("NO_COLOR"), getenv("COLORTERM"), getenv("TERM"));
}

const char *const color_choices[] = {"auto", "always", "never", NULL};

dxt_color color_when(int choice, int fd)
{
    if (choice == 2) return DXT_COLOR_NONE;
    dxt_color able = terminal_color(fd);
    return choice == 1 && able == DXT_COLOR_NONE ? DXT_COLOR_256 : able;
}

uint32_t terminal_columns(int fd)
{
    struct winsize size;
    if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
    return 80;
}
