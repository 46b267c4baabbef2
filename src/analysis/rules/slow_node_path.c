/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_node_path: all paths from one node to another are slow, beyond what the lateness of the two
 * and the topology explain (arrive/links.c).
 *
 * When: the excess is above the limit of a lateness among nodes, and above what a path between
 * nodes takes. If more than DXT_MOST_LINKS_SHARE of the paths are like that, the machine is built
 * so. With two nodes, a slow path must fit better than a late node (DXT_TWO_NODES_BETTER), or the
 * excess must not change sides from operator to operator (DXT_NODE_PATH_BOTH, DXT_NODE_PATH_WAITS).
 * How large: that excess. With two nodes, the part that does not change sides from operator to
 * operator (explain/standing.c), less what they carried over (DXT_NODE_DOUBT).
 * How sure: against the limit of a lateness among nodes. With two nodes at most DXT_DOUBTFUL: one
 * of them may be late instead.
 */
#include <math.h>

#include "analysis/explain/companion.h"
#include "analysis/explain/standing.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static double excess(const dxt_case *c, dxt_subject s)
{
    return dxt_fit_links(&c->fit, s.a)[s.b];
}

/* With two nodes: whether the path from a node that looked late is the cause. */
static bool is_way_from(const dxt_case *c, uint32_t b)
{
    return c->fit.nodes == 2 && c->fit.node_role[b] == DXT_ROLE_LATE && dxt_node_stands(c, b).path;
}

static bool any(const dxt_case *c)
{
    return c->fit.linked || c->fit.nodes == 2;
}

static bool applies(dxt_case *c, dxt_subject s)
{
    return excess(c, s) > 0 || (s.a != s.b && is_way_from(c, s.b));
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    const dxt_fit *fit = &c->fit;
    dxt_own own = {.wait = fmax(excess(c, s), fit->node_late[s.b])};
    dxt_standing standing = dxt_node_stands(c, s.b);
    if (standing.path) {
        own.carried = false;
    } else if (!isnan(standing.own)) {
        own = (dxt_own){.wait = standing.own, .carried = standing.carried};
    } else if (fit->nodes == 2 && dxt_nodes_carry(c)) {
        const double *carried = dxt_case_carried(c)->node;
        own = dxt_own_part(own.wait, carried[s.b] - carried[s.a], fit->node_limit[s.a],
                           DXT_NODE_DOUBT);
    }
    return (dxt_size){.wait = own.wait,
                      .limit = fit->node_limit[s.a],
                      .surest = fit->nodes == 2 ? DXT_DOUBTFUL : 0,
                      .explained = own.carried};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    if (!finding) return;
    finding->node = c->fit.node_id[s.a];
    finding->source_node = c->fit.node_id[s.b];
}

const dxt_rule dxt_rule_slow_node_path = {
    .kind = DXT_SLOW_NODE_PATH,
    .about = DXT_ABOUT_NODE_PAIR,
    .most = DXT_MOST_PATH_FINDINGS,
    .any = any,
    .applies = applies,
    .size = size,
    .write = write,
};
