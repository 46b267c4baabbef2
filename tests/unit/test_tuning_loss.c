/* SPDX-License-Identifier: Apache-2.0 */
/* Where time that is lost to nobody in particular tips over, and what was counted at all
 * (tipping.h).
 */
#include "tipping.h"

/* ---- what was counted ---- */

static bool given_up_too_often(double times)
{
    begin(8);
    m.step = 0;
    dxt_window *window = window_of(0);
    for (uint32_t i = 0; i < 8; i++)
        if (i != 1) window->wait[i * 8 + 1] = (int64_t)times * INT64_C(200000000000) + 50;
    judge_windows(window, NULL);
    return !named(DXT_SILENT_RANK, 1);
}

static double timeouts(void)
{
    return tip(given_up_too_often, 20, 3000);
}

/* Cells without a wait among ranks of which one takes no part. */
static bool takes_part(double empty)
{
    begin(8);
    dxt_window *window = window_of(0);
    for (uint32_t k = 0; k < 8; k++) window->wait[8 + k] = window->wait[k * 8 + 1] = 0;
    for (uint32_t k = 0; k < (uint32_t)empty; k++) {
        uint32_t i = 2 + k % 6, j = 2 + (k + 1 + k / 6) % 6;
        window->wait[i * 8 + j] = 0;
    }
    judge_windows(window, NULL);
    return !named(DXT_SILENT_RANK, 1);
}

static double counted_part(void)
{
    return count_from(takes_part, 0);
}

static bool nothing_completed(double empty)
{
    begin(8);
    m.late[1] = 100 * US;
    dxt_window *window = window_of(0);
    window->samples = malloc(64 * sizeof *window->samples);
    assert_non_null(window->samples);
    for (uint32_t c = 0; c < 64; c++) window->samples[c] = m.ops;
    for (uint32_t k = 0; k < (uint32_t)empty; k++)
        window->samples[k % 8 * 8 + (k % 8 + 1 + k / 8) % 8] = 0;
    window->ops = 0;
    judge_windows(window, NULL);
    return said.count == 0;
}

static double empty_part(void)
{
    return count_from(nothing_completed, 0);
}

/* ---- columns that differ where rows do not ---- */

/* A healthy job whose arrivals vary, in which `columns` and `rows` are what is added to each second
 * one, and taken from the others; the rows in an order of their own. */
static void sides(double columns, double rows)
{
    for (uint32_t k = 0; k < m.ranks; k++) {
        m.send[k] = (k % 2 ? 1 : -1) * columns;
        m.receive[k] = (k / 2 % 2 ? 1 : -1) * rows;
    }
}

static void begin_varied(uint32_t ranks, double skew)
{
    begin(ranks);
    m.skew = skew;
    m.step = 2000 * US;
    m.share = 1e-4;
}

static double plain_error(void)
{
    judge();
    return said.error;
}

static bool one_sided_columns(double columns)
{
    begin_varied(8, 10 * US);
    m.ops = 100000;
    double plain = plain_error();
    sides(columns, 0);
    judge();
    return said.error > 1.02 * plain;
}

static double one_sided_least(void)
{
    return tip(one_sided_columns, 0.01 * US, 3 * US) / US;
}

static double rare_lean(void)
{
    begin_varied(8, 10 * US);
    sides(1.2 * US, 0);
    judge();
    return said.error / US;
}

/* All rows differ by the same, columns by little but for one. */
static bool both_sided_by_all(double rows)
{
    begin_varied(16, 10 * US);
    double plain = plain_error();
    sides(0.5 * US, rows);
    m.send[3] = 2.5 * US;
    judge();
    return !(said.error > 1.1 * plain);
}

static double one_sided_typical(void)
{
    return tip(both_sided_by_all, 0.01 * US, 0.7 * US) / US;
}

static bool both_sided(double rows)
{
    begin_varied(16, 10 * US);
    double plain = plain_error();
    sides(0.8 * US, rows);
    judge();
    return !(said.error > 1.1 * plain);
}

static double one_sided(void)
{
    return tip(both_sided, 0.01 * US, 0.7 * US) / US;
}

/* ---- another rank late in each operation ---- */

static bool does_not_rotate(double rows)
{
    begin(12);
    m.skew = 15 * US;
    sides(2 * US, rows);
    judge();
    return !named(DXT_SYSTEMIC_SKEW, -1);
}

static double rotating(void)
{
    return tip(does_not_rotate, 0.01 * US, 3.9 * US) / US;
}

/* Without a clock it is enough that columns differ further. */
static bool is_healthy_untimed(double rows)
{
    begin(12);
    m.step = 0;
    m.skew = 15 * US;
    sides(2 * US, rows);
    judge();
    return said.verdict == DXT_VERDICT_HEALTHY;
}

static double rotating_untimed(void)
{
    return tip(is_healthy_untimed, 0.01 * US, 2.0 * US) / US;
}

static bool is_rotating_worth_a_line(double skew)
{
    begin(8);
    m.skew = skew;
    sides(0.12 * skew, 0);
    judge();
    return named(DXT_SYSTEMIC_SKEW, -1);
}

static double rotating_share(void)
{
    return tip(is_rotating_worth_a_line, 0.5 * US, 40 * US) / US;
}

static bool too_many_to_rotate(double ranks)
{
    begin((uint32_t)ranks);
    m.skew = 15 * US;
    sides(2 * US, 0);
    judge();
    return (uint32_t)ranks % 4 == 0 && !named(DXT_SYSTEMIC_SKEW, -1);
}

static double rotating_ranks(void)
{
    return count_from(too_many_to_rotate, 8);
}

static bool may_rotate(double skew)
{
    begin(24);
    m.ops = 30;
    m.skew = skew;
    sides(0.12 * skew, 0.05 * skew);
    judge();
    return said.verdict == DXT_VERDICT_INCONCLUSIVE;
}

static double unsure_share(void)
{
    return tip(may_rotate, 0.5 * US, 14 * US) / US;
}

static bool not_healthy(double skew)
{
    m.skew = skew;
    judge();
    return said.verdict != DXT_VERDICT_HEALTHY;
}

/* The means of some ranks differ by so much, both ways alike, that lumps which lose more are
 * likely. */
static bool is_skew_of_few(uint32_t ranks, double lumps)
{
    begin(ranks);
    m.skew = 12 * US;
    for (uint32_t k = 0; k < ranks; k++) m.receive[k] = m.send[k] = (k % 2) * lumps;
    judge();
    return named(DXT_SYSTEMIC_SKEW, -1);
}

static bool is_skew_of_8(double lumps)
{
    return is_skew_of_few(8, lumps);
}

static double lumps_of_8(void)
{
    return tip(is_skew_of_8, 0.01 * US, 3 * US) / US;
}

/* Of a few more it may be cells that vary by themselves. */
static double lumps_of_9(void)
{
    return is_skew_of_few(9, 3.4 * US);
}

/* Among so many ranks that no cell is large, and that differ on average as arrivals so varied do.
 */
static bool is_lost(double skew)
{
    begin(24);
    for (uint32_t r = 0; r < 24; r++) m.late[r] = (r % 2 ? 0.1 : -0.1) * skew;
    return not_healthy(skew);
}

static double lost_share(void)
{
    return tip(is_lost, 10 * US, 40 * US) / US;
}

static bool far_apart(double between)
{
    begin(16);
    m.node_size = 8;
    m.between = between;
    judge();
    return said.verdict != DXT_VERDICT_HEALTHY;
}

static double apart_share(void)
{
    return tip(far_apart, 1 * US, 100 * US) / US;
}

static double unsure_of_4(void)
{
    begin(4);
    return tip(not_healthy, 1 * US, 400 * US) / US;
}

/* Ranks that differ, in few operations and in more. */
static double error_of(int64_t ops)
{
    begin_varied(8, 5 * US);
    m.ops = ops;
    for (uint32_t r = 0; r < 8; r++) m.late[r] = 6 * US * deviate(1000 + r);
    judge();
    return said.error;
}

static bool many_events(double ops)
{
    return error_of((int64_t)ops) < 0.8 * error_of(10);
}

static double one_event(void)
{
    return count_from(many_events, 6);
}

static double systemic_of_3(void)
{
    begin(3);
    return tip(is_systemic, 1 * US, 400 * US) / US;
}

/* ---- stalls that the other operator shows ---- */

/* Cells of a dispatch that stalled, and whole rows, and how late each rank is then: as much as
 * that, and by chance. */
static double of_one_path;        /* what the wait of rank 4 for rank 9 is longer than that */
static double of_stalls = 1 * US; /* how large they are */
static double from = 0.6;         /* deviates of cells that stalled … */
static double by_same;            /* … and differ by no more than this; 0 = they do */
static double skew_there = 30 * US;

static void stall(double chance, double of_rows)
{
    double row[MOST] = {[4] = of_one_path / 2};
    m.skew = skew_there;
    for (uint32_t i = 0; i < m.ranks; i++)
        for (uint32_t j = 0; j < m.ranks; j++) {
            double size = deviate(5000 + i * STRIDE + j);
            double much = by_same > 0 ? by_same : size;
            m.extra[i][j] = i != j && size > from ? much * of_stalls : 0;
            row[i] += m.extra[i][j] * 0.5;
        }
    double sum = 0;
    for (uint32_t i = 0; i < m.ranks; i++) sum += row[i];
    double typical = by_same > 0 ? sum / m.ranks : 2 * US;
    m.extra[4][9] += of_one_path;
    for (uint32_t i = 0; i < m.ranks; i++) m.receive[i] = of_rows * deviate(9000 + i);
    m.phase = "dispatch";
    dxt_window *window = window_of(0);
    m.phase = "combine";
    memset(m.extra, 0, sizeof m.extra);
    for (uint32_t i = 0; i < m.ranks; i++) {
        m.receive[i] = 0;
        double by_chance = chance * deviate(7000 + i) + of_rows * deviate(9000 + i);
        m.send[i] = fmax(row[i] - typical + by_chance, -skew_there / 3);
    }
    judge_windows(window, window_of(0));
    memset(m.send, 0, sizeof m.send);
}

static bool not_by_chance(double chance)
{
    begin(16);
    stall(chance, 0);
    return !named(DXT_PATH_STALLS, -1);
}

static double stalls_errors(void)
{
    return tip(not_by_chance, 0.01 * US, 3 * US) / US;
}

/* The same of larger ones, which arrivals cannot make; and how large that is. */
static bool not_by_chance_of_lumps(double chance)
{
    begin(12);
    of_stalls = 8 * US;
    stall(chance, 0);
    of_stalls = 1 * US;
    return !named(DXT_PATH_STALLS, -1);
}

static double stalls_hint(void)
{
    return tip(not_by_chance_of_lumps, 0.01 * US, 20 * US) / US;
}

static bool are_lumps(double size)
{
    begin(16);
    of_stalls = size;
    stall(1.5 * size, 0);
    of_stalls = 1 * US;
    return named(DXT_PATH_STALLS, -1);
}

static double stalls_few_lumps(void)
{
    return tip(are_lumps, 0.1 * US, 40 * US) / US;
}

/* The same of cells that lean to no side. */
static double stalls_lumps(void)
{
    from = 0;
    by_same = 1;
    double size = tip(are_lumps, 0.1 * US, 40 * US) / US;
    from = 0.6;
    by_same = 0;
    return size;
}

/* The more cells stalled, the less they lean. */
static bool do_not_lean(double more)
{
    begin(21);
    of_stalls = 2 * US;
    skew_there = 12 * US;
    from = 1 - more;
    by_same = 1;
    stall(0, 0);
    of_stalls = 1 * US;
    skew_there = 30 * US;
    from = 0.6;
    by_same = 0;
    return !named(DXT_PATH_STALLS, -1);
}

static double stalls_lean(void)
{
    return tip(do_not_lean, 0.01, 2);
}

/* Where two ranks wait for each other for so little that little would be lost. */
static bool not_by_chance_of_little(double chance)
{
    begin(21);
    of_stalls = 4 * US;
    by_same = 1;
    skew_there = 12 * US;
    stall(chance, 0);
    of_stalls = 1 * US;
    by_same = 0;
    skew_there = 30 * US;
    return !named(DXT_PATH_STALLS, -1);
}

static double stalls_unshown(void)
{
    return tip(not_by_chance_of_little, 0.01 * US, 20 * US) / US;
}

static bool not_by_rows(double of_rows)
{
    begin(16);
    stall(0, of_rows);
    return !named(DXT_PATH_STALLS, -1);
}

static double stalls_rows(void)
{
    return tip(not_by_rows, 0.01 * US, 3 * US) / US;
}

static bool beyond_stalls(double size)
{
    begin(16);
    of_one_path = size;
    of_stalls = 8 * US;
    stall(0, 0);
    of_one_path = 0;
    of_stalls = 1 * US;
    return named(DXT_SLOW_PATH, 4);
}

static double path_of_stalls(void)
{
    return tip(beyond_stalls, 1 * US, 400 * US) / US;
}

/* ---- cells with long tails ---- */

/* Ranks that are early, so that what is expected of the waits for them is a small part of the
 * ordinary one, in a wild window; how long a path must be there. */
static bool path_beside_early(double extra)
{
    m.extra[4][9] = extra;
    judge();
    return named(DXT_SLOW_PATH, -1);
}

static double ratio_least(void)
{
    double low = 0, high = 100 * US, ordinary;
    begin(16);
    m.skew = 10 * US;
    m.spread = 0.5;
    m.seed = 9;
    ordinary = dxt_expected_wait(0, m.skew);
    for (int k = 0; k < 40; k++) {
        double middle = (low + high) / 2;
        if (dxt_expected_wait(-middle, m.skew) > 0.08 * ordinary)
            low = middle;
        else
            high = middle;
    }
    for (uint32_t r = 9; r < 16; r++) m.late[r] = -low;
    return tip(path_beside_early, 1 * US, 1e6 * US) / US;
}

/* ---- the table ---- */

/* clang-format off */
static const tipping rows[] = {
    ROW(timeouts, 257),
    ROW(counted_part, 5),
    ROW(empty_part, 15),
    ROW(one_sided_least, 0.36267),
    ROW(rare_lean, 1.44),
    ROW(one_sided, 0.39665),
    ROW(one_sided_typical, 0.34176),
    ROW(rotating, 0.64169),
    ROW(rotating_untimed, 0.98435),
    ROW(rotating_share, 7.1618),
    ROW(rotating_ranks, 20),
    ROW(unsure_share, 8.7187),
    ROW(lumps_of_8, 2.993),
    ROW(lumps_of_9, 0),
    ROW(lost_share, 28.965),
    ROW(apart_share, 30),
    ROW(unsure_of_4, 33.422),
    ROW(path_of_stalls, 46.024),
    ROW(one_event, 20),
    ROW(systemic_of_3, 75.199),
    ROW(stalls_errors, 0.94462),
    ROW(stalls_hint, 13.876),
    ROW(stalls_lumps, 6.3646),
    ROW(stalls_few_lumps, 1.3287),
    ROW(stalls_lean, 0.59419),
    ROW(stalls_unshown, 4.8361),
    ROW(stalls_rows, 0.22099),
    ROW(ratio_least, 76.204),
};
/* clang-format on */

int main(void)
{
    return tipping_program("tuning_loss", rows, sizeof rows / sizeof rows[0]);
}
