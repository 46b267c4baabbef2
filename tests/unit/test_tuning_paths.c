/* SPDX-License-Identifier: Apache-2.0 */
/* Where the fit of one window tips over: nodes and paths (tipping.h). */
#include "tipping.h"

/* ---- nodes ---- */

/* Ways into one node from so many others; then from others again. */
static bool no_ways(double ways)
{
    uint32_t left = (uint32_t)ways;
    begin(18);
    m.node_size = 3;
    m.between = 3 * US;
    for (uint32_t k = 0; k < left; k++) m.node_extra[k % 6][(k + (k < 6 ? 1 : 3)) % 6] = 60 * US;
    judge();
    return !named(DXT_SLOW_NODE_PATH, -1);
}

static double most_ways(void)
{
    return count_from(no_ways, 1);
}

/* Of what one node waits for the other, so much is the way; the rest is lateness. */
static bool is_a_way(double part)
{
    begin(16);
    m.node_size = 8;
    m.between = 3 * US;
    for (uint32_t r = 8; r < 16; r++) m.late[r] = 40 * US - part;
    m.node_extra[0][1] = part;
    m.late[2] = 70 * US;
    judge();
    return named(DXT_SLOW_NODE_PATH, -1);
}

static double way_or_node(void)
{
    return tip(is_a_way, 1 * US, 39 * US) / US;
}

/* ---- paths ---- */

static bool path_12(double amount)
{
    m.extra[1][2] = amount;
    judge();
    return named(DXT_SLOW_PATH, 1);
}

static double path_tip(void)
{
    return tip(path_12, 0.1 * US, 30000 * US) / US;
}

static double path_of_skew(void)
{
    begin(16);
    m.skew = 20 * US;
    return path_tip();
}

static double path_among_spread(void)
{
    begin(16);
    m.transfer = 20 * US;
    m.spread = 0.15;
    return path_tip();
}

/* Of 23 ranks too few cells tell how long tails are. */
static double path_among_many(uint32_t ranks, double spread)
{
    begin(ranks);
    m.transfer = 20 * US;
    m.spread = spread;
    return path_tip();
}

static double path_among_23(void)
{
    return path_among_many(23, 0.18);
}

static double path_among_24(void)
{
    return path_among_many(24, 0.18);
}

static double path_among_48(void)
{
    return path_among_many(48, 0.19);
}

static double path_among_128(void)
{
    return path_among_many(128, 0.18);
}

static double path_among_129(void)
{
    return path_among_many(129, 0.18);
}

/* How sure a path is that exceeds so much among many. */
static double sure_among_24(double extra)
{
    begin(24);
    m.transfer = 20 * US;
    m.spread = 0.18;
    path_12(extra);
    return confidence(DXT_SLOW_PATH, 1);
}

static double sure_of_rare(void)
{
    return sure_among_24(22 * US);
}

static double sure_beyond(void)
{
    return sure_among_24(30 * US);
}

static double path_of_a_late_rank(void)
{
    begin(16);
    m.late[2] = 300 * US;
    return path_tip();
}

static double path_of_long_tails(void)
{
    begin(8);
    m.transfer = 20 * US;
    m.spread = 0.55;
    m.seed = 3;
    return path_tip();
}

static double path_of_wildest(void)
{
    begin(16);
    m.transfer = 20 * US;
    m.spread = 1.6;
    return path_tip();
}

static double tail_extra;

static bool tails(double spread)
{
    m.spread = spread;
    m.extra[1][2] = tail_extra;
    judge();
    return !named(DXT_SLOW_PATH, 1);
}

static double long_tails_of(uint32_t ranks, double extra)
{
    begin(ranks);
    m.transfer = 20 * US;
    tail_extra = extra;
    return tip(tails, 0.05, 2);
}

static double long_tails_from(void)
{
    return long_tails_of(9, 100 * US);
}

static double long_tails_known_from(void)
{
    return long_tails_of(24, 38 * US);
}

/* Of 11 ranks the tails of the same cells are not known. */
static double path_with_tails_of(uint32_t ranks)
{
    begin(ranks);
    m.transfer = 20 * US;
    m.spread = 0.27;
    return path_tip();
}

static double path_with_tails_of_11(void)
{
    return path_with_tails_of(11);
}

static double path_with_tails_of_12(void)
{
    return path_with_tails_of(12);
}

static double path_of_few(uint32_t ranks)
{
    begin(ranks);
    m.transfer = 20 * US;
    m.known_spread = 0.1;
    m.spread = 0.1;
    return path_tip();
}

static double path_of_4(void)
{
    return path_of_few(4);
}

static double path_of_5(void)
{
    return path_of_few(5);
}

/* Two so early that waits for them are about a tenth of the ordinary one. */
static double path_beside(double early)
{
    begin(6);
    m.transfer = 20 * US;
    m.skew = 8 * US;
    m.spread = 0.55;
    m.late[4] = m.late[5] = -early;
    return path_tip();
}

static double path_beside_more(void)
{
    return path_beside(22 * US);
}

static double path_beside_less(void)
{
    return path_beside(24 * US);
}

static bool too_many_paths(double paths)
{
    begin(8);
    for (uint32_t k = 0; k < (uint32_t)paths; k++) {
        uint32_t i = k % 8, j = (i + 1 + 2 * (k / 8) + i % 3) % 8;
        if (i != j) m.extra[i][j] = 80 * US;
    }
    judge();
    return said.verdict == DXT_VERDICT_INCONCLUSIVE;
}

static double most_paths(void)
{
    return count_from(too_many_paths, 1);
}

/* ---- the table ---- */

/* clang-format off */
static const tipping rows[] = {
    ROW(most_ways, 6),
    ROW(way_or_node, 18.199),
    ROW(path_of_skew, 15.958),
    ROW(path_among_spread, 18.669),
    ROW(path_among_23, 23.974),
    ROW(path_among_24, 20.692),
    ROW(path_among_48, 24.169),
    ROW(path_among_128, 23.071),
    ROW(path_among_129, 26.57),
    ROW(sure_of_rare, 0.985),
    ROW(sure_beyond, 0.999),
    ROW(path_of_a_late_rank, 90),
    ROW(path_of_long_tails, 1024.2),
    ROW(path_of_wildest, 1818.5),
    ROW(long_tails_from, 0.37121),
    ROW(long_tails_known_from, 0.20561),
    ROW(path_with_tails_of_11, 29.525),
    ROW(path_with_tails_of_12, 47.721),
    ROW(path_of_4, 24.637),
    ROW(path_of_5, 19.082),
    ROW(path_beside_more, 1308.9),
    ROW(path_beside_less, 1332),
    ROW(most_paths, 7),
};
/* clang-format on */

int main(void)
{
    return tipping_program("tuning_paths", rows, sizeof rows / sizeof rows[0]);
}
