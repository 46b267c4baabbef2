/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/explain/stand_out.h"

#include <math.h>

#include "numeric/columns.h"
#include "numeric/screen.h"
#include "numeric/vectors.h"

/* ---- from one node ---- */

/* The lateness of all members as a node sees it: their own, plus the path and their links to it. */
DXT_VECTORS static void see(const dxt_fit *fit, uint32_t node, const double *restrict path,
                            double *restrict seen)
{
    const uint32_t *nodes = fit->node;
    const double *late = fit->late, *out = fit->nic_out;
    for (uint32_t j = 0; j < fit->count; j++)
        seen[j] = late[j] + path[nodes[j]] + (nodes[j] == node ? 0 : out[j]);
}

/* Lower bounds of the paths cost little, and mostly they are enough. */
static void take_view(dxt_view *v, uint32_t node, bool exact)
{
    const dxt_fit *fit = v->fit;
    double *path = fit->values;
    v->exact = exact || fit->settled[node];
    if (exact) dxt_settle(fit, node);
    if (v->exact)
        dxt_paths_of_node(fit, node, path);
    else
        dxt_path_floors(fit, &v->floors, node, path);
    see(fit, node, path, v->late);
    /* Move values from members to ranks, backwards: a rank's number is no less than its member's.
     */
    for (uint32_t j = fit->count; j-- > 0 && fit->rank[j] != j;) v->late[fit->rank[j]] = v->late[j];
    v->node = node;
}

/* ---- from below ---- */

/* Whether members are ranks, and those of a node follow each other. */
static bool are_in_runs(const dxt_fit *fit)
{
    uint32_t runs = 1;
    if (fit->count < fit->window->ranks) return false;
    for (uint32_t k = 1; k < fit->count; k++) runs += fit->node[k] != fit->node[k - 1];
    return runs == fit->nodes;
}

/* Find the ranks near member i, and a lower bound of the path to all others. */
static void take_nearest(dxt_view *v, uint32_t i)
{
    const dxt_fit *fit = v->fit;
    uint32_t node = fit->node[i];
    if (v->near == node) return;
    v->near = node;
    for (v->first = i; v->first > 0 && fit->node[v->first - 1] == node;) v->first--;
    for (v->end = i + 1; v->end < fit->count && fit->node[v->end] == node;) v->end++;
    v->path = dxt_least_path(fit, &v->floors, node);
}

/* The counters of a member, or the largest of several members. */
struct counters {
    const int64_t *row;
    const float *peak;   /* NULL = of one member */
    const float *coarse; /* the largest peak of each class of columns */
    double factor, shift;
};

/* Whether no counter for the members from `first` to before `end` exceeds what a path explains. */
static bool part_is_below(const dxt_view *v, const struct counters *c, uint32_t first, uint32_t end,
                          double path)
{
    const double *late = v->fit->late + first, *bar = v->bar + first;
    uint32_t n = end - first;
    if (n == 0) return true;
    if (c->peak)
        return dxt_screen_peaks(c->peak + first, c->factor, c->shift, path, late, bar, n) == 0;
    return dxt_screen_path(c->row + first, c->factor, c->shift, path, late, bar, n) == 0;
}

/* Find the first chunk of columns in which a peak may exceed what a path explains, as the classes
 * of its columns show: of each the largest peak, and the least that is explained. */
static uint32_t next_chunk(const dxt_view *v, const struct counters *c, uint32_t chunk,
                           uint32_t end, double path)
{
    uint32_t first = chunk * DXT_CHUNK_CLASSES;
    if (chunk >= end) return end;
    return chunk + dxt_screen_chunks(c->coarse + first, c->factor, c->shift, path,
                                     v->class_late + first, v->class_bar + first, end - chunk);
}

/* Whether no counter for the members from `first` to before `end` exceeds what the nearest ranks
 * explain. */
static bool range_is_below(const dxt_view *v, const struct counters *c, uint32_t first,
                           uint32_t end)
{
    uint32_t near = v->first < first ? first : v->first < end ? v->first : end;
    uint32_t behind = v->end < first ? first : v->end < end ? v->end : end;
    return part_is_below(v, c, near, behind, v->fit->transfer) &&
           part_is_below(v, c, first, near, v->path) && part_is_below(v, c, behind, end, v->path);
}

/* range_is_below() for chunks of columns, none of which has ranks of the own node if the path is
 * that to others. */
static bool chunks_are_below(const dxt_view *v, const struct counters *c, uint32_t chunk,
                             uint32_t end, double path)
{
    for (; (chunk = next_chunk(v, c, chunk, end, path)) < end; chunk++)
        if (!range_is_below(v, c, chunk * DXT_CHUNK, (chunk + 1) * DXT_CHUNK)) return false;
    return true;
}

/* Whether no counter of member i, or of several with it, exceeds what the nearest ranks explain.
 * Links to other nodes would only add to that. */
static bool is_below(dxt_view *v, uint32_t i, const struct counters *c)
{
    uint32_t n = v->fit->count, chunks = c->coarse ? n / DXT_CHUNK : 0;
    take_nearest(v, i);
    uint32_t near = v->first / DXT_CHUNK, behind = (v->end - 1) / DXT_CHUNK + 1;
    near = near < chunks ? near : chunks;
    behind = behind < chunks ? behind : chunks;
    return chunks_are_below(v, c, near, behind, fmin(v->path, v->fit->transfer)) &&
           chunks_are_below(v, c, 0, near, v->path) &&
           chunks_are_below(v, c, behind, chunks, v->path) &&
           range_is_below(v, c, chunks * DXT_CHUNK, n);
}

/* ---- rows ---- */

void dxt_view_begin(dxt_view *view, const dxt_fit *fit, const dxt_glance *glance, const double *bar,
                    double *late)
{
    *view = (dxt_view){.fit = fit, .glance = glance, .bar = bar, .late = late};
    view->node = view->near = UINT32_MAX;
    view->in_runs = !fit->window->samples && are_in_runs(fit);
    if (fit->nodes > 1) dxt_floors_make(&view->floors, fit->skew);
    for (uint32_t r = 0; r < fit->window->ranks; r++) late[r] = 0;
    if (!glance->peak || !view->in_runs) return;
    dxt_screen_least_of_classes(fit->late, fit->count / DXT_CHUNK, view->class_late);
    dxt_screen_least_of_classes(bar, fit->count / DXT_CHUNK, view->class_bar);
}

/* Whether any cell of a row exceeds the wait that the view expects. */
static bool row_is_above(const dxt_view *v, uint32_t i)
{
    const dxt_fit *fit = v->fit;
    const dxt_window *window = fit->window;
    size_t first = (size_t)fit->rank[i] * window->ranks;
    return dxt_screen_row(window->wait + first, window->samples ? window->samples + first : NULL,
                          fit->factor[i], -fit->late[i], v->late, v->bar, window->ranks) > 0;
}

bool dxt_row_stands_out(dxt_view *v, uint32_t i)
{
    const dxt_fit *fit = v->fit;
    uint32_t node = fit->node[i];
    if (v->node != node) {
        const struct counters own = {.row = fit->window->wait +
                                            (size_t)fit->rank[i] * fit->window->ranks,
                                     .factor = fit->factor[i],
                                     .shift = -fit->late[i]};
        if (v->in_runs && is_below(v, i, &own)) return false;
        take_view(v, node, false);
    }
    if (!row_is_above(v, i)) return false;
    if (v->exact) return true;
    take_view(v, node, true);
    return row_is_above(v, i);
}

/* Cells that are compared together, which is many times as fast. */
#define BLOCK (2u * DXT_LANES)

/* Whether none of the cells for BLOCK members from j on exceeds it. */
static bool block_is_below(const dxt_view *v, uint32_t i, uint32_t j)
{
    const dxt_fit *fit = v->fit;
    uint32_t rank = fit->rank[j];
    if (j % BLOCK != 0 || j + BLOCK > fit->count || fit->rank[j + BLOCK - 1] - rank >= BLOCK)
        return false;
    const dxt_window *window = fit->window;
    size_t cell = (size_t)fit->rank[i] * window->ranks + rank;
    return dxt_screen_row(window->wait + cell, window->samples ? window->samples + cell : NULL,
                          fit->factor[i], -fit->late[i], v->late + rank, v->bar + rank, BLOCK) == 0;
}

uint32_t dxt_next_above(const dxt_view *v, uint32_t i, uint32_t j)
{
    const dxt_fit *fit = v->fit;
    const dxt_window *window = fit->window;
    while (j < fit->count) {
        if (block_is_below(v, i, j)) {
            j += BLOCK;
            continue;
        }
        uint32_t rank = fit->rank[j];
        size_t cell = (size_t)fit->rank[i] * window->ranks + rank;
        double bound = dxt_screen_bound(-fit->late[i] + v->late[rank], v->bar[rank]);
        if (window->samples) bound *= (double)window->samples[cell];
        if ((double)window->wait[cell] * fit->factor[i] > bound) break;
        j++;
    }
    return j;
}

/* Whether that many rows from member i on can be judged together: neighbours of one node. */
static bool are_together(const dxt_fit *fit, uint32_t i)
{
    uint32_t last = i + DXT_SCREEN_ROWS - 1;
    if (i % DXT_SCREEN_ROWS != 0 || fit->window->samples || last >= fit->count) return false;
    if (fit->rank[last] - fit->rank[i] != last - i) return false;
    for (uint32_t k = i + 1; k <= last; k++)
        if (fit->node[k] != fit->node[i]) return false;
    return true;
}

/* Whether the largest counters of these rows are below the wait of the earliest of them. */
static bool peaks_are_below(dxt_view *v, uint32_t i)
{
    const dxt_fit *fit = v->fit;
    size_t row = i / DXT_SCREEN_ROWS, ranks = fit->window->ranks;
    struct counters largest = {.peak = v->glance->peak + row * ranks,
                               .coarse = v->glance->coarse +
                                         row * dxt_glance_classes(fit->window->ranks)};
    double late = -INFINITY;
    for (uint32_t k = i; k < i + DXT_SCREEN_ROWS; k++) {
        largest.factor = fmax(largest.factor, fit->factor[k]);
        late = fmax(late, fit->late[k]);
    }
    largest.shift = -late;
    return is_below(v, i, &largest);
}

uint32_t dxt_rows_pass(dxt_view *v, uint32_t i)
{
    const dxt_fit *fit = v->fit;
    size_t n = fit->window->ranks;
    double shift[DXT_SCREEN_ROWS];
    if (!are_together(fit, i)) return 0;
    if (v->glance->peak && v->in_runs && peaks_are_below(v, i)) return DXT_SCREEN_ROWS;
    if (v->node != fit->node[i]) take_view(v, fit->node[i], false);
    for (uint32_t k = 0; k < DXT_SCREEN_ROWS; k++) shift[k] = -fit->late[i + k];
    uint32_t above = dxt_screen_rows(fit->window->wait + fit->rank[i] * n, n, &fit->factor[i],
                                     shift, v->late, v->bar, fit->window->ranks);
    return above > 0 ? 0 : DXT_SCREEN_ROWS;
}
