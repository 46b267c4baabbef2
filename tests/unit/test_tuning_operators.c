/* SPDX-License-Identifier: Apache-2.0 */
/* Where rules tip over: what the other operator or a transfer explains (tipping.h). */
#include "tipping.h"

static dxt_window *dispatch(void)
{
    const char *phase = m.phase;
    m.phase = "dispatch";
    dxt_window *window = window_of(0);
    m.phase = phase;
    return window;
}

/* A dispatch with this in it, then a combine in which rank 1 is late. */

static void after_dispatch(double receive, double extra, double early, double late)
{
    m.receive[1] = receive;
    m.extra[1][2] = extra;
    m.late[1] = -early;
    dxt_window *other = dispatch();
    m.receive[1] = m.extra[1][2] = m.extra[1][3] = 0;
    m.late[1] = late;
    judge_windows(window_of(0), other);
}

static bool named_1(void)
{
    return named(DXT_LATE_RANK, 1) || named(DXT_HOT_EXPERT, 1);
}

static bool late_beyond_path(double more)
{
    after_dispatch(0, 100 * US, 0, 100 * US + more);
    return named_1();
}

static double carried_by_one(void)
{
    begin(8);
    m.skew = 10 * US;
    return tip(late_beyond_path, 0.1 * US, 400 * US) / US;
}

/* Where transfers are longer than arrivals vary, only the other operator shows how far these do. */
static bool late_beyond_long_path(double more)
{
    m.transfer = m.extra[1][2] = 100 * US;
    m.late[1] = 0;
    dxt_window *other = dispatch();
    m.transfer = m.extra[1][2] = 0;
    m.late[1] = 100 * US + more;
    judge_windows(window_of(0), other);
    return named_1();
}

static double carried_by_one_of_long(void)
{
    begin(8);
    m.skew = 10 * US;
    return tip(late_beyond_long_path, 0.1 * US, 400 * US) / US;
}

/* The next longest wait, of the share of the longest from which on it is not one path's doing. */
static bool carried_by_more(double part)
{
    begin(8);
    m.skew = 10 * US;
    m.extra[1][3] = part * 100 * US;
    after_dispatch(0, 100 * US, 0, 135 * US);
    return named_1();
}

static double one_or_more(void)
{
    return tip(carried_by_more, 0.01, 1);
}

static bool late_beyond_two_paths(double more)
{
    m.extra[1][3] = 100 * US;
    after_dispatch(0, 100 * US, 0, 100 * US + more);
    return named_1();
}

static double carried(void)
{
    begin(8);
    return tip(late_beyond_two_paths, 0.1 * US, 400 * US) / US;
}

static bool late_beyond_receiving(double more)
{
    after_dispatch(100 * US, 0, 0, 100 * US + more);
    return named_1();
}

static double received(void)
{
    begin(8);
    return tip(late_beyond_receiving, 0.1 * US, 400 * US) / US;
}

/* A dispatch in which rank 1 receives over a slow link, of one node or between two, then a combine
 * in which it comes later than that tells, or what it sends. */

static bool combine_behind_link(double late, double extra, uint32_t to)
{
    for (uint32_t k = m.node_size; k < m.ranks; k++)
        if (k != 1) m.extra[1][k] = m.extra[k][1] = 100 * US;
    dxt_window *other = dispatch();
    memset(m.extra, 0, sizeof m.extra);
    m.late[1] = late;
    for (uint32_t k = m.ranks - to; k < m.ranks; k++) m.extra[k][1] = extra;
    judge_windows(window_of(0), other);
    m.late[1] = 0;
    return said.count > 0;
}

static bool late_behind_link(double late)
{
    return combine_behind_link(late, 0, 0);
}

static double behind_link(void)
{
    begin(8);
    return tip(late_behind_link, 0.1 * US, 400 * US) / US;
}

static bool path_behind_link(double extra)
{
    return combine_behind_link(0, extra, 1);
}

static double path_of_link(void)
{
    begin(8);
    return tip(path_behind_link, 0.1 * US, 400 * US) / US;
}

static void begin_behind_nic(void)
{
    begin(16);
    m.node_size = 8;
    m.transfer = 1 * US;
    m.between = 3 * US;
}

static double path_of_nic(void)
{
    begin_behind_nic();
    return tip(path_behind_link, 0.1 * US, 400 * US) / US;
}

static bool paths_behind_link(double extra)
{
    return combine_behind_link(0, extra, 5);
}

static double paths_of_nic(void)
{
    begin_behind_nic();
    return tip(paths_behind_link, 0.1 * US, 400 * US) / US;
}

static bool sends_behind_link(double extra)
{
    return combine_behind_link(0, extra, 8);
}

static double sends_of_nic(void)
{
    begin_behind_nic();
    return tip(sends_behind_link, 0.1 * US, 400 * US) / US;
}

/* In a hybrid mode: a dispatch in which rank 1 sends slowly on its rail, then a combine in which it
 * hears late on it. */
static bool hears_beyond_sending(double extra)
{
    memset(m.extra, 0, sizeof m.extra);
    for (uint32_t k = 9; k < m.ranks; k += 8) m.extra[k][1] = 100 * US;
    dxt_window *other = dispatch();
    memset(m.extra, 0, sizeof m.extra);
    for (uint32_t k = 9; k < m.ranks; k += 8) m.extra[1][k] = extra;
    judge_windows(window_of(0), other);
    return named(DXT_SLOW_LINK, 1);
}

static void begin_hybrid(bool hybrid)
{
    begin(32);
    m.node_size = 8;
    m.transfer = 1 * US;
    m.between = 3 * US;
    m.hybrid = hybrid;
}

static double hears_on_rail(void)
{
    begin_hybrid(true);
    return tip(hears_beyond_sending, 0.1 * US, 400 * US) / US;
}

/* Node 1 is waited for from outside, and by so much inside. */
static bool waits_inside_too(double extra)
{
    begin_hybrid(false);
    for (uint32_t a = 0; a < 4; a++) m.node_extra[a][1] = a == 1 ? extra : 100 * US;
    judge_windows(window_of(0), NULL);
    return !named(DXT_SLOW_NODE_LINK, 1);
}

static double waits_inside(void)
{
    return tip(waits_inside_too, 0.1 * US, 400 * US) / US;
}

static bool sure_beyond_path(double more)
{
    after_dispatch(0, 100 * US, 0, 100 * US + more);
    return named_1() && said.first[0].confidence > 0.96;
}

static double trace(void)
{
    begin(8);
    return tip(sure_beyond_path, 0.1 * US, 400 * US) / US;
}

static bool beyond_echo(double late)
{
    m.late[1] = 60 * US;
    m.transfer = 0;
    dxt_window *other = dispatch();
    m.transfer = 50 * US;
    m.late[1] = late;
    judge_windows(window_of(0), other);
    return named_1();
}

static double echo(void)
{
    begin(16);
    return tip(beyond_echo, 1 * US, 400 * US) / US;
}

/* Two ranks, and a transfer in which each waits for the other; then rank 1 comes late. */
static dxt_window *transfer(double of_0, double of_1)
{
    begin(2);
    m.extra[0][1] = of_1;
    m.extra[1][0] = of_0;
    m.phase = "dispatch transfer";
    dxt_window *window = window_of(0);
    m.extra[0][1] = m.extra[1][0] = 0;
    m.phase = "combine";
    return window;
}

static bool later_than_transfer(double late)
{
    dxt_window *before = transfer(5 * US, 5 * US);
    m.late[1] = late;
    judge_all(window_of(0), NULL, before);
    return named(DXT_LATE_RANK, 1);
}

static double echo_of_transfer(void)
{
    return tip(later_than_transfer, 4 * US, 100 * US) / US;
}

static bool later_than_more(double late)
{
    dxt_window *before = transfer(5 * US, 5 * US);
    m.transfer_ordinary = 5 * US;
    m.late[1] = late;
    judge_all(window_of(0), NULL, before);
    return named(DXT_LATE_RANK, 1);
}

static double echo_of_more(void)
{
    return tip(later_than_more, 4 * US, 100 * US) / US;
}

static bool late_there_too(double of_1)
{
    dxt_window *before = transfer(5 * US, of_1);
    m.late[1] = 9 * US;
    judge_all(window_of(0), NULL, before);
    return named(DXT_LATE_RANK, 1);
}

static double echo_back(void)
{
    return tip(late_there_too, 3 * US, 100 * US) / US;
}

static bool node_beyond(double more)
{
    begin(20);
    m.node_size = 4;
    m.between = 3 * US;
    m.node_extra[1][0] = 100 * US;
    dxt_window *other = dispatch();
    m.node_extra[1][0] = 0;
    for (uint32_t r = 4; r < 8; r++) m.late[r] = 100 * US + more;
    judge_windows(window_of(0), other);
    return named(DXT_LATE_NODE, 1);
}

static double node_carried(void)
{
    return tip(node_beyond, 1 * US, 900 * US) / US;
}

/* Both of two nodes wait while they are no further apart than the way is long. */
static double node_late_beside_a_way(double late)
{
    begin(24);
    m.node_size = 8;
    m.transfer = 1 * US;
    m.between = 50 * US;
    for (int r = 8; r < 16; r++) m.late[r] = late;
    judge();
    return said.count == 1 && named(DXT_LATE_NODE, 1) ? said.first[0].wait / US : NAN;
}

static double node_late_by_less(void)
{
    return node_late_beside_a_way(30 * US);
}

static double node_late_by_more(void)
{
    return node_late_beside_a_way(100 * US);
}

/* Of two nodes, what each waits for the other, in the operator before and in this one. */
static void judge_two_nodes(double before_0, double before_1, double of_0, double of_1)
{
    const double waits[2][2] = {{before_0, before_1}, {of_0, of_1}};
    dxt_window *window[2];
    begin(16);
    m.node_size = 8;
    m.transfer = 1 * US;
    for (int p = 0; p < 2; p++) {
        m.node_extra[0][1] = waits[p][0];
        m.node_extra[1][0] = waits[p][1];
        window[p] = p == 0 ? dispatch() : window_of(0);
    }
    judge_windows(window[1], window[0]);
}

static bool is_node(double more)
{
    judge_two_nodes(0.02 * US, 100 * US, 100 * US + more, 0.3 * US);
    return named(DXT_LATE_NODE, 1) && !named(DXT_SLOW_NODE_PATH, 0);
}

static double node_not_way(void)
{
    return tip(is_node, 1 * US, 400 * US) / US;
}

/* Each waits long for the other, node 0 longer by twice what node 1 is later; it was earlier by
 * 3 us in the operator before. */
static bool is_node_between_slow_ways(double later)
{
    judge_two_nodes(1.5 * US, 7.5 * US, 60 * US + 2 * later, 60 * US);
    return said.count > 0;
}

static double node_between_slow_ways(void)
{
    return tip(is_node_between_slow_ways, 1 * US, 50 * US) / US;
}

static double size_between_slow_ways(void)
{
    is_node_between_slow_ways(12 * US);
    const dxt_finding *late = finding(DXT_LATE_NODE, 1);
    return late ? late->wait / US : NAN;
}

static bool is_no_way(double shorter)
{
    judge_two_nodes(shorter, 100 * US, 100 * US, 0.3 * US);
    return !named(DXT_SLOW_NODE_PATH, 0);
}

static double way_here(void)
{
    return tip(is_no_way, 0.02 * US, 10 * US) / US;
}

/* Less than that in either operator, and both nodes were late. */
static bool is_way_not_two_nodes(double shorter)
{
    judge_two_nodes(shorter / 10, 100 * US, 100 * US, shorter);
    return named(DXT_SLOW_NODE_PATH, 0);
}

static double way_not_two_nodes(void)
{
    return tip(is_way_not_two_nodes, 0.05 * US, 1 * US) / US;
}

static bool is_way_before(double shorter)
{
    judge_two_nodes(shorter, 100 * US, 100 * US, 0.5 * US);
    return said.count == 0;
}

static double way_there(void)
{
    return tip(is_way_before, 0.1 * US, 10 * US) / US;
}

static bool hot_by_bytes(double times)
{
    begin(8);
    dxt_window *other = dispatch();
    other->bytes = malloc(64 * sizeof *other->bytes);
    assert_non_null(other->bytes);
    for (int c = 0; c < 64; c++) other->bytes[c] = (int64_t)(c / 8 == 1 ? 1e6 * times : 1e6);
    m.late[1] = 60 * US;
    judge_windows(window_of(0), other);
    return named(DXT_HOT_EXPERT, 1);
}

static double hot_bytes(void)
{
    return tip(hot_by_bytes, 1.01, 10);
}

static bool hot_though_it_sends(double early)
{
    begin(8);
    m.late[1] = -early;
    dxt_window *other = dispatch();
    m.late[1] = 0;
    m.send[1] = 60 * US;
    judge_windows(window_of(0), other);
    return named(DXT_HOT_EXPERT, 1);
}

static double send_and_early(void)
{
    return tip(hot_though_it_sends, 10 * US, 400 * US) / US;
}

/* ---- the table ---- */

/* clang-format off */
static const tipping rows[] = {
    ROW(carried_by_one, 39.561),
    ROW(carried_by_one_of_long, 39.561),
    ROW(one_or_more, 0.5),
    ROW(carried, 30),
    ROW(received, 125),
    ROW(behind_link, 125.1),
    ROW(path_of_link, 50),
    ROW(path_of_nic, 50),
    ROW(paths_of_nic, 50),
    ROW(sends_of_nic, 50),
    ROW(hears_on_rail, 125),
    ROW(waits_inside, 66.667),
    ROW(trace, 66.667),
    ROW(echo, 40),
    ROW(echo_of_transfer, 20.16),
    ROW(echo_of_more, 40.638),
    ROW(echo_back, 10),
    ROW(node_carried, 100),
    ROW(node_late_by_less, 30),
    ROW(node_late_by_more, 100),
    ROW(node_not_way, 49.975),
    ROW(node_between_slow_ways, 6),
    ROW(size_between_slow_ways, 23),
    ROW(way_here, 0.089966),
    ROW(way_not_two_nodes, 0.24979),
    ROW(way_there, 1.5),
    ROW(hot_bytes, 1.5),
    ROW(send_and_early, 78),
};
/* clang-format on */

int main(void)
{
    return tipping_program("tuning_operators", rows, sizeof rows / sizeof rows[0]);
}
