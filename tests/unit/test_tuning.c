/* SPDX-License-Identifier: Apache-2.0 */
/* Where the fit of one window tips over: ranks, cells and sides (tipping.h). */
#include "tipping.h"

/* ---- lateness of ranks ---- */

static bool late_1(double amount)
{
    m.late[1] = amount;
    judge();
    return named(DXT_LATE_RANK, 1);
}

static double late_tip(void)
{
    return tip(late_1, 0.01 * US, 4000 * US) / US;
}

static double no_clock_floor(void)
{
    begin(8);
    m.step = 0;
    m.late[5] = 200 * US;
    return late_tip();
}

static double no_clock_two(void)
{
    begin(2);
    m.step = 0;
    m.skew = 5 * US;
    return late_tip();
}

static double least_share(void)
{
    begin(8);
    return late_tip();
}

static double uneven(uint32_t ranks)
{
    begin(ranks);
    m.transfer = 50 * US;
    return late_tip();
}

static double uneven_6(void)
{
    return uneven(6);
}

static double uneven_8(void)
{
    return uneven(8);
}

static double skewed(uint32_t ranks, double skew, double step)
{
    begin(ranks);
    m.skew = skew;
    m.step = step;
    m.share = 1e-6;
    return late_tip();
}

static double skewed_4(void)
{
    return skewed(4, 20 * US, 20000 * US);
}

static double skewed_64(void)
{
    return skewed(64, 20 * US, 20000 * US);
}

static double leaning(void)
{
    return skewed(8, 60 * US, 1200 * US);
}

static double leaning_most(void)
{
    return skewed(8, 300 * US, 600 * US);
}

static double drift(double share)
{
    begin(8);
    m.share = share;
    m.skew = 0.01 * US;
    judge();
    return said.error / US;
}

static double drift_of_step(void)
{
    return drift(0.1);
}

static double drift_of_floor(void)
{
    return drift(0.001);
}

/* Members that differ for good, the more the more of them. */
static void differ(double amount)
{
    for (uint32_t r = 2; r < m.ranks; r++) m.late[r] = amount * deviate(1000 + r);
}

static double differing(uint32_t ranks, double by)
{
    begin(ranks);
    m.skew = 5 * US;
    m.step = 2000 * US;
    m.share = 1e-4;
    differ(by);
    judge();
    return said.error / US;
}

static double differ_5(void)
{
    return differing(5, 40 * US);
}

static double differ_8(void)
{
    return differing(8, 6 * US);
}

static double differ_24(void)
{
    return differing(24, 6 * US);
}

static double differ_40(void)
{
    return differing(40, 6 * US);
}

static double ordinary_error;

static bool wider(double amount)
{
    differ(amount);
    judge();
    return said.error > 1.05 * ordinary_error;
}

static double systematic(uint32_t ranks)
{
    ordinary_error = differing(ranks, 0) * US;
    return tip(wider, 0.01 * US, 50 * US) / US;
}

static double systematic_16(void)
{
    return systematic(16);
}

static double systematic_40(void)
{
    return systematic(40);
}

static double without_operations(void)
{
    begin(8);
    m.ops = 0;
    m.share = 1e-6;
    m.step = 2000 * US;
    m.skew = 5 * US;
    differ(6 * US);
    judge();
    return said.error / US;
}

/* A first call of ten that was slow makes few ranks differ as much as one that is always late. */
static double first_call(uint32_t ranks, int64_t ops)
{
    begin(ranks);
    m.ops = ops;
    for (uint32_t r = 0; r < ranks; r++) m.late[r] = 20 * US * r * r;
    judge();
    return said.error / US;
}

static double first_call_of_3(void)
{
    return first_call(3, 10);
}

static double first_call_of_4(void)
{
    return first_call(4, 10);
}

static double many_calls_of_4(void)
{
    return first_call(4, 20);
}

/* Drift is not all there is, if nothing tells how far arrivals vary. */
static double without_operations_though_worth_little(void)
{
    begin(8);
    m.ops = 0;
    m.step = 2000 * US;
    m.skew = 5 * US;
    differ(30 * US);
    judge();
    return said.error / US;
}

static double ordinary_of(uint32_t ranks)
{
    begin(ranks);
    m.transfer = 5 * US;
    m.skew = 8 * US;
    m.spread = 0.2;
    judge();
    return said.ordinary / US;
}

static double ordinary_of_3(void)
{
    return ordinary_of(3);
}

static double ordinary_of_4(void)
{
    return ordinary_of(4);
}

/* ---- single cells ---- */

static void wild(uint32_t ranks, double spread)
{
    begin(ranks);
    m.skew = 20 * US;
    m.share = 1e-4;
    m.spread = spread;
}

static bool louder(double spread)
{
    wild(6, spread);
    judge();
    return said.error > 0.4 * said.ordinary;
}

static double wild_from(void)
{
    return tip(louder, 0.2, 3);
}

static double wild_error(void)
{
    wild(6, 0.7);
    judge();
    return said.error / US;
}

static bool not_calm(double spread)
{
    wild(6, 0.1);
    m.known_spread = spread;
    judge();
    return said.error > 1.02 * ordinary_error;
}

static double calm_to(void)
{
    ordinary_error = INFINITY;
    not_calm(0.01);
    ordinary_error = said.error;
    return tip(not_calm, 0.05, 2);
}

static double spread_error(void)
{
    wild(6, 0.1);
    m.known_spread = 0.6;
    judge();
    return said.error / US;
}

/* ---- sides ---- */

static bool receives(double amount)
{
    m.receive[1] = amount;
    judge();
    return named(DXT_SLOW_RECEIVER, 1);
}

static double receiver(uint32_t ranks, double known)
{
    begin(ranks);
    m.transfer = 50 * US;
    m.known_spread = known;
    return tip(receives, 0.1 * US, 900 * US) / US;
}

static double receiver_4(void)
{
    return receiver(4, 0);
}

static double receiver_4_known(void)
{
    return receiver(4, 0.1);
}

static double receiver_3(void)
{
    return receiver(3, 0.1);
}

static double receiver_8(void)
{
    return receiver(8, 0.1);
}

static double receiver_9(void)
{
    return receiver(9, 0.1);
}

/* ---- the table ---- */

/* clang-format off */
static const tipping rows[] = {
    ROW(no_clock_floor, 10),
    ROW(no_clock_two, 5.8836),
    ROW(least_share, 2.1816),
    ROW(uneven_6, 25),
    ROW(uneven_8, 15),
    ROW(skewed_4, 6.932),
    ROW(skewed_64, 6.7366),
    ROW(leaning, 21.465),
    ROW(leaning_most, 279.87),
    ROW(drift_of_step, 0.5),
    ROW(drift_of_floor, 0.050006),
    ROW(differ_5, 0.39845),
    ROW(differ_8, 0.38127),
    ROW(differ_24, 4.1148),
    ROW(differ_40, 4.021),
    ROW(systematic_16, 2.2499),
    ROW(systematic_40, 1.3487),
    ROW(without_operations_though_worth_little, 10.5),
    ROW(first_call_of_3, 14.826),
    ROW(first_call_of_4, 39.535),
    ROW(many_calls_of_4, 0.5),
    ROW(without_operations, 2.1006),
    ROW(ordinary_of_3, 6.835),
    ROW(ordinary_of_4, 6.5777),
    ROW(wild_from, 0.54064),
    ROW(wild_error, 5.1931),
    ROW(calm_to, 0.43863),
    ROW(spread_error, 5.2764),
    ROW(receiver_4, 62.5),
    ROW(receiver_4_known, 37.5),
    ROW(receiver_3, 37.5),
    ROW(receiver_8, 22.5),
    ROW(receiver_9, 33.75),
};
/* clang-format on */

int main(void)
{
    return tipping_program("tuning", rows, sizeof rows / sizeof rows[0]);
}
