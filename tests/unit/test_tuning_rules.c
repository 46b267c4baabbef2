/* SPDX-License-Identifier: Apache-2.0 */
/* Where rules tip over: who came last, severity and confidence (tipping.h). */
#include "tipping.h"

/* ---- who came last ---- */

static void judge_last(int64_t of_1, int64_t of_2)
{
    dxt_window *window = window_of(0);
    window->last = calloc((size_t)m.ranks * m.ranks, sizeof *window->last);
    assert_non_null(window->last);
    for (uint32_t i = 0; i < m.ranks; i++) {
        int64_t left = m.ops;
        for (uint32_t j = 0; j < m.ranks; j++) {
            int64_t own = j == 1 ? of_1 : j == 2 ? of_2 : 0;
            if (i != j) window->last[i * m.ranks + j] = own;
            left -= i != j ? own : 0;
        }
        uint32_t rest = i == 7 ? 6 : 7;
        if (left > 0) window->last[i * m.ranks + rest] += left;
    }
    judge_windows(window, NULL);
}

static bool not_late_once(double ops)
{
    begin(8);
    m.ops = (int64_t)ops;
    m.late[1] = 100 * US;
    judge_last(0, 0);
    return !named(DXT_LATE_RANK, 1);
}

static double few_operations(void)
{
    return count_from(not_late_once, 1);
}

static bool last_by_more(double times)
{
    begin(8);
    m.ops = 1000;
    m.late[1] = 100 * US;
    judge_last((int64_t)times, 0);
    return named(DXT_LATE_RANK, 1);
}

static double chance(void)
{
    return tip(last_by_more, 50, 900);
}

static bool last_with_a_peer(double times)
{
    begin(8);
    m.ops = 1000;
    m.late[1] = m.late[2] = 100 * US;
    judge_last((int64_t)times, 900 - (int64_t)times);
    return named(DXT_LATE_RANK, 1);
}

static double fair(void)
{
    return tip(last_with_a_peer, 10, 450);
}

/* ---- the answer ---- */

/* Among many ranks by what two wait for each other, among few by what the last costs all. */
static double systemic(void)
{
    begin(24);
    return tip(is_systemic, 1 * US, 400 * US) / US;
}

/* Ranks differ on average as far as arrivals so varied make them. */
static bool varies(double skew)
{
    for (uint32_t r = 0; r < 8; r++) m.late[r] = (r % 2 ? 0.1 : -0.1) * skew;
    return is_systemic(skew);
}

static double variation(void)
{
    begin(8);
    return tip(varies, 1 * US, 400 * US) / US;
}

static bool healthy_after(double ops)
{
    begin(8);
    m.ops = (int64_t)ops;
    judge();
    return said.verdict == DXT_VERDICT_HEALTHY;
}

static double thin(void)
{
    return count_from(healthy_after, 1);
}

static dxt_severity wanted;

static bool as_bad(double late)
{
    m.late[1] = late;
    judge();
    const dxt_finding *it = finding(DXT_LATE_RANK, 1);
    return it && it->severity >= wanted;
}

static double severe(dxt_severity severity, double step)
{
    begin(8);
    m.step = step;
    if (step <= 0) m.skew = 10 * US;
    wanted = severity;
    return tip(as_bad, 0.1 * US, 4000 * US) / US;
}

static double major(void)
{
    return severe(DXT_SEVERITY_MAJOR, 200 * US);
}

static double critical(void)
{
    return severe(DXT_SEVERITY_CRITICAL, 200 * US);
}

static double major_untimed(void)
{
    return severe(DXT_SEVERITY_MAJOR, 0);
}

static double critical_untimed(void)
{
    return severe(DXT_SEVERITY_CRITICAL, 0);
}

static double sure(uint32_t ranks, double late)
{
    begin(ranks);
    m.late[1] = late;
    judge();
    return 1 - confidence(DXT_LATE_RANK, 1);
}

/* Where a limit has another reason than noise. */
static double sure_beside_uneven(void)
{
    begin(8);
    m.transfer = 50 * US;
    m.late[1] = 16 * US;
    judge();
    return 1 - confidence(DXT_LATE_RANK, 1);
}

static double just_sure(void)
{
    return sure(8, 2.3 * US);
}

static double surest(void)
{
    return sure(8, 100 * US);
}

static bool late_in_few_operations(double late)
{
    begin(8);
    m.ops = 4;
    m.late[1] = late;
    judge();
    return named(DXT_LATE_RANK, 1);
}

static double thin_variation(void)
{
    return tip(late_in_few_operations, 1 * US, 200 * US) / US;
}

/* Of so many ranks that are late alike each waits for the others by a part of that. */
static bool in_turn(uint32_t count, double part)
{
    int64_t ops = m.ops;
    begin(64);
    m.ops = ops;
    for (uint32_t k = 0; k < count; k++) {
        m.late[2 * k] = 100 * US;
        for (uint32_t i = 0; i < count; i++) m.extra[2 * i][2 * k] = i == k ? 0 : part * 100 * US;
    }
    judge();
    return !named(DXT_LATE_RANK, 0);
}

static bool by_turns(double count)
{
    return in_turn((uint32_t)count, 1);
}

static double turns(void)
{
    m.ops = 50;
    return count_from(by_turns, 1);
}

static double turns_of_few(void)
{
    m.ops = 4;
    return count_from(by_turns, 1);
}

static bool apart_by(double part)
{
    return in_turn(24, part);
}

static double turns_apart(void)
{
    m.ops = 50;
    return tip(apart_by, 0.01, 1);
}

static double sure_of_4(void)
{
    return sure(4, 100 * US);
}

static double sure_of_3(void)
{
    return sure(3, 100 * US);
}

static double sure_of_5(void)
{
    return sure(5, 100 * US);
}

static double sure_uncounted(void)
{
    begin(8);
    m.ops = 0;
    m.late[1] = 100 * US;
    judge();
    return 1 - confidence(DXT_LATE_RANK, 1);
}

static double sure_untimed(void)
{
    begin(8);
    m.step = 0;
    m.late[1] = 100 * US;
    judge();
    return 1 - confidence(DXT_LATE_RANK, 1);
}

static bool sure_next_to(double late)
{
    begin(8);
    m.late[1] = late;
    m.late[5] = 120 * US;
    judge();
    return confidence(DXT_LATE_RANK, 1) > 0.96;
}

static double small_next_to(void)
{
    return tip(sure_next_to, 4 * US, 100 * US) / US;
}

/* ---- the established rule ---- */

static bool ratio_column(double late)
{
    begin(16);
    m.skew = 10 * US;
    m.method = DXT_METHOD_RATIO;
    m.send[1] = late;
    judge();
    return said.cols > 0;
}

static double ratio_axis(void)
{
    return tip(ratio_column, 0.5 * US, 400 * US) / US;
}

static bool ratio_point(double late)
{
    begin(16);
    m.skew = 10 * US;
    m.method = DXT_METHOD_RATIO;
    m.extra[1][2] = late;
    judge();
    return said.points > 0;
}

static double ratio_points(void)
{
    return tip(ratio_point, 0.5 * US, 60 * US) / US;
}

static bool beyond_timeout(double cycles)
{
    begin(8);
    m.step = 0;
    m.ops = 1;
    m.skew = 1;
    m.transfer = 0.8e10;
    dxt_window *window = window_of(0);
    window->wait[1 * 8 + 2] = INT64_C(200000000000) + (int64_t)cycles;
    judge_windows(window, NULL);
    return named(DXT_SLOW_PATH, 1);
}

static double timeout(void)
{
    return tip(beyond_timeout, 0.6e10, 1.55e10) / 1e10;
}

/* ---- the table ---- */

/* clang-format off */
static const tipping rows[] = {
    ROW(few_operations, 10),
    ROW(chance, 146),
    ROW(fair, 113),
    ROW(systemic, 50.133),
    ROW(variation, 26.8),
    ROW(thin, 8),
    ROW(thin_variation, 30.5),
    ROW(major, 10),
    ROW(critical, 40),
    ROW(major_untimed, 11.968),
    ROW(critical_untimed, 39.894),
    ROW(sure_beside_uneven, 0.021494),
    ROW(just_sure, 0.029426),
    ROW(surest, 0.001),
    ROW(turns, 5),
    ROW(turns_of_few, 2),
    ROW(turns_apart, 0.5),
    ROW(sure_of_4, 0.015),
    ROW(sure_of_3, 0.015),
    ROW(sure_of_5, 0.001),
    ROW(sure_uncounted, 0.015),
    ROW(sure_untimed, 0.05),
    ROW(small_next_to, 15),
    ROW(ratio_axis, 9.8201),
    ROW(ratio_points, 15.004),
    ROW(timeout, 1),
};
/* clang-format on */

int main(void)
{
    return tipping_program("tuning_rules", rows, sizeof rows / sizeof rows[0]);
}
