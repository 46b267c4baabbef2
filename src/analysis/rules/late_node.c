/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late_node: all ranks of a node are late for the other nodes.
 *
 * When: its lateness exceeds the limit among the nodes, found like that of a rank
 * (rules/late_rank.c), and its uplink is not the cause (rules/slow_node_link.c).
 * How large: its lateness among the nodes (arrive/nodes.c), less what it carried over, where that
 * is known (DXT_NODE_DOUBT); beyond the spread of arrivals if ranks hold others up in the other
 * operator. With two nodes: the part of their offset that does not change sides from operator to
 * operator (explain/standing.c). If that explains nothing, only ranks of the other node that were
 * late in the other operator show what it carried over, since a node that hears late is late next.
 * With more nodes, a node that looked early in the other operator by as much as it is late here
 * received slowly there (explain/companion.c).
 * How sure: against the limit of a lateness among nodes. With two nodes at most DXT_DOUBTFUL, since
 * a late node and a slow path from it make the other node wait alike.
 */
#include <math.h>

#include "analysis/explain/companion.h"
#include "analysis/explain/standing.h"
#include "analysis/rules/rules.h"
#include "analysis/tuning.h"

static bool applies(dxt_case *c, dxt_subject s)
{
    return c->fit.node_role[s.a] == DXT_ROLE_LATE && !dxt_node_stands(c, s.a).path;
}

static dxt_size size(dxt_case *c, dxt_subject s)
{
    const dxt_fit *fit = &c->fit;
    double late = fit->node_late[s.a];
    double carried = dxt_nodes_carry(c) ? dxt_case_carried(c)->node[s.a] : 0;
    if (fit->nodes == 2) carried = fmax(carried, dxt_heard_late(c, s.a));
    carried = fmax(carried, dxt_node_receives(c, fit->node_id[s.a], true));
    dxt_own own = {.wait = late};
    dxt_standing standing = dxt_node_stands(c, s.a);
    if (!isnan(standing.own))
        own = (dxt_own){.wait = standing.own, .carried = standing.carried};
    else if (c->companion)
        own = dxt_own_part(late, carried, dxt_limit_of_node(c, s.a), DXT_NODE_DOUBT);
    return (dxt_size){.wait = own.wait,
                      .limit = fit->node_limit[s.a],
                      .surest = fit->nodes == 2 ? DXT_DOUBTFUL : 0,
                      .explained = own.carried};
}

static void write(dxt_case *c, dxt_subject s, dxt_finding *finding)
{
    if (finding) finding->node = c->fit.node_id[s.a];
}

const dxt_rule dxt_rule_late_node = {
    .kind = DXT_LATE_NODE,
    .about = DXT_ABOUT_NODE,
    .applies = applies,
    .size = size,
    .write = write,
};
