/* SPDX-License-Identifier: Apache-2.0 */
/* `bench accuracy`: how what a method says is scored against the truth. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "score.h"

enum { N = 6 };

static void run_window(const sim_config *config, dxt_window *pair[2])
{
    char why[128] = "";
    simulation *sim = NULL;
    assert_int_equal(sim_create(config, &sim, why, sizeof why), DXT_OK);
    assert_int_equal(sim_next(sim, pair), DXT_OK);
    sim_destroy(sim);
}

static void free_pair(dxt_window *pair[2])
{
    dxt_window_free(pair[0]);
    dxt_window_free(pair[1]);
}

static void intervals_are_those_of_wilson(void **state)
{
    (void)state;
    double interval[2];
    score_interval(8, 10, interval);
    assert_true(fabs(interval[0] - 0.4902) < 1e-4 && fabs(interval[1] - 0.9433) < 1e-4);
    score_interval(0, 0, interval);
    assert_true(interval[0] == 0 && interval[1] == 1);
    assert_true(isnan(score_rate(0, 0)));
}

static void methods_are_scored_against_the_truth(void **state)
{
    (void)state;
    const sim_fault late = {.kind = SIM_LATE, .phase = DXT_DISPATCH, .rank = 2, .size_ns = 23000};
    sim_config config;
    sim_config_default(&config);
    config.ranks = N;
    config.ops = 20;
    config.jitter = config.wander = config.unevenness = config.weather = 0;
    config.spread = false;
    config.own_ns = 0;
    config.latency_ns[DXT_DISPATCH] = config.between_ns[DXT_DISPATCH] = 0;
    config.ticks_per_second = 1e9;
    config.faults = &late;
    config.fault_count = 1;
    static sim_truth truth;
    score_sheet scores[SCORE_METHODS] = {{0}};
    dxt_window *pair[2];
    logratio_rule *logratio = logratio_create(N);
    dxt_history *history;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    run_window(&config, pair);
    for (int p = 0; p < 2; p++) {
        sim_truth_of(&config, p, 0, &truth);
        const score_window given = {.window = pair[p],
                                    .companion = pair[1 - p],
                                    .truth = &truth,
                                    .history = history,
                                    .settled = true,
                                    .logratio = logratio};
        assert_int_equal(score_add(&given, scores), DXT_OK);
    }
    for (int m = 0; m < SCORE_METHODS; m++) {
        assert_int_equal(scores[m].faulted, 1);
        assert_int_equal(scores[m].exact, 1);
        assert_int_equal(scores[m].items, 1);
        assert_int_equal(scores[m].true_names, 1);
        assert_int_equal(scores[m].healthy, 1);
        assert_int_equal(scores[m].false_alarms, 0);
        assert_int_equal(scores[m].sure_true, scores[m].sure);
    }
    assert_int_equal(scores[SCORE_HISTORY].sure, 1);
    /* The same window with another truth: nothing is right. */
    memset(scores, 0, sizeof scores);
    memset(&truth, 0, sizeof truth);
    truth.rows[2] = 1;
    const score_window wrong = {.window = pair[0],
                                .truth = &truth,
                                .history = history,
                                .settled = true,
                                .logratio = logratio};
    assert_int_equal(score_add(&wrong, scores), DXT_OK);
    for (int m = 0; m < SCORE_METHODS; m++) {
        assert_int_equal(scores[m].exact, 0);
        assert_int_equal(scores[m].named, 1);
        assert_int_equal(scores[m].true_names, 0);
        assert_int_equal(scores[m].sure_true, 0);
    }
    dxt_history_destroy(history);
    logratio_destroy(logratio);
    free_pair(pair);
}

/* Scores of a window with a fault in dispatch, labelled with that skew; NaN: the true one. */
static score_sheet robust_score(const sim_config *config, double skew_ns)
{
    static sim_truth truth;
    static score_sheet scores[SCORE_METHODS];
    char why[128];
    simulation *sim;
    dxt_window *pair[2];
    dxt_history *history;
    logratio_rule *logratio = logratio_create(config->ranks);
    memset(scores, 0, sizeof scores);
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    assert_int_equal(sim_create(config, &sim, why, sizeof why), DXT_OK);
    assert_int_equal(sim_next(sim, pair), DXT_OK);
    sim_truth_of(config, DXT_DISPATCH, 0, &truth);
    truth.skew_ns = isnan(skew_ns) ? sim_skew_ns(sim, DXT_DISPATCH) : skew_ns;
    const score_window given = {.window = pair[DXT_DISPATCH],
                                .companion = pair[DXT_COMBINE],
                                .truth = &truth,
                                .history = history,
                                .settled = true,
                                .logratio = logratio};
    assert_int_equal(score_add(&given, scores), DXT_OK);
    free_pair(pair);
    sim_destroy(sim);
    dxt_history_destroy(history);
    logratio_destroy(logratio);
    return scores[SCORE_ROBUST];
}

static void skew_is_to_be_named_where_it_loses_a_fifth(void **state)
{
    (void)state;
    const sim_fault turns = {.kind = SIM_ROTATING, .phase = DXT_DISPATCH, .size_ns = 330000};
    sim_config config;
    sim_config_default(&config);
    config.ranks = 8;
    config.ops = 100;
    config.faults = &turns;
    config.fault_count = 1;
    score_sheet score = robust_score(&config, NAN);
    assert_true(score.faulted == 1 && score.exact == 1);
    /* What loses a tenth may be called skew or not; what loses nothing may not. */
    score = robust_score(&config, 50000);
    assert_true(score.healthy == 1 && score.false_alarms == 0);
    score = robust_score(&config, 0);
    assert_true(score.healthy == 1 && score.false_alarms == 1);
    /* Nobody named it. */
    config.fault_count = 0;
    score = robust_score(&config, 100000);
    assert_true(score.faulted == 1 && score.exact == 0);
}

/* A NIC of hybrid ranks is right as a link or as the paths of its rail, and uplinks, links and
 * stalls are items. */
static void links_are_scored_by_what_they_slow(void **state)
{
    (void)state;
    sim_fault faults[8] = {
        {.kind = SIM_NIC_IN, .phase = DXT_DISPATCH, .rank = 10, .size_ns = 60000}};
    sim_config config;
    sim_config_default(&config);
    config.ranks = 32;
    config.ranks_per_node = 8;
    config.hybrid = true;
    config.ops = 100;
    config.faults = faults;
    config.fault_count = 1;
    score_sheet score = robust_score(&config, NAN);
    assert_true(score.faulted == 1 && score.exact == 1 && score.sure == score.sure_true);
    config.hybrid = false;
    score = robust_score(&config, NAN);
    assert_true(score.faulted == 1 && score.exact == 1 && score.sure == score.sure_true);
    for (uint32_t k = 0; k < 8; k++)
        faults[k] = (sim_fault){
            .kind = SIM_NIC_OUT, .phase = DXT_DISPATCH, .rank = 8 + k, .size_ns = 60000};
    config.fault_count = 8;
    score = robust_score(&config, NAN);
    assert_true(score.items == 1 && score.exact == 1 && score.sure == score.sure_true);
}

/* Of two nodes that is no more than distance, which the verdict says. */
static void a_path_between_nodes_slow_both_ways_is_left_open(void **state)
{
    (void)state;
    sim_fault faults[16];
    sim_config config;
    for (uint32_t k = 0; k < 16; k++)
        faults[k] = (sim_fault){.kind = k < 8 ? SIM_NIC_IN : SIM_NIC_OUT,
                                .phase = DXT_DISPATCH,
                                .rank = k % 8,
                                .size_ns = 60000};
    sim_config_default(&config);
    config.ranks = 16;
    config.ranks_per_node = 8;
    config.ops = 100;
    config.faults = faults;
    config.fault_count = 16;
    score_sheet score = robust_score(&config, NAN);
    assert_true(score.items == 2 && score.exact == 1 && score.sure == 0);
    for (uint32_t k = 0; k < 16; k++) faults[k].size_ns = 9000; /* so little is not said */
    score = robust_score(&config, NAN);
    assert_true(score.items == 2 && score.exact == 0);
}

/* One window of effects that multiply: rows, columns and cells come out in turn; and what a normal
 * window has too is not abnormal. */
static void log_ratio_takes_effects_apart(void **state)
{
    (void)state;
    static sim_truth found;
    dxt_window *window;
    assert_int_equal(dxt_window_create(8, "dispatch", &window), DXT_OK);
    window->unit = DXT_UNIT_NS;
    for (uint32_t i = 0; i < 8; i++)
        for (uint32_t j = 0; j < 8; j++)
            window->wait[i * 8 + j] =
                10000 * (i == 1 ? 2 : 1) * (j == 4 ? 3 : 1) * (i == 6 && j == 7 ? 3 : 1);
    logratio_rule *logratio = logratio_create(8);
    assert_true(logratio_judge(logratio, window, &found));
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(found.rows[i], i == 1);
        assert_int_equal(found.cols[i], i == 4);
    }
    assert_int_equal(found.points.count, 1);
    assert_int_equal(found.points.items[0][0], 6);
    assert_int_equal(found.points.items[0][1], 7);
    memset(&found, 0, sizeof found);
    for (int k = 0; k < 20; k++) logratio_learn(logratio, window);
    assert_true(logratio_judge(logratio, window, &found));
    assert_true(sim_truth_is_empty(&found));
    logratio_destroy(logratio);
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_those_of_wilson),
        cmocka_unit_test(methods_are_scored_against_the_truth),
        cmocka_unit_test(skew_is_to_be_named_where_it_loses_a_fifth),
        cmocka_unit_test(links_are_scored_by_what_they_slow),
        cmocka_unit_test(a_path_between_nodes_slow_both_ways_is_left_open),
        cmocka_unit_test(log_ratio_takes_effects_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
