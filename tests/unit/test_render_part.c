/* SPDX-License-Identifier: Apache-2.0 */
/* PNG and PDF: the part "cairo", there or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "test_render_windows.h"

#ifdef DXT_SANITIZED
/* What fontconfig keeps for the life of a process looks like a leak. */
/* Exported, or the sanitizer does not see it. */
DXT_API const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}
#endif

/* In a process of its own, since a part is looked for once. Where the system has the part installed
 * it is found all the same. */
static void without_the_part_the_reason_is_given(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        test_sink sink = {0};
        dxt_window *window = make_window(2, WINDOW_LATE);
        dxt_heatmap_panel panel = {.window = window};
        setenv("DEEPXTRACE_PARTS", "/nonexistent", 1);
        dxt_status status = draw_into(&sink, &panel, DXT_FORMAT_PNG, DXT_COLOR_NONE, 0);
        bool said = strstr(dxt_error(), "cairo") != NULL && sink.size == 0;
        _exit(status == DXT_OK || (status == DXT_ERR_UNSUPPORTED && said) ? 0 : 1);
    }
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
}

#ifdef EXPECT_CAIRO

static const uint32_t all_ranks[] = {2, 3, 8, 16, 64, 513, 2048};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t big_endian(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void images_have_twice_the_size_of_the_drawing(void **state)
{
    (void)state;
    test_sink sink = {0};
    for (size_t n = 0; n < COUNT(all_ranks); n++) {
        dxt_window *window = make_window(all_ranks[n], WINDOW_LATE | WINDOW_SILENT);
        dxt_mark mark = {DXT_MARK_COLUMN, 0, all_ranks[n] * 5 / 8};
        dxt_heatmap_panel panel = {
            .window = window, .marks = &mark, .mark_count = 1, .caption = "\xff late → é"};
        unsigned width, height;
        assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_SVG, DXT_COLOR_NONE, 0), DXT_OK);
        assert_int_equal(
            sscanf(strstr(sink.data, " width="), " width=\"%u\" height=\"%u\"", &width, &height),
            2);
        assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_PNG, DXT_COLOR_NONE, 0), DXT_OK);
        assert_memory_equal(sink.data, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
        assert_int_equal(big_endian(sink.data + 16), 2 * width);
        assert_int_equal(big_endian(sink.data + 20), 2 * height);
        assert_memory_equal(sink.data + sink.size - 8, "IEND", 4);
        assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_PDF, DXT_COLOR_NONE, 0), DXT_OK);
        assert_memory_equal(sink.data, "%PDF-1.", 7);
        assert_memory_equal(sink.data + sink.size - 6, "%%EOF\n", 6);
        dxt_window_free(window);
    }
    empty_sink(&sink);
}

static void the_same_picture_is_the_same_bytes(void **state)
{
    (void)state;
    dxt_window *window = make_window(8, WINDOW_LATE);
    dxt_heatmap_panel panel = {.window = window};
    for (dxt_format format = DXT_FORMAT_PNG; format <= DXT_FORMAT_PDF; format++) {
        test_sink one = {0}, two = {0};
        assert_int_equal(draw_into(&one, &panel, format, DXT_COLOR_NONE, 0), DXT_OK);
        assert_int_equal(draw_into(&two, &panel, format, DXT_COLOR_NONE, 0), DXT_OK);
        assert_int_equal(one.size, two.size);
        assert_memory_equal(one.data, two.data, one.size);
        /* No date: it would differ tomorrow. */
        assert_null(memmem(one.data, one.size, "CreationDate", 12));
        empty_sink(&one);
        empty_sink(&two);
    }
    dxt_window_free(window);
}

static void what_the_writer_says_is_returned(void **state)
{
    (void)state;
    dxt_window *window = make_window(3, WINDOW_LATE);
    dxt_heatmap_panel panel = {.window = window};
    for (dxt_format format = DXT_FORMAT_PNG; format <= DXT_FORMAT_PDF; format++) {
        test_sink sink = {.fail_at = 1};
        dxt_status status;
        while ((status = draw_into(&sink, &panel, format, DXT_COLOR_NONE, 0)) != DXT_OK) {
            assert_int_equal(status, DXT_ERR_TIMEOUT);
            assert_int_equal(sink.calls, sink.fail_at);
            sink.fail_at++;
        }
        assert_true(sink.fail_at > 1);
        empty_sink(&sink);
    }
    dxt_window_free(window);
}

static void many_panels_still_fit_into_an_image(void **state)
{
    (void)state;
    dxt_window *window = make_window(64, WINDOW_LATE);
    dxt_heatmap_panel panels[64];
    for (size_t i = 0; i < 64; i++) panels[i] = (dxt_heatmap_panel){.window = window};
    test_sink sink = {0};
    assert_int_equal(dxt_heatmap_write(panels, 64, DXT_FORMAT_PNG, NULL, into_sink, &sink), DXT_OK);
    assert_in_range(big_endian(sink.data + 20), 31990, 32001);
    dxt_window_free(window);
    empty_sink(&sink);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_the_part_the_reason_is_given),
#ifdef EXPECT_CAIRO
        cmocka_unit_test(images_have_twice_the_size_of_the_drawing),
        cmocka_unit_test(the_same_picture_is_the_same_bytes),
        cmocka_unit_test(what_the_writer_says_is_returned),
        cmocka_unit_test(many_panels_still_fit_into_an_image),
#endif
    };
    const char *build = getenv("DXT_BUILD_DIR");
    char path[1024];
    snprintf(path, sizeof path, "%s/lib", build ? build : ".");
    setenv("DEEPXTRACE_PARTS", path, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
