/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/run_delay.h"

#include <math.h>

#include "numeric/select.h"

/* The delay of one rank; DXT_NOT_OBSERVED = unknown. The wait for a core may have ended before the
 * operation that it held up, and so in the window before. */
static int64_t delay_ns_of(const dxt_case *c, uint32_t rank)
{
    int64_t delay_ns = c->window->run_delay_ns[rank], both_ns;
    int64_t before_ns = c->delay_before_ns ? c->delay_before_ns[rank] : DXT_NOT_OBSERVED;
    if (delay_ns < 0 || before_ns < 0) return delay_ns;
    return __builtin_add_overflow(delay_ns, before_ns, &both_ns) ? INT64_MAX : both_ns;
}

/* The same; NaN = unknown. */
static double delay_of(const dxt_case *c, uint32_t rank)
{
    int64_t delay_ns = delay_ns_of(c, rank);
    return delay_ns >= 0 ? (double)delay_ns : NAN;
}

/* The upper median of the known delays of a node. @param node  Index in the fit; −1 = of all. */
static double typical(const dxt_case *c, int64_t node)
{
    const dxt_fit *fit = &c->fit;
    size_t used = 0;
    for (uint32_t k = 0; k < fit->count; k++) {
        double delay_ns = delay_of(c, fit->rank[k]);
        bool asked = node < 0 || fit->node[k] == (uint32_t)node;
        if (asked && !isnan(delay_ns)) fit->values[used++] = delay_ns;
    }
    return used > 0 ? dxt_median(fit->values, used) : NAN;
}

double dxt_delay_of_member(const dxt_case *c, dxt_finding_kind kind, uint32_t member)
{
    double own = delay_of(c, c->fit.rank[member]);
    if (kind == DXT_LATE_RANK || isnan(own)) return own;
    return fmax(own, typical(c, -1));
}

double dxt_delay_of_node(const dxt_case *c, uint32_t node)
{
    return typical(c, node);
}

double dxt_delay_of_all(const dxt_case *c)
{
    return typical(c, -1);
}

double dxt_delay_of_path(const dxt_case *c, uint32_t path)
{
    const dxt_slow_path *p = &c->paths->items[path];
    return delay_of(c, c->fit.rank[p->i]) + delay_of(c, c->fit.rank[p->j]);
}

static void note(dxt_case *c)
{
    for (uint32_t r = 0; r < c->window->ranks; r++) {
        int64_t delay_ns = delay_ns_of(c, r);
        if (delay_ns <= c->draft->delayed_ns) continue;
        c->draft->delayed_ns = delay_ns;
        c->draft->delayed_rank = r;
    }
}

bool dxt_may_be_run_delay(dxt_case *c, double wait, double delay_ns)
{
    dxt_measure measure = dxt_window_measure(c->window);
    /* All operations, also where only some are measured: these stand for the others. */
    double ops = measure == DXT_MEASURE_NS ? 1 : (double)c->window->ops;
    bool timed = measure == DXT_MEASURE_NS || measure == DXT_MEASURE_NS_PER_OP;
    if (!timed || !isfinite(wait) || !(ops > 0) || c->beside > 0) return false;
    if (!(wait * ops <= delay_ns)) return false;
    note(c);
    return true;
}
