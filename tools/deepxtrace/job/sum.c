/* SPDX-License-Identifier: Apache-2.0 */
#include "sum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

/* A copy of a window, by way of the recording format. */
static dxt_status copy_window(const dxt_window *window, dxt_window **copy)
{
    char *line = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&line, &size);
    if (!memory) return DXT_ERR_NO_MEMORY;
    dxt_status status = dxt_window_write(window, memory_write, memory);
    if (fclose(memory) != 0 && status == DXT_OK) status = DXT_ERR_NO_MEMORY;
    dxt_reader *reader = NULL;
    if (status == DXT_OK) status = dxt_reader_open_memory(line, size, "window", &reader);
    if (status == DXT_OK) status = dxt_reader_next(reader, copy);
    dxt_reader_close(reader);
    free(line);
    return status;
}

dxt_status job_sum_add(job_sum *sum, const dxt_window *window)
{
    if (window->ops <= 0) {
        for (uint32_t r = 0; window->missing && r < window->ranks; r++)
            sum->silent[r] |= window->missing[r];
        return DXT_OK;
    }
    if (sum->window) return dxt_window_add(sum->window, window);
    dxt_status status = copy_window(window, &sum->window);
    if (status == DXT_OK) sum->window->index = -1;
    return status;
}

static void clear_row(int64_t *cells, uint32_t ranks, uint32_t row)
{
    if (cells) memset(cells + (size_t)row * ranks, 0, ranks * sizeof *cells);
}

dxt_status job_sum_end(job_sum *sum)
{
    dxt_window *window = sum->window;
    for (uint32_t r = 0; window && r < window->ranks; r++) {
        if (!sum->silent[r]) continue;
        if (!window->missing) window->missing = calloc(window->ranks, 1);
        if (!window->missing) return DXT_ERR_NO_MEMORY;
        window->missing[r] = 1;
        clear_row(window->wait, window->ranks, r);
        clear_row(window->samples, window->ranks, r);
        clear_row(window->bytes, window->ranks, r);
        clear_row(window->last, window->ranks, r);
    }
    return DXT_OK;
}
