/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/one_sided.h"

#include <math.h>

#include "analysis/arrive/noise.h"
#include "analysis/arrive/roster.h"
#include "analysis/arrive/shifts.h"
#include "analysis/arrive/within.h"
#include "analysis/tuning.h"
#include "numeric/select.h"
#include "numeric/spread.h"

/* List the members of a node that are on time; of a large node some of them. */
struct peers {
    uint32_t count;
    uint32_t member[DXT_PARTNERS_OF_MANY];
};

static void choose_peers(const dxt_fit *fit, const dxt_roster *roster, uint32_t node,
                         struct peers *peers)
{
    uint32_t begin = roster->begin[node], own = dxt_roster_size(roster, node);
    uint32_t most = own < DXT_PARTNERS_OF_MANY ? own : DXT_PARTNERS_OF_MANY;
    peers->count = 0;
    for (uint32_t t = 0; t < most; t++) {
        uint32_t i = roster->list[begin + (uint32_t)dxt_spread_index(t, most, own)];
        if (dxt_fit_is_ordinary(fit, i)) peers->member[peers->count++] = i;
    }
}

/* Mean wait of a member for its peers, or of its peers for it. */
static double mean_wait(const dxt_fit *fit, const struct peers *peers, uint32_t k, bool of_it)
{
    double sum = 0;
    uint32_t used = 0;
    for (uint32_t p = 0; p < peers->count; p++) {
        uint32_t i = peers->member[p];
        if (i == k) continue;
        sum += dxt_wait_within_on(fit, k, i, !of_it);
        used++;
    }
    return used > 0 ? sum / used : 0;
}

static void mean_waits(const dxt_fit *fit, const dxt_roster *roster, bool of_it, double *mean)
{
    struct peers peers;
    for (uint32_t node = 0; node < fit->nodes; node++) {
        choose_peers(fit, roster, node, &peers);
        for (uint32_t m = roster->begin[node]; m < roster->begin[node + 1]; m++)
            mean[roster->list[m]] = mean_wait(fit, &peers, roster->list[m], of_it);
    }
}

/* Standard deviation of the `value` of members on time from their node's median; and the same
 * without the member that differs most. */
static double spread(const dxt_fit *fit, const dxt_roster *roster, const double *value,
                     double *typical)
{
    double *own = fit->scratch->cells.wait, sum = 0, largest = 0;
    /* The members of several small nodes tell it together; in a few operations their limits are too
     * wide to tell who is on time. */
    bool together = fit->nodes > 1 && fit->ops >= DXT_ONE_EVENT_OPS;
    uint32_t used = 0, least = together ? DXT_SIDE_LEAST : DXT_SPREAD_MEMBERS;
    for (uint32_t node = 0; node < fit->nodes; node++) {
        uint32_t begin = roster->begin[node], count = dxt_roster_size(roster, node);
        if (count < least) continue;
        /* Of few members, two late ones would move the median of all. */
        uint32_t on_time = 0;
        for (uint32_t m = 0; m < count; m++) {
            uint32_t k = roster->list[begin + m];
            if (count >= DXT_SPREAD_MEMBERS || dxt_fit_is_ordinary(fit, k))
                own[on_time++] = value[k];
        }
        double middle = dxt_median(own, on_time);
        for (uint32_t m = 0; m < count; m++) {
            uint32_t k = roster->list[begin + m];
            double off = value[k] - middle;
            if (!dxt_fit_is_ordinary(fit, k)) continue;
            sum += off * off;
            largest = fmax(largest, off * off);
            used++;
        }
    }
    /* In a few operations most ranks may have been late equally often. */
    *typical = used > 1 ? sqrt(fmax(0, sum - largest) / (used - 1)) : 0;
    return used > 0 ? sqrt(sum / used) : 0;
}

/* Widen the limit: here lateness varies by chance. The members within the limit give a new limit,
 * which may take in more members, and so on until nobody is added. Among small nodes a late rank is
 * soon one of them: there those within the limit decide once. */
static void move_limits(dxt_fit *fit, const dxt_roster *roster, double lean)
{
    double before = 0, typical;
    uint32_t rounds = fit->count < DXT_SPREAD_MEMBERS * fit->nodes ? 1 : DXT_REFINE_ROUNDS;
    for (uint32_t round = 0; round < rounds; round++) {
        double error = lean * spread(fit, roster, fit->late, &typical);
        if (!(error > before)) return;
        before = error;
        double limit = dxt_group_significance(fit->count) * error;
        for (uint32_t k = 0; k < fit->count; k++) {
            fit->error[k] = fmax(fit->error[k], error);
            fit->limit[k] = fmax(fit->limit[k], limit);
        }
    }
}

/* Whether the waits for ranks on time may add up to a part of the step that is worth a line. */
static bool may_cost(const dxt_fit *fit, const double *column)
{
    double lost = 0;
    for (uint32_t k = 0; k < fit->count; k++)
        if (dxt_fit_is_ordinary(fit, k)) lost += fmax(0, column[k] - fit->transfer);
    return isnan(fit->step) || lost >= DXT_ROTATING_SHARE * fit->step;
}

void dxt_look_one_sided(dxt_fit *fit)
{
    dxt_roster roster;
    double *row = fit->seen, *column = fit->bar;
    fit->one_sided = 0;
    dxt_list_members(fit, &roster);
    double of_rows, of_columns;
    /* Columns first, which are read row by row; rows only if columns differ. */
    mean_waits(fit, &roster, false, column);
    double columns = spread(fit, &roster, column, &of_columns);
    if (!(columns > DXT_ONE_SIDED_LEAST * fit->base)) return;
    mean_waits(fit, &roster, true, row);
    double rows = spread(fit, &roster, row, &of_rows);
    if (!(of_columns > DXT_ONE_SIDED_TYPICAL * of_rows && columns > DXT_ONE_SIDED * rows)) return;
    fit->one_sided = columns / fmax(rows, DXT_TINY);
    double lean = DXT_RARE_LEAN;
    /* A few ranks, each late a few times, may differ further by chance than their spread says. */
    if (fit->one_sided > DXT_ROTATING && may_cost(fit, column))
        lean *= 1 + DXT_FEW_SPREAD / (fit->count - 1);
    move_limits(fit, &roster, lean);
}

/* The wait of member i for member j beyond the path, as if j were an ordinary member. */
static double own_wait(const dxt_fit *fit, uint32_t i, uint32_t j)
{
    if (i == j || fit->role[j] != DXT_ROLE_ORDINARY) return 0;
    if (fit->node[i] != fit->node[j] && !dxt_fit_stands_for_node(fit, j)) return 0;
    return fmax(0, dxt_fit_wait(fit, i, j) -
                       fmax(0, dxt_fit_node_path(fit, fit->node[i], fit->node[j])));
}

void dxt_bound_loss(const dxt_fit *fit, double *least, double *most)
{
    double largest[DXT_LOSS_ROWS], sum[DXT_LOSS_ROWS];
    uint32_t rows = fit->count < DXT_LOSS_ROWS ? fit->count : DXT_LOSS_ROWS, used = 0;
    for (uint32_t t = 0; t < rows; t++) {
        uint32_t i = (uint32_t)dxt_spread_index(t, rows, fit->count);
        if (fit->role[i] != DXT_ROLE_ORDINARY || !dxt_fit_stands_for_node(fit, i)) continue;
        largest[used] = sum[used] = 0;
        dxt_settle(fit, fit->node[i]);
        for (uint32_t j = 0; j < fit->count; j++) {
            double wait = own_wait(fit, i, j);
            largest[used] = fmax(largest[used], wait);
            sum[used] += wait;
        }
        used++;
    }
    *least = fmin(1, dxt_median(largest, used) / fit->step);
    *most = fmin(1, dxt_median(sum, used) / fit->step);
}

/* Whether columns differ that many times as far as rows, and that share may be lost. */
static bool may_lose(const dxt_fit *fit, double times, double share)
{
    double least, most;
    if (!(fit->one_sided > times) || isnan(fit->step)) return false;
    dxt_bound_loss(fit, &least, &most);
    return most >= share;
}

bool dxt_rotates(const dxt_fit *fit)
{
    return may_lose(fit, DXT_ROTATING, DXT_ROTATING_SHARE);
}

bool dxt_may_rotate(const dxt_fit *fit)
{
    double least, most;
    /* Without a clock the loss is unknown, and may be most of the step. */
    if (isnan(fit->step)) return fit->one_sided > 0;
    if (fit->count < DXT_SPREAD_MEMBERS) {
        dxt_bound_loss(fit, &least, &most);
        return most >= DXT_UNSURE_SHARE_OF_FEW;
    }
    return dxt_rotates(fit) || may_lose(fit, DXT_ONE_SIDED, DXT_UNSURE_SHARE);
}
