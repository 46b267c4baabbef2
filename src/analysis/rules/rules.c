/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/rules/rules.h"

#include <assert.h>
#include <math.h>

#include "analysis/explain/run_delay.h"
#include "analysis/tuning.h"

/* Each kind of finding is a row. Rules that stand together and are about the same subjects are
 * asked in order: the first that applies to a subject takes it. */
/* clang-format off */
static const dxt_rule *const table[] = {
    &dxt_rule_hot_expert, /* before late_rank and slow_receiver, which apply to it as well */
    &dxt_rule_late_rank,
    &dxt_rule_early_rank,
    &dxt_rule_slow_receiver,
    &dxt_rule_slow_link,
    &dxt_rule_slow_sender,
    &dxt_rule_slow_node_link, /* a node behind its uplink is on time */
    &dxt_rule_late_node,
    &dxt_rule_slow_node_path,
    &dxt_rule_path_stalls,
    &dxt_rule_link_of_paths,
    &dxt_rule_slow_path,
    &dxt_rule_wide_stalls,
    &dxt_rule_systemic_skew,
    &dxt_rule_silent_rank,
};
/* clang-format on */

enum { RULES = sizeof table / sizeof table[0] };

static uint32_t subjects_of(const dxt_case *c, dxt_about about)
{
    uint32_t nodes = c->fit.nodes < 2 ? 0 : c->fit.nodes;
    switch (about) {
    case DXT_ABOUT_MEMBER: return c->fit.count;
    case DXT_ABOUT_NODE: return nodes;
    case DXT_ABOUT_NODE_PAIR: return nodes * nodes;
    case DXT_ABOUT_PATH: return c->paths ? (uint32_t)c->paths->count : 0;
    case DXT_ABOUT_WINDOW: return 1;
    case DXT_ABOUT_RANK: return c->window->ranks;
    }
    return 0;
}

/* Move to the next subject; pairs go node by node. */
static void go_on(const dxt_case *c, dxt_about about, dxt_subject *s)
{
    if (about == DXT_ABOUT_NODE_PAIR && ++s->b < c->fit.nodes) return;
    s->a++;
    s->b = 0;
}

/* The largest confidence of a finding of this size. */
static double surest(dxt_case *c, double wait)
{
    /* Without a clock only proportions are known. Few ranks hardly bear each other out. A window
     * cannot tell chance if its operations are unknown, or so few that one may be the whole cause.
     * Beside something much larger in the other operator a small finding may be its trace. */
    double most = isnan(c->fit.step) ? DXT_DOUBTFUL : DXT_SUREST;
    if (c->fit.count <= DXT_SURE_RANKS || c->fit.ops < DXT_ONE_EVENT_OPS)
        most = fmin(most, DXT_SURE_OF_FEW);
    if (dxt_case_most_carried(c) > DXT_TRACE * wait) most = fmin(most, DXT_DOUBTFUL);
    return most;
}

/* How long the ranks that may have caused a finding waited for a CPU core; NaN = unknown. */
static double delay_of(const dxt_case *c, const dxt_rule *rule, dxt_subject s)
{
    switch (rule->about) {
    case DXT_ABOUT_MEMBER: return dxt_delay_of_member(c, rule->kind, s.a);
    case DXT_ABOUT_NODE: return dxt_delay_of_node(c, s.a);
    case DXT_ABOUT_NODE_PAIR: return dxt_delay_of_node(c, s.a) + dxt_delay_of_node(c, s.b);
    case DXT_ABOUT_PATH: return dxt_delay_of_path(c, s.a);
    case DXT_ABOUT_WINDOW: return dxt_delay_of_all(c);
    case DXT_ABOUT_RANK: break; /* silent: no delay explains it */
    }
    return NAN;
}

/* Write the finding of a rule that applies, unless nothing is left of its size. */
static void conclude(dxt_case *c, const dxt_rule *rule, dxt_subject s, uint32_t *written)
{
    dxt_size size = rule->size(c, s);
    assert(!(size.limit < 0) && !(size.error < 0));
    if (size.explained) c->draft->inherited = true;
    if (size.wait <= 0) return;
    if (c->window->run_delay_ns && dxt_may_be_run_delay(c, size.wait, delay_of(c, rule, s))) return;
    bool told = !size.told && (rule->most == 0 || *written < rule->most);
    *written += !size.told;
    dxt_finding *finding = told ? dxt_draft_finding(c->draft, rule->kind) : NULL;
    if (finding) {
        double most = isnan(size.wait) ? 1 : surest(c, fmax(0, size.wait));
        dxt_weigh(finding, &size, c->spent, c->fit.base, most);
    }
    if (finding && c->few && isfinite(size.wait) && isnan(finding->share))
        finding->severity = DXT_SEVERITY_MINOR;
    rule->write(c, s, finding);
}

static bool may_apply(const dxt_case *c, size_t first, size_t end)
{
    size_t r = first;
    while (r < end && table[r]->any && !table[r]->any(c)) r++;
    return r < end;
}

/* Ask rules `first` … `end` − 1, which are about the same subjects. */
static void apply_group(dxt_case *c, size_t first, size_t end)
{
    uint32_t written[RULES] = {0};
    dxt_about about = table[first]->about;
    uint32_t count = may_apply(c, first, end) ? subjects_of(c, about) : 0;
    if (c->nothing && table[first] != &dxt_rule_silent_rank) return;
    bool of_nodes = about == DXT_ABOUT_NODE || about == DXT_ABOUT_NODE_PAIR;
    dxt_subject s = {0};
    for (uint32_t k = 0; k < count; k++, go_on(c, about, &s)) {
        size_t r = first;
        while (r < end && !table[r]->applies(c, s)) r++;
        if (r < end && c->likely && of_nodes)
            c->blocks = true;
        else if (r < end)
            conclude(c, table[r], s, &written[r]);
    }
}

void dxt_apply_rules(dxt_case *c)
{
    size_t end;
    for (size_t first = 0; first < RULES; first = end) {
        for (end = first + 1; end < RULES && table[end]->about == table[first]->about;) end++;
        apply_group(c, first, end);
    }
}
