/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <math.h>
#include <string.h>

/* ---- what a method named ---- */

static uint8_t bits_of(dxt_direction direction)
{
    switch (direction) {
    case DXT_DIRECTION_IN: return SIM_IN;
    case DXT_DIRECTION_OUT: return SIM_OUT;
    case DXT_DIRECTION_BOTH: return SIM_BOTH;
    default: return 0;
    }
}

/* Points of a link that was found by its paths: they are the link's, and not named one by one. */
static void drop_points_of(sim_pairs *points, uint32_t rank, uint8_t direction)
{
    size_t kept = 0;
    for (size_t k = 0; k < points->count; k++) {
        const uint32_t *point = points->items[k];
        bool of_link =
            (direction & SIM_IN && point[0] == rank) || (direction & SIM_OUT && point[1] == rank);
        if (!of_link) memmove(points->items[kept++], point, sizeof points->items[0]);
    }
    points->count = kept;
}

static void add_link(const dxt_finding *finding, sim_truth *found)
{
    uint8_t direction = bits_of(finding->direction);
    if (finding->rank >= SIM_MAX_RANKS) return;
    found->links[finding->rank] |= direction;
    if (direction & SIM_IN) found->rows[finding->rank] = 1;
    if (direction & SIM_OUT) found->cols[finding->rank] = 1;
    if (finding->paths) drop_points_of(&found->points, finding->rank, direction);
}

static void add_finding(const dxt_finding *finding, naming *said)
{
    sim_truth *found = &said->found;
    bool node = finding->node >= 0 && finding->node < (int32_t)SIM_MAX_RANKS;
    switch (finding->kind) {
    case DXT_LATE_RANK:
        if (finding->or_early) said->either[finding->rank] = true;
        break;
    case DXT_LATE_NODE:
        if (node) found->nodes[finding->node] = 1;
        break;
    case DXT_SLOW_NODE_LINK:
        if (node) found->node_links[finding->node] |= bits_of(finding->direction);
        break;
    case DXT_SLOW_NODE_PATH:
        said->fits = sim_pairs_add(&found->node_points, (uint32_t)finding->node,
                                   (uint32_t)finding->source_node) &&
                     said->fits;
        break;
    case DXT_SLOW_LINK: add_link(finding, found); break;
    case DXT_PATH_STALLS: found->stalls = true; break;
    case DXT_SYSTEMIC_SKEW: said->skew = true; break;
    default: break; /* in the lists */
    }
}

void names_of(const dxt_findings *findings, naming *said)
{
    sim_truth *found = &said->found;
    memset(said, 0, sizeof *said);
    said->fits = true;
    said->open = findings->verdict == DXT_VERDICT_INCONCLUSIVE;
    said->apart = said->open && findings->apart_share > 0;
    for (size_t k = 0; k < findings->col_count; k++) found->cols[findings->cols[k].rank] = 1;
    for (size_t k = 0; k < findings->row_count; k++) found->rows[findings->rows[k].rank] = 1;
    for (size_t k = 0; k < findings->point_count; k++)
        said->fits =
            sim_pairs_add(&found->points, findings->points[k].row, findings->points[k].column) &&
            said->fits;
    for (size_t k = 0; k < findings->finding_count; k++) add_finding(&findings->findings[k], said);
}

void names_fold_nodes(const dxt_window *window, const sim_truth *truth, naming *said)
{
    sim_truth *found = &said->found;
    for (int32_t node = 0; window->nodes && node < (int32_t)SIM_MAX_RANKS; node++) {
        bool all = truth->nodes[node];
        for (uint32_t i = 0; all && i < window->ranks; i++)
            if (window->nodes[i] == node) all = found->cols[i];
        if (!all) continue;
        found->nodes[node] = 1;
        for (uint32_t i = 0; i < window->ranks; i++)
            if (window->nodes[i] == node) found->cols[i] = 0;
    }
}

/* ---- the same in other words ---- */

static bool is_observed(const dxt_window *window, uint32_t i, uint32_t j)
{
    return window->wait[(size_t)i * window->ranks + j] != DXT_NOT_OBSERVED;
}

bool names_sparse(const dxt_window *window)
{
    for (uint32_t j = 0; j < window->ranks; j++)
        for (uint32_t i = 0; i < 2; i++)
            if (!is_observed(window, i, j)) return true;
    return false;
}

static bool has_pair(const sim_pairs *pairs, uint32_t row, uint32_t column)
{
    for (size_t k = 0; k < pairs->count; k++)
        if (pairs->items[k][0] == row && pairs->items[k][1] == column) return true;
    return false;
}

/* Whether links to other nodes, or paths, of @p truth slow cell (i, j). */
static bool slows(const dxt_window *window, const sim_truth *truth, uint32_t i, uint32_t j)
{
    bool outside = window->nodes && window->nodes[i] != window->nodes[j];
    bool link = outside && (truth->links[i] & SIM_IN || truth->links[j] & SIM_OUT);
    return is_observed(window, i, j) && (link || has_pair(&truth->points, i, j));
}

static bool slow_the_same(const dxt_window *window, const sim_truth *a, const sim_truth *b)
{
    for (uint32_t i = 0; i < window->ranks; i++)
        for (uint32_t j = 0; j < window->ranks; j++)
            if (slows(window, a, i, j) != slows(window, b, i, j)) return false;
    return true;
}

/* Whether all rows and columns named are those of links. */
static bool links_alone(const sim_truth *truth)
{
    for (uint32_t i = 0; i < SIM_MAX_RANKS; i++)
        if ((truth->rows[i] && !(truth->links[i] & SIM_IN)) ||
            (truth->cols[i] && !(truth->links[i] & SIM_OUT)))
            return false;
    return true;
}

static bool any_link(const sim_truth *truth)
{
    for (uint32_t i = 0; i < SIM_MAX_RANKS; i++)
        if (truth->links[i]) return true;
    return false;
}

void names_reword(const dxt_window *window, const sim_truth *truth, naming *said)
{
    sim_truth *found = &said->found;
    for (uint32_t r = 0; r < 2; r++) {
        if (!said->either[r] || truth->cols[r] || !truth->rows[1 - r]) continue;
        found->cols[r] = 0;
        found->rows[1 - r] = 1;
    }
    if (said->apart && truth->node_points.count == 2 && found->node_points.count == 0)
        found->node_points = truth->node_points;
    if (!any_link(truth) || !names_sparse(window)) return;
    if (!links_alone(found) || !slow_the_same(window, truth, found)) return;
    memcpy(found->links, truth->links, sizeof found->links);
    memcpy(found->rows, truth->rows, sizeof found->rows);
    memcpy(found->cols, truth->cols, sizeof found->cols);
    found->points = truth->points;
}

/* ---- one finding ---- */

/* Whether a path is slow; where few cells are observed, also if its link is what is slow. */
static bool true_path(const dxt_window *window, const sim_truth *truth, uint32_t i, uint32_t j)
{
    return has_pair(&truth->points, i, j) || (names_sparse(window) && slows(window, truth, i, j));
}

/* Whether all paths of a finding are slow. */
static bool true_paths(const dxt_window *window, const sim_truth *truth, const dxt_finding *finding)
{
    if (!finding->paths) return true_path(window, truth, finding->rank, finding->source);
    for (uint32_t k = 0; k < finding->path_count; k++)
        if (!true_path(window, truth, finding->paths[2 * k], finding->paths[2 * k + 1]))
            return false;
    return true;
}

/* Whether a link is slow, in the directions named; where few cells are observed, whether what it
 * slows is slow. */
static bool true_link(const dxt_window *window, const sim_truth *truth, const dxt_finding *finding)
{
    static sim_truth said;
    uint32_t r = finding->rank;
    uint8_t named = bits_of(finding->direction);
    uint8_t slow = (uint8_t)((truth->rows[r] ? SIM_IN : 0) | (truth->cols[r] ? SIM_OUT : 0));
    if (!(named & ~slow)) return true;
    if (!names_sparse(window) || !any_link(truth)) return false;
    memset(said.links, 0, sizeof said.links);
    said.links[r] = named;
    for (uint32_t i = 0; i < window->ranks; i++)
        for (uint32_t j = 0; j < window->ranks; j++)
            if (slows(window, &said, i, j) && !slows(window, truth, i, j)) return false;
    return true;
}

bool names_true(const dxt_window *window, const sim_truth *truth, const dxt_finding *finding)
{
    switch (finding->kind) {
    case DXT_LATE_RANK:
        return truth->cols[finding->rank] || (finding->or_early && truth->rows[1 - finding->rank]);
    case DXT_EARLY_RANK:
    case DXT_SLOW_RECEIVER: return truth->rows[finding->rank];
    case DXT_HOT_EXPERT: return truth->cols[finding->rank] || truth->rows[finding->rank];
    case DXT_SLOW_PATH: return true_paths(window, truth, finding);
    case DXT_SLOW_LINK: return true_link(window, truth, finding);
    case DXT_LATE_NODE: return truth->nodes[finding->node];
    case DXT_SLOW_NODE_LINK:
        return !(bits_of(finding->direction) & ~truth->node_links[finding->node]);
    case DXT_SLOW_NODE_PATH:
        return has_pair(&truth->node_points, (uint32_t)finding->node,
                        (uint32_t)finding->source_node);
    case DXT_PATH_STALLS: return truth->stalls;
    default: return false;
    }
}

double names_lost(const dxt_window *window, const sim_truth *truth)
{
    if (window->elapsed_ns <= 0) return NAN;
    return truth->skew_ns * (double)window->ops / (double)window->elapsed_ns;
}
