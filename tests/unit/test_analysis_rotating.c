/* SPDX-License-Identifier: Apache-2.0 */
/* Another rank late in each operation, and jitter, which is something else. */
#include <math.h>
#include <stdlib.h>

#include "judged.h"

static void what_rotates_is_skew_and_no_ranks(void **state)
{
    (void)state;
    for (uint32_t ranks = 4; ranks <= 16; ranks += 4) {
        uint32_t skews = 0, ranges = 0;
        for (uint64_t seed = 1; seed <= 20; seed++) {
            dxt_window *window = rotating(ranks, 37 * seed, 1000 * US, 1400 * US);
            dxt_findings *found = analyze(window, NULL);
            for (size_t f = 0; f < found->finding_count; f++) {
                const dxt_finding *finding = &found->findings[f];
                skews += finding->kind == DXT_SYSTEMIC_SKEW;
                ranges += finding->kind == DXT_SYSTEMIC_SKEW && finding->share < 0.5 &&
                          finding->share_most > 0.4;
                if (finding->kind == DXT_LATE_RANK) assert_true(finding->confidence < 0.99);
            }
            assert_int_not_equal(found->verdict, DXT_VERDICT_HEALTHY);
            dxt_findings_free(found);
            dxt_window_free(window);
        }
        assert_in_range(skews, 17, 20);
        assert_int_equal(ranges, skews);
    }
}

static void among_many_ranks_it_is_not_healthy(void **state)
{
    (void)state;
    for (uint32_t ranks = 24; ranks <= 96; ranks *= 2) {
        dxt_window *window = rotating(ranks, 3 * ranks, 1000 * US, 1400 * US);
        dxt_findings *found = analyze(window, NULL);
        for (size_t f = 0; f < found->finding_count; f++)
            assert_true(found->findings[f].confidence < 0.99);
        assert_int_not_equal(found->verdict, DXT_VERDICT_HEALTHY);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* Of many ranks few operations hit some once or twice, and the others never. */
static void whom_few_operations_hit_is_not_named(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        int ops = seed % 2 ? 20 : 8;
        dxt_window *window = rotating_in(ops, 64, 37 * seed, 1000 * US, 1400 * US);
        if (seed % 4 == 0) give_nodes(window, 8);
        dxt_findings *found = analyze(window, NULL);
        assert_near(only(found, DXT_SYSTEMIC_SKEW)->share, 0.71, 0.02);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* Nor are nodes of which by chance most ranks were hit: their ranks wait for each other as well. */
static void a_node_that_was_hit_more_often_has_no_slow_uplink(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        dxt_window *window = rotating_in(40, 64, 37 * seed, 1000 * US, 1400 * US);
        give_nodes(window, 8);
        dxt_findings *found = analyze(window, NULL);
        for (size_t f = 0; f < found->finding_count; f++)
            assert_int_not_equal(found->findings[f].kind, DXT_SLOW_NODE_LINK);
        assert_int_not_equal(found->verdict, DXT_VERDICT_HEALTHY);
        dxt_findings_free(found);
        dxt_window_free(window);
    }
}

/* As many that are late in each operation do not wait for each other. */
static void who_are_late_together_are_named(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        healthy(64, seed);
        job.ops = 20;
        for (uint32_t r = 0; r < 40; r += 2) job.late[r] = (r % 4 ? 50 : 80) * US;
        dxt_findings *found = diagnose("dispatch");
        assert_int_equal(found->finding_count, 20);
        for (size_t f = 0; f < found->finding_count; f++) {
            assert_int_equal(found->findings[f].kind, DXT_LATE_RANK);
            assert_true(found->findings[f].confidence > 0.99);
        }
        dxt_findings_free(found);
    }
}

/* In 100 operations rank r comes 660 us later in times[r] of them, and never with another. */
static bool names_a_rank(const uint32_t *times, double step)
{
    dxt_window *sum = NULL;
    healthy(8, 11);
    job.step = step;
    job.ops = 1;
    for (uint32_t op = 0, rank = 0, left = times[0]; op < 100; op++) {
        while (left == 0 && rank < 8) left = ++rank < 8 ? times[rank] : 0;
        job.seed = op;
        if (rank < 8) job.late[rank] = 660 * US;
        dxt_window *window = arrivals_window(&job, "dispatch");
        if (rank < 8) job.late[rank] = 0;
        left -= left > 0;
        add_up(&sum, window);
    }
    dxt_findings *found = analyze(sum, NULL);
    bool named = false;
    for (size_t f = 0; f < found->finding_count; f++)
        named = named || found->findings[f].kind == DXT_LATE_RANK;
    dxt_findings_free(found);
    dxt_window_free(sum);
    return named;
}

static void who_was_late_by_chance_more_often_is_not_named(void **state)
{
    (void)state;
    uint32_t times[8] = {5, 3, 7, 4, 6, 0, 5, 4};
    times[5] = 15;
    assert_false(names_a_rank(times, 460 * US));
    /* Without a clock no part of the step tells that it matters. */
    assert_false(names_a_rank(times, 0));
    times[5] = 20;
    assert_true(names_a_rank(times, 460 * US));
    /* Where it costs little it is as any other lateness. */
    times[5] = 15;
    assert_true(names_a_rank(times, 4200 * US));
}

static void jitter_does_not_rotate(void **state)
{
    (void)state;
    for (uint32_t ranks = 4; ranks <= 64; ranks *= 2) {
        uint32_t skews = 0;
        for (uint64_t seed = 1; seed <= 100; seed++) {
            healthy(ranks, seed);
            job.ops = 100;
            job.jitter = 15 * US;
            dxt_findings *found = diagnose("dispatch");
            skews += found->verdict != DXT_VERDICT_HEALTHY;
            dxt_findings_free(found);
        }
        assert_in_range(skews, 0, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rotates_is_skew_and_no_ranks),
        cmocka_unit_test(among_many_ranks_it_is_not_healthy),
        cmocka_unit_test(whom_few_operations_hit_is_not_named),
        cmocka_unit_test(a_node_that_was_hit_more_often_has_no_slow_uplink),
        cmocka_unit_test(who_are_late_together_are_named),
        cmocka_unit_test(who_was_late_by_chance_more_often_is_not_named),
        cmocka_unit_test(jitter_does_not_rotate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
