/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_node_link: all that passes the uplink of one node is slow, in one direction or in both,
 * while the node is on time (arrive/slow_links.c). It takes three nodes to tell it from a slow
 * path.
 *
 * When: its shortest waits (one in DXT_SHORTEST_ONE_IN) exceed those of the typical node by the
 * limit and by DXT_LINK_UNEVENNESS of them (arrive/slow_links.c); or all its paths are longer than
 * expected, and one of them is slow (arrive/links.c); or it looks early, and is late by as much in
 * the other operator, as an early node would not be (explain/companion.c).
 * How large: what the uplink adds to a wait, in the slower direction, less what the node carried
 * over: an early node waits longer for all, and all wait longer for a late one (DXT_NODE_DOUBT). If
 * both directions are slow nothing is taken off, since lateness does not cause that. Nor is it if
 * the other operator shows the same uplink: then the lateness that is carried over comes from the
 * uplink, too, and the two would explain each other away.
 * Nor is anything left if only sending looks slow, and inside the node its ranks wait for each
 * other by at least half as much beyond what is ordinary: then they are late, each at another time.
 * How sure: against the limit of a lateness among nodes.
 */
#include <math.h>

#include "analysis/explain/companion.h"
#include "analysis/explain/standing.h"
#include "analysis/explain/turns.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"
#include "numeric/select.h"

static bool is_told(const dxt_case *c, uint32_t a)
{
    return c->fit.node_in[a] > 0 || c->fit.node_out[a] > 0;
}

static bool applies(dxt_case *c, dxt_subject s)
{
    return is_told(c, s.a) || dxt_node_receives(c, c->fit.node_id[s.a], false) > 0;
}

static bool is_slow_there(const dxt_case *c, int32_t node)
{
    const dxt_fit *other = &c->other;
    for (uint32_t a = 0; a < other->nodes; a++)
        if (other->node_id[a] == node) return other->node_in[a] > 0 || other->node_out[a] > 0;
    return false;
}

static bool is_late(dxt_case *c, uint32_t k)
{
    return dxt_role_is_late(c->fit.role[k]) && !dxt_late_in_turn(c, k);
}

/* What the ranks of node a typically wait for each other beyond the ordinary wait. Of two ranks one
 * that is always late makes one of the two waits longer, and the other one tells. */
static double extra_inside(dxt_case *c, uint32_t a)
{
    const dxt_fit *fit = &c->fit;
    uint32_t member[DXT_PARTNERS], count = 0, used = 0;
    double *waits = fit->scratch->cells.work;
    for (uint32_t k = 0; k < fit->count && count < DXT_PARTNERS; k++)
        if (fit->node[k] == a) member[count++] = k;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < count; j++)
            if (i != j) waits[used++] = dxt_fit_wait(fit, member[i], member[j]);
    if (used == 0) return 0;
    bool one_late = count == 2 && (is_late(c, member[0]) || is_late(c, member[1]));
    return (one_late ? fmin(waits[0], waits[1]) : dxt_median(waits, used)) - fit->base;
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    const dxt_fit *fit = &c->fit;
    double in = fit->node_in[s.a], out = fit->node_out[s.a];
    if (!is_told(c, s.a))
        return (dxt_size){.wait = dxt_node_receives(c, fit->node_id[s.a], false),
                          .limit = fit->node_limit[s.a]};
    if (!(in > 0) && 2 * extra_inside(c, s.a) >= out) return (dxt_size){.explained = true};
    dxt_own own = {.wait = fmax(in, out)};
    bool one_way = !(in > 0) || !(out > 0);
    if (one_way && c->companion && !is_slow_there(c, fit->node_id[s.a])) {
        double late = dxt_case_carried(c)->node[s.a];
        own = dxt_own_part(own.wait, in > out ? -late : late, dxt_limit_of_node(c, s.a),
                           DXT_NODE_DOUBT);
    }
    if (own.wait < fit->floor) own.wait = 0;
    return (dxt_size){.wait = own.wait, .limit = fit->node_limit[s.a], .explained = own.carried};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    bool out = c->fit.node_out[s.a] > 0, in = c->fit.node_in[s.a] > 0 || !is_told(c, s.a);
    if (!finding) return;
    finding->node = c->fit.node_id[s.a];
    finding->direction = in && out ? DXT_DIRECTION_BOTH : in ? DXT_DIRECTION_IN : DXT_DIRECTION_OUT;
}

const dxt_rule dxt_rule_slow_node_link = {
    .kind = DXT_SLOW_NODE_LINK,
    .about = DXT_ABOUT_NODE,
    .applies = applies,
    .size = size,
    .write = write,
};
