/* SPDX-License-Identifier: Apache-2.0 */
#include "history/take.h"

#include <math.h>
#include <string.h>

#include "analysis/arrive/noise.h"
#include "history/pair.h"
#include "numeric/normal.h"
#include "numeric/select.h"

/* The nodes that a lateness is measured in. If the window does not name them, the analysis may
 * still know them. */
struct nodes {
    const int32_t *of; /* node of each rank; NULL = by the size */
    uint32_t size;     /* 0 = nodes are unknown, or of no use */
};

static bool same_node(const struct nodes *nodes, uint32_t a, uint32_t b)
{
    if (nodes->size == 0) return true;
    return nodes->of ? nodes->of[a] == nodes->of[b] : a / nodes->size == b / nodes->size;
}

/* Whether rank r is the first of its node with a row. */
static bool is_first(const struct nodes *nodes, const dxt_findings *findings, uint32_t r)
{
    for (uint32_t before = r; before-- > 0;)
        if (same_node(nodes, before, r) && !isnan(findings->lateness[before])) return false;
    return true;
}

/* As the analysis has it, nodes are of no use where they are hardly fewer than the ranks. */
static struct nodes take_nodes(const dxt_window *window, const dxt_findings *findings)
{
    struct nodes nodes = {window->nodes, window->nodes ? 1 : findings->node_size};
    uint32_t ranks = 0, different = 0;
    if (nodes.size == 0) return nodes;
    for (uint32_t r = 0; r < window->ranks; r++) {
        if (isnan(findings->lateness[r])) continue;
        ranks++;
        different += is_first(&nodes, findings, r);
    }
    if (ranks < 2 * different) nodes.size = 0;
    return nodes;
}

/* The factor that undoes an understatement. As long as no rank stands out, lateness is measured
 * from the mean of all ranks of a node, which contains a part of each rank's own lateness. 1 if a
 * rank stands out. */
static double own_part_of_zero(const struct nodes *nodes, uint32_t ranks, const double *late,
                               uint32_t rank)
{
    double sum = 0, sizes = 0, count = 0;
    for (uint32_t r = 0; r < ranks; r++) {
        if (isnan(late[r]) || !same_node(nodes, rank, r)) continue;
        sum += late[r];
        sizes += fabs(late[r]);
        count++;
    }
    return count > 2 && fabs(sum) < DXT_NO_SUM * sizes ? count / (count - 1) : 1;
}

static bool first_of_node(const struct nodes *nodes, uint32_t rank)
{
    for (uint32_t r = 0; r < rank; r++)
        if (same_node(nodes, r, rank)) return false;
    return true;
}

/* Where the mean of all ranks of a node was taken for ordinary, one that is far too early moved it:
 * the others are alike, and later than that. These are the ordinary ones, and not late. */
static void center(const struct nodes *nodes, uint32_t n, double *late, double *room)
{
    for (uint32_t first = 0; first < n; first++) {
        size_t used = 0;
        if (!first_of_node(nodes, first)) continue;
        for (uint32_t r = first; r < n; r++)
            if (same_node(nodes, first, r) && !isnan(late[r])) room[used++] = late[r];
        double middle = dxt_median(room, used);
        if (used <= DXT_HISTORY_FEW || !(own_part_of_zero(nodes, n, late, first) > 1)) continue;
        for (size_t k = 0; k < used; k++) room[k] = fabs(room[k] - middle);
        if (!(middle > 2 * dxt_median(room, used))) continue;
        for (uint32_t r = first; r < n; r++)
            if (same_node(nodes, first, r)) late[r] -= middle;
    }
}

/* Take the lateness of each rank against its own node: in a late node no rank is late. @return The
 * largest factor by which a lateness was raised, so that it is against the other ranks. */
static double take_lateness(const dxt_findings *findings, const struct nodes *nodes, uint32_t n,
                            double *late, double *factor)
{
    const double *of_node = findings->lateness_of_node;
    double most = 1;
    for (uint32_t r = 0; r < n; r++) late[r] = findings->lateness[r] - (of_node ? of_node[r] : 0);
    if (n == 2) {
        /* Which of them is the reference changes with who is late, but their difference does not.
         */
        double later = late[0] - late[1];
        late[0] = later;
        late[1] = -later;
    }
    if (n == 2 || n > DXT_OWN_PART_RANKS) return most;
    center(nodes, n, late, factor);
    for (uint32_t r = 0; r < n; r++) factor[r] = own_part_of_zero(nodes, n, late, r);
    for (uint32_t r = 0; r < n; r++) {
        late[r] *= factor[r];
        most = fmax(most, factor[r]);
    }
    return most;
}

/* When each rank left the operator (its arrival plus its longest wait), against the median of its
 * node. */
static void take_leaving(dxt_track *track, const dxt_window *window, const dxt_findings *findings,
                         const struct nodes *nodes, double *leaving)
{
    uint32_t n = track->ranks;
    for (uint32_t r = 0; r < n; r++) {
        double longest = 0;
        dxt_window_row(window, r, leaving);
        leaving[r] = 0;
        for (uint32_t j = 0; j < n; j++) longest = leaving[j] > longest ? leaving[j] : longest;
        track->scratch[r] = findings->lateness[r] + longest;
    }
    memcpy(leaving, track->scratch, n * sizeof *leaving);
    for (uint32_t first = 0; first < n; first++) {
        size_t used = 0;
        if (!first_of_node(nodes, first)) continue;
        for (uint32_t r = first; r < n; r++)
            if (same_node(nodes, first, r) && !isnan(leaving[r]))
                track->scratch[used++] = leaving[r];
        double middle = dxt_median(track->scratch, used);
        for (uint32_t r = first; r < n; r++)
            if (same_node(nodes, first, r)) leaving[r] -= middle;
    }
}

/* The typical change since the window before. In the difference of two windows all that is the same
 * in both cancels out; the median over ranks leaves out those that have just changed. */
static double typical_change(dxt_track *track, const double *late, const double *before)
{
    size_t used = 0;
    for (uint32_t r = 0; r < track->ranks; r++)
        if (!isnan(late[r]) && !isnan(before[r]))
            track->scratch[used++] = fabs(late[r] - before[r]);
    return used ? dxt_median(track->scratch, used) / (DXT_HALF_WIDTH * sqrt(2)) : NAN;
}

/* Whether a rank's cells do not show how far waits vary: a late rank waits for nobody, and the
 * waits for it are its lateness. With two ranks all cells count, since otherwise none would be
 * left. */
static bool hides_waits(const dxt_track *track, const dxt_findings *findings, const double *late,
                        uint32_t rank)
{
    double limit = dxt_group_significance(track->ranks) * findings->lateness_error[rank];
    return track->ranks > 2 && !(late[rank] <= limit);
}

/* Take over the cells, and find how far those inside nodes typically changed: as a ratio, since
 * long waits vary more. */
static void take_cells(dxt_track *track, const dxt_window *window, const dxt_findings *findings,
                       const struct nodes *nodes, dxt_moment *moment)
{
    uint32_t n = track->ranks;
    size_t cells = (size_t)n * n, used = 0;
    if (n > DXT_CELLS_OF) return;
    double *now = track->cell + (track->windows % 2) * cells;
    const double *before = track->cell + (track->windows + 1) % 2 * cells;
    const double *late = track->late + dxt_track_slot(track, track->count) * (size_t)n;
    for (uint32_t i = 0; i < n; i++) {
        dxt_window_row(window, i, now + (size_t)i * n);
        for (uint32_t j = 0; j < n; j++) {
            double *cell = &now[(size_t)i * n + j];
            bool shows = i != j && same_node(nodes, i, j) &&
                         !hides_waits(track, findings, late, i) &&
                         !hides_waits(track, findings, late, j);
            *cell = shows ? log(*cell + DXT_CELL_FLOOR * moment->floor) : NAN;
            double change = fabs(*cell - before[(size_t)i * n + j]);
            if (track->count > 0 && isfinite(change)) track->scratch[used++] = change;
        }
    }
    moment->cell_changes = (uint32_t)used;
    if (used > 0)
        moment->cell_change = dxt_median(track->scratch, used) / (DXT_HALF_WIDTH * sqrt(2));
}

void dxt_track_take(dxt_track *track, const dxt_history *history, const dxt_window *window,
                    const dxt_findings *findings)
{
    double min_share = history->min_share;
    dxt_pair_remember(history, track);
    if (min_share <= 0) min_share = window->min_share > 0 ? window->min_share : DXT_MIN_SHARE;
    size_t slot = dxt_track_slot(track, track->count), n = track->ranks;
    double *late = track->late + slot * n;
    dxt_moment *moment = &track->moment[slot];
    const struct nodes nodes = take_nodes(window, findings);
    double factor = take_lateness(findings, &nodes, track->ranks, late, track->scratch);
    take_leaving(track, window, findings, &nodes, track->leaving + slot * n);
    *moment = (dxt_moment){
        .index = window->index,
        .change = NAN,
        .cell_change = NAN,
        .factor = factor,
        .ops = (double)window->ops,
        .step = findings->step,
        .transfer = findings->transfer,
        .both_ways = n == 2 ? dxt_window_value(window, 0, 1) + dxt_window_value(window, 1, 0) : NAN,
        .floor = isnan(findings->step) ? findings->ordinary : min_share * findings->step};
    if (window->ops == 0) moment->floor = fmax(moment->floor, findings->floor);
    moment->error = dxt_median_known(findings->lateness_error, track->ranks, track->scratch);
    dxt_pair_take(track, window, findings);
    take_cells(track, window, findings, &nodes, moment);
    if (track->count == 0) return;
    size_t before = dxt_track_slot(track, track->count - 1);
    moment->change = typical_change(track, late, track->late + before * n);
}
