/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of a run whose operations are not known, for once or for good: what they add up is the
 * whole window, and is not held against what one operation took. */
#include <stdlib.h>

#include <deepxtrace/history.h>

#include "judged.h"

static dxt_history *history;

static int begin(void **state)
{
    (void)state;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    healthy(8, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    dxt_history_destroy(history);
    return 0;
}

static dxt_window *numbered(int64_t index, bool counted)
{
    job.seed = 1000 * (uint64_t)index;
    dxt_window *window = arrivals_window(&job, "dispatch");
    window->index = index;
    if (counted) return window;
    window->ops = 0;
    free(window->samples);
    window->samples = NULL;
    window->samples_each = 0;
    return window;
}

/* @return Whom the window calls late, or nobody. */
static uint32_t pass(int64_t index, bool counted)
{
    dxt_window *window = numbered(index, counted);
    dxt_findings *alone = analyze(window, NULL), *judged = NULL;
    assert_int_equal(dxt_history_judge(history, window, alone, &judged), DXT_OK);
    /* By itself it says what it says without a history. */
    if (!counted) assert_int_equal(judged->finding_count, alone->finding_count);
    uint32_t rank = judged->finding_count > 0 ? judged->findings[0].rank : DXT_NO_RANK;
    dxt_findings_free(alone);
    dxt_findings_free(judged);
    dxt_window_free(window);
    return rank;
}

static bool continues(int64_t index, bool counted)
{
    dxt_window *window = numbered(index, counted);
    bool is_next = dxt_history_continues(history, window);
    dxt_window_free(window);
    return is_next;
}

/* It neither ends the run nor becomes part of it: what is small and stays is found as ever. */
static void for_once_it_changes_nothing(void **state)
{
    (void)state;
    dxt_episode *episodes;
    size_t count;
    for (int k = 0; k < 10; k++) assert_int_equal(pass(k, true), DXT_NO_RANK);
    for (int k = 10; k < 30; k += 2) {
        job.late[3] = 22 * US;
        assert_int_equal(pass(k, true), 3);
        job.late[3] = 0;
        job.late[5] = 5000 * US;
        assert_true(continues(k + 1, false));
        pass(k + 1, false);
        job.late[5] = 0;
    }
    assert_int_equal(dxt_history_windows(history), 20);
    assert_int_equal(dxt_history_summary(history, &episodes, &count), DXT_OK);
    assert_int_equal(count, 1);
    assert_int_equal(episodes[0].rank, 3);
    assert_int_equal(episodes[0].seen, 10);
    assert_int_equal(episodes[0].windows, 10);
    assert_int_equal(episodes[0].last, 28);
    assert_near(episodes[0].wait, 22 * US, 3 * US);
    free(episodes);
}

static void for_good_it_is_another_run(void **state)
{
    (void)state;
    for (int k = 0; k < 12; k++) assert_int_equal(pass(k, true), DXT_NO_RANK);
    for (int k = 12; k < 19; k++) pass(k, false);
    assert_int_equal(dxt_history_windows(history), 12);
    assert_false(continues(19, false));
    for (int k = 19; k < 31; k++) pass(k, false);
    assert_int_equal(dxt_history_windows(history), 12);
}

/* As at the beginning of a run, before the first call has told. */
static void what_is_known_at_last_takes_over_at_once(void **state)
{
    (void)state;
    pass(0, false);
    pass(1, false);
    assert_int_equal(dxt_history_windows(history), 2);
    assert_true(continues(2, true));
    assert_int_equal(pass(2, true), DXT_NO_RANK);
    assert_false(continues(3, true));
    for (int k = 3; k < 13; k++) assert_int_equal(pass(k, true), DXT_NO_RANK);
    assert_int_equal(dxt_history_windows(history), 10);
    /* And for once it is not known again. */
    pass(13, false);
    assert_int_equal(dxt_history_windows(history), 10);
    assert_int_equal(pass(14, true), DXT_NO_RANK);
    assert_int_equal(dxt_history_windows(history), 11);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(for_once_it_changes_nothing),
        TEST(for_good_it_is_another_run),
        TEST(what_is_known_at_last_takes_over_at_once),
    };
    return cmocka_run_group_tests_name("history_uncounted", tests, NULL, NULL);
}
