/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late_node: all ranks of a node are late for the other nodes.
 *
 * What makes it late: its lateness exceeds the limit among the nodes, as that of a rank does among
 * ranks (rules/late_rank.c), and it is not its uplink (rules/slow_node_link.c).
 * How large: its lateness among the nodes (arrive/nodes.c), less what it carried over
 * (DXT_NODE_DOUBT), where that is known, and beyond what arrivals vary where ranks hold others up
 * in the other operator. Of two nodes: what of their offset does not change sides from operator to
 * operator (explain/standing.c); otherwise it is known as far as some ranks of the other one were
 * heard later than the rest of it in the other operator: who hears late is late in the next.
 * How sure: against the limit of a lateness among nodes; of two, one of them is late or the path
 * from it is slow (DXT_DOUBTFUL): the other one's waits are the same.
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
