/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of an unknown number of waits: the companion's transfer is the ruler, and no share is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include <deepxtrace/analysis.h>
#include <deepxtrace/report.h>

enum { RANKS = 4 };

/* Everybody waits @p each for everybody, for itself as well, and @p late longer for rank 2, which
 * does not wait. */
static dxt_window *new_window(const char *phase, int64_t each, int64_t late, int64_t own)
{
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(RANKS, phase, &window), DXT_OK);
    window->unit = DXT_UNIT_NS;
    window->elapsed_ns = 11000000;
    for (uint32_t i = 0; i < RANKS; i++)
        for (uint32_t j = 0; j < RANKS; j++) {
            bool waits = j == 2 && i != 2;
            window->wait[i * RANKS + j] = (i == j ? own : each) + (waits ? late : 0);
        }
    return window;
}

/* What is said of a rank that is late by @p late in dispatch, where transfers in combine sum up to
 * 32 ms in a window of 11 ms. */
static dxt_findings *judge(int64_t late, int64_t samples)
{
    dxt_window *dispatch = new_window("dispatch", 3200000, late, 0);
    dxt_window *combine = new_window("combine", 33000000, 0, 32000000);
    dispatch->samples_each = combine->samples_each = samples;
    dxt_analysis_options options = {.struct_size = sizeof options, .companion = combine};
    dxt_findings *findings = NULL;
    assert_int_equal(dxt_analyze(dispatch, &options, &findings), DXT_OK);
    dxt_window_free(dispatch);
    dxt_window_free(combine);
    return findings;
}

static size_t late_ranks(int64_t late)
{
    dxt_findings *findings = judge(late, 0);
    size_t count = findings->finding_count;
    for (size_t f = 0; f < count; f++) {
        assert_int_equal(findings->findings[f].kind, DXT_LATE_RANK);
        assert_int_equal(findings->findings[f].rank, 2);
        assert_true(isnan(findings->findings[f].share));
    }
    assert_int_equal(findings->waits_beside, 3); /* 33 ms in 11 */
    dxt_findings_free(findings);
    return count;
}

static void the_transfer_is_the_ruler(void **state)
{
    (void)state;
    assert_int_equal(late_ranks(11800000), 0);
    assert_int_equal(late_ranks(13800000), 1);
}

static void what_is_counted_needs_none(void **state)
{
    (void)state;
    dxt_findings *findings = judge(8000000, 3200);
    assert_int_equal(findings->finding_count, 1);
    assert_int_equal(findings->waits_beside, 0);
    dxt_findings_free(findings);
}

static dxt_status add_text(void *context, const void *bytes, size_t size)
{
    strncat(context, bytes, size);
    return DXT_OK;
}

static void it_is_said(void **state)
{
    (void)state;
    char text[2000] = "", json[2000] = "";
    dxt_findings *findings = judge(40000000, 0);
    dxt_window *dispatch = new_window("dispatch", 3200000, 40000000, 0);
    assert_int_equal(dxt_report_text(dispatch, findings, add_text, text), DXT_OK);
    assert_non_null(strstr(text, "at least 4 waits at a time were added up"));
    assert_null(strstr(text, "of the step;"));
    assert_int_equal(dxt_report_json(dispatch, findings, add_text, json), DXT_OK);
    assert_non_null(strstr(json, "\"waits_beside\":4"));
    dxt_window_free(dispatch);
    dxt_findings_free(findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_transfer_is_the_ruler),
        cmocka_unit_test(what_is_counted_needs_none),
        cmocka_unit_test(it_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
