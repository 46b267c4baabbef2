/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "numeric/screen.h"
#include "numeric/select.h"
#include "numeric/skew.h"

/* Cells looked at where a sum or median over all would be exact and slow. */
#define BLOCK_SAMPLES ((size_t)1 << 18)
/* Nodes that the ordinary skew and transfer time are taken from at most. */
#define TELLING_NODES 64u
/* Where more pairs of nodes than this part are slow, it is not the ways between them. */
#define MOST_LINKS_SHARE 0.1
/* A wait shorter than this part of the skew only says that the awaited was long there. */
#define FAR_APART 10
/* What a door adds is known less well than lateness, which is in both waits of a pair; least where
 * nothing says how far single waits vary. */
#define DOOR_LIMITS 1.5
#define DOOR_LIMITS_ALONE 2.5
/* Among more ordinary ranks the median lateness of a door tells it as well, and less noisily. */
#define DOOR_MEMBERS 8u
/* Without a clock, lateness below this part of the longest wait is not worth telling. */
#define RELATIVE_FLOOR 0.05

/* ---- memory ---- */

/* Cut the next `count` elements of `size` bytes from a block; with a NULL block, only count. */
static void *cut(char *block, size_t *used, size_t count, size_t size)
{
    void *place = block ? block + *used : NULL;
    *used += (count * size + 15) & ~(size_t)15;
    return place;
}

static size_t lay_out(dxt_fit *fit, size_t n, size_t nodes, char *block)
{
    size_t used = 0;
    fit->scratch = cut(block, &used, DXT_GROUP_SCRATCH(n), sizeof(double));
    fit->factor = cut(block, &used, n, sizeof(double));
    fit->late = cut(block, &used, n, sizeof(double));
    fit->receive = cut(block, &used, n, sizeof(double));
    fit->send = cut(block, &used, n, sizeof(double));
    fit->limit = cut(block, &used, n, sizeof(double));
    fit->error = cut(block, &used, n, sizeof(double));
    fit->rank = cut(block, &used, n, sizeof(uint32_t));
    fit->role = cut(block, &used, n, sizeof(dxt_role));
    fit->node = cut(block, &used, n, sizeof(uint32_t));
    fit->node_id = cut(block, &used, nodes, sizeof(int32_t));
    fit->node_late = cut(block, &used, nodes, sizeof(double));
    fit->node_limit = cut(block, &used, nodes, sizeof(double));
    fit->node_role = cut(block, &used, nodes, sizeof(dxt_role));
    fit->folded = cut(block, &used, nodes, sizeof(bool));
    fit->tier = cut(block, &used, nodes * nodes, sizeof(double));
    fit->link = cut(block, &used, nodes * nodes, sizeof(double));
    fit->level = cut(block, &used, nodes * nodes, sizeof(double));
    return used;
}

/* ---- the window ---- */

static bool present(const dxt_window *window, uint32_t rank)
{
    return !window->missing || !window->missing[rank];
}

/* Number the nodes of the present ranks in order of appearance. Neighbours mostly share a node.
 * @param number  [ranks] Receives the number of each rank's node.
 * @param id      Receives which node each number is.
 * @return How many there are. */
static uint32_t number_all(const dxt_window *window, const int32_t *nodes, uint32_t *number,
                           int32_t *id)
{
    uint32_t known = 0, node = 0;
    for (uint32_t r = 0; r < window->ranks; r++) {
        if (!present(window, r)) continue;
        if (known == 0 || id[node] != nodes[r]) {
            node = 0;
            while (node < known && id[node] != nodes[r]) node++;
            if (node == known) id[known++] = nodes[r];
        }
        number[r] = node;
    }
    return known;
}

/* Nodes of a window, when they are worth looking at: several, and not hardly fewer than ranks. */
struct numbering {
    uint32_t nodes; /* otherwise 1 */
    uint32_t number[DXT_MAX_RANKS];
    int32_t id[DXT_MAX_RANKS];
};

static void number_nodes(const dxt_window *window, const int32_t *nodes, uint32_t ranks,
                         struct numbering *numbering)
{
    uint32_t different = nodes ? number_all(window, nodes, numbering->number, numbering->id) : 1;
    numbering->nodes = different >= 2 && ranks >= 2 * different ? different : 1;
    if (numbering->nodes > 1) return;
    memset(numbering->number, 0, window->ranks * sizeof *numbering->number);
    numbering->id[0] = -1;
}

/* As dxt_window_value() has it. */
static void take_factors(const dxt_window *window, dxt_fit *fit)
{
    bool ticks = window->unit == DXT_UNIT_CYCLES && window->ticks_per_second;
    for (uint32_t k = 0; k < fit->count; k++) {
        double waits = 1;
        if (!window->samples && window->samples_each > 0)
            waits = (double)window->samples_each;
        else if (!window->samples && window->ops > 0)
            waits = (double)dxt_window_ops(window, fit->rank[k]);
        double factor = ticks ? 1e9 / window->ticks_per_second[fit->rank[k]] : 1;
        fit->factor[k] = waits > 0 ? factor / waits : 0;
    }
}

/* Time of one step in the window's measure; NaN when it is not known. */
static double step_of(const dxt_window *window)
{
    if (window->elapsed_ns <= 0) return NAN;
    switch (dxt_window_measure(window)) {
    case DXT_MEASURE_NS: return (double)window->elapsed_ns;
    case DXT_MEASURE_NS_PER_OP:
        return window->ops > 0 ? (double)window->elapsed_ns / (double)window->ops : NAN;
    default: return NAN;
    }
}

/* Without the vector pass where cells differ in more than the factor. */
double dxt_fit_longest(const dxt_fit *fit, uint32_t i)
{
    const dxt_window *window = fit->window;
    size_t first = (size_t)fit->rank[i] * window->ranks;
    double longest = 0;
    if (!window->samples && fit->count == window->ranks) {
        int64_t most = dxt_screen_max(window->wait + first, i, window->ranks);
        if (dxt_without_timeout(window, most) == most) return (double)most * fit->factor[i];
    }
    for (uint32_t j = 0; j < fit->count; j++) {
        double wait = i == j ? 0 : dxt_fit_wait(fit, i, j);
        longest = wait > longest ? wait : longest;
    }
    return longest;
}

static double longest_wait(const dxt_fit *fit)
{
    double longest = 0;
    for (uint32_t i = 0; i < fit->count; i++) longest = fmax(longest, dxt_fit_longest(fit, i));
    return longest;
}

/* ---- groups ---- */

/* The members of one node, for the group fit. */
struct members {
    const dxt_fit *fit;
    uint32_t count;
    uint32_t index[DXT_MAX_RANKS];
    double late[DXT_MAX_RANKS];
};

static void member_waits(const void *context, uint32_t i, const uint32_t *others, uint32_t count,
                         double *wait)
{
    const struct members *members = context;
    for (uint32_t k = 0; k < count; k++)
        wait[k] = dxt_fit_wait(members->fit, members->index[i], members->index[others[k]]);
}

/* Fit the members of one node among themselves; a skew of NaN is to be found. @return Their
 * number. */
static uint32_t fit_node(dxt_fit *fit, uint32_t node, double skew, dxt_group *group)
{
    struct members members;
    members.fit = fit;
    members.count = 0;
    for (uint32_t k = 0; k < fit->count; k++)
        if (fit->node[k] == node) members.index[members.count++] = k;
    dxt_group_input input = {.waits = member_waits,
                             .context = &members,
                             .skew = skew,
                             .count = members.count,
                             .population = fit->count,
                             .ranks = true,
                             .cell_spread = fit->known_spread,
                             .floor = fit->floor,
                             .step = fit->step,
                             .timed = !isnan(fit->step),
                             .ops = fit->ops,
                             .scratch = fit->scratch};
    dxt_group_fit(&input, members.late, group);
    for (uint32_t k = 0; k < members.count; k++) {
        fit->late[members.index[k]] = members.late[k];
        fit->limit[members.index[k]] = group->limit;
        fit->error[members.index[k]] = group->error;
    }
    return members.count;
}

static bool is_ordinary(const dxt_fit *fit, uint32_t k)
{
    return fabs(fit->late[k]) <= fit->limit[k];
}

/* Ordinary members of each node, node by node: `begin` has nodes + 1 entries into `list`. */
struct roster {
    uint32_t begin[DXT_MAX_RANKS + 1];
    uint32_t list[DXT_MAX_RANKS];
};

static void call_roster(const dxt_fit *fit, struct roster *roster)
{
    uint32_t *next = roster->begin, used = 0;
    memset(next, 0, (fit->nodes + 1) * sizeof *next);
    for (uint32_t k = 0; k < fit->count; k++) next[fit->node[k]] += is_ordinary(fit, k);
    for (uint32_t node = 0; node <= fit->nodes; node++) {
        used += next[node];
        next[node] = used;
    }
    /* From behind, which leaves each at its beginning. */
    for (uint32_t k = fit->count; k-- > 0;)
        if (is_ordinary(fit, k)) roster->list[--next[fit->node[k]]] = k;
}

/* What ordinary ranks of node a typically wait for ordinary ranks of node b; at most `most` cells.
 */
static double block_level(const dxt_fit *fit, const struct roster *roster, uint32_t a, uint32_t b,
                          size_t most)
{
    size_t width = roster->begin[b + 1] - roster->begin[b];
    size_t cells = width * (roster->begin[a + 1] - roster->begin[a]);
    size_t taken = cells < most ? cells : most;
    for (size_t k = 0; k < taken; k++) {
        size_t cell = dxt_spread_index(k, taken, cells);
        uint32_t i = roster->list[roster->begin[a] + cell / width];
        uint32_t j = roster->list[roster->begin[b] + cell % width];
        fit->scratch[k] = dxt_fit_wait(fit, i, j);
    }
    return dxt_median(fit->scratch, taken);
}

/* Levels between all nodes, into fit->link. Many nodes need fewer cells each. */
static void take_levels(dxt_fit *fit)
{
    struct roster roster;
    size_t blocks = (size_t)fit->nodes * fit->nodes;
    size_t most = BLOCK_SAMPLES / blocks;
    most = most < 9 ? 9 : most > DXT_LEVEL_SAMPLE ? DXT_LEVEL_SAMPLE : most;
    call_roster(fit, &roster);
    for (uint32_t a = 0; a < fit->nodes; a++)
        for (uint32_t b = 0; b < fit->nodes; b++)
            fit->link[(size_t)a * fit->nodes + b] =
                a == b ? fit->transfer : block_level(fit, &roster, a, b, most);
}

/* Mean shift between two nodes by their lateness and the topology. */
static double between_nodes(const dxt_fit *fit, uint32_t a, uint32_t b)
{
    return fit->between + fit->tier[(size_t)a * fit->nodes + b] + fit->node_late[b] -
           fit->node_late[a];
}

/* Where a way between two nodes is ordinary, or known to be slow, its measured level is known
 * better than its parts, and all that single paths are to be compared with: from the waits in
 * fit->level. What is neither shows in its paths. */
static void levels_to_shifts(dxt_fit *fit)
{
    for (uint32_t a = 0; a < fit->nodes; a++)
        for (uint32_t b = 0; b < fit->nodes; b++) {
            size_t pair = (size_t)a * fit->nodes + b;
            double wait = fit->level[pair], shift = between_nodes(fit, a, b);
            double excess = wait - dxt_expected_wait(shift + fit->link[pair], fit->skew);
            bool told = wait > fit->skew / FAR_APART && excess <= fit->node_limit[a];
            fit->level[pair] = told ? dxt_shift_of_wait(wait, fit->skew) : NAN;
        }
}

static void node_waits(const void *context, uint32_t a, const uint32_t *others, uint32_t count,
                       double *wait)
{
    const dxt_fit *fit = context;
    for (uint32_t k = 0; k < count; k++) wait[k] = fit->link[(size_t)a * fit->nodes + others[k]];
}

/* What node a waits for node b above what the fit expects, tiers included; 0 where it is ordinary.
 */
static double link_excess(const dxt_fit *fit, double level, double limit, uint32_t a, uint32_t b)
{
    double expected = dxt_expected_wait(between_nodes(fit, a, b), fit->skew);
    double usual =
        dxt_expected_wait(fit->between + fit->tier[(size_t)a * fit->nodes + b], fit->skew);
    return a != b && level > expected + fmax(limit, usual) ? level - expected : 0;
}

static size_t count_slow_links(const dxt_fit *fit, double limit)
{
    size_t slow = 0;
    for (uint32_t a = 0; a < fit->nodes; a++)
        for (uint32_t b = 0; b < fit->nodes; b++)
            slow += link_excess(fit, fit->link[(size_t)a * fit->nodes + b], limit, a, b) > 0;
    return slow;
}

/* Where many ways are slow, and in both directions, it is how the machine is built. */
static void take_tiers(dxt_fit *fit, double limit)
{
    uint32_t n = fit->nodes;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = a + 1; b < n; b++) {
            size_t there = (size_t)a * n + b, back = (size_t)b * n + a;
            double both = fmin(link_excess(fit, fit->link[there], limit, a, b),
                               link_excess(fit, fit->link[back], limit, b, a));
            fit->tier[there] = fit->tier[back] = both;
        }
    }
}

/* Turn what node a waits for node b into what that is above the expected, where that is abnormal.
 */
static void levels_to_links(dxt_fit *fit, double limit)
{
    uint32_t n = fit->nodes;
    size_t pairs = (size_t)n * (n - 1), most = 2 + (size_t)(MOST_LINKS_SHARE * (double)pairs);
    if (count_slow_links(fit, limit) > most) take_tiers(fit, limit);
    fit->tangled = count_slow_links(fit, limit) > most;
    for (uint32_t a = 0; a < n; a++) {
        for (uint32_t b = 0; b < n; b++) {
            double *cell = &fit->link[(size_t)a * n + b];
            *cell = fit->tangled ? 0 : link_excess(fit, *cell, limit, a, b);
        }
    }
}

/* Sum of deviations of the cells between two nodes from what the fit expects. */
static double misfit_between(const dxt_fit *fit)
{
    size_t cells = (size_t)fit->count * fit->count;
    size_t taken = cells < BLOCK_SAMPLES ? cells : BLOCK_SAMPLES;
    double sum = 0;
    for (size_t k = 0; k < taken; k++) {
        size_t cell = dxt_spread_index(k, taken, cells);
        uint32_t i = (uint32_t)(cell / fit->count), j = (uint32_t)(cell % fit->count);
        if (fit->node[i] != fit->node[j])
            sum += fabs(dxt_fit_wait(fit, i, j) - dxt_fit_expected(fit, i, j));
    }
    return sum;
}

/* Of two nodes, one is late or the way from it is slow: both make its columns high for the other.
 * They differ in what its ranks wait for a rank that is later still; keep what fits better. */
static void settle_two_nodes(dxt_fit *fit, double limit)
{
    double level[4], late[2] = {fit->node_late[0], fit->node_late[1]};
    memcpy(level, fit->link, sizeof level);
    memset(fit->link, 0, sizeof level);
    double as_node = misfit_between(fit);
    memcpy(fit->link, level, sizeof level);
    fit->node_late[0] = fit->node_late[1] = 0;
    levels_to_links(fit, limit);
    if (misfit_between(fit) < 0.8 * as_node) {
        fit->node_role[0] = fit->node_role[1] = DXT_ROLE_ORDINARY;
    } else {
        memset(fit->link, 0, sizeof level);
        fit->node_late[0] = late[0];
        fit->node_late[1] = late[1];
    }
    memcpy(fit->level, level, sizeof level);
}

/* Fit the nodes among each other as if each were one rank. */
static void fit_between(dxt_fit *fit)
{
    uint32_t n = fit->nodes;
    bool any_late = false;
    take_levels(fit);
    dxt_group group;
    dxt_group_input input = {.waits = node_waits,
                             .context = fit,
                             .cell_spread = NAN,
                             .skew = fit->skew,
                             .count = n,
                             .population = n,
                             .floor = fit->floor,
                             .step = fit->step,
                             .timed = !isnan(fit->step),
                             .ops = fit->ops,
                             .scratch = fit->scratch};
    dxt_group_fit(&input, fit->node_late, &group);
    fit->between = fmax(fit->transfer, dxt_shift_of_wait(group.base, fit->skew));
    for (uint32_t a = 0; a < n; a++) {
        bool late = fit->node_late[a] > group.limit;
        any_late = any_late || late;
        fit->node_limit[a] = group.limit;
        fit->node_role[a] = late ? DXT_ROLE_LATE : DXT_ROLE_ORDINARY;
    }
    if (n == 2 && any_late) {
        settle_two_nodes(fit, group.limit);
    } else {
        memcpy(fit->level, fit->link, (size_t)n * n * sizeof *fit->level);
        levels_to_links(fit, group.limit);
    }
    levels_to_shifts(fit);
    /* Too little to be told, but the ways had to be seen against it. */
    for (uint32_t a = 0; a < n; a++)
        if (fabs(fit->node_late[a]) <= group.limit) fit->node_late[a] = 0;
}

/* ---- roles ---- */

/* What member k typically waits for the ordinary ranks of its node, or these for it, of two the
 * less; NaN where there are none. */
static double typical_wait(const dxt_fit *fit, const struct roster *roster, uint32_t k, bool of_it)
{
    size_t used = 0;
    for (uint32_t m = roster->begin[fit->node[k]]; m < roster->begin[fit->node[k] + 1]; m++) {
        uint32_t i = roster->list[m];
        if (i != k)
            fit->scratch[used++] = of_it ? dxt_fit_wait(fit, k, i) : dxt_fit_wait(fit, i, k);
    }
    if (used == 2) return fmin(fit->scratch[0], fit->scratch[1]);
    return used > 0 ? dxt_median(fit->scratch, used) : NAN;
}

/* Who waits for all may be early, or receive slowly. An early rank is there before anybody looks
 * for it; for a slow receiver the others wait as for anybody. */
static void split_early(dxt_fit *fit, const struct roster *roster, uint32_t k)
{
    double awaited = typical_wait(fit, roster, k, false);
    double if_early = dxt_expected_wait(fit->transfer + fit->late[k], fit->skew);
    fit->role[k] = DXT_ROLE_EARLY;
    if (!(awaited > (if_early + fit->base) / 2)) return;
    double extra = typical_wait(fit, roster, k, true) - fit->base;
    if (!(extra > fit->limit[k])) return;
    fit->role[k] = DXT_ROLE_RECEIVER;
    fit->receive[k] = extra;
}

/* Whom all wait for may be late, or send slowly. Who is late waits for nobody; a slow sender waits
 * for the others as anybody does. */
static void split_late(dxt_fit *fit, const struct roster *roster, uint32_t k)
{
    double waits = typical_wait(fit, roster, k, true);
    double if_late = dxt_expected_wait(fit->transfer - fit->late[k], fit->skew);
    fit->role[k] = DXT_ROLE_LATE;
    if (!(waits > (if_late + fit->base) / 2)) return;
    double extra = typical_wait(fit, roster, k, false) - fit->base;
    if (!(extra > fit->limit[k])) return;
    fit->role[k] = DXT_ROLE_SENDER;
    fit->send[k] = extra;
}

/* What a slow door adds to one of the two waits of each pair is half lateness to the fit, which
 * may be too little of it. Lateness takes from the one wait what it adds to the other; a door does
 * not. */
static void find_door(dxt_fit *fit, const struct roster *roster, uint32_t k)
{
    double waits = typical_wait(fit, roster, k, true) - fit->base;
    double awaited = typical_wait(fit, roster, k, false) - fit->base;
    double limit = fit->limit[k] * (isnan(fit->known_spread) ? DOOR_LIMITS_ALONE : DOOR_LIMITS);
    if (waits > limit && fabs(awaited) < waits / 2) {
        fit->role[k] = DXT_ROLE_RECEIVER;
        fit->receive[k] = waits;
    } else if (awaited > limit && fabs(waits) < awaited / 2) {
        fit->role[k] = DXT_ROLE_SENDER;
        fit->send[k] = awaited;
    }
    if (fit->role[k] != DXT_ROLE_ORDINARY) fit->limit[k] = limit;
}

/* Among the ordinary ranks of a node, if these are few. They come at 0 without a door that was
 * taken for half a lateness, too. */
static void find_doors(dxt_fit *fit, const struct roster *roster, uint32_t node)
{
    uint32_t begin = roster->begin[node], end = roster->begin[node + 1], ordinary = 0;
    double sum = 0;
    /* Of two, one's door and the other's are the same wait. */
    if (end - begin < 3 || end - begin > DOOR_MEMBERS) return;
    for (uint32_t m = begin; m < end; m++) find_door(fit, roster, roster->list[m]);
    for (uint32_t m = begin; m < end; m++) {
        uint32_t k = roster->list[m];
        if (fit->role[k] != DXT_ROLE_ORDINARY) continue;
        ordinary++;
        sum += fit->late[k];
    }
    if (ordinary == 0 || ordinary == end - begin) return;
    for (uint32_t k = 0; k < fit->count; k++) {
        if (fit->node[k] != node) continue;
        fit->late[k] -= sum / ordinary;
        bool one_of_them = fit->role[k] == DXT_ROLE_LATE || fit->role[k] == DXT_ROLE_EARLY;
        if (one_of_them && is_ordinary(fit, k)) fit->role[k] = DXT_ROLE_ORDINARY;
    }
}

static void give_roles(dxt_fit *fit)
{
    struct roster roster;
    call_roster(fit, &roster);
    for (uint32_t k = 0; k < fit->count; k++) {
        fit->role[k] = DXT_ROLE_ORDINARY;
        fit->receive[k] = fit->send[k] = 0;
    }
    for (uint32_t k = 0; k < fit->count; k++)
        if (fit->late[k] < -fit->limit[k])
            split_early(fit, &roster, k);
        else if (fit->late[k] > fit->limit[k])
            split_late(fit, &roster, k);
    for (uint32_t node = 0; node < fit->nodes; node++) find_doors(fit, &roster, node);
    for (uint32_t k = 0; k < fit->count; k++)
        if (fit->role[k] == DXT_ROLE_RECEIVER || fit->role[k] == DXT_ROLE_SENDER) fit->late[k] = 0;
}

/* Each node was fitted alone, with the earlier half of its ranks as the ordinary ones. Where that
 * put the node apart and one of its ranks right among the others, it was the wrong half; and a node
 * of one rank is that rank. */
static void fold_nodes(dxt_fit *fit)
{
    for (uint32_t a = 0; a < fit->nodes; a++) {
        uint32_t members = 0, among_others = 0;
        for (uint32_t k = 0; k < fit->count; k++) {
            if (fit->node[k] != a) continue;
            members++;
            among_others +=
                !is_ordinary(fit, k) && fabs(fit->late[k] + fit->node_late[a]) <= fit->limit[k];
        }
        if (fit->node_late[a] == 0 || (members > 1 && among_others == 0)) continue;
        /* What was measured between the ordinary ranks is so still. */
        for (uint32_t b = 0; b < fit->nodes; b++) {
            fit->level[(size_t)a * fit->nodes + b] += fit->node_late[a];
            fit->level[(size_t)b * fit->nodes + a] -= fit->node_late[a];
        }
        for (uint32_t k = 0; k < fit->count; k++)
            if (fit->node[k] == a) fit->late[k] += fit->node_late[a];
        fit->node_late[a] = 0;
        fit->node_role[a] = DXT_ROLE_ORDINARY;
        fit->folded[a] = true;
    }
}

/* What is ordinary: the means over nodes of several ranks, none of which is special. A few dozen of
 * them tell it, and better than each for itself. */
static void fit_ordinary(dxt_fit *fit)
{
    uint32_t told = 0, taken = fit->nodes < TELLING_NODES ? fit->nodes : TELLING_NODES;
    fit->skew = fit->base = fit->transfer = fit->cell_spread = 0;
    for (uint32_t k = 0; k < taken; k++) {
        dxt_group group;
        uint32_t node = (uint32_t)dxt_spread_index(k, taken, fit->nodes);
        if (fit_node(fit, node, NAN, &group) < 2) continue;
        told++;
        fit->base += (group.base - fit->base) / told;
        fit->skew += (group.skew - fit->skew) / told;
        fit->transfer += (group.transfer - fit->transfer) / told;
        if (!isnan(group.cell_spread)) fit->cell_spread = fmax(fit->cell_spread, group.cell_spread);
    }
}

static void fit_all(dxt_fit *fit)
{
    fit->tangled = false;
    for (uint32_t k = 0; k < fit->count; k++) {
        fit->receive[k] = fit->send[k] = 0;
        fit->role[k] = DXT_ROLE_ORDINARY;
    }
    fit_ordinary(fit);
    for (uint32_t node = 0; node < fit->nodes; node++) {
        dxt_group group;
        fit->node_late[node] = 0;
        fit->node_role[node] = DXT_ROLE_ORDINARY;
        fit->folded[node] = false;
        if (fit->nodes > 1) fit_node(fit, node, fit->skew, &group);
    }
    fit->between = fit->transfer;
    for (size_t pair = 0; pair < (size_t)fit->nodes * fit->nodes; pair++) {
        fit->tier[pair] = fit->link[pair] = 0;
        fit->level[pair] = NAN;
    }
    if (fit->nodes > 1) {
        fit_between(fit);
        fold_nodes(fit);
    }
    give_roles(fit);
}

dxt_status dxt_fit_window(dxt_block *block, const dxt_window *window, const int32_t *nodes,
                          double min_share, double cell_spread, dxt_fit *out)
{
    dxt_fit fit = {.window = window, .known_spread = cell_spread};
    uint32_t n = 0;
    for (uint32_t r = 0; r < window->ranks; r++) n += present(window, r);
    fit.count = n;
    struct numbering numbering;
    number_nodes(window, nodes, n, &numbering);
    fit.nodes = numbering.nodes;
    char *memory = dxt_block_fit(block, lay_out(&fit, n, fit.nodes, NULL));
    if (!memory) return DXT_ERR_NO_MEMORY;
    lay_out(&fit, n, fit.nodes, memory);
    for (uint32_t r = 0, k = 0; r < window->ranks; r++) {
        if (!present(window, r)) continue;
        fit.node[k] = numbering.number[r];
        fit.rank[k++] = r;
    }
    memcpy(fit.node_id, numbering.id, fit.nodes * sizeof *fit.node_id);
    take_factors(window, &fit);
    fit.step = step_of(window);
    fit.ops = (double)window->ops;
    fit.floor = isnan(fit.step) ? RELATIVE_FLOOR * longest_wait(&fit) : min_share * fit.step;
    if (n > 0) fit_all(&fit);
    *out = fit;
    return DXT_OK;
}

dxt_status dxt_fit_reserve(dxt_block *block, uint32_t ranks)
{
    dxt_fit fit;
    /* Nodes of fewer than two ranks on average are not looked at. */
    size_t size = lay_out(&fit, ranks, ranks / 2, NULL);
    return dxt_block_fit(block, size) ? DXT_OK : DXT_ERR_NO_MEMORY;
}
