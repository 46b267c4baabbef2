/* SPDX-License-Identifier: Apache-2.0 */
/* What a history remembers of a run, what it forgets, and in how much memory. */
#include "test_history_run.h"

#include <stdio.h>

#include "alloc_fail.h"

static void another_run_is_judged_anew(void **state)
{
    (void)state;
    job.late[3] = 22 * US;
    for (int k = 5; k < 10; k++) assert_int_equal(late_rank("dispatch", k), 3);
    assert_int_equal(only_episode().seen, 5);
    dxt_window *window = numbered("dispatch", 10);
    assert_true(dxt_history_continues(history, window));
    window->case_name = strdup("another");
    assert_false(dxt_history_continues(history, window));
    dxt_findings_free(judge_window(window));
    assert_int_equal(only_episode().seen, 1);
    window->index = 10;
    assert_false(dxt_history_continues(history, window));
    window->index = 11;
    window->instance = strdup("job");
    assert_false(dxt_history_continues(history, window));
    dxt_window_free(window);
    healthy(4, 0);
    window = numbered("dispatch", 12);
    assert_false(dxt_history_continues(history, window));
    dxt_window_free(window);
}

static void what_has_no_place_in_a_run_is_given_back(void **state)
{
    dxt_analysis_options options = {.struct_size = sizeof options, .method = DXT_METHOD_RATIO};
    dxt_findings *judged;
    (void)state;
    job.late[3] = 22 * US;
    for (int k = 0; k < 3; k++) assert_int_equal(late_rank("dispatch", -1), 3);
    assert_int_equal(dxt_history_windows(history), 0);
    dxt_window *window = numbered("dispatch", 0);
    dxt_findings *found = analyze(window, &options);
    assert_int_equal(dxt_history_judge(history, window, found, &judged), DXT_OK);
    assert_int_equal(judged->method, DXT_METHOD_RATIO);
    assert_int_equal(judged->col_count, found->col_count);
    assert_null(judged->lateness);
    assert_int_equal(dxt_history_windows(history), 0);
    dxt_findings_free(judged);
    found->ranks = 7;
    assert_int_equal(dxt_history_judge(history, window, found, &judged), DXT_ERR_INVALID);
    dxt_findings_free(found);
    dxt_window_free(window);
}

static void what_is_known_of_the_companion_is_kept(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        dxt_window *window = numbered("combine", k);
        dxt_findings *found = analyze(window, NULL), *judged = NULL;
        found->inherited = k;
        assert_int_equal(dxt_history_judge(history, window, found, &judged), DXT_OK);
        assert_int_equal(judged->inherited, k);
        dxt_findings_free(judged);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

static void a_silent_rank_is_no_obstacle(void **state)
{
    (void)state;
    job.late[3] = 22 * US;
    for (int k = 0; k < 12; k++) {
        dxt_window *window = numbered("dispatch", k);
        if (k == 4 || k > 8) {
            window->missing = calloc(8, 1);
            window->missing[6] = 1;
            memset(window->wait + 6 * 8, 0, 8 * sizeof *window->wait);
        }
        dxt_findings *judged = judge_window(window);
        assert_int_equal(judged->finding_count, window->missing ? 2 : 1);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
    dxt_episode *episodes;
    assert_int_equal(summary(&episodes), 2);
    assert_int_equal(episodes[0].kind, DXT_SILENT_RANK);
    assert_int_equal(episodes[0].seen, 4);
    assert_int_equal(episodes[1].rank, 3);
    free(episodes);
}

static void memory_is_bounded(void **state)
{
    static dxt_finding many[300];
    (void)state;
    for (int phase = 0; phase < 12; phase++) {
        char name[32];
        snprintf(name, sizeof name, "operator-%d", phase);
        assert_int_equal(late_rank(name, 0), -1);
    }
    for (int k = 1; k < 200; k++) assert_int_equal(late_rank("operator-0", k), -1);
    assert_int_equal(dxt_history_windows(history), 200);
    for (uint32_t f = 0; f < 300; f++)
        many[f] = (dxt_finding){
            .kind = DXT_SLOW_PATH, .rank = f % 8, .source = f, .node = -1, .source_node = -1};
    dxt_window *window = numbered("operator-0", 200);
    dxt_findings *found = analyze(window, NULL), *judged;
    dxt_findings crowded = *found;
    crowded.findings = many;
    crowded.finding_count = 300;
    assert_int_equal(dxt_history_judge(history, window, &crowded, &judged), DXT_OK);
    assert_int_equal(judged->finding_count, 300);
    dxt_episode *episodes;
    assert_int_equal(summary(&episodes), DXT_HISTORY_EPISODES);
    free(episodes);
    dxt_findings_free(judged);
    dxt_findings_free(found);
    dxt_window_free(window);
}

/* Weeks in which now this path stands out and now that: what matters is still summed up. */
static void cheap_episodes_make_room_for_costly_ones(void **state)
{
    (void)state;
    dxt_finding one = {.kind = DXT_SLOW_PATH, .node = -1, .source_node = -1};
    for (int k = 0; k < 700; k++) {
        one.rank = (uint32_t)k % 7;
        one.source = 100 + (uint32_t)k;
        one.wait = k == 20 ? 90 * US : US;
        if (k >= 600) one = (dxt_finding){.kind = DXT_SLOW_PATH, .rank = 1, .wait = 9 * US};
        dxt_window *window = numbered("dispatch", k);
        dxt_findings *found = analyze(window, NULL), *judged;
        dxt_findings with_path = *found;
        with_path.findings = &one;
        with_path.finding_count = 1;
        assert_int_equal(dxt_history_judge(history, window, &with_path, &judged), DXT_OK);
        dxt_findings_free(judged);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
    dxt_episode *episodes;
    assert_int_equal(summary(&episodes), DXT_HISTORY_EPISODES);
    assert_int_equal(episodes[0].seen, 100);
    assert_int_equal(episodes[0].first, 600);
    assert_int_equal(episodes[0].windows, 100);
    assert_int_equal(episodes[1].source, 120);
    assert_true(episodes[2].first > 300); /* of equals the newest */
    free(episodes);
}

static double many_paths(uint32_t i, uint32_t j)
{
    return i != j && (i + 3 * j) % 8 == 0 ? 60 * US : 0;
}

/* A run of two operators to which more and more happens; its ranks 8 to 39 fall silent and return.
 */
static dxt_window *window_of_run(const char *phase, int k)
{
    job.late[3] = k >= 10 ? 22 * US : 0;
    job.late[5] = k >= 15 ? 7 * US : 0;
    job.late[6] = k >= 20 ? -40 * US : 0;
    job.path = k >= 25 ? many_paths : NULL;
    dxt_window *window = numbered(phase, k);
    window->missing = calloc(40, 1);
    window->instance = strdup("instance");
    assert_true(window->missing && window->instance);
    for (uint32_t r = 8; r < 40; r++) window->missing[r] = k >= 30 && k < 34;
    for (uint32_t r = 0; r < 40; r++)
        if (window->missing[r]) memset(window->wait + 40 * r, 0, 40 * sizeof(int64_t));
    return window;
}

static void assert_same(const dxt_findings *found, const dxt_findings *expected)
{
    assert_int_equal(found->verdict, expected->verdict);
    assert_int_equal(found->finding_count, expected->finding_count);
    assert_int_equal(found->col_count, expected->col_count);
    assert_int_equal(found->row_count, expected->row_count);
    assert_int_equal(found->point_count, expected->point_count);
    for (size_t f = 0; f < found->finding_count; f++) {
        assert_int_equal(found->findings[f].kind, expected->findings[f].kind);
        assert_int_equal(found->findings[f].rank, expected->findings[f].rank);
        assert_true(found->findings[f].confidence == expected->findings[f].confidence);
    }
    assert_memory_equal(found->lateness, expected->lateness, found->ranks * sizeof(double));
}

/* The same judgement as in memory of its own, and no allocation after the first window of each
 * operator, also when the run is over and another begins. */
static void a_run_is_followed_in_the_same_memory(void **state)
{
    static const char *const phases[] = {"dispatch", "combine"};
    dxt_history *follower = NULL;
    size_t most = 0;
    (void)state;
    assert_int_equal(dxt_history_create(NULL, &follower), DXT_OK);
    healthy(40, 0);
    for (int k = 0; k < 80; k++) {
        const dxt_findings *followed[2];
        dxt_findings *judged[2];
        for (int p = 0; p < 2; p++) {
            dxt_window *window = window_of_run(phases[p], k % 40);
            dxt_findings *alone = analyze(window, NULL);
            assert_int_equal(dxt_history_judge(history, window, alone, &judged[p]), DXT_OK);
            alloc_count_begin();
            assert_int_equal(dxt_history_follow(follower, window, alone, &followed[p]), DXT_OK);
            if (k > 0) assert_int_equal(alloc_count(), 0);
            dxt_findings_free(alone);
            dxt_window_free(window);
        }
        for (int p = 0; p < 2; p++) {
            assert_same(followed[p], judged[p]);
            if (followed[p]->finding_count > most) most = followed[p]->finding_count;
            dxt_findings_free(judged[p]);
        }
        assert_int_equal(dxt_history_windows(follower), k % 40 + 1);
    }
    assert_true(most > 32);
    dxt_history_destroy(follower);
}

static void what_is_not_followed_is_given_back(void **state)
{
    (void)state;
    dxt_window *window = numbered("dispatch", -1);
    dxt_findings *alone = analyze(window, NULL);
    const dxt_findings *followed = NULL;
    assert_int_equal(dxt_history_follow(history, window, alone, &followed), DXT_OK);
    assert_ptr_equal(followed, alone);
    alone->ranks = 7;
    followed = NULL;
    assert_int_equal(dxt_history_follow(history, window, alone, &followed), DXT_ERR_INVALID);
    assert_null(followed);
    dxt_findings_free(alone);
    dxt_window_free(window);
}

/* Nine operators in a second run of which the first had eight others. */
static void forgotten_operators_make_room(void **state)
{
    (void)state;
    for (int run = 0; run < 2; run++) {
        for (int phase = 0; phase < 9; phase++) {
            char name[64];
            snprintf(name, sizeof name, "operator-%d-%d", run, phase);
            dxt_window *window = numbered(name, 3 - run);
            window->instance = strdup(run ? "second" : "first");
            dxt_findings *alone = analyze(window, NULL);
            const dxt_findings *followed;
            assert_int_equal(dxt_history_follow(history, window, alone, &followed), DXT_OK);
            assert_int_equal(followed == alone, phase == 8);
            dxt_findings_free(alone);
            dxt_window_free(window);
        }
    }
    dxt_timeline *timeline;
    assert_int_equal(dxt_history_timeline(history, "operator-0-0", &timeline), DXT_ERR_INVALID);
    assert_int_equal(dxt_history_timeline(history, "operator-1-7", &timeline), DXT_OK);
    free(timeline);
}

static void the_timeline_holds_the_newest_windows(void **state)
{
    dxt_timeline *timeline;
    (void)state;
    assert_int_equal(dxt_history_timeline(history, "dispatch", &timeline), DXT_ERR_INVALID);
    for (int k = 0; k < 70; k++) {
        job.late[3] = k >= 60 ? 22 * US : 0;
        late_rank("dispatch", k);
    }
    assert_int_equal(dxt_history_timeline(history, "dispatch", &timeline), DXT_OK);
    assert_int_equal(timeline->ranks, 8);
    assert_int_equal(timeline->windows, DXT_HISTORY_WINDOWS);
    assert_int_equal(timeline->measure, DXT_MEASURE_NS_PER_OP);
    for (size_t p = 0; p < timeline->windows; p++) {
        assert_int_equal(timeline->index[p], 6 + (int64_t)p);
        double expected = timeline->index[p] >= 60 ? 22 * US : 0;
        assert_near(timeline->lateness[3 * timeline->windows + p], expected, 3 * US);
    }
    free(timeline);
}

static void options_are_checked(void **state)
{
    dxt_history *made = NULL;
    dxt_history_options options = {.struct_size = sizeof options, .min_share = -1};
    (void)state;
    assert_int_equal(dxt_history_create(&options, &made), DXT_ERR_INVALID);
    options.min_share = 0;
    options.struct_size = 1;
    assert_int_equal(dxt_history_create(&options, &made), DXT_ERR_INVALID);
    assert_null(made);
    dxt_history_destroy(NULL);
}

/* A run from its beginning to its summary; every object is released again. */
static dxt_status whole_run(const dxt_window *window, const dxt_findings *found)
{
    dxt_history *made = NULL;
    dxt_findings *judged = NULL;
    const dxt_findings *followed = NULL;
    dxt_episode *episodes = NULL;
    dxt_timeline *timeline = NULL;
    size_t count;
    dxt_status status = dxt_history_create(NULL, &made);
    if (status == DXT_OK) status = dxt_history_judge(made, window, found, &judged);
    if (status == DXT_OK) status = dxt_history_follow(made, window, found, &followed);
    if (status == DXT_OK) assert_int_equal(followed->finding_count, 1);
    if (status == DXT_OK) status = dxt_history_summary(made, &episodes, &count);
    if (status == DXT_OK) status = dxt_history_timeline(made, window->phase, &timeline);
    free(timeline);
    free(episodes);
    dxt_findings_free(judged);
    dxt_history_destroy(made);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    dxt_status status;
    (void)state;
    job.late[3] = 22 * US;
    dxt_window *window = numbered("dispatch", 0);
    window->case_name = strdup("case");
    window->instance = strdup("instance");
    window->source = strdup("source");
    dxt_findings *found = analyze(window, NULL);
    long k = 1;
    for (; alloc_fail_arm(k), status = whole_run(window, found), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_true(k > 10);
    dxt_findings_free(found);
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_run_is_judged_anew),
        TEST(what_has_no_place_in_a_run_is_given_back),
        TEST(what_is_known_of_the_companion_is_kept),
        TEST(a_silent_rank_is_no_obstacle),
        TEST(memory_is_bounded),
        TEST(cheap_episodes_make_room_for_costly_ones),
        TEST(a_run_is_followed_in_the_same_memory),
        TEST(what_is_not_followed_is_given_back),
        TEST(forgotten_operators_make_room),
        TEST(the_timeline_holds_the_newest_windows),
        TEST(options_are_checked),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
