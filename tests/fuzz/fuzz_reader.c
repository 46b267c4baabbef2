/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes into the readers. A window that comes out must be consistent, and must come out again
 * as it was after it has been written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/matrix.h>

#include "base/base.h"
#include "collect.h"
#include "require.h"

/* A matrix of thousands of missing rows costs seconds and shows nothing new. */
#define MOST_RANKS 256
/* Nor do thousands of small ones in a line. */
#define MOST_TRIPS 128

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const dxt_window *window)
{
    require(dxt_window_check(window) == DXT_OK);
    dxt_text out = {0}, again = {0};
    require(dxt_window_write(window, collect, &out) == DXT_OK && !out.failed);
    require(memchr(out.data, '\n', out.size) == out.data + out.size - 1);
    dxt_reader *reader;
    dxt_window *back, *none;
    require(dxt_reader_open_memory(out.data, out.size, "again", &reader) == DXT_OK);
    require(dxt_reader_next(reader, &back) == DXT_OK);
    require(dxt_reader_next(reader, &none) == DXT_END);
    dxt_reader_close(reader);
    size_t cells = (size_t)window->ranks * window->ranks;
    require(back->ranks == window->ranks && back->index == window->index);
    require(memcmp(back->wait, window->wait, cells * sizeof *back->wait) == 0);
    require(!back->ticks_per_second == !window->ticks_per_second);
    if (back->ticks_per_second)
        require(memcmp(back->ticks_per_second, window->ticks_per_second,
                       back->ranks * sizeof(double)) == 0);
    require(dxt_window_write(back, collect, &again) == DXT_OK && !again.failed);
    require(again.size == out.size && memcmp(again.data, out.data, out.size) == 0);
    dxt_window_free(back);
    free(out.data);
    free(again.data);
}

static int go_on(void *context, dxt_remark kind, const char *message)
{
    (void)context;
    require(kind <= DXT_REMARK_NOTE && strncmp(message, "fuzz:", 5) == 0 && !strchr(message, '\n'));
    return 1;
}

/* With a listener the same input goes on to its end. */
static void read_on(const uint8_t *data, size_t size)
{
    dxt_reader *reader;
    dxt_window *window;
    dxt_status status;
    require(dxt_reader_open_memory(data, size, "fuzz", &reader) == DXT_OK);
    dxt_reader_on_remark(reader, go_on, NULL);
    while ((status = dxt_reader_next(reader, &window)) == DXT_OK) {
        if (window->ranks <= MOST_RANKS) require(dxt_window_check(window) == DXT_OK);
        dxt_window_free(window);
    }
    require(status == DXT_END || status == DXT_ERR_FORMAT || status == DXT_ERR_LIMIT);
    dxt_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dxt_reader *reader;
    dxt_window *window;
    dxt_status status;
    read_on(data, size);
    require(dxt_reader_open_memory(data, size, "fuzz", &reader) == DXT_OK);
    int any = 0;
    for (; (status = dxt_reader_next(reader, &window)) != DXT_END; any++) {
        if (status != DXT_OK) {
            require(status == DXT_ERR_FORMAT || status == DXT_ERR_LIMIT);
            require(strncmp(dxt_error(), "fuzz:", 5) == 0 && !strchr(dxt_error(), '\n'));
            break;
        }
        if (window->ranks <= MOST_RANKS && any < MOST_TRIPS) round_trip(window);
        dxt_window_free(window);
    }
    require(any || status != DXT_END);
    dxt_reader_close(reader);
    return 0;
}
