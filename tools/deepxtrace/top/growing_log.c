/* SPDX-License-Identifier: Apache-2.0 */
/* Windows that are several lines of a log, and windows of packed files. */
#include <stdio.h>
#include <string.h>

#include "growing.h"

/* Text without a window of which so much is there goes, but for what may begin one. */
#define MOST_HELD ((size_t)256 << 20)

/* ---- logs ---- */

static int count_lost(void *context, dxt_remark kind, const char *message)
{
    (void)message;
    *(uint64_t *)context += kind == DXT_REMARK_LOST;
    return 1;
}

/* Hand the windows over but the last, which is held. */
static bool take_but_last(growing *f, size_t index, dxt_reader *reader, dxt_window **held)
{
    dxt_window *next = NULL;
    dxt_status status;
    bool any = false;
    while ((status = dxt_reader_next(reader, &next)) == DXT_OK) {
        if (*held) growing_give(f, index, *held);
        any |= *held != NULL;
        *held = next;
    }
    if (status == DXT_ERR_NO_MEMORY) f->failed = status;
    return any;
}

bool growing_cut_log(growing *f, size_t index, bool whole)
{
    growing_file *file = &f->files[index];
    const char *end = memrchr(file->buffer, '\n', file->used);
    size_t size = end ? (size_t)(end - file->buffer) + 1 : 0;
    dxt_reader *reader;
    dxt_window *held = NULL;
    uint64_t lost = 0;
    if (size == 0) return false;
    dxt_status status = dxt_reader_open_memory(file->buffer, size, file->path, &reader);
    if (status == DXT_OK) {
        dxt_reader_on_remark(reader, count_lost, &lost);
        bool any = take_but_last(f, index, reader, &held);
        bool ends = whole || (!held && size > MOST_HELD);
        size_t used = dxt_log_rest(file->buffer, size, dxt_reader_line(reader), ends);
        dxt_reader_close(reader);
        if (whole && held) {
            any = true;
            growing_give(f, index, held);
            held = NULL;
        }
        dxt_window_free(held);
        if (used > 0) f->bad += lost;
        file->used -= used;
        memmove(file->buffer, file->buffer + used, file->used);
        return any;
    }
    f->failed = status;
    return false;
}

/* ---- packed files ---- */

static void end_packed(growing_file *file)
{
    dxt_reader_close(file->reader);
    unpack_close(file->packed);
    file->reader = NULL;
    file->packed = NULL;
}

static bool begin_packed(growing *f, growing_file *file)
{
    char why[1200] = "out of memory";
    dxt_status status = unpack_open(&file->path, 1, &file->packed, why, sizeof why);
    if (status == DXT_OK) {
        const dxt_source source = {.struct_size = sizeof source,
                                   .context = file->packed,
                                   .read = unpack_read,
                                   .next = unpack_next};
        status = dxt_reader_open_source(&source, unpack_name(file->packed), &file->reader);
    }
    if (status == DXT_OK) {
        dxt_reader_on_remark(file->reader, count_lost, &f->bad);
        file->skip = file->given;
        return true;
    }
    end_packed(file);
    f->bad++;
    if (!f->why[0]) snprintf(f->why, sizeof f->why, "%.*s", (int)sizeof f->why - 1, why);
    if (status == DXT_ERR_NO_MEMORY) f->failed = status;
    return false;
}

bool growing_unpack(growing *f, size_t index)
{
    growing_file *file = &f->files[index];
    dxt_window *window = NULL;
    if (!file->reader && !begin_packed(f, file)) return false;
    dxt_status status = dxt_reader_next(file->reader, &window);
    if (status == DXT_OK) {
        if (file->skip > 0) {
            file->skip--;
            dxt_window_free(window);
            return true;
        }
        file->given++;
        growing_give(f, index, window);
        return true;
    }
    /* Cut off: it may still be written, and is looked at again when it has grown. */
    if (status == DXT_ERR_NO_MEMORY) f->failed = status;
    end_packed(file);
    return false;
}

void growing_give(growing *f, size_t index, dxt_window *window)
{
    dxt_status status = f->take(f->context, index, window);
    if (f->failed == DXT_OK) f->failed = status;
}
