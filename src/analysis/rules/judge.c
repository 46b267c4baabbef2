/* SPDX-License-Identifier: Apache-2.0 */
/* From fitted arrivals to named causes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/arrive/fit.h"
#include "analysis/explain/inherit.h"
#include "analysis/method.h"
#include "base/base.h"
#include "numeric/screen.h"
#include "numeric/select.h"

/* Severity by share of the time lost, and without a clock by multiples of the ordinary wait. */
#define MAJOR_SHARE 0.05
#define CRITICAL_SHARE 0.20
#define MAJOR_MULTIPLE 3.0
#define CRITICAL_MULTIPLE 10.0
/* Received bytes above the median from which a rank counts as hot. */
#define HOT_BYTES 1.5
/* A rank late in dispatch is found late in the combine behind it by up to this part of the transfer
 * time, an echo (seen on NVLink: +3 µs of a 12 µs combine, whatever the delay in dispatch). */
#define ECHO 0.8
/* What a rank brings along is known to about this part: it is taken from means, not per operation.
 */
#define INHERITED_DOUBT 0.3
/* A slow receiver leaves with the last of what comes, which is later than any of it on average. */
#define RECEIVED_DOUBT 0.5
/* For nodes, hardly better than by a factor of two: how late a node is and how long the way to it
 * cannot be told apart well. */
#define NODE_DOUBT 1.0
/* A limit is worth at least this many standard errors, also where it has another reason. */
#define LIMIT_ERRORS 4.5
/* How early a slow sender is at most in the operator before, in parts of what it sends late. */
#define SEND_AND_EARLY 1.3
/* With so few ranks one window is not enough to be sure. */
#define FEW_RANKS 4u
/* How many times a finding something else has to be for the finding to be its trace. */
#define TRACE 1.5
/* In the same window, where the fit has told them apart, much smaller a finding has to be. */
#define SMALL_NEXT_TO 0.125
/* Fewer operations than this prove nothing about who comes last. */
#define FEW_OPS 10
/* Fewer operations than this prove no health. */
#define THIN_OPS 8
/* Part of the step that an ordinary pair waits for each other beyond the transfer, from which on
 * the ranks' own variation is worth a line. Real jobs vary by up to a fifth of their compute, which
 * is 2–4 % here. */
#define SYSTEMIC_SHARE 0.15

/* What the judgement of one window needs. */
struct judge {
    const dxt_window *window;
    const dxt_window *companion; /* NULL: unknown */
    dxt_fit fit;
    dxt_fit other; /* of the companion; count 0 when there is none */
    dxt_draft *draft;
    double mean;             /* of all raw counters; NaN until needed */
    double once;             /* largest lateness that was there only once; 0 = none */
    dxt_inherited inherited; /* from the companion; NULL until needed */
};

/* Position of a rank in the fit of the companion; count when it is not there. */
static uint32_t other_member(const struct judge *judge, uint32_t rank)
{
    uint32_t k = 0;
    while (k < judge->other.count && judge->other.rank[k] != rank) k++;
    return k;
}

/* Role of a rank in the fit of the companion. */
static dxt_role other_role(const struct judge *judge, uint32_t rank)
{
    uint32_t k = other_member(judge, rank);
    return k < judge->other.count ? judge->other.role[k] : DXT_ROLE_ORDINARY;
}

/* Whether a rank receives far more payload than others in a dispatch that recorded it. */
static bool receives_much(const struct judge *judge, const dxt_window *dispatch, uint32_t rank)
{
    uint32_t n = dispatch->ranks;
    if (!dispatch->bytes || n < 2) return false;
    double own = 0;
    size_t used = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (dispatch->missing && dispatch->missing[i]) continue;
        double sum = 0;
        for (uint32_t j = 0; j < n; j++) sum += (double)dispatch->bytes[(size_t)i * n + j];
        if (i == rank)
            own = sum;
        else
            judge->fit.scratch[used++] = sum;
    }
    return used > 0 && own > HOT_BYTES * dxt_median(judge->fit.scratch, used);
}

/* What the ranks brought along from the other operator. It takes a pass over its matrix, so it
 * waits until somebody is late. */
static const dxt_inherited *inherited(struct judge *judge)
{
    if (!judge->inherited.rank) dxt_inherit(&judge->fit, &judge->other, &judge->inherited);
    return &judge->inherited;
}

/* What is left of `amount` when `inherited` of it came along; 0 when that explains it. */
static double left_over(struct judge *judge, double amount, double brought, double limit,
                        double doubt)
{
    double own = amount - fmax(0, brought);
    if (own > fmax(limit, doubt * brought)) return own;
    judge->draft->inherited = true;
    return 0;
}

/* ---- evidence that a cause is at work all the time, not once ----
 *
 * One long stall makes a mean, but not a late rank. Where the window records who came last, a cause
 * must be last more often than chance has it, in the operations in which nothing later was. */

/* In which part of the operations a rank came last, as the typical witness saw it. */
static double last_share(const struct judge *judge, uint32_t k)
{
    const dxt_window *window = judge->window;
    size_t n = window->ranks, used = 0;
    for (uint32_t i = 0; i < judge->fit.count; i++)
        if (i != k)
            judge->fit.scratch[used++] =
                (double)window->last[judge->fit.rank[i] * n + judge->fit.rank[k]];
    return dxt_median(judge->fit.scratch, used) / (double)window->ops;
}

/* Whether the window says anything about who came last. */
static bool records_last(const dxt_window *window)
{
    if (!window->last || window->ops <= 0) return false;
    for (size_t c = 0; c < (size_t)window->ranks * window->ranks; c++)
        if (window->last[c] > 0) return true;
    return false;
}

/* Whether `share` of the operations for `some` of `all` sources is above chance by two standard
 * errors, when `taken` of the operations went to later ones. Too few operations left prove nothing.
 */
static bool beyond_chance(double share, double some, double all, double taken, double ops)
{
    double left = ops * (1 - taken);
    if (left < FEW_OPS || all <= some) return true;
    double part = some / all;
    return share / (1 - taken) > part + 2 * sqrt(part * (1 - part) / left);
}

static double all_lateness(const dxt_fit *fit, uint32_t k)
{
    return fit->late[k] + fit->send[k] + fit->node_late[fit->node[k]];
}

static bool is_late(dxt_role role)
{
    return role == DXT_ROLE_LATE || role == DXT_ROLE_SENDER;
}

/* Ranks that are equally late share the operations; each must have a part of it worth the name. */
static bool lateness_persists(const struct judge *judge, uint32_t k)
{
    const dxt_fit *fit = &judge->fit;
    double ops = (double)judge->window->ops, own = last_share(judge, k);
    double shared = own, peers = 1, taken = 0, later = 0;
    for (uint32_t m = 0; m < fit->count; m++) {
        double ahead = all_lateness(fit, m) - all_lateness(fit, k);
        if (m == k || ahead < -fit->limit[k]) continue;
        double share = last_share(judge, m);
        if (ahead > fit->limit[k]) {
            taken += share;
            later++;
        } else if (is_late(fit->role[m])) {
            shared += share;
            peers++;
        }
    }
    taken = fmin(taken, 1);
    if (!beyond_chance(shared, peers, fit->count - later, taken, ops)) return false;
    double fair = shared / peers;
    return fair * ops < FEW_OPS || own > fair / 4;
}

static bool path_persists(const struct judge *judge, const dxt_slow_path *path)
{
    const dxt_fit *fit = &judge->fit;
    const dxt_window *window = judge->window;
    const int64_t *last = window->last + (size_t)fit->rank[path->i] * window->ranks;
    double wait = dxt_fit_wait(fit, path->i, path->j), ops = (double)window->ops;
    double taken = 0, later = 0;
    for (uint32_t j = 0; j < fit->count; j++) {
        if (j == path->j || dxt_fit_wait(fit, path->i, j) <= wait) continue;
        taken += (double)last[fit->rank[j]] / ops;
        later++;
    }
    double share = (double)last[fit->rank[path->j]] / ops;
    return beyond_chance(share, 1, fit->count - 1 - later, fmin(taken, 1), ops);
}

/* ---- raw means, for the lists of abnormal columns, rows and points ---- */

static double mean_of_all(struct judge *judge)
{
    const dxt_window *window = judge->window;
    size_t n = window->ranks;
    if (!isnan(judge->mean)) return judge->mean;
    judge->mean = 0;
    for (size_t i = 0; i < n; i++)
        judge->mean += dxt_screen_sum(window->wait + i * n, window->ranks) / (double)n / (double)n;
    return judge->mean;
}

static double mean_of_column(const struct judge *judge, uint32_t rank)
{
    size_t n = judge->window->ranks;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)judge->window->wait[i * n + rank];
    return sum / (double)n;
}

static double mean_of_row(const struct judge *judge, uint32_t rank)
{
    size_t n = judge->window->ranks;
    return dxt_screen_sum(judge->window->wait + rank * n, judge->window->ranks) / (double)n;
}

/* ---- writing findings ---- */

static dxt_severity severity_of(const struct judge *judge, double wait, double share)
{
    if (!isnan(share))
        return share < MAJOR_SHARE      ? DXT_SEVERITY_MINOR
               : share < CRITICAL_SHARE ? DXT_SEVERITY_MAJOR
                                        : DXT_SEVERITY_CRITICAL;
    double multiple = wait / fmax(judge->fit.base, 1e-9);
    return multiple < MAJOR_MULTIPLE      ? DXT_SEVERITY_MINOR
           : multiple < CRITICAL_MULTIPLE ? DXT_SEVERITY_MAJOR
                                          : DXT_SEVERITY_CRITICAL;
}

/* The most that any rank brought along from the companion, either way. */
static double most_inherited(struct judge *judge)
{
    double most = 0;
    if (!judge->companion) return 0;
    for (uint32_t k = 0; k < judge->fit.count; k++)
        most = fmax(most, fabs(inherited(judge)->rank[k]));
    return most;
}

/* Probability that a finding of `z` standard errors is true. */
static double confidence_of(struct judge *judge, double wait, double z)
{
    double sure = 1 - exp(-z * z / 6);
    /* Without a clock only the proportions speak; few ranks hardly bear each other out; and next to
     * something much larger in the other operator a small finding may be its trace. */
    double most = isnan(judge->fit.step) ? 0.95 : 0.999;
    if (judge->fit.count <= FEW_RANKS) most = fmin(most, DXT_SURE_OF_FEW);
    if (most_inherited(judge) > TRACE * wait) most = fmin(most, 0.95);
    return fmin(sure, most);
}

/* Size, cost and doubt of a finding. `limit` is what `wait` had to exceed, `error` its standard
 * error; the limit stands for several of them even where the error looks smaller. */
static void weigh(struct judge *judge, dxt_finding *finding, double wait, double limit,
                  double error)
{
    double z = wait / fmax(fmax(error, limit / LIMIT_ERRORS), 1e-9);
    /* Not below 0 by rounding, either. */
    finding->wait = fmax(0, wait);
    finding->share = isnan(judge->fit.step) ? NAN : fmin(1, finding->wait / judge->fit.step);
    finding->confidence = confidence_of(judge, finding->wait, z);
    if (finding->kind == DXT_EARLY_RANK) {
        /* Nobody waits for it: it costs nothing. */
        if (!isnan(finding->share)) finding->share = 0;
        finding->severity = DXT_SEVERITY_MINOR;
    } else {
        finding->severity = severity_of(judge, wait, finding->share);
    }
}

/* Whether a rank that answers late waited for all in the dispatch before. A slow sender does so
 * without receiving more: it lets the others arrive late, and is early by that much. */
static bool received_long(const struct judge *judge, uint32_t k)
{
    const dxt_fit *fit = &judge->fit, *other = &judge->other;
    uint32_t o = other_member(judge, fit->rank[k]);
    if (receives_much(judge, judge->companion, fit->rank[k])) return true;
    if (o == other->count) return false;
    if (other->role[o] == DXT_ROLE_EARLY) return -other->late[o] > SEND_AND_EARLY * fit->send[k];
    return other->role[o] == DXT_ROLE_RECEIVER;
}

/* Which finding a late rank is, and how much of its lateness is its own: 0 when all of it comes
 * from the other operator, as an echo or because the rank was held up there. */
static double own_lateness(struct judge *judge, uint32_t k, dxt_finding_kind *kind)
{
    const dxt_fit *fit = &judge->fit;
    uint32_t rank = fit->rank[k];
    double late = fit->late[k] + fit->send[k];
    *kind = DXT_LATE_RANK;
    if (!judge->companion) return late;
    bool after_dispatch = dxt_is_phase(judge->companion->phase, "dispatch");
    if (after_dispatch && is_late(other_role(judge, rank)) && late < ECHO * fit->transfer) return 0;
    if (after_dispatch && received_long(judge, k)) *kind = DXT_HOT_EXPERT;
    bool received = other_role(judge, rank) == DXT_ROLE_RECEIVER;
    return left_over(judge, late, inherited(judge)->rank[k], fit->limit[k],
                     received ? RECEIVED_DOUBT : INHERITED_DOUBT);
}

static void write_late(struct judge *judge, uint32_t k)
{
    const dxt_fit *fit = &judge->fit;
    uint32_t rank = fit->rank[k];
    dxt_finding_kind kind;
    double late = own_lateness(judge, k, &kind);
    if (late <= 0) return;
    double mean = mean_of_column(judge, rank);
    dxt_draft_col(judge->draft, rank, mean, dxt_normalise(mean, mean_of_all(judge)));
    dxt_finding *finding = dxt_draft_finding(judge->draft, kind);
    if (!finding) return;
    finding->rank = rank;
    weigh(judge, finding, late, fit->limit[k], fit->error[k]);
}

/* Whether a rank that waits for all in dispatch answers late as well: later than the waiting alone
 * makes it. */
static bool is_hot(const struct judge *judge, uint32_t k)
{
    const dxt_fit *fit = &judge->fit, *other = &judge->other;
    if (!dxt_is_phase(judge->window->phase, "dispatch")) return false;
    if (receives_much(judge, judge->window, fit->rank[k])) return true;
    uint32_t o = other_member(judge, fit->rank[k]);
    if (o == other->count || !is_late(other->role[o])) return false;
    return other->late[o] + other->send[o] > fit->receive[k] + other->limit[o];
}

static void write_row(struct judge *judge, uint32_t k)
{
    const dxt_fit *fit = &judge->fit;
    uint32_t rank = fit->rank[k];
    bool early = fit->role[k] == DXT_ROLE_EARLY;
    dxt_finding_kind kind = early ? DXT_EARLY_RANK : DXT_SLOW_RECEIVER;
    bool hot = is_hot(judge, k);
    double amount = fit->receive[k];
    if (early && judge->companion)
        amount = left_over(judge, -fit->late[k], -inherited(judge)->rank[k], fit->limit[k],
                           INHERITED_DOUBT);
    else if (early)
        amount = -fit->late[k];
    if (amount <= 0) return;
    if (hot) kind = DXT_HOT_EXPERT;
    double mean = mean_of_row(judge, rank);
    dxt_draft_row(judge->draft, rank, mean, dxt_normalise(mean, mean_of_all(judge)));
    dxt_finding *finding = dxt_draft_finding(judge->draft, kind);
    if (!finding) return;
    finding->rank = rank;
    weigh(judge, finding, amount, fit->limit[k], fit->error[k]);
}

static void write_ranks(struct judge *judge)
{
    bool recorded = records_last(judge->window);
    for (uint32_t k = 0; k < judge->fit.count; k++) {
        switch (judge->fit.role[k]) {
        case DXT_ROLE_LATE:
        case DXT_ROLE_SENDER:
            if (!recorded || lateness_persists(judge, k))
                write_late(judge, k);
            else
                judge->once = fmax(judge->once, all_lateness(&judge->fit, k));
            break;
        case DXT_ROLE_EARLY:
        case DXT_ROLE_RECEIVER: write_row(judge, k); break;
        case DXT_ROLE_ORDINARY: break;
        }
    }
}

/* Whether what the nodes brought along is known. Between two nodes a slow way in the other operator
 * looks like one's lateness in this one and the other way round: each would excuse the other. */
static bool nodes_inherit(const struct judge *judge)
{
    const dxt_fit *other = &judge->other;
    if (!judge->companion) return false;
    return other->nodes != 2 || (other->link[1] <= 0 && other->link[2] <= 0);
}

/* One of them is late, or the way from it is slow: the other one's waits are the same. */
static void doubt_two_nodes(const dxt_fit *fit, dxt_finding *finding)
{
    if (fit->nodes == 2) finding->confidence = fmin(finding->confidence, 0.95);
}

static void write_late_node(struct judge *judge, uint32_t a)
{
    const dxt_fit *fit = &judge->fit;
    double late = fit->node_late[a];
    if (nodes_inherit(judge))
        late = left_over(judge, late, inherited(judge)->node[a], fit->node_limit[a], NODE_DOUBT);
    if (late <= 0) return;
    dxt_finding *finding = dxt_draft_finding(judge->draft, DXT_LATE_NODE);
    if (!finding) return;
    finding->node = fit->node_id[a];
    weigh(judge, finding, late, fit->node_limit[a], 0);
    doubt_two_nodes(fit, finding);
}

static void write_link(struct judge *judge, uint32_t a, uint32_t b, double extra)
{
    const dxt_fit *fit = &judge->fit;
    dxt_finding *finding = dxt_draft_finding(judge->draft, DXT_SLOW_NODE_PATH);
    if (!finding) return;
    finding->node = fit->node_id[a];
    finding->source_node = fit->node_id[b];
    weigh(judge, finding, extra, fit->node_limit[a], 0);
    doubt_two_nodes(fit, finding);
}

static void write_nodes(struct judge *judge)
{
    const dxt_fit *fit = &judge->fit;
    size_t written = 0;
    if (fit->nodes < 2) return;
    for (uint32_t a = 0; a < fit->nodes; a++)
        if (fit->node_role[a] == DXT_ROLE_LATE) write_late_node(judge, a);
    for (uint32_t a = 0; a < fit->nodes; a++) {
        for (uint32_t b = 0; b < fit->nodes; b++) {
            double extra = fit->link[(size_t)a * fit->nodes + b];
            /* With more nodes than two it is told against their lateness, however that came about.
             */
            if (extra > 0 && fit->nodes == 2 && nodes_inherit(judge))
                extra =
                    left_over(judge, extra, inherited(judge)->node[b] - inherited(judge)->node[a],
                              fit->node_limit[a], NODE_DOUBT);
            if (extra > 0 && written++ < DXT_MOST_PATH_FINDINGS) write_link(judge, a, b, extra);
        }
    }
}

/* Returns false when the window does not follow the model at all. */
static bool write_paths(struct judge *judge, const dxt_path_list *list)
{
    const dxt_fit *fit = &judge->fit;
    size_t n = judge->window->ranks, written = 0;
    bool recorded = list->count > 0 && records_last(judge->window);
    const dxt_slow_path *paths = list->items;
    for (size_t p = 0; p < list->count; p++) {
        if (recorded && !path_persists(judge, &paths[p])) continue;
        uint32_t row = fit->rank[paths[p].i], column = fit->rank[paths[p].j];
        double value = (double)judge->window->wait[row * n + column];
        dxt_draft_point(judge->draft, row, column, value, dxt_normalise(value, mean_of_all(judge)));
        if (written++ >= DXT_MOST_PATH_FINDINGS) continue;
        dxt_finding *finding = dxt_draft_finding(judge->draft, DXT_SLOW_PATH);
        if (!finding) return true;
        finding->rank = row;
        finding->source = column;
        weigh(judge, finding, paths[p].excess, fit->limit[paths[p].i], paths[p].error);
    }
    return !list->misfit && !judge->fit.tangled;
}

/* Everybody waits for everybody, and nobody more than others. */
static void write_systemic(struct judge *judge)
{
    const dxt_fit *fit = &judge->fit;
    double wait = fit->base - fit->transfer;
    if (fit->count < 2 || !(wait >= SYSTEMIC_SHARE * fit->step)) return;
    dxt_finding *finding = dxt_draft_finding(judge->draft, DXT_SYSTEMIC_SKEW);
    if (finding) weigh(judge, finding, wait, SYSTEMIC_SHARE * fit->step, 0);
}

/* A program that never passes its counters on has waited for nobody, ever. */
static bool nothing_counted(struct judge *judge)
{
    return judge->fit.count > 0 && mean_of_all(judge) == 0;
}

/* What is small next to something large in the same window may be its trace as well. */
static void doubt_traces(dxt_draft *draft)
{
    double most = 0;
    for (size_t f = 0; f < draft->finding_count; f++) most = fmax(most, draft->findings[f].wait);
    for (size_t f = 0; f < draft->finding_count; f++) {
        dxt_finding *finding = &draft->findings[f];
        if (finding->wait < SMALL_NEXT_TO * most)
            finding->confidence = fmin(finding->confidence, 0.95);
    }
}

static void give_verdict(struct judge *judge, bool fits)
{
    dxt_draft *draft = judge->draft;
    draft->ordinary = judge->fit.base;
    draft->verdict = DXT_VERDICT_HEALTHY;
    bool thin = judge->window->ops > 0 && judge->window->ops < THIN_OPS;
    /* A stall that cost much is no health, and once is no cause. */
    bool stalled = judge->once > 0 && !(judge->once < MAJOR_SHARE * judge->fit.step);
    bool nothing = judge->fit.base <= 0 && nothing_counted(judge);
    if (!fits || judge->fit.count < 2 || thin || stalled || nothing)
        draft->verdict = DXT_VERDICT_INCONCLUSIVE;
    for (size_t f = 0; f < draft->finding_count; f++)
        if (draft->findings[f].kind != DXT_EARLY_RANK) draft->verdict = DXT_VERDICT_SLOW;
}

/* For whoever follows the ranks over time. */
static dxt_status write_lateness(const struct judge *judge)
{
    const dxt_fit *fit = &judge->fit;
    uint32_t n = judge->window->ranks;
    double *lateness = dxt_draft_lateness(judge->draft, n);
    if (!lateness) return DXT_ERR_NO_MEMORY;
    for (uint32_t r = 0; r < 3 * n; r++) lateness[r] = NAN;
    for (uint32_t k = 0; k < fit->count; k++) {
        lateness[fit->rank[k]] = all_lateness(fit, k);
        lateness[n + fit->rank[k]] = fit->error[k];
        lateness[2 * n + fit->rank[k]] = fit->node_late[fit->node[k]];
    }
    judge->draft->step = fit->step;
    judge->draft->transfer = fit->transfer;
    return DXT_OK;
}

static dxt_status judge_window(struct judge *judge, dxt_path_list *paths)
{
    dxt_status status = dxt_fit_paths(&judge->fit, paths);
    if (status != DXT_OK) return status;
    judge->mean = paths->mean;
    write_ranks(judge);
    write_nodes(judge);
    bool fits = write_paths(judge, paths);
    write_systemic(judge);
    doubt_traces(judge->draft);
    give_verdict(judge, fits);
    return write_lateness(judge);
}

static double known_spread(double spread)
{
    return spread > 0 ? spread : NAN;
}

dxt_status dxt_robust(const dxt_window *window, const dxt_analysis_options *options,
                      const int32_t *nodes, dxt_workspace *workspace)
{
    struct judge judge = {.window = window, .draft = &workspace->draft, .mean = NAN};
    double min_share = options->min_share > 0  ? options->min_share
                       : window->min_share > 0 ? window->min_share
                                               : 0.01;
    const dxt_window *companion = options->companion;
    dxt_status status = dxt_fit_window(&workspace->fit, window, nodes, min_share,
                                       known_spread(options->cell_spread), &judge.fit);
    if (status == DXT_OK && companion && companion->ranks == window->ranks &&
        dxt_window_measure(companion) == dxt_window_measure(window)) {
        judge.companion = options->companion;
        status = dxt_fit_window(&workspace->companion, judge.companion, nodes, min_share,
                                known_spread(options->companion_spread), &judge.other);
    }
    return status == DXT_OK ? judge_window(&judge, &workspace->paths) : status;
}
