/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/fit.h"
#include "analysis/arrive/one_sided.h"
#include "analysis/arrive/slow_links.h"

#include <math.h>

#include "analysis/arrive/nodes.h"
#include "analysis/arrive/ranks.h"
#include "analysis/arrive/sides.h"
#include "analysis/arrive/take.h"

/* Begin with every member ordinary and every path healthy. */
static void begin(dxt_fit *fit)
{
    fit->tangled = fit->linked = fit->tiered = fit->unsure = fit->many_sides = false;
    for (uint32_t k = 0; k < fit->count; k++) {
        fit->receive[k] = fit->send[k] = fit->nic_in[k] = fit->nic_out[k] = 0;
        fit->role[k] = DXT_ROLE_ORDINARY;
    }
    for (uint32_t node = 0; node < fit->nodes; node++) {
        fit->node_late[node] = fit->node_in[node] = fit->node_out[node] = fit->nothing[node] = 0;
        fit->node_role[node] = DXT_ROLE_ORDINARY;
        fit->folded[node] = false;
        fit->settled[node] = true;
    }
    size_t pairs = (size_t)fit->nodes * fit->nodes;
    /* With more than two nodes they are measured before they are used. */
    for (size_t pair = 0; pair < pairs && fit->nodes <= 2; pair++) fit->level[pair] = NAN;
}

dxt_status dxt_fit_window(dxt_block *block, const dxt_window *window, const dxt_known *known,
                          dxt_fit *fit)
{
    dxt_status status = dxt_fit_take(block, window, known, fit);
    if (status != DXT_OK || fit->count == 0) return status;
    begin(fit);
    dxt_fit_ordinary(fit);
    if (fit->nodes > 1) dxt_fit_ranks(fit);
    fit->between = fit->transfer;
    if (fit->nodes > 1) {
        dxt_look_one_sided(fit);
        dxt_links_between(fit);
        dxt_fit_between(fit);
        dxt_fold_nodes(fit);
    }
    if (fit->nodes == 1) dxt_look_one_sided(fit);
    dxt_give_roles(fit);
    return DXT_OK;
}
