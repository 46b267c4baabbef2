/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of one run judged with their history, on arrivals with a known truth. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/history.h>

#include "alloc_fail.h"
#include "judged.h"

static dxt_history *history;

static int begin(void **state)
{
    (void)state;
    history = NULL;
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

static dxt_window *numbered(const char *phase, int64_t index)
{
    job.seed = 1000 * (uint64_t)index + (uint64_t)phase[0];
    dxt_window *window = arrivals_window(&job, phase);
    window->index = index;
    return window;
}

static dxt_findings *judge_window(const dxt_window *window)
{
    dxt_findings *alone = analyze(window, NULL), *judged = NULL;
    assert_int_equal(dxt_history_judge(history, window, alone, &judged), DXT_OK);
    dxt_findings_free(alone);
    return judged;
}

static dxt_findings *judge(const char *phase, int64_t index)
{
    dxt_window *window = numbered(phase, index);
    dxt_findings *judged = judge_window(window);
    dxt_window_free(window);
    return judged;
}

/* Judge one window; the rank it calls late, or −1 for nobody, −2 for anything else. */
static int late_rank(const char *phase, int64_t index)
{
    dxt_findings *judged = judge(phase, index);
    int rank = judged->finding_count == 0 ? -1 : -2;
    if (judged->finding_count == 1 && judged->findings[0].kind == DXT_LATE_RANK) {
        rank = (int)judged->findings[0].rank;
        assert_int_equal(judged->col_count, 1);
        assert_int_equal(judged->cols[0].rank, rank);
        assert_true(judged->cols[0].normalised > 0);
    }
    assert_int_equal(judged->verdict, rank == -1 ? DXT_VERDICT_HEALTHY : DXT_VERDICT_SLOW);
    dxt_findings_free(judged);
    return rank;
}

static size_t summary(dxt_episode **episodes)
{
    size_t count;
    assert_int_equal(dxt_history_summary(history, episodes, &count), DXT_OK);
    return count;
}

static dxt_episode only_episode(void)
{
    dxt_episode *episodes, episode;
    assert_int_equal(summary(&episodes), 1);
    episode = episodes[0];
    free(episodes);
    return episode;
}

static void a_healthy_run_stays_quiet(void **state)
{
    dxt_episode *episodes;
    (void)state;
    for (int k = 0; k < 100; k++) assert_int_equal(late_rank("dispatch", k), -1);
    assert_int_equal(summary(&episodes), 0);
    assert_null(episodes);
    assert_int_equal(dxt_history_windows(history), 100);
}

/* Everybody has come there: who is waited for sends slowly. */
static void in_a_transfer_nobody_is_late(void **state)
{
    (void)state;
    for (int k = 0; k < 20; k++) {
        job.late[3] = (k < 10 ? 22 : 7) * US;
        dxt_findings *judged = judge(k % 2 ? "combine transfer" : "dispatch transfer", k);
        const dxt_finding *link = judged->findings;
        assert_int_equal(judged->finding_count, 1);
        assert_true(link->kind == DXT_SLOW_LINK && link->direction == DXT_DIRECTION_OUT);
        assert_int_equal(link->rank, 3);
        assert_near(link->wait, job.late[3], 3 * US);
        dxt_findings_free(judged);
    }
}

static void onset_and_end_of_a_change(void **state)
{
    (void)state;
    for (int k = 0; k < 30; k++) {
        bool late = k >= 10 && k < 20;
        job.late[3] = late ? 22 * US : 0;
        assert_int_equal(late_rank("dispatch", k), late ? 3 : -1);
        if (k == 19) assert_true(only_episode().ongoing);
    }
    dxt_episode episode = only_episode();
    assert_int_equal(episode.kind, DXT_LATE_RANK);
    assert_int_equal(episode.rank, 3);
    assert_int_equal(episode.first, 10);
    assert_int_equal(episode.last, 19);
    assert_int_equal(episode.seen, 10);
    assert_int_equal(episode.windows, 10);
    assert_false(episode.ongoing);
    assert_near(episode.wait, 22 * US, 2 * US);
    assert_near(episode.share, 0.1, 0.01);
}

static void small_lateness_is_named_when_it_stays(void **state)
{
    int alone = 0, together = 0;
    (void)state;
    job.jitter = 10 * US;
    for (int k = 0; k < 40; k++) {
        job.late[5] = k >= 10 ? 5 * US : 0;
        dxt_window *window = numbered("dispatch", k);
        dxt_findings *found = analyze(window, NULL);
        alone += found->finding_count > 0;
        dxt_findings_free(found);
        dxt_window_free(window);
        int rank = late_rank("dispatch", k);
        assert_true(rank == -1 || rank == 5);
        if (k < 10) assert_int_equal(rank, -1);
        together += rank == 5;
    }
    assert_true(alone <= 8);
    assert_true(together >= 22);
    assert_true(only_episode().first <= 16);
}

static void the_end_of_small_lateness_is_seen_at_once(void **state)
{
    int after = 0;
    (void)state;
    job.jitter = 10 * US;
    for (int k = 0; k < 40; k++) {
        job.late[5] = k < 25 ? 6 * US : 0;
        int rank = late_rank("dispatch", k);
        after += k >= 26 && rank != -1;
    }
    assert_int_equal(after, 0);
}

static void one_late_window_is_no_late_rank(void **state)
{
    (void)state;
    for (int k = 0; k < 30; k++) {
        job.late[2] = k == 12 ? 8 * US : 0;
        dxt_findings *judged = judge("dispatch", k);
        assert_int_equal(judged->finding_count, k == 12);
        if (k == 12) assert_true(judged->findings[0].confidence < 0.99);
        dxt_findings_free(judged);
    }
    dxt_episode episode = only_episode();
    assert_int_equal(episode.seen, 1);
    assert_int_equal(episode.first, episode.last);
}

static void an_intermittent_rank_is_one_episode(void **state)
{
    (void)state;
    for (int k = 0; k < 30; k++) {
        bool late = k % 3 == 1;
        job.late[6] = late ? 15 * US : 0;
        assert_int_equal(late_rank("dispatch", k), late ? 6 : -1);
    }
    dxt_episode episode = only_episode();
    assert_int_equal(episode.seen, 10);
    assert_int_equal(episode.windows, 29);
    assert_true(episode.ongoing);
    assert_near(episode.share, 15.0 / 220 * 10 / 29, 0.003);
}

static void a_rank_late_in_one_operator_only(void **state)
{
    (void)state;
    for (int k = 0; k < 12; k++) {
        job.late[3] = 0;
        assert_int_equal(late_rank("dispatch", k), -1);
        job.late[3] = 15 * US;
        assert_int_equal(late_rank("combine", k), 3);
    }
    assert_string_equal(only_episode().phase, "combine");
}

/* Late in dispatch, a rank is found late in combine by a part of the transfer time. */
static void an_echo_is_not_named_however_long_it_stays(void **state)
{
    int own = 0;
    (void)state;
    healthy(4, 0);
    for (int k = 0; k < 40; k++) {
        job.transfer = 0;
        job.late[2] = 10 * US;
        assert_int_equal(late_rank("dispatch", k), 2);
        job.transfer = 10 * US;
        job.late[2] = k < 20 ? 4 * US : 0;
        job.late[3] = k < 20 ? 0 : 4 * US;
        int rank = late_rank("combine", k);
        assert_true(rank == -1 || (k >= 20 && rank == 3));
        own += rank == 3;
        job.late[3] = 0;
    }
    assert_true(own >= 15);
}

static double to_the_first(uint32_t i, uint32_t j)
{
    return i == 0 && j == 3 ? 6 * US : 0;
}

/* What reaches a rank late holds it up, and it enters the next operator late. */
static void who_was_held_up_is_not_named(void **state)
{
    (void)state;
    /* Few ranks: one window alone says nothing of so little. */
    healthy(4, 0);
    for (int k = 0; k < 20; k++) {
        job.jitter = 2 * US;
        job.transfer = job.late[0] = 0;
        job.path = to_the_first;
        dxt_findings_free(judge("dispatch", k));
        job.path = NULL;
        job.transfer = 10 * US;
        job.late[0] = 4 * US;
        dxt_findings *judged = judge("combine", k);
        for (size_t f = 0; f < judged->finding_count; f++)
            assert_int_not_equal(judged->findings[f].rank, 0);
        dxt_findings_free(judged);
    }
}

/* Next to ten times as much in another operator. */
static void what_spills_is_not_named(void **state)
{
    (void)state;
    for (int k = 0; k < 20; k++) {
        job.late[2] = 500 * US;
        job.step = 1220 * US;
        assert_int_equal(late_rank("dispatch", k), 2);
        job.late[2] = k == 8 || k == 15 || k == 16 ? 20 * US : k == 18 ? 65 * US : 0;
        assert_int_equal(late_rank("combine", k), k == 18 ? 2 : -1);
    }
}

/* Of two ranks, 4 µs are within what the paths may differ, but not when they were even before. */
static void two_ranks_are_held_against_their_past(void **state)
{
    int named = 0;
    (void)state;
    healthy(2, 0);
    job.jitter = 1 * US;
    job.transfer = 20 * US;
    for (int k = 0; k < 40; k++) {
        job.late[1] = k >= 20 ? 4 * US : 0;
        int rank = late_rank("combine", k);
        assert_true(rank == -1 || (k >= 20 && rank == 1));
        named += rank == 1;
    }
    assert_true(named >= 16);
}

static void a_late_node_is_no_eight_late_ranks(void **state)
{
    (void)state;
    healthy(16, 0);
    job.jitter = 10 * US;
    for (uint32_t r = 8; r < 16; r++) job.late[r] = 5 * US;
    for (int k = 0; k < 20; k++) {
        dxt_window *window = numbered("dispatch", k);
        window->nodes = malloc(16 * sizeof *window->nodes);
        for (int32_t r = 0; r < 16; r++) window->nodes[r] = r / 8;
        dxt_findings *judged = judge_window(window);
        for (size_t f = 0; f < judged->finding_count; f++)
            assert_int_not_equal(judged->findings[f].kind, DXT_LATE_RANK);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_healthy_run_stays_quiet),
        TEST(in_a_transfer_nobody_is_late),
        TEST(onset_and_end_of_a_change),
        TEST(small_lateness_is_named_when_it_stays),
        TEST(the_end_of_small_lateness_is_seen_at_once),
        TEST(one_late_window_is_no_late_rank),
        TEST(an_intermittent_rank_is_one_episode),
        TEST(a_rank_late_in_one_operator_only),
        TEST(an_echo_is_not_named_however_long_it_stays),
        TEST(who_was_held_up_is_not_named),
        TEST(what_spills_is_not_named),
        TEST(two_ranks_are_held_against_their_past),
        TEST(a_late_node_is_no_eight_late_ranks),
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
