/* SPDX-License-Identifier: Apache-2.0 */
/* In small groups: how far single waits vary, which one window cannot tell and those before it can,
 * and the doors of a rank. */
#include <stdlib.h>

#include <deepxtrace/history.h>

#include "judged.h"

static dxt_history *history;

static int begin(void **state)
{
    (void)state;
    history = NULL;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    dxt_history_destroy(history);
    return 0;
}

/* What one window says, with what those before it say of single waits. */
static dxt_findings *analyze_next(const dxt_window *window, dxt_analysis_options options)
{
    options.struct_size = sizeof options;
    assert_int_equal(dxt_history_prior(history, window, &options), DXT_OK);
    return analyze(window, &options);
}

/* What is said of a window after those before it. */
static dxt_findings *follow(const dxt_window *window)
{
    dxt_findings *alone = analyze_next(window, (dxt_analysis_options){0}), *judged = NULL;
    assert_int_equal(dxt_history_judge(history, window, alone, &judged), DXT_OK);
    dxt_findings_free(alone);
    return judged;
}

/* Log-normal cells, each for itself, around 10 µs. */
static dxt_window *lognormal(int64_t index, double sigma, uint64_t *state)
{
    dxt_window *window = arrivals_window(&job, "combine");
    window->index = index;
    for (size_t c = 0; c < (size_t)job.ranks * job.ranks; c++)
        window->wait[c] =
            (int64_t)(job.ops * 10 * US * exp(sigma * arrivals_normal(state) - sigma * sigma / 2));
    return window;
}

static dxt_window *wild(int64_t index, uint64_t *state)
{
    return lognormal(index, 0.8, state);
}

/* What reaches rank 1 comes later. */
static double to_1(uint32_t i, uint32_t j)
{
    return i == 1 && j != 1 ? 18 * US : 0;
}

static dxt_window *combine_window(int64_t index)
{
    job.seed = 100 + (uint64_t)index;
    dxt_window *window = arrivals_window(&job, "combine");
    window->index = index;
    return window;
}

/* Windows of two hundred that alarm, the first few of the run left out. */
static void count_alarms(uint32_t ranks, uint64_t seed, size_t *alone, size_t *followed)
{
    *alone = *followed = 0;
    healthy(ranks, 1);
    for (int64_t index = 0; index < 200; index++) {
        dxt_window *window = wild(index, &seed);
        dxt_findings *found = analyze(window, NULL), *judged = follow(window);
        if (index >= 10) {
            *alone += found->finding_count > 0;
            *followed += judged->finding_count > 0;
        }
        dxt_findings_free(found);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
}

static void how_wild_cells_are_is_learned(void **state)
{
    size_t alone, followed;
    (void)state;
    for (uint32_t ranks = 2; ranks <= 3; ranks++) {
        count_alarms(ranks, 5 + ranks, &alone, &followed);
        assert_in_range(alone, 5, 100);
        assert_in_range(followed, 0, 2);
    }
    count_alarms(4, 9, &alone, &followed);
    assert_in_range(followed, 0, 1);
}

/* A late rank waits for nobody, and what is waited for it is its lateness: neither varies, however
 * wild the rest is. */
static void a_late_rank_does_not_make_wild_cells_calm(void **state)
{
    uint64_t seed = 4;
    size_t others = 0, named = 0;
    (void)state;
    healthy(4, 1);
    for (int64_t index = 0; index < 200; index++) {
        dxt_window *window = lognormal(index, 0.6, &seed);
        for (uint32_t r = 0; r < 4; r++) {
            window->wait[2 * 4 + r] = 0;
            if (r != 2) window->wait[r * 4 + 2] += (int64_t)(job.ops * 100 * US);
        }
        dxt_findings *judged = follow(window);
        for (size_t f = 0; f < judged->finding_count; f++) {
            const dxt_finding *finding = &judged->findings[f];
            bool right = finding->kind == DXT_LATE_RANK && finding->rank == 2;
            named += right;
            others += !right;
        }
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
    assert_int_equal(named, 200);
    assert_in_range(others, 0, 3);
}

/* Ways between nodes that vary say nothing about the ranks of one. */
static void wild_links_do_not_hide_a_late_rank(void **state)
{
    uint64_t seed = 3;
    (void)state;
    for (int64_t index = 0; index < 30; index++) {
        healthy(16, 20 + (uint64_t)index);
        job.transfer = 10 * US;
        job.jitter = 1 * US;
        job.late[2] = index < 10 ? 0 : 14 * US;
        dxt_window *window = arrivals_window(&job, "combine");
        window->index = index;
        give_nodes(window, 4);
        for (uint32_t c = 0; c < 256; c++)
            if (c / 16 / 4 != c % 16 / 4)
                window->wait[c] = (int64_t)((double)(window->wait[c] + job.ops * 15 * (int)US) *
                                            exp(0.6 * arrivals_normal(&seed)));
        dxt_findings *judged = follow(window);
        bool named = false;
        for (size_t f = 0; f < judged->finding_count; f++)
            named |= judged->findings[f].kind == DXT_LATE_RANK && judged->findings[f].rank == 2;
        assert_int_equal(named, index >= 10);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
}

/* What is known of a companion is the same before and after it was followed. */
static void a_followed_companion_is_of_the_same_run(void **state)
{
    uint64_t seed = 11;
    (void)state;
    for (int64_t index = 0; index < 600; index++) {
        healthy(3, 20 + (uint64_t)index);
        job.transfer = 10 * US;
        job.jitter = 1 * US;
        job.late[1] = 7.8 * US;
        dxt_window *combine = combine_window(index);
        dxt_window *dispatch = wild(index, &seed);
        free(dispatch->phase);
        dispatch->phase = strdup("dispatch");
        for (uint32_t c = 0; c < 9; c++) dispatch->wait[c] /= 3;
        const dxt_analysis_options options = {.companion = dispatch};
        dxt_findings *before = analyze_next(combine, options);
        dxt_findings_free(follow(dispatch));
        dxt_findings *after = analyze_next(combine, options), *judged = NULL;
        assert_int_equal(before->finding_count, after->finding_count);
        assert_int_equal(dxt_history_judge(history, combine, after, &judged), DXT_OK);
        dxt_findings_free(judged);
        dxt_findings_free(before);
        dxt_findings_free(after);
        dxt_window_free(combine);
        dxt_window_free(dispatch);
    }
}

/* Beside a door that pulled everybody to one side, who is hardly late is not named. */
static void nothing_below_the_floor_is_named_beside_a_door(void **state)
{
    const dxt_analysis_options options = {.min_share = 0.05};
    size_t doors = 0;
    (void)state;
    for (int64_t index = 0; index < 8; index++) {
        healthy(4, 1);
        job.transfer = 10 * US;
        job.jitter = 1 * US;
        dxt_window *window = combine_window(index);
        dxt_findings_free(follow(window));
        dxt_window_free(window);
    }
    for (int late = 10; late < 32; late++) {
        job.path = to_1;
        job.late[3] = late * US / 2;
        dxt_window *window = combine_window(8);
        dxt_findings *found = analyze_next(window, options);
        for (size_t f = 0; f < found->finding_count; f++) {
            doors += found->findings[f].kind == DXT_SLOW_RECEIVER;
            assert_true(found->findings[f].kind == DXT_EARLY_RANK ||
                        found->findings[f].share >= 0.05);
        }
        dxt_findings_free(found);
        dxt_window_free(window);
    }
    assert_true(doors > 0);
}

/* Of four ranks, the one that receives slowly is half of the waits there are: alone it may be that
 * cells vary that much, but not after a few windows in which they did not. */
static void calm_cells_bear_a_slow_receiver_out(void **state)
{
    (void)state;
    healthy(4, 1);
    job.transfer = 10 * US;
    for (int64_t index = 0; index < 8; index++) {
        job.path = index < 6 ? NULL : to_1;
        dxt_window *window = combine_window(index);
        dxt_findings *judged = follow(window);
        if (index < 6)
            assert_int_equal(judged->finding_count, 0);
        else
            assert_int_equal(only(judged, DXT_SLOW_RECEIVER)->rank, 1);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
}

/* With three ranks a slow path is one of six waits, and the fit has made half of them its own. */
static void calm_cells_bear_a_slow_path_out(void **state)
{
    size_t alone = 0, followed = 0;
    uint64_t seed = 2;
    (void)state;
    healthy(3, 1);
    for (int64_t index = 0; index < 48; index++) {
        dxt_window *window = lognormal(index, 0.12, &seed);
        if (index >= 8) window->wait[1] += (int64_t)(job.ops * 22 * US);
        dxt_findings *found = analyze(window, NULL), *judged = follow(window);
        if (index < 8) assert_int_equal(judged->finding_count, 0);
        alone += found->finding_count == 1 && found->findings[0].kind == DXT_SLOW_PATH;
        followed += judged->finding_count == 1 && judged->findings[0].kind == DXT_SLOW_PATH &&
                    judged->findings[0].rank == 0 && judged->findings[0].source == 1;
        dxt_findings_free(found);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
    assert_in_range(alone, 0, 36);
    assert_int_equal(followed, 40);
}

/* Windows of another run say nothing about this one. */
static void another_run_says_nothing_about_cells(void **state)
{
    uint64_t seed = 3;
    (void)state;
    healthy(3, 1);
    for (int64_t index = 0; index < 12; index++) {
        dxt_window *window = wild(index, &seed);
        dxt_findings_free(follow(window));
        dxt_window_free(window);
    }
    job.transfer = 10 * US;
    job.path = to_1;
    dxt_window *window = combine_window(12);
    dxt_findings *known = analyze_next(window, (dxt_analysis_options){0});
    window->instance = strdup("another");
    dxt_findings *unknown = analyze_next(window, (dxt_analysis_options){0});
    assert_int_equal(known->finding_count, 0);
    assert_int_equal(unknown->finding_count, 1);
    dxt_findings_free(known);
    dxt_findings_free(unknown);
    dxt_window_free(window);
}

/* Too little for a lateness that stands out, as the fit shares it between both waits of a pair; but
 * lateness would have shortened the others' waits. */
static void a_door_is_no_half_lateness(void **state)
{
    (void)state;
    healthy(3, 1);
    job.transfer = 10 * US;
    job.path = to_1;
    dxt_findings *found = diagnose("combine");
    assert_near(only(found, DXT_SLOW_RECEIVER)->wait, 18 * US, 3 * US);
    assert_int_equal(found->findings[0].rank, 1);
    /* Nobody is early or late for it. */
    for (uint32_t r = 0; r < 3; r++) assert_near(found->lateness[r], 0, 4 * US);
    dxt_findings_free(found);
    /* Of two ranks it could be either's send or receive side, or the path between them. */
    healthy(2, 1);
    job.transfer = 10 * US;
    job.path = to_1;
    found = diagnose("combine");
    for (size_t f = 0; f < found->finding_count; f++)
        assert_int_not_equal(found->findings[f].kind, DXT_SLOW_RECEIVER);
    dxt_findings_free(found);
}

/* As long as nobody stands out, all three make what lateness is told against. */
static void a_rank_of_three_is_held_against_the_others(void **state)
{
    (void)state;
    healthy(3, 1);
    job.ops = 200;
    size_t named = 0;
    for (int64_t index = 0; index < 40; index++) {
        job.late[2] = index < 20 ? 0 : 2.6 * US;
        job.seed = 7 + (uint64_t)index;
        dxt_window *window = arrivals_window(&job, "dispatch");
        window->index = index;
        dxt_findings *judged = follow(window);
        if (index < 20) assert_int_equal(judged->finding_count, 0);
        if (index >= 28 && judged->finding_count == 1)
            named += judged->findings[0].kind == DXT_LATE_RANK && judged->findings[0].rank == 2;
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
    assert_int_equal(named, 12);
}

static double uneven[4][4];

static double uneven_path(uint32_t i, uint32_t j)
{
    return uneven[i][j];
}

/* However long it stays: pairs differ by 2 µs of 10 (standard deviation), and nobody is late. */
static void uneven_pairs_make_nobody_late(void **state)
{
    uint64_t seed = 77;
    size_t named = 0;
    for (int number = 0; number < 400; number++) {
        for (uint32_t c = 0; c < 16; c++) uneven[c / 4][c % 4] = 2 * US * arrivals_normal(&seed);
        healthy(4, 1);
        job.transfer = 10 * US;
        job.path = uneven_path;
        for (int64_t index = 0; index < 10; index++) {
            dxt_window *window = combine_window(100 * number + index);
            window->index = index;
            dxt_findings *judged = follow(window);
            named += index == 9 && judged->finding_count > 0;
            dxt_findings_free(judged);
            dxt_window_free(window);
        }
        end(state);
        begin(state);
    }
    assert_in_range(named, 0, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

/* What is ordinary is not told by the time when the other one was late. */
static void of_two_ranks_the_second_to_be_late_is_not_early(void **state)
{
    (void)state;
    healthy(2, 0);
    job.jitter = 1 * US;
    for (int k = 0; k < 36; k++) {
        int late = k >= 12 && k < 20 ? 0 : k >= 28 ? 1 : -1;
        job.late[0] = late == 0 ? 5 * US : 0;
        job.late[1] = late == 1 ? 5 * US : 0;
        job.step = (late >= 0 ? 164.0 : 161.0) * US;
        dxt_window *window = combine_window(k);
        dxt_findings *judged = follow(window);
        assert_int_equal(judged->finding_count, late >= 0);
        if (late >= 0) assert_int_equal(only(judged, DXT_LATE_RANK)->rank, late);
        dxt_findings_free(judged);
        dxt_window_free(window);
    }
}

/* A pair of cells, in µs. */
static dxt_window *pair_window(const char *phase, int64_t index, double of_0, double of_1)
{
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(2, phase, &window), DXT_OK);
    window->unit = DXT_UNIT_NS;
    window->index = index;
    window->ops = 1000;
    window->elapsed_ns = 1000 * 300000;
    window->wait[1] = (int64_t)(of_1 * US * 1000);
    window->wait[2] = (int64_t)(of_0 * US * 1000);
    return window;
}

/* Transfers that were as long before make nobody late; those that have become so may. */
static void how_long_transfers_were_says_what_an_echo_is(void **state)
{
    (void)state;
    for (double before = 1; before <= 6; before += 5)
        for (int k = 0; k < 10; k++) {
            double wait = k < 8 ? before : 6;
            dxt_window *entry = pair_window("combine", k, 2, k < 8 ? 2.1 : 11);
            dxt_window *transfer = pair_window("dispatch transfer", k, wait, 1.1 * wait);
            dxt_findings *found[2], *alone;
            dxt_window *both[2] = {transfer, entry};
            for (int w = 0; w < 2; w++) {
                const dxt_analysis_options options = {.adjacent = both[1 - w]};
                alone = analyze_next(both[w], options);
                assert_int_equal(dxt_history_judge(history, both[w], alone, &found[w]), DXT_OK);
                dxt_findings_free(alone);
            }
            if (k < 8 || before < 6) {
                assert_int_equal(found[1]->finding_count, 0);
                assert_int_equal(found[0]->finding_count, k >= 8);
            } else {
                assert_int_equal(only(found[1], DXT_LATE_RANK)->rank, 1);
                assert_int_equal(found[0]->finding_count, 0);
            }
            for (int w = 0; w < 2; w++) dxt_findings_free(found[w]);
            dxt_window_free(entry);
            dxt_window_free(transfer);
            if (k < 9 || before > 1) continue;
            dxt_history_destroy(history);
            assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(how_wild_cells_are_is_learned),
        TEST(a_late_rank_does_not_make_wild_cells_calm),
        TEST(wild_links_do_not_hide_a_late_rank),
        TEST(a_followed_companion_is_of_the_same_run),
        TEST(another_run_says_nothing_about_cells),
        TEST(calm_cells_bear_a_slow_receiver_out),
        TEST(calm_cells_bear_a_slow_path_out),
        TEST(a_door_is_no_half_lateness),
        TEST(nothing_below_the_floor_is_named_beside_a_door),
        TEST(a_rank_of_three_is_held_against_the_others),
        TEST(uneven_pairs_make_nobody_late),
        TEST(of_two_ranks_the_second_to_be_late_is_not_early),
        TEST(how_long_transfers_were_says_what_an_echo_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
