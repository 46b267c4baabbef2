/* SPDX-License-Identifier: Apache-2.0 */
/* Windows in which nothing is completed: who takes no part any more, or nobody knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/history.h>
#include <deepxtrace/report.h>

#include "alloc_fail.h"

enum { RANKS = 4 };

/* A window of a job of 4 ranks, in which 100 operations were completed, or none. */
static dxt_window *new_window(int64_t index, int busy, const int64_t issued[RANKS])
{
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(RANKS, "dispatch", &window), DXT_OK);
    window->index = index;
    window->unit = DXT_UNIT_NS;
    window->elapsed_ns = 1000000000;
    window->samples = calloc((size_t)RANKS * RANKS, sizeof *window->samples);
    window->issued = calloc(RANKS, sizeof *window->issued);
    window->begin = strdup(index == 3 ? "2026-11-26T03:12:40.000Z" : "2026-11-26T03:13:00.000Z");
    memcpy(window->issued, issued, RANKS * sizeof *issued);
    if (!busy) return window;
    window->ops = 100;
    for (uint32_t c = 0; c < RANKS * RANKS; c++) {
        window->samples[c] = 100;
        window->wait[c] = c % (RANKS + 1) == 0 ? 0 : 100 * (1000 + 13 * c % 7);
    }
    return window;
}

/* @return Its findings in the light of those before; to be freed. */
static dxt_findings *judge(dxt_history *history, dxt_window *window)
{
    dxt_findings *findings = NULL, *judged = NULL;
    assert_int_equal(dxt_window_check(window), DXT_OK);
    assert_int_equal(dxt_analyze(window, NULL, &findings), DXT_OK);
    assert_int_equal(dxt_history_judge(history, window, findings, &judged), DXT_OK);
    dxt_findings_free(findings);
    return judged;
}

static dxt_history *busy_history(void)
{
    dxt_history *history = NULL;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    for (int64_t index = 0; index < 3; index++) {
        int64_t issued[RANKS];
        for (int r = 0; r < RANKS; r++) issued[r] = 100 * (index + 1);
        dxt_window *window = new_window(index, 1, issued);
        dxt_findings *judged = judge(history, window);
        assert_int_equal(judged->finding_count, 0);
        assert_int_equal(judged->still_windows, 0);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
    return history;
}

static dxt_status add_text(void *context, const void *bytes, size_t size)
{
    char *text = strncat(context, bytes, size), *to = text;
    /* However it is wrapped. */
    for (const char *at = text; *at; at++) {
        char one = *at == '\n' ? ' ' : *at;
        if (one != ' ' || to == text || to[-1] != ' ') *to++ = one;
    }
    *to = '\0';
    return DXT_OK;
}

/* Windows 3, 4 and 5 are still; of those after the first, rank @p who is named, or nobody. */
static void check_still(const int64_t issued[3][RANKS], int64_t who)
{
    dxt_history *history = busy_history();
    for (int64_t k = 0; k < 3; k++) {
        dxt_window *window = new_window(3 + k, 0, issued[k]);
        dxt_findings *judged = judge(history, window);
        char text[2000] = "";
        assert_int_equal(dxt_report_text(window, judged, add_text, text), DXT_OK);
        assert_int_equal(judged->still_windows, k + 1);
        assert_string_equal(judged->still_since, "2026-11-26T03:12:40.000Z");
        bool named = k > 0 && who >= 0;
        assert_int_equal(judged->finding_count, named);
        if (named) {
            assert_int_equal(judged->verdict, DXT_VERDICT_SLOW);
            assert_int_equal(judged->findings[0].kind, DXT_SILENT_RANK);
            assert_int_equal(judged->findings[0].silence, DXT_SILENCE_NO_PART);
            assert_int_equal(judged->findings[0].rank, who);
            assert_true(judged->findings[0].confidence == 0.95);
            assert_non_null(strstr(text, "takes no part"));
        } else {
            assert_int_equal(judged->verdict, DXT_VERDICT_INCONCLUSIVE);
            assert_int_equal(strstr(text, "nothing completed since 2026-11-2") != NULL, k > 0);
        }
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
    dxt_episode *episodes;
    size_t count;
    assert_int_equal(dxt_history_summary(history, &episodes, &count), DXT_OK);
    assert_int_equal(count, who >= 0);
    if (count) assert_int_equal(episodes[0].first, 4);
    free(episodes);
    dxt_run_identity run = {.struct_size = sizeof run};
    assert_int_equal(dxt_history_run(history, &run), DXT_OK);
    assert_int_equal(run.ranks, RANKS);
    assert_null(run.case_name);
    assert_int_equal(run.windows, 3); /* nobody was on time in the others */
    assert_int_equal(dxt_history_windows(history), 3);
    dxt_history_destroy(history);
}

static void who_stays_behind_takes_no_part(void **state)
{
    (void)state;
    static const int64_t hangs[3][RANKS] = {
        {302, 302, 300, 302}, {302, 302, 300, 302}, {302, 302, 300, 302}};
    static const int64_t others_go_on[3][RANKS] = {
        {305, 302, 300, 303}, {306, 302, 300, 303}, {306, 302, 300, 303}};
    check_still(hangs, 2);
    check_still(others_go_on, 2);
}

static void nobody_is_named_who_cannot_be_told(void **state)
{
    (void)state;
    static const int64_t equal[3][RANKS] = {
        {302, 302, 302, 302}, {302, 302, 302, 302}, {302, 302, 302, 302}};
    static const int64_t unknown[3][RANKS] = {
        {302, -1, 300, 302}, {302, -1, 300, 302}, {302, -1, 300, 302}};
    static const int64_t most_are_behind[3][RANKS] = {
        {302, 301, 301, 301}, {302, 301, 301, 301}, {302, 301, 301, 301}};
    static const int64_t goes_on[3][RANKS] = {
        {310, 310, 300, 310}, {310, 310, 301, 310}, {310, 310, 302, 310}};
    check_still(equal, -1);
    check_still(unknown, -1);
    check_still(most_are_behind, -1);
    check_still(goes_on, -1); /* slowly, but it does */
}

static void it_is_over_when_something_is_completed(void **state)
{
    (void)state;
    static const int64_t hangs[RANKS] = {302, 302, 300, 302}, after[RANKS] = {400, 400, 400, 400};
    dxt_history *history = busy_history();
    for (int64_t index = 3; index < 9; index++) {
        int busy = index == 5;
        dxt_window *window = new_window(index, busy, busy ? after : hangs);
        dxt_findings *judged = judge(history, window);
        assert_int_equal(judged->finding_count, index == 4 || index >= 7);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
    dxt_history_destroy(history);
}

/* A silent rank explains why nothing is completed; nobody else is named for it. */
static void a_rank_without_counters_is_cause_enough(void **state)
{
    (void)state;
    static const int64_t issued[RANKS] = {302, DXT_NOT_OBSERVED, 300, 302};
    dxt_history *history = busy_history();
    for (int64_t index = 3; index < 6; index++) {
        dxt_window *window = new_window(index, 0, issued);
        window->missing = calloc(RANKS, 1);
        window->missing[1] = 1;
        dxt_findings *judged = judge(history, window);
        assert_int_equal(judged->finding_count, 1);
        assert_int_equal(judged->findings[0].rank, 1);
        assert_int_equal(judged->findings[0].silence, DXT_SILENCE_NO_COUNTERS);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
    dxt_history_destroy(history);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const int64_t hangs[RANKS] = {302, 302, 300, 302};
    bool failed = true;
    for (long k = 1; failed; k++) {
        dxt_history *history = NULL;
        assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
        dxt_window *window = new_window(3, 0, hangs);
        dxt_findings *findings = NULL, *judged = NULL;
        assert_int_equal(dxt_analyze(window, NULL, &findings), DXT_OK);
        alloc_fail_arm(k);
        dxt_status status = dxt_history_judge(history, window, findings, &judged);
        failed = alloc_fail_disarm();
        assert_int_equal(status, failed ? DXT_ERR_NO_MEMORY : DXT_OK);
        if (failed) assert_null(judged);
        dxt_findings_free(judged);
        dxt_findings_free(findings);
        dxt_window_free(window);
        dxt_history_destroy(history);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stays_behind_takes_no_part),
        cmocka_unit_test(nobody_is_named_who_cannot_be_told),
        cmocka_unit_test(it_is_over_when_something_is_completed),
        cmocka_unit_test(a_rank_without_counters_is_cause_enough),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
