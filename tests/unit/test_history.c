/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of one run judged with their history, on arrivals with a known truth. */
#include "test_history_run.h"

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

/* Surest lateness of rank 2 in dispatch, of 4 ranks, while rank 1 receives slowly in combine. */
static double surest_late(double receives, double jitter)
{
    double surest = 0;
    healthy(4, 0);
    for (int k = 0; k < 20; k++) {
        job.jitter = jitter;
        job.transfer = job.receive[1] = 0;
        job.late[2] = 6 * US;
        dxt_findings *judged = judge("dispatch", k);
        for (size_t f = 0; f < judged->finding_count; f++)
            if (k > 0) surest = fmax(surest, judged->findings[f].confidence);
        dxt_findings_free(judged);
        job.jitter = 2 * US;
        job.transfer = 10 * US;
        job.late[2] = 0;
        job.receive[1] = receives;
        judged = judge("combine", k);
        assert_int_equal(judged->finding_count, receives > 0);
        dxt_findings_free(judged);
    }
    return surest;
}

/* Of three or four ranks it may be what the other operator's cause brings about. */
static void of_few_ranks_it_is_not_sure_beside_another_cause(void **state)
{
    /* Each window shows the one; only several together show the other. */
    for (double jitter = 2 * US; jitter <= 14 * US; jitter += 12 * US) {
        assert_true(surest_late(0, jitter) >= 0.99);
        end(state);
        begin(state);
        double beside = surest_late(40 * US, jitter);
        assert_true(beside > 0.9 && beside < 0.99);
        end(state);
        begin(state);
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
        TEST(of_few_ranks_it_is_not_sure_beside_another_cause),
        TEST(what_spills_is_not_named),
        TEST(two_ranks_are_held_against_their_past),
        TEST(a_late_node_is_no_eight_late_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
