/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recordings from real hardware, every case judged in order with its history, against their
 * labels. Even and odd cases are counted apart, but the rules were made with both in view: neither
 * is a held-out sample. The rates are floors: raise them when the analysis gets better, never lower
 * them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <deepxtrace/history.h>

#include "labels.h"

struct score {
    int faulted, faulted_exact, healthy, healthy_quiet, major;
};

static void add_to_score(const dxt_window *window, const dxt_findings *found, struct score *score)
{
    json_t *extra = json_loads(window->extra, 0, NULL);
    const json_t *label = json_object_get(extra, "label");
    if (json_is_object(label)) {
        const json_t *cols = json_object_get(label, "cols"), *rows = json_object_get(label, "rows");
        bool exact = axes_equal(cols, found->cols, found->col_count) &&
                     axes_equal(rows, found->rows, found->row_count) && found->point_count == 0;
        bool quiet = exact && found->finding_count == 0;
        assert_int_equal(json_array_size(json_object_get(label, "points")), 0);
        if (json_array_size(cols) + json_array_size(rows) == 0) {
            score->healthy++;
            score->healthy_quiet += quiet;
            score->major +=
                found->finding_count > 0 && found->findings[0].severity != DXT_SEVERITY_MINOR;
        } else {
            score->faulted++;
            score->faulted_exact += exact;
        }
        if (!exact)
            print_message("%s %s %ld\n", window->case_name, window->phase, (long)window->index);
    }
    json_decref(extra);
}

static void judge_pair(dxt_history *history, dxt_window *const pair[2], struct score *score)
{
    for (int k = 0; k < 2; k++) {
        dxt_analysis_options options = {.struct_size = sizeof options, .companion = pair[1 - k]};
        dxt_findings *found, *judged;
        assert_int_equal(dxt_history_prior(history, pair[k], &options), DXT_OK);
        assert_int_equal(dxt_analyze(pair[k], &options, &found), DXT_OK);
        assert_int_equal(dxt_history_judge(history, pair[k], found, &judged), DXT_OK);
        add_to_score(pair[k], judged, score);
        dxt_findings_free(judged);
        dxt_findings_free(found);
    }
}

/* Scores of the even and of the odd cases, in the order of the recording. */
static void score_recording(struct score half[2])
{
    char path[1024];
    const char *tree = getenv("DXT_SOURCE_DIR");
    dxt_reader *reader;
    dxt_history *history;
    dxt_window *pair[2];
    int number = -1;
    snprintf(path, sizeof path, "%s/tests/recorded/data/deepep-ep4-h200.jsonl", tree ? tree : ".");
    assert_int_equal(dxt_reader_open(path, &reader), DXT_OK);
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    while (dxt_reader_next(reader, &pair[0]) == DXT_OK) {
        assert_int_equal(dxt_reader_next(reader, &pair[1]), DXT_OK);
        number += number < 0 || !dxt_history_continues(history, pair[0]);
        judge_pair(history, pair, &half[number % 2]);
        dxt_window_free(pair[0]);
        dxt_window_free(pair[1]);
    }
    dxt_history_destroy(history);
    dxt_reader_close(reader);
}

static void faults_of_real_hardware_are_named_exactly(void **state)
{
    struct score half[2] = {{0}, {0}}, all = {0};
    (void)state;
    score_recording(half);
    for (int k = 0; k < 2; k++) {
        print_message("%s cases: %d of %d faulted windows exact, %d of %d healthy windows quiet\n",
                      k ? "odd" : "even", half[k].faulted_exact, half[k].faulted,
                      half[k].healthy_quiet, half[k].healthy);
        all.faulted += half[k].faulted;
        all.faulted_exact += half[k].faulted_exact;
        all.healthy += half[k].healthy;
        all.healthy_quiet += half[k].healthy_quiet;
        all.major += half[k].major;
    }
    assert_int_equal(all.faulted, 560);
    assert_int_equal(all.healthy, 480);
    assert_true(all.faulted_exact >= 558);
    assert_int_equal(all.healthy_quiet, 480);
    assert_int_equal(all.major, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_of_real_hardware_are_named_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
