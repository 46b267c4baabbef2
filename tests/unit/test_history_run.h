/* SPDX-License-Identifier: Apache-2.0 */
/* A run of windows with a known truth, and the history that judges them. */
#ifndef DXT_TEST_HISTORY_RUN_H
#define DXT_TEST_HISTORY_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/history.h>

#include "judged.h"

static dxt_history *history;

static inline int begin(void **state)
{
    (void)state;
    history = NULL;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    healthy(8, 0);
    return 0;
}

static inline int end(void **state)
{
    (void)state;
    dxt_history_destroy(history);
    return 0;
}

static inline dxt_window *numbered(const char *phase, int64_t index)
{
    job.seed = 1000 * (uint64_t)index + (uint64_t)phase[0];
    dxt_window *window = arrivals_window(&job, phase);
    window->index = index;
    return window;
}

static inline dxt_findings *judge_window(const dxt_window *window)
{
    dxt_findings *alone = analyze(window, NULL), *judged = NULL;
    assert_int_equal(dxt_history_judge(history, window, alone, &judged), DXT_OK);
    dxt_findings_free(alone);
    return judged;
}

static inline dxt_findings *judge(const char *phase, int64_t index)
{
    dxt_window *window = numbered(phase, index);
    dxt_findings *judged = judge_window(window);
    dxt_window_free(window);
    return judged;
}

/* Judge one window; the rank it calls late, or −1 for nobody, −2 for anything else. */
static inline int late_rank(const char *phase, int64_t index)
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

static inline size_t summary(dxt_episode **episodes)
{
    size_t count;
    assert_int_equal(dxt_history_summary(history, episodes, &count), DXT_OK);
    return count;
}

static inline dxt_episode only_episode(void)
{
    dxt_episode *episodes, episode;
    assert_int_equal(summary(&episodes), 1);
    episode = episodes[0];
    free(episodes);
    return episode;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
