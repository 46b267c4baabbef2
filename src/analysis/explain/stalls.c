/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/stalls.h"

#include <math.h>
#include <string.h>

#include "analysis/arrive/one_sided.h"
#include "analysis/arrive/roster.h"
#include "analysis/tuning.h"
#include "numeric/select.h"
#include "numeric/spread.h"

/* Sums over the cells, some of them per member, in the scratch of the fit. */
struct sums {
    double *row;                   /* how much longer it waits than its node for the same ranks */
    double *awaited;               /* how long the others wait for it here … */
    double *later;                 /* … and in the other operator */
    double *off;                   /* the excess of the stalled cells of its row */
    double waits;                  /* of all cells */
    double excess, squares, cubes; /* of all excesses, and their powers */
    double deviation;              /* of a cell from its row and column; 0 until it is known */
    dxt_stalls stalls;             /* the cells that exceed it */
    bool faint;                    /* the evidence for stalls is weak, so they must cost much */
};

/* The typical wait of a node's members for member j; of a large node, of some of them. */
static double typical_column(const dxt_fit *fit, const dxt_roster *roster, uint32_t node,
                             uint32_t j)
{
    double waits[DXT_PARTNERS];
    uint32_t begin = roster->begin[node], own = dxt_roster_size(roster, node), used = 0;
    uint32_t most = own < DXT_PARTNERS ? own : DXT_PARTNERS;
    for (uint32_t t = 0; t < most; t++) {
        uint32_t i = roster->list[begin + (uint32_t)dxt_spread_index(t, most, own)];
        if (i != j) waits[used++] = dxt_fit_wait(fit, i, j);
    }
    return dxt_median(waits, used);
}

static void add_cell(struct sums *sums, uint32_t i, uint32_t j, double wait, double excess)
{
    if (sums->deviation <= 0) {
        sums->row[i] += excess;
        sums->awaited[j] += wait;
        sums->waits += wait;
        sums->excess += excess;
        sums->squares += excess * excess;
        sums->cubes += excess * excess * excess;
    } else if (excess > sums->deviation) {
        sums->off[i] += excess;
        sums->stalls.largest = fmax(sums->stalls.largest, excess);
        sums->stalls.paths++;
    }
}

static void add_cells(const dxt_fit *fit, const dxt_roster *roster, struct sums *sums)
{
    for (uint32_t j = 0; j < fit->count; j++)
        for (uint32_t a = 0; a < fit->nodes; a++) {
            double typical = typical_column(fit, roster, a, j);
            for (uint32_t m = roster->begin[a]; m < roster->begin[a + 1]; m++) {
                uint32_t i = roster->list[m];
                double wait = i == j ? 0 : dxt_fit_wait(fit, i, j);
                if (i != j) add_cell(sums, i, j, wait, wait - typical);
            }
        }
}

static bool is_on_time(const dxt_fit *fit, uint32_t k)
{
    return fit->role[k] == DXT_ROLE_ORDINARY && dxt_fit_stands_for_node(fit, k);
}

/* Subtract the mean of its node from each member that is on time; the others become 0. @return Sum
 * of the squares. */
static double centre(const dxt_fit *fit, const dxt_roster *roster, const bool *on_time,
                     double *value)
{
    double squares = 0;
    for (uint32_t a = 0; a < fit->nodes; a++) {
        double sum = 0;
        uint32_t used = 0;
        for (uint32_t m = roster->begin[a]; m < roster->begin[a + 1]; m++) {
            uint32_t k = roster->list[m];
            sum += on_time[k] ? value[k] : 0;
            used += on_time[k];
        }
        for (uint32_t m = roster->begin[a]; m < roster->begin[a + 1]; m++) {
            uint32_t k = roster->list[m];
            value[k] = on_time[k] ? value[k] - sum / used : 0;
            squares += value[k] * value[k];
        }
    }
    return squares;
}

/* Take the part of a out that is proportional to b, which is centred. @return Sum of squares left.
 */
static double take_out(const dxt_fit *fit, const double *b, double squares, double *a)
{
    double both = 0, left = 0;
    for (uint32_t k = 0; k < fit->count; k++) both += a[k] * b[k];
    for (uint32_t k = 0; k < fit->count; k++) {
        if (squares > 0) a[k] -= both / squares * b[k];
        left += a[k] * a[k];
    }
    return left;
}

/* Whether cells are skewed to the long side: a few stalled often, most seldom. Lateness in turns is
 * skewed to the other side, since a rank that is late itself does not wait for others. */
static bool lean_long(const struct sums *sums, double cells)
{
    double mean = sums->excess / cells, squares = sums->squares / cells;
    double variance = squares - mean * mean;
    double cubes = sums->cubes / cells - mean * (squares + 2 * variance);
    return cubes * sqrt(cells) > DXT_STALLS_LEAN * variance * sqrt(fmax(0, variance));
}

/* Whether single cells differ by more than arrivals explain, since all ranks wait alike for a late
 * one. The evidence is weak (`faint`) if they differ by less but are skewed. */
static bool are_lumps(const dxt_fit *fit, struct sums *sums)
{
    double cells = (double)fit->count * (fit->count - 1), ops = fit->ops;
    double times = sums->deviation * sqrt(ops) * cells / fmax(sums->waits, DXT_TINY);
    sums->faint = sums->faint || !(times > DXT_STALLS_LUMPS);
    return times > DXT_STALLS_LUMPS || (times > DXT_STALLS_FEW_LUMPS && lean_long(sums, cells));
}

/* Whether long rows here go with lateness in the other operator, and the rows are no longer than
 * cells with nothing in common make them. */
static bool go_along(const dxt_fit *fit, const dxt_roster *roster, const bool *on_time, bool shown,
                     struct sums *sums)
{
    double n = fit->count, ranks = 0, of_rows = 0;
    for (uint32_t k = 0; k < fit->count; k++) {
        ranks += on_time[k];
        of_rows += sums->row[k] * sums->row[k];
    }
    if (ranks <= 2 * 2) return false;
    double of_cell = (sums->squares - of_rows / (n - 1)) / (n * (n - 1));
    double here = centre(fit, roster, on_time, sums->awaited);
    double row = centre(fit, roster, on_time, sums->row);
    double late = centre(fit, roster, on_time, sums->later), both = 0;
    row = take_out(fit, sums->awaited, here, sums->row);
    late = take_out(fit, sums->awaited, here, sums->later);
    for (uint32_t k = 0; k < fit->count; k++) both += sums->row[k] * sums->later[k];
    sums->deviation = sqrt(fmax(0, of_cell));
    if (!(row > 0 && late > 0 && of_cell > 0)) return false;
    if (row / ranks > DXT_STALLS_ROWS * (n - 1) * of_cell) return false;
    double surest = DXT_SUREST, along = fmin(both / sqrt(row * late), surest);
    double errors = atanh(along) * sqrt(ranks - 2 * 2);
    if (shown && errors >= DXT_STALLS_ERRORS) return true;
    sums->faint = !shown;
    return errors >= (shown ? DXT_STALLS_HINT : DXT_STALLS_UNSHOWN) && are_lumps(fit, sums);
}

static bool same_members(const dxt_fit *fit, const dxt_fit *other)
{
    return fit->count == other->count &&
           memcmp(fit->rank, other->rank, fit->count * sizeof *fit->rank) == 0;
}

/* Whether much time may be lost although no two ranks wait long for each other. */
static bool may_show(const dxt_fit *fit)
{
    double least, most;
    if (fit->count > DXT_STALLS_RANKS) return false;
    if (!(fit->step > 0) || fit->ops < DXT_ONE_EVENT_OPS) return false;
    dxt_bound_loss(fit, &least, &most);
    return most >= DXT_LOSS_SHARE;
}

/* Whether the stalls are no larger than differences between healthy pairs, or cost little. */
static bool is_little(const dxt_fit *fit, const struct sums *sums)
{
    return sums->stalls.row < DXT_MIN_SHARE * fit->step ||
           sums->deviation < DXT_TRANSFER_UNEVENNESS_OF_MANY * fit->transfer;
}

bool dxt_paths_stall(const dxt_fit *fit, const dxt_fit *other, dxt_stalls *stalls)
{
    double beyond = other->base - other->transfer;
    bool on_time[DXT_MAX_RANKS];
    struct sums sums = {.row = fit->values, .awaited = fit->bar, .later = fit->seen};
    dxt_roster roster;
    if (!same_members(fit, other)) return false;
    bool shown = beyond >= DXT_LOSS_SHARE / 2 * other->step ||
                 (other->count <= DXT_ROTATING_RANKS && dxt_rotates(other));
    if (!shown && !may_show(other)) return false;
    dxt_list_members(other, &roster);
    for (uint32_t k = 0; k < fit->count; k++) {
        on_time[k] = is_on_time(fit, k) && is_on_time(other, k);
        sums.later[k] = typical_column(other, &roster, other->node[k], k);
        sums.row[k] = sums.awaited[k] = 0;
    }
    dxt_list_members(fit, &roster);
    add_cells(fit, &roster, &sums);
    if (!go_along(fit, &roster, on_time, shown, &sums)) return false;
    sums.stalls.deviation = sums.deviation;
    sums.off = sums.row;
    for (uint32_t k = 0; k < fit->count; k++) sums.off[k] = 0;
    add_cells(fit, &roster, &sums);
    sums.stalls.row = dxt_median(sums.off, fit->count);
    if (sums.faint && is_little(fit, &sums)) return false;
    *stalls = sums.stalls;
    return true;
}
