/* SPDX-License-Identifier: Apache-2.0 */
/* Files of rank 0, which hold whole lines whatever happens to the disk. */
#include <errno.h>
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
    FILE *file;
    char *path;
    off_t whole;  /* bytes that were written with success */
    int error;    /* of what was added since; 0 = none */
    bool failing; /* the last part was left out, and that was said */
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

pmpi_file *pmpi_file_open(const char *path)
{
    pmpi_file *made = calloc(1, sizeof *made);
    if (made) {
        keep_older(path);
        made->path = strdup(path);
        made->file = made->path ? fopen(path, "we") : NULL;
        if (made->file) return made;
    }
    pmpi_say("%s: %s", path, strerror(errno));
    if (made) free(made->path);
    free(made);
    return NULL;
}

dxt_status pmpi_file_put(void *context, const void *data, size_t size)
{
    pmpi_file *file = context;
    if (!file || fwrite(data, 1, size, file->file) == size) return DXT_OK;
    file->error = errno;
    return DXT_ERR_IO;
}

/* Leave out what has not been written as a whole. */
static void cut_back(pmpi_file *file)
{
    __fpurge(file->file);
    clearerr(file->file);
    if (ftruncate(fileno(file->file), file->whole) == 0)
        (void)!fseeko(file->file, file->whole, SEEK_SET);
    if (!file->failing)
        pmpi_say("%s: %s; windows are missing in it", file->path, strerror(file->error));
    file->failing = true;
    file->error = 0;
}

void pmpi_file_commit(pmpi_file *file)
{
    if (!file) return;
    if (fflush(file->file) != 0 && file->error == 0) file->error = errno;
    if (file->error != 0) {
        cut_back(file);
        return;
    }
    file->whole = ftello(file->file);
    file->failing = false;
}

void pmpi_file_close(pmpi_file *file)
{
    if (!file) return;
    pmpi_file_commit(file);
    fclose(file->file);
    free(file->path);
    free(file);
}
