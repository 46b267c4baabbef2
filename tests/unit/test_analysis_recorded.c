/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recordings from real hardware, judged with the default options against their labels. The
 * rates are floors: raise them when the analysis gets better, never lower them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <deepxtrace/analysis.h>

#include "labels.h"

#define MOST_WINDOWS 2048

static dxt_window *windows[MOST_WINDOWS];
static size_t window_count;

static void load(const char *name)
{
    char path[1024];
    dxt_reader *reader;
    dxt_status status;
    const char *tree = getenv("DXT_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/tests/recorded/data/%s", tree ? tree : ".", name);
    assert_int_equal(dxt_reader_open(path, &reader), DXT_OK);
    window_count = 0;
    while ((status = dxt_reader_next(reader, &windows[window_count])) == DXT_OK) {
        window_count++;
        assert_true(window_count < MOST_WINDOWS);
    }
    assert_int_equal(status, DXT_END);
    dxt_reader_close(reader);
}

static void unload(void)
{
    for (size_t i = 0; i < window_count; i++) dxt_window_free(windows[i]);
    window_count = 0;
}

/* The other operator of the same window; recordings hold the two next to each other. */
static const dxt_window *companion_of(size_t i)
{
    size_t other = strcmp(windows[i]->phase, "dispatch") == 0 ? i + 1 : i - 1;
    if (other >= window_count || windows[other]->index != windows[i]->index) return NULL;
    return strcmp(windows[other]->phase, windows[i]->phase) == 0 ? NULL : windows[other];
}

static bool points_equal(const json_t *expected, const dxt_findings *findings)
{
    if (json_array_size(expected) != findings->point_count) return false;
    for (size_t k = 0; k < findings->point_count; k++) {
        const json_t *point = json_array_get(expected, k);
        if (json_integer_value(json_array_get(point, 0)) != findings->points[k].row ||
            json_integer_value(json_array_get(point, 1)) != findings->points[k].column)
            return false;
    }
    return true;
}

struct score {
    int faulted, faulted_exact, healthy, healthy_quiet;
};

/* Judge window i; false where it has no single truth. */
static bool judge(size_t i, dxt_method method, bool *exact, bool *healthy, bool *quiet)
{
    json_t *extra = json_loads(windows[i]->extra, 0, NULL);
    json_t *label = json_object_get(extra, "label");
    bool labelled = json_is_object(label);
    if (labelled) {
        dxt_analysis_options options = {
            .struct_size = sizeof options, .method = method, .companion = companion_of(i)};
        dxt_findings *found;
        assert_int_equal(dxt_analyze(windows[i], &options, &found), DXT_OK);
        const json_t *cols = json_object_get(label, "cols"), *rows = json_object_get(label, "rows");
        const json_t *points = json_object_get(label, "points");
        *exact = axes_equal(cols, found->cols, found->col_count) &&
                 axes_equal(rows, found->rows, found->row_count) && points_equal(points, found);
        *healthy = json_array_size(cols) + json_array_size(rows) + json_array_size(points) == 0;
        *quiet =
            found->finding_count + found->col_count + found->row_count + found->point_count == 0;
        dxt_findings_free(found);
    }
    json_decref(extra);
    return labelled;
}

static struct score score_cases(dxt_method method, bool (*wanted)(const char *name))
{
    struct score score = {0};
    for (size_t i = 0; i < window_count; i++) {
        bool exact, healthy, quiet;
        if (!wanted(windows[i]->case_name) || !judge(i, method, &exact, &healthy, &quiet)) continue;
        if (healthy) {
            score.healthy++;
            score.healthy_quiet += quiet;
        } else {
            score.faulted++;
            score.faulted_exact += exact;
        }
    }
    return score;
}

static bool any_case(const char *name)
{
    (void)name;
    return true;
}

/* Faults well above the noise of the machine: 10 µs and more, 5 % jitter. */
static bool clear_case(const char *name)
{
    return strcmp(name, "c_col3_5us") != 0 && strcmp(name, "d_col1_30us_j20") != 0;
}

/* Of four ranks 5 µs are what cells of our own engine differ by: named after windows before. */
static bool clear_alone(const char *name)
{
    return strcmp(name, "d_col2_5us") != 0;
}

static void reference_matrices_are_exact(void **state)
{
    (void)state;
    load("reference-matrices.jsonl");
    for (size_t i = 0; i < window_count; i++) {
        bool exact, healthy, quiet;
        assert_true(judge(i, DXT_METHOD_ROBUST, &exact, &healthy, &quiet));
        assert_true(exact);
    }
    unload();
}

static void clear_faults_of_real_hardware_are_named_exactly(void **state)
{
    (void)state;
    load("deepep-ep4-h200.jsonl");
    struct score score = score_cases(DXT_METHOD_ROBUST, clear_case);
    printf("clear cases: %d of %d faulted windows exact, %d of %d healthy windows quiet\n",
           score.faulted_exact, score.faulted, score.healthy_quiet, score.healthy);
    assert_true(score.faulted >= 500 && score.healthy >= 400);
    assert_true(score.faulted_exact >= score.faulted - 3);
    assert_true(score.healthy_quiet >= score.healthy - 3);
    score = score_cases(DXT_METHOD_ROBUST, any_case);
    printf("all cases: %d of %d faulted windows exact, %d of %d healthy windows quiet\n",
           score.faulted_exact, score.faulted, score.healthy_quiet, score.healthy);
    assert_true(score.faulted_exact * 100 >= score.faulted * 96);
    struct score ratio = score_cases(DXT_METHOD_RATIO, any_case);
    printf("the established rule: %d of %d faulted windows exact, %d of %d healthy windows quiet\n",
           ratio.faulted_exact, ratio.faulted, ratio.healthy_quiet, ratio.healthy);
    assert_true(score.faulted_exact > ratio.faulted_exact);
    unload();
}

static void faults_on_our_own_engine_are_named_exactly(void **state)
{
    (void)state;
    const char *const names[] = {"cuda-ep2-h200.jsonl", "cuda-ep4-h200.jsonl"};
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        load(names[n]);
        struct score score = score_cases(DXT_METHOD_ROBUST, clear_alone);
        printf("%s: %d of %d faulted windows exact, %d of %d healthy windows quiet\n", names[n],
               score.faulted_exact, score.faulted, score.healthy_quiet, score.healthy);
        assert_true(score.faulted > 0 && score.healthy > 0);
        assert_int_equal(score.faulted_exact, score.faulted);
        assert_int_equal(score.healthy_quiet, score.healthy);
        unload();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_matrices_are_exact),
        cmocka_unit_test(clear_faults_of_real_hardware_are_named_exactly),
        cmocka_unit_test(faults_on_our_own_engine_are_named_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
