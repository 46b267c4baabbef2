/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures as they were when people looked at their PNGs: from 8 to 2048 ranks, each kind of
 * finding, on paper and on terminals of several widths. Small text pictures are kept whole, of the
 * others a hash. DXT_UPDATE_GOLDEN=1 writes them anew; DXT_GOLDEN_FOLDER=FOLDER also keeps every
 * picture there, to look at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/base.h"
#include "test_render_windows.h"

enum { LATE_RANK, LATE_NODE, SLOW_LINK, SILENT, SLOW_PATH, NOT_OBSERVED, KINDS };

static const struct {
    const char *name, *caption;
} kinds[KINDS] = {
    {"late-rank", "rank 5 is late in dispatch: +1.00 ms per operation"},
    {"late-node", "node 1 is late in dispatch: +1.00 ms per operation"},
    {"slow-link", "what rank 5 receives is slow in dispatch: +1.00 ms per operation"},
    {"silent", "rank 3 sent no counters: stopped, hung or dead?"},
    {"slow-path", "the path 6 → 1 is slow in dispatch: +1.00 ms per operation"},
    {"not-observed", "rank 5 is late in dispatch: +1.00 ms per operation"},
};

#define MOST_MARKS 8

/* Eight ranks on a node, of eight ranks four; a mark for each rank or path concerned. */
static size_t spoil(dxt_window *window, int kind, dxt_mark *marks)
{
    uint32_t ranks = window->ranks, node = ranks > 8 ? 8 : 4;
    const int64_t slow = 100 * INT64_C(1000000);
    for (uint32_t i = 0; i < ranks; i++) {
        size_t row = (size_t)i * ranks;
        bool late = kind == LATE_RANK || kind == NOT_OBSERVED;
        if (late && i != 5) window->wait[row + 5] += slow;
        for (uint32_t j = 0; kind == LATE_NODE && i / node != 1 && j < node; j++)
            window->wait[row + node + j] += slow;
        if (kind == SLOW_LINK && i != 5) window->wait[(size_t)5 * ranks + i] += slow;
        for (uint32_t j = 0; kind == NOT_OBSERVED && j < ranks; j++)
            if (i / node != j / node && i % node != j % node)
                window->wait[row + j] = DXT_NOT_OBSERVED;
    }
    if (kind == SLOW_PATH) window->wait[(size_t)1 * ranks + 6] += slow;
    if (kind == SILENT) {
        window->missing = calloc(ranks, 1);
        assert_non_null(window->missing);
        window->missing[3] = 1;
        memset(window->wait + (size_t)3 * ranks, 0, ranks * sizeof *window->wait);
        return 0;
    }
    size_t count = kind == LATE_NODE ? node : 1;
    for (size_t i = 0; i < count; i++)
        marks[i] = kind == LATE_NODE   ? (dxt_mark){DXT_MARK_COLUMN, 0, node + (uint32_t)i}
                   : kind == SLOW_LINK ? (dxt_mark){DXT_MARK_ROW, 5, 0}
                   : kind == SLOW_PATH ? (dxt_mark){DXT_MARK_POINT, 1, 6}
                                       : (dxt_mark){DXT_MARK_COLUMN, 0, 5};
    return count;
}

static dxt_window *make(uint32_t ranks)
{
    dxt_window *window = make_window(ranks, WINDOW_HEALTHY);
    window->nodes = calloc(ranks, sizeof *window->nodes);
    window->hosts = calloc(ranks, sizeof *window->hosts);
    window->begin = strdup("2026-11-26T03:34:48");
    window->elapsed_ns = 20000000000;
    assert_true(window->nodes && window->hosts && window->begin);
    for (uint32_t i = 0; i < ranks; i++) {
        char host[24];
        uint32_t node = i / (ranks > 8 ? 8 : 4);
        snprintf(host, sizeof host, "gpu-%02u", node);
        window->nodes[i] = (int32_t)node;
        window->hosts[i] = strdup(host);
        assert_non_null(window->hosts[i]);
    }
    return window;
}

static uint64_t hash_of(const test_sink *sink)
{
    uint64_t hash = UINT64_C(1469598103934665603);
    for (size_t i = 0; i < sink->size; i++)
        hash = (hash ^ (unsigned char)sink->data[i]) * UINT64_C(1099511628211);
    return hash;
}

static void keep(const char *folder, const char *name, const test_sink *sink)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(sink->data, 1, sink->size, file), sink->size);
    assert_int_equal(fclose(file), 0);
}

/* Note one picture: text in the file, of others the hash. */
static void note(dxt_text *golden, const char *name, const test_sink *sink, bool whole)
{
    const char *folder = getenv("DXT_GOLDEN_FOLDER");
    if (folder) keep(folder, name, sink);
    if (whole)
        dxt_text_printf(golden, "==== %s\n%s", name, sink->data);
    else
        dxt_text_printf(golden, "==== %s %016llx\n", name, (unsigned long long)hash_of(sink));
}

static void draw_all(dxt_text *golden, uint32_t ranks, int kind)
{
    static const uint32_t columns[] = {60, 80, 200};
    dxt_window *window = make(ranks);
    dxt_mark marks[MOST_MARKS];
    char name[64];
    test_sink sink = {0};
    dxt_heatmap_panel panel = {.window = window, .marks = marks, .caption = kinds[kind].caption};
    panel.mark_count = spoil(window, kind, marks);
    for (int i = 0; i < 6; i++) {
        dxt_color color = i % 2 ? DXT_COLOR_256 : DXT_COLOR_NONE;
        assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_TERMINAL, color, columns[i / 2]),
                         DXT_OK);
        snprintf(name, sizeof name, "%s-%u-%u%s.txt", kinds[kind].name, ranks, columns[i / 2],
                 i % 2 ? "-colour" : "");
        note(golden, name, &sink, ranks <= 16 && i % 2 == 0);
    }
    assert_int_equal(draw_into(&sink, &panel, DXT_FORMAT_SVG, DXT_COLOR_NONE, 0), DXT_OK);
    snprintf(name, sizeof name, "%s-%u.svg", kinds[kind].name, ranks);
    note(golden, name, &sink, false);
    /* What draws these differs from machine to machine; that it draws does not. */
    for (int format = DXT_FORMAT_PNG; getenv("DXT_GOLDEN_FOLDER") && format <= DXT_FORMAT_PDF;
         format++) {
        if (draw_into(&sink, &panel, (dxt_format)format, DXT_COLOR_NONE, 0) != DXT_OK) continue;
        snprintf(name, sizeof name, "%s-%u.%s", kinds[kind].name, ranks,
                 format == DXT_FORMAT_PNG ? "png" : "pdf");
        keep(getenv("DXT_GOLDEN_FOLDER"), name, &sink);
    }
    empty_sink(&sink);
    dxt_window_free(window);
}

/* ---- over time ---- */

#define WINDOWS 1000

/* A timeline on terminals of three widths, without colour and with it, and on paper. */
static void draw_course(dxt_text *golden, const dxt_timeline_panel *panel)
{
    char name[64];
    for (int i = 0; i < 9; i++) {
        static const uint32_t columns[] = {60, 80, 200};
        static const struct {
            const char *name;
            dxt_format format;
        } papers[] = {{"svg", DXT_FORMAT_SVG}, {"png", DXT_FORMAT_PNG}, {"pdf", DXT_FORMAT_PDF}};
        bool paper = i >= 6;
        if (i > 6 && !getenv("DXT_GOLDEN_FOLDER")) break;
        dxt_heatmap_options options = {.struct_size = sizeof options,
                                       .color = i % 2 ? DXT_COLOR_256 : DXT_COLOR_NONE,
                                       .columns = paper ? 0 : columns[i / 2]};
        test_sink sink = {0};
        dxt_format format = paper ? papers[i - 6].format : DXT_FORMAT_TERMINAL;
        dxt_status status = dxt_timeline_write(panel, 1, format, &options, into_sink, &sink);
        if (paper)
            snprintf(name, sizeof name, "onset-%u.%s", panel->ranks, papers[i - 6].name);
        else
            snprintf(name, sizeof name, "onset-%u-%u%s.txt", panel->ranks, columns[i / 2],
                     i % 2 ? "-colour" : "");
        if (i <= 6) {
            assert_int_equal(status, DXT_OK);
            note(golden, name, &sink, panel->ranks <= 16 && i % 2 == 0 && !paper);
        } else if (status == DXT_OK) {
            keep(getenv("DXT_GOLDEN_FOLDER"), name, &sink);
        }
        empty_sink(&sink);
    }
}

/* Rank 17 (of few, 5) is 40 µs late from window 400 on, the link of rank 3 slow from 700 on; the
 * others are late a little now and then. */
static void draw_onset(dxt_text *golden, uint32_t ranks)
{
    static int64_t index[WINDOWS];
    uint32_t late = ranks > 17 ? 17 : 5;
    double *values = calloc((size_t)ranks * WINDOWS, sizeof *values);
    assert_non_null(values);
    for (uint32_t k = 0; k < WINDOWS; k++) {
        index[k] = k;
        for (uint32_t rank = 0; rank < ranks; rank++) {
            uint32_t mixed = (rank * 2654435761u) ^ (k * 2246822519u);
            values[(size_t)rank * WINDOWS + k] = (double)(mixed >> 8 & 1023);
        }
        if (k >= 400) values[(size_t)late * WINDOWS + k] = 40000;
    }
    double *links = calloc(WINDOWS, sizeof *links);
    assert_non_null(links);
    for (uint32_t k = 700; k < WINDOWS; k++) links[k] = 25000;
    const dxt_timeline_strip strip = {.name = "↔ 3", .values = links, .host = "gpu-00"};
    char **hosts = calloc(ranks, sizeof *hosts);
    assert_non_null(hosts);
    for (uint32_t rank = 0; rank < ranks; rank++)
        assert_true(asprintf(&hosts[rank], "gpu-%02u", rank / 8) > 0);
    const dxt_timeline_mark mark = {.rank = late, .first = 400, .last = WINDOWS - 1};
    dxt_timeline_panel panel = {
        .ranks = ranks,
        .windows = WINDOWS,
        .index = index,
        .values = values,
        .ordinary = 1000,
        .title = "lateness in dispatch",
        .caption = late == 17 ? "rank 17 late in dispatch since window 400: +40.0 µs\nlink of rank "
                                "3 slow in dispatch since window 700: +25.0 µs"
                              : "rank 5 late in dispatch since window 400: +40.0 µs\nlink of rank "
                                "3 slow in dispatch since window 700: +25.0 µs",
        .hosts = (const char *const *)hosts,
        .marks = &mark,
        .mark_count = 1,
        .strips = &strip,
        .strip_count = 1};
    draw_course(golden, &panel);
    free(links);
    for (uint32_t rank = 0; rank < ranks; rank++) free(hosts[rank]);
    free(hosts);
    free(values);
}

/* The first line that differs, for people. */
static void show_difference(const char *was, const char *is)
{
    while (*was && *was == *is) {
        was++;
        is++;
    }
    print_error("was: %.*s\nis:  %.*s\n", (int)strcspn(was, "\n"), was, (int)strcspn(is, "\n"), is);
}

static void pictures_look_as_they_did(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {8, 16, 64, 256, 1024, 2048};
    char path[1024];
    const char *source = getenv("DXT_SOURCE_DIR");
    if (!source) skip();
    setenv("TZ", "UTC0", 1); /* begin times are shown as the clock here shows them */
    tzset();
    snprintf(path, sizeof path, "%s/tests/recorded/golden-render/pictures.txt", source);
    dxt_text golden = {0}, expected = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int kind = 0; kind < KINDS; kind++) draw_all(&golden, sizes[i], kind);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) draw_onset(&golden, sizes[i]);
    assert_false(golden.failed);
    if (getenv("DXT_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(golden.data, 1, golden.size, file), golden.size);
        assert_int_equal(fclose(file), 0);
    }
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char part[4096];
    size_t got;
    while ((got = fread(part, 1, sizeof part, file)) > 0) dxt_text_append(&expected, part, got);
    fclose(file);
    assert_false(expected.failed);
    if (strcmp(expected.data, golden.data) != 0) show_difference(expected.data, golden.data);
    assert_string_equal(expected.data, golden.data);
    free(expected.data);
    free(golden.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pictures_look_as_they_did)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
