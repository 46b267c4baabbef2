/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file that may be packed. What comes out must end, and every window of it must be
 * consistent.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include <deepxtrace/matrix.h>

#include "require.h"
#include "unpack.h"

/* Packed data may be a thousand times as long as they are: so much of it is looked at. */
#define MOST_BYTES ((size_t)1 << 18)
/* A matrix of thousands of ranks costs seconds and shows nothing new. */
#define MOST_RANKS 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t left;

static dxt_status read_some(void *context, void *buffer, size_t size, size_t *got)
{
    *got = 0;
    if (left == 0) return DXT_OK;
    dxt_status status = unpack_read(context, buffer, size < left ? size : left, got);
    require(*got <= size);
    left -= *got;
    return status;
}

static int go_on(void *context, dxt_remark kind, const char *message)
{
    (void)context;
    require(kind <= DXT_REMARK_NOTE && *message && !strchr(message, '\n'));
    return 1;
}

static void read_windows(unpack *files)
{
    const dxt_source source = {sizeof source, files, read_some, unpack_next};
    dxt_reader *reader;
    dxt_window *window;
    require(dxt_reader_open_source(&source, unpack_name(files), &reader) == DXT_OK);
    dxt_reader_on_remark(reader, go_on, NULL);
    dxt_status status;
    while ((status = dxt_reader_next(reader, &window)) == DXT_OK) {
        if (window->ranks <= MOST_RANKS) require(dxt_window_check(window) == DXT_OK);
        dxt_window_free(window);
    }
    require(status == DXT_END || (status < 0 && *dxt_error()));
    dxt_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("fuzz", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    require(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    char *paths[] = {path, path};
    char why[256] = "";
    unpack *files;
    left = MOST_BYTES;
    /* The same file twice: what is left over of the first must not spoil the second. */
    dxt_status status = unpack_open(paths, 2, &files, why, sizeof why);
    if (status != DXT_OK) {
        require(*why);
        return 0;
    }
    read_windows(files);
    unpack_close(files);
    return 0;
}
