/* SPDX-License-Identifier: Apache-2.0 */
/* Where the judgement over windows tips over (tipping.h). */
#include "tipping.h"

#include <deepxtrace/history.h>

/* ---- windows in their order ---- */

static dxt_history *history;
static const char *mix; /* of the work; NULL = not known */

static void follow(const char *phase, int64_t index)
{
    dxt_findings *alone, *judged;
    m.phase = phase;
    m.seed = (uint64_t)index * 2 + (phase[0] == 'd') + 1;
    dxt_window *window = window_of(index);
    window->mix = mix ? strdup(mix) : NULL;
    dxt_analysis_options options = {.struct_size = sizeof options, .min_share = m.share};
    assert_int_equal(dxt_history_prior(history, window, &options), DXT_OK);
    assert_int_equal(dxt_analyze(window, &options, &alone), DXT_OK);
    assert_int_equal(dxt_history_judge(history, window, alone, &judged), DXT_OK);
    keep(judged);
    dxt_findings_free(alone);
    dxt_findings_free(judged);
    dxt_window_free(window);
}

/* One window alone names nobody below half of the step; with those before, from this share on. */
static void restart(uint32_t ranks, double share)
{
    const dxt_history_options options = {.struct_size = sizeof options, .min_share = share};
    begin(ranks);
    if (share > 0) m.share = 0.5;
    dxt_history_destroy(history);
    assert_int_equal(dxt_history_create(&options, &history), DXT_OK);
}

/* Windows of a noisy job; rank 1 late from a window on. */
static void follow_noisy(int first, int end, double late)
{
    for (int w = first; w < end; w++) {
        for (uint32_t r = 0; r < m.ranks; r++)
            m.late[r] = 2 * US * deviate(5000 + (uint64_t)w * 100 + r);
        m.late[1] += late;
        follow("combine", w);
    }
}

static bool stays(double late)
{
    restart(m.ranks, 1e-5);
    m.step = 400 * US;
    m.skew = 5 * US;
    m.transfer = 1 * US;
    follow_noisy(0, 8, late);
    return named(DXT_LATE_RANK, 1);
}

static double stays_of(uint32_t ranks)
{
    m.ranks = ranks;
    return tip(stays, 0.5 * US, 130 * US) / US;
}

static double stays_16(void)
{
    return stays_of(16);
}

static double stays_5(void)
{
    return stays_of(5);
}

static double stays_2(void)
{
    return stays_of(2);
}

static bool stays_uneven(double late)
{
    double transfer = m.transfer;
    restart(m.ranks, 0.01);
    m.transfer = transfer;
    for (int w = 0; w < 6; w++) {
        for (uint32_t r = 0; r < m.ranks; r++) m.late[r] = 0.2 * US * deviate((uint64_t)w * 99 + r);
        m.late[1] += late;
        follow("combine", w);
    }
    return named(DXT_LATE_RANK, 1);
}

static double stays_uneven_of(uint32_t ranks, double transfer)
{
    m.ranks = ranks;
    m.transfer = transfer;
    return tip(stays_uneven, 1 * US, 200 * US) / US;
}

static double stays_uneven_3(void)
{
    return stays_uneven_of(3, 60 * US);
}

static double stays_uneven_4(void)
{
    return stays_uneven_of(4, 60 * US);
}

static double stays_uneven_56(void)
{
    return stays_uneven_of(56, 0);
}

static double stays_uneven_80(void)
{
    return stays_uneven_of(80, 0);
}

/* Late in combine by so much, and a little in dispatch. */
static bool does_not_spill(double less)
{
    restart(8, 1e-3);
    m.step = 2000 * US;
    m.skew = 1 * US;
    for (int w = 0; w < 8; w++) {
        m.late[1] = 400 * US / less;
        follow("combine", w);
        m.late[1] = 12 * US;
        follow("dispatch", w);
    }
    return named(DXT_LATE_RANK, 1);
}

static double spill(void)
{
    return tip(does_not_spill, 1, 30);
}

static bool late_beyond_leaving(double more)
{
    restart(8, 1e-5);
    m.step = 400 * US;
    m.skew = 1 * US;
    for (int w = 0; w < 8; w++) {
        m.late[1] = 0;
        m.extra[1][2] = 20 * US;
        follow("dispatch", w);
        m.extra[1][2] = 0;
        m.late[1] = 20 * US + more;
        m.late[3] = deviate((uint64_t)w) * US;
        follow("combine", w);
    }
    return named(DXT_LATE_RANK, 1);
}

static double history_carried(void)
{
    return tip(late_beyond_leaving, 1 * US, 400 * US) / US;
}

static bool changes_after(double windows)
{
    restart(2, 0);
    m.transfer = 40 * US;
    for (int w = 0; w < (int)windows + 3; w++) {
        m.late[1] = w < (int)windows ? 0 : 16 * US;
        m.late[0] = 0.1 * US * deviate((uint64_t)w);
        follow("combine", w);
    }
    return named(DXT_LATE_RANK, 1);
}

static double baseline(void)
{
    return count_from(changes_after, 2);
}

static bool known_after(double windows)
{
    for (int w = 0; w < (int)windows; w++) {
        m.spread = 0.3;
        follow("combine", w);
    }
    dxt_window *window = window_of((int64_t)windows);
    dxt_analysis_options options = {.struct_size = sizeof options};
    assert_int_equal(dxt_history_prior(history, window, &options), DXT_OK);
    dxt_window_free(window);
    uint32_t ranks = m.ranks;
    restart(ranks, 0);
    m.transfer = 10 * US;
    m.known_spread = options.cell_spread; /* for cells_spread() */
    return options.cell_spread > 0;
}

static double cells_known(uint32_t ranks)
{
    restart(ranks, 0);
    m.transfer = 10 * US;
    return count_from(known_after, 1);
}

static double cells_known_16(void)
{
    return cells_known(16);
}

static double cells_known_2(void)
{
    return cells_known(2);
}

static double cells_spread(void)
{
    restart(8, 0);
    m.transfer = 1 * US;
    assert_true(known_after(8));
    return m.known_spread;
}

/* A small finding in this window, and in those so far back. */
static double one_off(uint32_t ranks, int window, int back_one, int back_two, double late)
{
    restart(ranks, 0);
    m.step = 1000 * US;
    for (int w = 0; w <= window; w++) {
        for (uint32_t r = 0; r < ranks; r++) m.late[r] = 0.5 * US * deviate((uint64_t)w * 99 + r);
        if (w == window || w == window - back_one || w == window - back_two) m.late[1] += late;
        follow("combine", w);
    }
    return 1 - confidence(DXT_LATE_RANK, 1);
}

static bool doubted(double window)
{
    return one_off(8, (int)window, 99, 99, 30 * US) > 0.015;
}

static double established(void)
{
    return count_from(doubted, 1);
}

static double unsupported(void)
{
    return one_off(8, 8, 99, 99, 30 * US);
}

static double one_strike(void)
{
    return one_off(8, 14, 3, 99, 30 * US);
}

static double two_strikes(void)
{
    return one_off(8, 14, 3, 7, 30 * US);
}

static double strikes_long_ago(void)
{
    return one_off(8, 18, 3, 10, 30 * US);
}

static double borne_out(void)
{
    return one_off(4, 8, 1, 2, 30 * US);
}

/* One of two comes later in a step whose length varies; its own work has grown by as much. */
static bool told_from_early(double late)
{
    double step = 1000 * US;
    restart(2, 0);
    mix = "the same";
    for (int w = 0; w < 12; w++) {
        bool slow = w == 11;
        m.late[1] = slow ? late : 0;
        m.step = step + (slow ? late : 5 * US * deviate((uint64_t)w));
        follow("combine", w);
    }
    mix = NULL;
    return named(DXT_LATE_RANK, 1) && !finding(DXT_LATE_RANK, 1)->or_early;
}

static double pair_errors(void)
{
    return tip(told_from_early, 2 * US, 200 * US) / US;
}

static bool two_episodes(double gap)
{
    restart(8, 0);
    for (int w = 0; w < 8 + (int)gap; w++) {
        m.late[1] = w < 4 || w >= 4 + (int)gap ? 60 * US : 0;
        follow("combine", w);
    }
    dxt_episode *episodes;
    size_t count;
    assert_int_equal(dxt_history_summary(history, &episodes, &count), DXT_OK);
    free(episodes);
    return count == 2;
}

static double episode_gap(void)
{
    return count_from(two_episodes, 1);
}

/* ---- the table ---- */

/* clang-format off */
static const tipping rows[] = {
    ROW(stays_16, 9.8422),
    ROW(stays_2, 8.678),
    ROW(stays_5, 22.732),
    ROW(stays_uneven_3, 44.694),
    ROW(stays_uneven_4, 19.694),
    ROW(stays_uneven_56, 1.7977),
    ROW(stays_uneven_80, 1.8095),
    ROW(spill, 3.3333),
    ROW(history_carried, 24.538),
    ROW(baseline, 8),
    ROW(cells_known_16, 4),
    ROW(cells_known_2, 10),
    ROW(cells_spread, 0.092064),
    ROW(established, 4),
    ROW(unsupported, 0.02),
    ROW(one_strike, 0.02),
    ROW(two_strikes, 0.001),
    ROW(strikes_long_ago, 0.02),
    ROW(borne_out, 0.005),
    ROW(pair_errors, 17.876),
    ROW(episode_gap, 8),
};
/* clang-format on */

int main(void)
{
    int failed = tipping_program("tuning_history", rows, sizeof rows / sizeof rows[0]);
    dxt_history_destroy(history);
    return failed;
}
