/* SPDX-License-Identifier: Apache-2.0 */
/* Where links, blocks of ranks and bundles of paths tip over (tipping.h). */
#include "tipping.h"

#include "analysis/blocks.h"

/* ---- a link that is slow both ways, to all ranks ---- */

static void link_of_1(double extra)
{
    m.receive[1] = m.send[1] = extra;
}

static bool link_1(double extra)
{
    link_of_1(extra);
    judge();
    return named(DXT_SLOW_LINK, 1);
}

static double link_tip(void)
{
    return tip(link_1, 0.1 * US, 1000 * US) / US;
}

static double link_of_8(void)
{
    begin(8);
    return link_tip();
}

/* Where many operations leave little to chance. */
static double uneven_link(uint32_t ranks)
{
    begin(ranks);
    m.ops = 10000;
    m.skew = 100 * US;
    m.known_spread = 0.01;
    return link_tip();
}

static double uneven_link_8(void)
{
    return uneven_link(8);
}

static double uneven_link_5(void)
{
    return uneven_link(5);
}

static double uneven_link_4(void)
{
    return uneven_link(4);
}

/* Of few ranks, whose limit the link itself makes: by the chance of the waits without it. */
static double link_by_chance(void)
{
    begin(4);
    m.ops = 16;
    m.skew = 20 * US;
    return link_tip();
}

/* Pairs of the slow link that are fast all the same: it is told by its paths, each way apart. */
static bool not_a_link(double fast)
{
    link_of_1(100 * US);
    for (uint32_t k = 2; k < 2 + (uint32_t)fast && k < m.ranks; k++)
        m.extra[1][k] = m.extra[k][1] = -100 * US;
    judge();
    const dxt_finding *link = finding(DXT_SLOW_LINK, 1);
    return !link || link->direction != DXT_DIRECTION_BOTH;
}

static double fast_of_17(void)
{
    begin(17);
    return count_from(not_a_link, 0);
}

static double fast_of_32(void)
{
    begin(32);
    return count_from(not_a_link, 0);
}

/* ---- a link to other nodes ---- */

static bool nic_1(double extra)
{
    for (uint32_t j = m.node_size; j < m.ranks; j++) m.extra[1][j] = extra;
    judge();
    const dxt_finding *it = finding(DXT_SLOW_LINK, 1);
    return it && it->between_nodes;
}

static double nic(double between, double spread)
{
    begin(16);
    m.node_size = 8;
    m.transfer = 10 * US;
    m.between = between;
    m.spread = spread;
    return tip(nic_1, 1 * US, 4000 * US) / US;
}

static double uneven_nic(void)
{
    return nic(100 * US, 0);
}

static double nic_beside_spread(void)
{
    return nic(100 * US, 0.15);
}

/* ---- blocks of ranks that nobody told ---- */

static dxt_window *blocks_of(uint32_t ranks, uint32_t size, double inside, double between)
{
    begin(ranks);
    dxt_window *window = window_of(0);
    for (uint32_t i = 0; i < ranks; i++)
        for (uint32_t j = 0; j < ranks; j++)
            window->wait[i * ranks + j] = (int64_t)(i / size == j / size ? inside : between);
    return window;
}

static bool likely(dxt_window *window, uint32_t size)
{
    uint32_t found = dxt_likely_block(window);
    dxt_window_free(window);
    return found == size;
}

static bool blocks_among(double ranks)
{
    uint32_t n = (uint32_t)ranks;
    return n % 2 == 0 && likely(blocks_of(n, n / 2, 1000, 9000), n / 2);
}

static double block_ranks(void)
{
    return count_from(blocks_among, 4);
}

static bool blocks_so_far_apart(double times)
{
    return likely(blocks_of(8, 4, 1e6, 1e6 * times), 4);
}

static double block_apart(void)
{
    return tip(blocks_so_far_apart, 1.01, 9);
}

/* Pairs between two blocks that wait for each other as inside. */
static bool no_blocks_with_near_pairs(double pairs)
{
    dxt_window *window = blocks_of(8, 4, 1000, 9000);
    for (uint32_t k = 0; k < (uint32_t)pairs; k++) {
        uint32_t i = k % 4, j = 4 + (k + k / 4) % 4;
        window->wait[i * 8 + j] = window->wait[j * 8 + i] = 1000;
    }
    return !likely(window, 4);
}

static double block_outside(void)
{
    return count_from(no_blocks_with_near_pairs, 0);
}

/* Pairs inside the blocks of a hybrid mode that were not observed. */
static bool no_pattern_without(double lost)
{
    dxt_window *window = blocks_of(8, 4, 1000, 9000);
    for (uint32_t i = 0; i < 8; i++)
        for (uint32_t j = 0; j < 8; j++)
            if (!dxt_in_sparse_block(i, j, 4)) window->wait[i * 8 + j] = 0;
    for (uint32_t k = 0; k < (uint32_t)lost && k < 12; k++) {
        static const uint32_t pairs[6][2] = {{0, 1}, {2, 3}, {0, 2}, {1, 3}, {0, 3}, {1, 2}};
        uint32_t a = k / 6 * 4 + pairs[k % 6][0], b = k / 6 * 4 + pairs[k % 6][1];
        window->wait[a * 8 + b] = window->wait[b * 8 + a] = 0;
    }
    uint32_t found = dxt_sparse_block(window);
    dxt_window_free(window);
    return found != 4;
}

static double block_seen(void)
{
    return count_from(no_pattern_without, 0);
}

/* ---- bundles of paths ---- */

static bool bundled(double paths)
{
    begin(24);
    for (uint32_t k = 0; k < (uint32_t)paths; k++) m.extra[2 + k][1] = 90 * US;
    judge();
    return said.count == 1;
}

static double bundle_least(void)
{
    return count_from(bundled, 2);
}

static bool not_bundled_beside(double others)
{
    begin(24);
    for (uint32_t k = 0; k < 6; k++) m.extra[2 + k][1] = 90 * US;
    for (uint32_t k = 0; k < (uint32_t)others && k < 6; k++) m.extra[2 + k][10 + k] = 90 * US;
    judge();
    for (size_t f = 0; f < said.count; f++)
        if (said.first[f].source == 1 && said.first[f].path_total > 1) return false;
    return true;
}

static double bundle_part(void)
{
    return count_from(not_bundled_beside, 0);
}

static bool scattered(double paths)
{
    begin(24);
    for (uint32_t k = 0; k < (uint32_t)paths; k++) m.extra[2 * k][2 * k + 1] = 90 * US;
    judge();
    return named(DXT_PATH_STALLS, -1);
}

static double stalls_least(void)
{
    return count_from(scattered, 1);
}

/* ---- nodes ---- */

/* What a node that is far behind waits all the same. Where that is much, it tells how far apart the
 * two are, and a path from a late rank of the other one is in what is expected. */
static bool no_path_beside(double all_the_same)
{
    begin(24);
    m.node_size = 8;
    m.skew = 5 * US;
    m.step = 2000 * US;
    for (uint32_t r = 8; r < 16; r++) m.late[r] = 100 * US;
    for (uint32_t i = 8; i < 16; i++)
        for (uint32_t j = 0; j < 8; j++) m.extra[i][j] = all_the_same;
    m.late[1] = 60 * US;
    m.extra[9][1] += 50 * US;
    judge();
    return !named(DXT_SLOW_PATH, -1);
}

static double far_apart(void)
{
    return tip(no_path_beside, 0.01 * US, 4 * US) / US;
}

/* ---- the table ---- */

/* clang-format off */
static const tipping rows[] = {
    ROW(link_of_8, 3.2724),
    ROW(uneven_link_8, 19.947),
    ROW(uneven_link_5, 19.947),
    ROW(uneven_link_4, 39.894),
    ROW(link_by_chance, 23.832),
    ROW(fast_of_17, 2),
    ROW(fast_of_32, 2),
    ROW(uneven_nic, 74.5),
    ROW(nic_beside_spread, 86.316),
    ROW(block_ranks, 8),
    ROW(block_apart, 1.5),
    ROW(block_outside, 4),
    ROW(block_seen, 2),
    ROW(bundle_least, 3),
    ROW(bundle_part, 2),
    ROW(stalls_least, 6),
    ROW(far_apart, 0.5),
};
/* clang-format on */

int main(void)
{
    return tipping_program("tuning_links", rows, sizeof rows / sizeof rows[0]);
}
