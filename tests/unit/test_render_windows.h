/* SPDX-License-Identifier: Apache-2.0 */
/* Windows to draw, and a sink that keeps what was drawn. */
#ifndef DXT_TESTS_RENDER_WINDOWS_H
#define DXT_TESTS_RENDER_WINDOWS_H

#include <string.h>

#include <deepxtrace/render.h>

/** What is in a test window. */
enum {
    WINDOW_HEALTHY = 0,
    WINDOW_LATE = 1,   /**< rank N × 5/8 is 1 ms late */
    WINDOW_SILENT = 2, /**< rank N/3 (of 2, 1) sent nothing; of more than 200 ranks 40 more */
    WINDOW_ZERO = 4,   /**< no waits at all */
    WINDOW_HUGE = 8,   /**< one wait of 2^62 */
    WINDOW_CYCLES = 16 /**< no clock rate and no samples */
};

/** Always the same values for the same arguments. Release with dxt_window_free(). */
dxt_window *make_window(uint32_t ranks, unsigned content);

/** How often a word stands in a text. */
static inline size_t occurrences(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)); text += strlen(word)) count++;
    return count;
}

/** Collects bytes; always terminated. */
typedef struct test_sink {
    char *data;
    size_t size;
    int calls;
    int fail_at; /**< this call, from 1, fails with DXT_ERR_TIMEOUT; 0 = none */
} test_sink;

/** A dxt_write_fn for a sink. */
dxt_status into_sink(void *context, const void *data, size_t size);
void empty_sink(test_sink *sink);

/** Draw one panel into an emptied sink. */
dxt_status draw_into(test_sink *sink, const dxt_heatmap_panel *panel, dxt_format format,
                     dxt_color color, uint32_t columns);

#endif
