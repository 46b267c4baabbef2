/* SPDX-License-Identifier: Apache-2.0 */
/* Slow links of whole nodes, as slow_links.h has them. */
#include "analysis/arrive/slow_links.h"

#include <math.h>

#include "analysis/tuning.h"
#include "numeric/screen.h"
#include "numeric/select.h"
#include "numeric/skew.h"

/* Nodes that are looked at, but for the ways to and from the one that is judged. */
#define NO_NODE UINT32_MAX

/* Whether node b is not early, or late, itself, so that what it is waited for (waits) is told. */
static bool tells(const dxt_fit *fit, uint32_t b, bool out)
{
    return (out ? fit->node_late[b] : -fit->node_late[b]) <= fit->node_limit[b];
}

/* What a node waits at least for the others, or these for it; not those that are early, or late, of
 * whom it cannot be told, unless `any` will do. NaN where fewer than two are left: that would be
 * the way between two. Two that are not judged are compared with by their way. */
static double least_of_node(const dxt_fit *fit, uint32_t a, bool out, uint32_t without, bool any)
{
    uint32_t n = fit->nodes, used = 0, enough = without == NO_NODE ? 2 : 1;
    for (uint32_t b = 0; b < n; b++)
        if (b != a && b != without && (any || tells(fit, b, out)))
            fit->values[used++] = fit->link[out ? (size_t)b * n + a : (size_t)a * n + b];
    return used < enough ? NAN : dxt_shortest(fit->values, used);
}

static double median_least(const dxt_fit *fit, bool out, uint32_t without, double *least)
{
    uint32_t used = 0;
    for (uint32_t a = 0; a < fit->nodes; a++)
        least[a] = a == without ? NAN : least_of_node(fit, a, out, without, false);
    for (uint32_t a = 0; a < fit->nodes; a++)
        if (!isnan(least[a])) fit->values[used++] = least[a];
    return used ? dxt_median(fit->values, used) : NAN;
}

/* Whether a node that is waited for (or waits) as long as `otherwise` is by far not as early (late)
 * as the `size` of its waits in the other direction would have it. */
static bool is_hardly_apart(const dxt_fit *fit, double otherwise, double size)
{
    if (!(otherwise > DXT_CELL_FLOOR * fit->floor) || !(fit->skew > 0)) return false;
    double apart = fit->between - dxt_shift_of_wait(otherwise, fit->skew);
    return apart < size / 2;
}

/* Who is late waits for nobody; behind a slow uplink a node waits for the others as anybody does.
 * Who is early is there before anybody looks for it; a node that receives slowly is not.
 * @return Whether it is the uplink. */
static bool judge_uplink(dxt_fit *fit, uint32_t a, double in, double out, double base, double limit)
{
    if (!(in > limit || out > limit)) return false;
    double size = fmax(in, out), shift = fit->between;
    double otherwise = base + fmin(in, out);
    double if_apart = dxt_expected_wait(shift - size, fit->skew);
    if (fmin(in, out) <= limit && otherwise <= (if_apart + base) / 2 &&
        !is_hardly_apart(fit, otherwise, size))
        return false;
    fit->node_in[a] = in > limit ? in : 0;
    fit->node_out[a] = out > limit ? out : 0;
    fit->node_late[a] = 0;
    fit->node_role[a] = DXT_ROLE_ORDINARY;
    return true;
}

/* Shortest way between two different nodes. */
static double shortest_way(const dxt_fit *fit)
{
    uint32_t n = fit->nodes;
    double shortest = INFINITY;
    for (uint32_t a = 0; a < n; a++)
        shortest = fmin(shortest, dxt_screen_least(fit->link + (size_t)a * n, a, n));
    return shortest;
}

/* Whether no way between a node and some others is longer than the shortest of all by more than a
 * limit. */
static bool are_short(const dxt_fit *fit, uint32_t a, const uint32_t *others, uint32_t count,
                      bool out, double shortest, double limit)
{
    for (uint32_t t = 0; t < count; t++) {
        uint32_t b = others[t];
        double way = fit->link[out ? (size_t)b * fit->nodes + a : (size_t)a * fit->nodes + b];
        if (a != b && !(way - shortest <= limit)) return false;
    }
    return true;
}

/* Whether certainly no node is behind a slow uplink. What all have at the least is no less than the
 * shortest way, and what one has no more than the longest of as many of its ways as are asked. */
static bool none_is_slow(const dxt_fit *fit, double limit)
{
    uint32_t telling[DXT_MAX_RANKS], n = fit->nodes;
    double shortest = shortest_way(fit);
    for (int out = 0; out < 2; out++) {
        uint32_t used = 0;
        for (uint32_t b = 0; b < n; b++)
            if (tells(fit, b, out)) telling[used++] = b;
        if (used < DXT_LINK_LEAST) return false;
        /* One more, since none is asked of itself. */
        uint32_t enough = used / DXT_SHORTEST_ONE_IN + 2;
        for (uint32_t a = 0; a < n; a++)
            if (!are_short(fit, a, telling, enough, out, shortest, limit)) return false;
    }
    return true;
}

/* Of few nodes its own ways may be the least of all others. */
static double base_without(const dxt_fit *fit, uint32_t a, double base)
{
    if (fit->nodes > DXT_SHORTEST_ONE_IN) return base;
    double least[DXT_SHORTEST_ONE_IN];
    double in = median_least(fit, false, a, least), out = median_least(fit, true, a, least);
    return isnan(in) || isnan(out) ? base : fmin(in, out);
}

void dxt_links_of_nodes(dxt_fit *fit, double limit)
{
    if (fit->nodes < DXT_LINK_LEAST || none_is_slow(fit, limit)) return;
    double *all_in = fit->seen, *all_out = fit->bar;
    double base = median_least(fit, false, NO_NODE, all_in);
    base = fmin(base, median_least(fit, true, NO_NODE, all_out));
    bool moved = false;
    for (uint32_t a = 0; a < fit->nodes; a++) {
        /* Who turned out to be on time tells of the others from then on. */
        double in = moved ? least_of_node(fit, a, false, NO_NODE, false) : all_in[a];
        double out = moved ? least_of_node(fit, a, true, NO_NODE, false) : all_out[a];
        /* Of few nodes it may be the uplink itself that makes the others early or late. */
        if (isnan(in) && out - base > limit) in = least_of_node(fit, a, false, NO_NODE, true);
        if (isnan(out) && in - base > limit) out = least_of_node(fit, a, true, NO_NODE, true);
        if (isnan(in) || isnan(out) || fmax(in, out) - base <= limit) continue;
        double others = base_without(fit, a, base);
        double least = fmax(limit, DXT_LINK_UNEVENNESS * others);
        if (judge_uplink(fit, a, in - others, out - others, others, least)) moved = true;
    }
}
