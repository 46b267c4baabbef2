/* SPDX-License-Identifier: Apache-2.0 */
/* A run whose noise grows: the calm windows before do not tell how much of it is chance. */
#include <deepxtrace/history.h>

#include "judged.h"

enum { CALM = 16, NOISY = 12 };

/* Judge a window of the run, and give it back. */
static dxt_findings *judge(dxt_history *history, dxt_window *window, int64_t index)
{
    dxt_findings *judged = NULL;
    window->index = index;
    dxt_findings *alone = analyze(window, NULL);
    assert_int_equal(dxt_history_judge(history, window, alone, &judged), DXT_OK);
    dxt_findings_free(alone);
    dxt_window_free(window);
    return judged;
}

/* Windows in which some rank is called late, of the noisy ones. */
static uint32_t blamed(uint32_t ranks, uint64_t run, double late)
{
    dxt_history *history;
    uint32_t count = 0;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    for (int64_t k = 0; k < CALM + NOISY; k++) {
        uint64_t seed = 7919 * run + 31 * (uint64_t)k + 1;
        dxt_window *window =
            rotating(ranks, seed, k < CALM ? 0 : late, 220 * US + (k < CALM ? 0 : late));
        dxt_findings *judged = judge(history, window, k);
        assert_true(k >= CALM || judged->finding_count == 0);
        count += judged->col_count > 0;
        for (size_t f = 0; f < judged->finding_count; f++)
            if (judged->findings[f].kind == DXT_LATE_RANK)
                assert_true(judged->findings[f].confidence < 0.99);
        dxt_findings_free(judged);
    }
    dxt_history_destroy(history);
    return count;
}

static void lateness_that_begins_to_rotate_is_nobodys(void **state)
{
    (void)state;
    for (uint32_t ranks = 4; ranks <= 16; ranks *= 2) {
        uint32_t count = 0;
        for (uint64_t run = 1; run <= 5; run++) count += blamed(ranks, run, 330 * US);
        assert_in_range(count, 0, 1);
    }
}

/* Now the one, now the other of two ranks is next to an early third one: neither is late. */
static void two_of_three_are_not_late(void **state)
{
    (void)state;
    for (uint64_t run = 1; run <= 12; run++) {
        dxt_history *history;
        assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
        for (int64_t k = 0; k < CALM; k++) {
            healthy(3, 7919 * run + 31 * (uint64_t)k + 1);
            job.ops = 50;
            job.jitter = 40 * US;
            job.late[0] = -80 * US;
            dxt_findings *judged = judge(history, arrivals_window(&job, "dispatch"), k);
            for (size_t f = 0; f < judged->finding_count; f++)
                assert_true(judged->findings[f].kind != DXT_LATE_RANK ||
                            judged->findings[f].confidence < 0.99);
            dxt_findings_free(judged);
        }
        dxt_history_destroy(history);
    }
}

/* A quarter of the step is lost in one window; in those before, that much was chance. */
static void a_large_loss_in_doubt_is_no_health(void **state)
{
    (void)state;
    dxt_history *history;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    for (int64_t k = 0; k <= CALM; k++) {
        bool last = k == CALM;
        healthy(4, 31 * (uint64_t)k + 1);
        job.ops = last ? 50 : 2;
        job.step = 1000 * US;
        job.jitter = last ? 3 * US : 400 * US;
        job.late[2] = last ? 250 * US : 0;
        dxt_findings *judged = judge(history, arrivals_window(&job, "dispatch"), k);
        if (last) {
            assert_int_equal(judged->finding_count, 0);
            assert_int_equal(judged->verdict, DXT_VERDICT_INCONCLUSIVE);
        }
        dxt_findings_free(judged);
    }
    dxt_history_destroy(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lateness_that_begins_to_rotate_is_nobodys),
        cmocka_unit_test(two_of_three_are_not_late),
        cmocka_unit_test(a_large_loss_in_doubt_is_no_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
