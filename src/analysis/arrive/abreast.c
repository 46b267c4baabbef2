/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/abreast.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "analysis/arrive/ordinary.h"
#include "analysis/tuning.h"
#include "numeric/vectors.h"

#define MEMBERS DXT_ABREAST_MEMBERS
/* Pairs of members, each counted once. */
#define PAIRS (MEMBERS * (MEMBERS - 1) / 2)

/* One number of each panel. */
typedef double lanes[DXT_LANES];

/* The state of a fit of several panels. Of each pair only one direction is kept, row by row: the
 * column's number is larger than the row's, and the other direction has the opposite sign. Lanes
 * without a panel hold 0. */
struct abreast {
    uint32_t members, panels;
    lanes pair[PAIRS];
    lanes late[MEMBERS];
    int64_t ordinary[MEMBERS][DXT_LANES]; /* whether it is */
};

static void take(dxt_panel *const *panels, uint32_t count, struct abreast *s)
{
    uint32_t n = panels[0]->count;
    assert(count <= DXT_ABREAST && n <= MEMBERS);
    s->members = n;
    s->panels = count;
    for (uint32_t c = 0; c < DXT_LANES; c++) {
        const dxt_panel *p = panels[c < count ? c : 0];
        bool there = c < count;
        assert(p->count == n);
        for (uint32_t a = 0, k = 0; a < n; a++) {
            for (uint32_t b = a + 1; b < n; b++)
                s->pair[k++][c] = there ? dxt_panel_pair(p, a, b) : 0;
            s->late[a][c] = there ? p->late[a] : 0;
            s->ordinary[a][c] = false;
        }
        for (uint32_t k = 0; there && k < p->ordinary_count; k++)
            s->ordinary[p->ordinary[k]][c] = true;
    }
}

static void give(const struct abreast *s, dxt_panel *const *panels)
{
    for (uint32_t c = 0; c < s->panels; c++)
        for (uint32_t a = 0; a < s->members; a++) panels[c]->late[a] = s->late[a][c];
}

/* ---- to begin ---- */

/* Cells of a panel but for the diagonal. */
#define CELLS (2 * PAIRS)

/* Take the cells of each panel, on the diagonal or off it. @return How many a panel has. */
static uint32_t take_cells(dxt_panel *const *panels, uint32_t count, bool diagonal, lanes *cells)
{
    uint32_t n = panels[0]->count, used = 0;
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++) {
            if ((a == b) != diagonal) continue;
            for (uint32_t c = 0; c < DXT_LANES; c++)
                cells[used][c] = c < count ? dxt_panel_wait(panels[c], a, b) : 0;
            used++;
        }
    return used;
}

void dxt_panels_middle(dxt_panel *const *panels, uint32_t count)
{
    lanes cells[CELLS];
    double level[DXT_LANES], diagonal[DXT_LANES];
    /* Of two members the shorter wait counts, not the median. */
    if (count == 1 || panels[0]->count <= 2) return;
    dxt_medians(cells, take_cells(panels, count, false, cells), level);
    dxt_medians(cells, take_cells(panels, count, true, cells), diagonal);
    for (uint32_t c = 0; c < count; c++) {
        panels[c]->level = level[c];
        panels[c]->diagonal = diagonal[c];
    }
}

/* ---- to refine ---- */

/* How far each pair is from the difference of its two latenesses. */
DXT_VECTORS static void deviations(const struct abreast *restrict s, lanes *restrict off)
{
    const lanes *pair = s->pair;
    for (uint32_t a = 0; a < s->members; a++)
        for (uint32_t b = a + 1; b < s->members; b++, pair++, off++)
            for (uint32_t c = 0; c < DXT_LANES; c++)
                (*off)[c] = fabs((*pair)[c] - (s->late[b][c] - s->late[a][c]));
}

/* Take each lateness from the pairs and the others' lateness; pairs that are far off weigh less.
 * The sums are taken in the order of the members, as in a single panel. */
DXT_VECTORS static void weigh(const struct abreast *restrict s, const lanes *restrict off,
                              const double *restrict scale, lanes *restrict next)
{
    lanes sum[MEMBERS], weights[MEMBERS];
    const lanes *pair = s->pair;
    memset(sum, 0, sizeof sum);
    memset(weights, 0, sizeof weights);
    for (uint32_t a = 0; a < s->members; a++)
        for (uint32_t b = a + 1; b < s->members; b++, pair++, off++)
            for (uint32_t c = 0; c < DXT_LANES; c++) {
                double weight = 1 / ((*off)[c] > scale[c] ? (*off)[c] : scale[c]);
                sum[b][c] += weight * ((*pair)[c] + s->late[a][c]);
                sum[a][c] += weight * (-(*pair)[c] + s->late[b][c]);
                weights[b][c] += weight;
                weights[a][c] += weight;
            }
    for (uint32_t b = 0; b < s->members; b++)
        for (uint32_t c = 0; c < DXT_LANES; c++)
            next[b][c] = s->late[b][c] / 2 + sum[b][c] / weights[b][c] / 2;
}

/* Take the new latenesses of panels that still move. @return Whether any panel will move again. */
DXT_VECTORS static bool move(struct abreast *restrict s, const lanes *restrict next,
                             const double *restrict scale, int64_t *restrict moves)
{
    double change[DXT_LANES] = {0};
    int64_t any = 0;
    for (uint32_t b = 0; b < s->members; b++)
        for (uint32_t c = 0; c < DXT_LANES; c++) {
            double moved = fabs(next[b][c] - s->late[b][c]);
            change[c] = moved > change[c] ? moved : change[c];
            s->late[b][c] = moves[c] ? next[b][c] : s->late[b][c];
        }
    for (uint32_t c = 0; c < DXT_LANES; c++) {
        moves[c] = moves[c] & !(change[c] < scale[c] / DXT_REFINE_ENOUGH);
        any |= moves[c];
    }
    return any != 0;
}

static void refine(struct abreast *s)
{
    uint32_t pairs = s->members * (s->members - 1) / 2;
    lanes off[PAIRS], sorted[PAIRS], next[MEMBERS];
    double scale[DXT_LANES];
    int64_t moves[DXT_LANES];
    for (uint32_t c = 0; c < DXT_LANES; c++) moves[c] = c < s->panels;
    for (int round = 0; round < DXT_REFINE_ROUNDS; round++) {
        deviations(s, off);
        memcpy(sorted, off, pairs * sizeof *off);
        dxt_medians(sorted, pairs, scale);
        for (uint32_t c = 0; c < DXT_LANES; c++) scale[c] += DXT_TINY;
        weigh(s, off, scale, next);
        if (!move(s, next, scale, moves)) break;
    }
}

void dxt_panels_refine(dxt_panel *const *panels, uint32_t count)
{
    struct abreast s;
    if (count == 1) {
        dxt_panel_refine(panels[0]);
        return;
    }
    take(panels, count, &s);
    refine(&s);
    give(&s, panels);
}

/* ---- to judge ---- */

/* Measure each lateness from the mean of the ordinary members. */
DXT_VECTORS static void center(const struct abreast *restrict s, lanes *restrict late)
{
    double mean[DXT_LANES] = {0}, ordinary[DXT_LANES] = {0};
    for (uint32_t a = 0; a < s->members; a++)
        for (uint32_t c = 0; c < DXT_LANES; c++) ordinary[c] += (double)s->ordinary[a][c];
    for (uint32_t a = 0; a < s->members; a++)
        for (uint32_t c = 0; c < DXT_LANES; c++)
            mean[c] = s->ordinary[a][c] ? mean[c] + late[a][c] / ordinary[c] : mean[c];
    for (uint32_t a = 0; a < s->members; a++)
        for (uint32_t c = 0; c < DXT_LANES; c++) late[a][c] -= mean[c];
}

/* The index of a pair; the first member has the smaller number. */
static uint32_t place_of(uint32_t members, uint32_t a, uint32_t b)
{
    return a * (2 * members - a - 1) / 2 + b - a - 1;
}

/* The lateness of member b by its pair with member a: from ordinary members the difference alone,
 * or from all members with their own lateness added. */
DXT_VECTORS static void say(const struct abreast *restrict s, uint32_t a, uint32_t b, bool all,
                            double *restrict said)
{
    const double *pair = s->pair[a < b ? place_of(s->members, a, b) : place_of(s->members, b, a)];
    const double *late = s->late[a];
    const int64_t *ordinary = s->ordinary[a];
    double sign = a < b ? 1 : -1;
    for (uint32_t c = 0; c < DXT_LANES && all; c++) said[c] = sign * pair[c] + late[c];
    for (uint32_t c = 0; c < DXT_LANES && !all; c++)
        said[c] = ordinary[c] ? sign * pair[c] + 0 : INFINITY;
}

static void ask(const struct abreast *s, bool all, lanes *late)
{
    lanes said[MEMBERS];
    for (uint32_t b = 0; b < s->members; b++) {
        uint32_t used = 0;
        for (uint32_t a = 0; a < s->members; a++)
            if (a != b) say(s, a, b, all, said[used++]);
        dxt_cautious_medians(said, used, s->panels, late[b]);
        for (uint32_t c = s->panels; c < DXT_LANES; c++) late[b][c] = 0;
    }
    center(s, late);
}

/* How far the pairs are from what the latenesses explain. */
DXT_VECTORS static void misfit(const struct abreast *restrict s, const lanes *restrict late,
                               double *restrict sum)
{
    const lanes *pair = s->pair;
    for (uint32_t c = 0; c < DXT_LANES; c++) sum[c] = 0;
    for (uint32_t a = 0; a < s->members; a++)
        for (uint32_t b = a + 1; b < s->members; b++, pair++)
            for (uint32_t c = 0; c < DXT_LANES; c++)
                sum[c] += fabs((*pair)[c] - (late[b][c] - late[a][c]));
}

static void judge(struct abreast *s)
{
    lanes by_ordinary[MEMBERS], by_all[MEMBERS];
    double off_ordinary[DXT_LANES], off_all[DXT_LANES];
    center(s, s->late);
    ask(s, false, by_ordinary);
    ask(s, true, by_all);
    misfit(s, by_ordinary, off_ordinary);
    misfit(s, by_all, off_all);
    for (uint32_t b = 0; b < s->members; b++)
        for (uint32_t c = 0; c < DXT_LANES; c++)
            s->late[b][c] = off_all[c] < off_ordinary[c] ? by_all[b][c] : by_ordinary[b][c];
}

void dxt_panels_judge(dxt_panel *const *panels, uint32_t count)
{
    struct abreast s;
    if (count == 1) {
        dxt_panel_judge(panels[0]);
        return;
    }
    take(panels, count, &s);
    judge(&s);
    give(&s, panels);
}
