/* SPDX-License-Identifier: Apache-2.0 */
#include "test_render_windows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 1000 … 1999, without a pattern. */
static int64_t some_ns(uint32_t row, uint32_t column)
{
    uint64_t mixed = ((uint64_t)row << 32 | column) * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 29;
    return 1000 + (int64_t)(mixed * UINT64_C(0xbf58476d1ce4e5b9) >> 40) % 1000;
}

dxt_window *make_window(uint32_t ranks, unsigned content)
{
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(ranks, "dispatch", &window), DXT_OK);
    uint32_t late = ranks * 5 / 8, silent = ranks > 2 ? ranks / 3 : 1;
    window->index = 3;
    window->unit = content & WINDOW_CYCLES ? DXT_UNIT_CYCLES : DXT_UNIT_NS;
    window->samples_each = content & WINDOW_CYCLES ? 0 : 100;
    for (uint32_t row = 0; row < ranks; row++) {
        for (uint32_t column = 0; column < ranks; column++) {
            int64_t wait = some_ns(row, column);
            if ((content & WINDOW_LATE) && column == late) wait += 1000000;
            if ((content & WINDOW_LATE) && row == late) wait = 0;
            if (content & WINDOW_ZERO) wait = 0;
            window->wait[(size_t)row * ranks + column] = wait * 100;
        }
    }
    if (content & WINDOW_HUGE) window->wait[1] = INT64_C(1) << 62;
    if (!(content & WINDOW_SILENT)) return window;
    window->missing = calloc(ranks, 1);
    assert_non_null(window->missing);
    window->missing[silent] = 1;
    if (ranks > 200) memset(window->missing + ranks / 4, 1, 40);
    for (uint32_t row = 0; row < ranks; row++)
        if (window->missing[row])
            memset(window->wait + (size_t)row * ranks, 0, ranks * sizeof *window->wait);
    return window;
}

dxt_status into_sink(void *context, const void *data, size_t size)
{
    test_sink *sink = context;
    if (++sink->calls == sink->fail_at) return DXT_ERR_TIMEOUT;
    char *grown = realloc(sink->data, sink->size + size + 1);
    if (!grown) return DXT_ERR_NO_MEMORY;
    memcpy(grown + sink->size, data, size);
    sink->data = grown;
    sink->size += size;
    sink->data[sink->size] = '\0';
    return DXT_OK;
}

void empty_sink(test_sink *sink)
{
    free(sink->data);
    sink->data = NULL;
    sink->size = 0;
    sink->calls = 0;
}

dxt_status draw_into(test_sink *sink, const dxt_heatmap_panel *panel, dxt_format format,
                     dxt_color color, uint32_t columns)
{
    dxt_heatmap_options options = {
        .struct_size = sizeof options, .color = color, .columns = columns};
    empty_sink(sink);
    return dxt_heatmap_write(panel, 1, format, &options, into_sink, sink);
}
