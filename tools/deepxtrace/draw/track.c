/* SPDX-License-Identifier: Apache-2.0 */
#include "track.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local_time.h"

static const char *host_of(const dxt_window *window, uint32_t rank)
{
    if (window->hosts) return window->hosts[rank];
    return window->devices && window->devices[rank].host[0] ? window->devices[rank].host : NULL;
}

static bool copy_hosts(track *made, const dxt_window *window)
{
    if (!host_of(window, 0)) return true;
    made->hosts = calloc(window->ranks, sizeof *made->hosts);
    for (uint32_t rank = 0; made->hosts && rank < window->ranks; rank++) {
        const char *host = host_of(window, rank);
        made->hosts[rank] = strdup(host ? host : "");
        if (!made->hosts[rank]) return false;
    }
    return made->hosts != NULL;
}

/* @return NULL if there is no memory. */
static track *track_create(const dxt_window *window)
{
    track *made = calloc(1, sizeof *made);
    if (!made) return NULL;
    made->ranks = window->ranks;
    made->each = 1;
    made->phase = strdup(window->phase);
    made->values = malloc((size_t)TRACK_COLUMNS * window->ranks * sizeof *made->values);
    made->sums = calloc(window->ranks, sizeof *made->sums);
    made->nodes = malloc(window->ranks * sizeof *made->nodes);
    for (uint32_t rank = 0; made->nodes && rank < window->ranks; rank++) made->nodes[rank] = -1;
    if (made->phase && made->values && made->sums && made->nodes && copy_hosts(made, window))
        return made;
    track_free(made);
    return NULL;
}

void track_free(track *made)
{
    if (!made) return;
    for (uint32_t rank = 0; made->hosts && rank < made->ranks; rank++) free(made->hosts[rank]);
    for (size_t i = 0; i < made->strip_count; i++) free(made->strips[i]);
    free(made->hosts);
    free(made->phase);
    free(made->values);
    free(made->sums);
    free(made->nodes);
    free(made->drawn);
    free(made->marks);
    free(made->title);
    free(made->caption);
    free(made);
}

dxt_status track_find(track **tracks, size_t *count, const dxt_window *window, track **found)
{
    *found = NULL;
    for (size_t p = 0; p < *count; p++)
        if (strcmp(tracks[p]->phase, window->phase) == 0) *found = tracks[p];
    if (*found || *count == DXT_HISTORY_OPERATORS) return DXT_OK;
    *found = track_create(window);
    if (!*found) return DXT_ERR_NO_MEMORY;
    tracks[(*count)++] = *found;
    return DXT_OK;
}

/* ---- windows ---- */

/* Two columns become one: the largest of each rank. */
static void halve(track *made)
{
    size_t ranks = made->ranks;
    for (size_t k = 0; k < made->columns / 2; k++) {
        double *to = made->values + k * ranks;
        const double *a = made->values + 2 * k * ranks, *b = a + ranks;
        for (size_t rank = 0; rank < ranks; rank++) to[rank] = fmax(a[rank], b[rank]);
        made->first[k] = made->first[2 * k];
        made->last[k] = made->last[2 * k + 1];
        memmove(made->times[k], made->times[2 * k], sizeof made->times[k]);
        for (size_t i = 0; i < made->strip_count; i++) {
            double *values = made->strips[i]->values;
            values[k] = fmax(values[2 * k], values[2 * k + 1]);
        }
    }
    made->columns /= 2;
    made->each *= 2;
}

static void begin_column(track *made, const dxt_window *window)
{
    if (made->columns == TRACK_COLUMNS) halve(made);
    size_t k = made->columns++;
    made->filled = 0;
    made->first[k] = window->index;
    local_time(window->begin, made->times[k]);
    for (uint32_t rank = 0; rank < made->ranks; rank++) made->values[k * made->ranks + rank] = NAN;
    for (size_t i = 0; i < made->strip_count; i++) made->strips[i]->values[k] = 0;
}

/* Two ranks of what a finding that makes nobody late is about: of a path the sender, then who
 * waits; of a node one of its ranks. */
static void ends_of(const track *made, const dxt_finding *finding, uint32_t ranks[2])
{
    bool path = finding->kind == DXT_SLOW_PATH;
    bool node = finding->kind == DXT_SLOW_NODE_LINK;
    ranks[0] = ranks[1] = made->ranks;
    if (finding->kind == DXT_SLOW_NODE_PATH) return;
    if (node && finding->rank_count > 0) ranks[0] = ranks[1] = finding->ranks[0];
    if (!node) ranks[0] = path ? finding->source : finding->rank, ranks[1] = finding->rank;
}

/* The row of that name; NULL if there are too many, or no memory (then @p status). */
static track_strip *strip_of(track *made, const char *name, dxt_status *status)
{
    for (size_t i = 0; i < made->strip_count; i++)
        if (strcmp(made->strips[i]->name, name) == 0) return made->strips[i];
    if (made->strip_count == TRACK_STRIPS) return NULL;
    track_strip *strip = calloc(1, sizeof *strip);
    if (!strip) {
        *status = DXT_ERR_NO_MEMORY;
        return NULL;
    }
    snprintf(strip->name, sizeof strip->name, "%s", name);
    made->strips[made->strip_count++] = strip;
    return strip;
}

/* Which ranks the node has that is named. */
static void note_node(track *made, const dxt_finding *finding)
{
    if (finding->kind != DXT_LATE_NODE && finding->kind != DXT_SLOW_NODE_LINK) return;
    for (uint32_t i = 0; i < finding->rank_count; i++)
        if (finding->ranks[i] < made->ranks) made->nodes[finding->ranks[i]] = finding->node;
}

bool track_name_way(uint32_t ranks, const dxt_finding *finding, char *name, size_t size)
{
    static const char *const ways[] = {[DXT_DIRECTION_NONE] = "→ %s%u",
                                       [DXT_DIRECTION_IN] = "→ %s%u",
                                       [DXT_DIRECTION_OUT] = "%s%u →",
                                       [DXT_DIRECTION_BOTH] = "↔ %s%u"};
    bool node = finding->kind == DXT_SLOW_NODE_LINK && finding->node >= 0;
    bool rank = finding->rank < ranks;
    if (finding->kind == DXT_SLOW_NODE_PATH && finding->node >= 0)
        snprintf(name, size, "n%d → n%d", (int)finding->source_node, (int)finding->node);
    else if (finding->kind == DXT_SLOW_PATH && rank && finding->source < ranks)
        snprintf(name, size, "%u → %u", finding->source, finding->rank);
    else if (node || (rank && track_is_link(finding->kind)))
        snprintf(name, size, ways[finding->direction], node ? "n" : "",
                 node ? (uint32_t)finding->node : finding->rank);
    else
        return false;
    return true;
}

bool track_is_link(dxt_finding_kind kind)
{
    return kind == DXT_SLOW_LINK || kind == DXT_SLOW_RECEIVER || kind == DXT_SLOW_NODE_LINK;
}

static dxt_status add_ways(track *made, const dxt_findings *findings)
{
    dxt_status status = DXT_OK;
    size_t k = made->columns - 1;
    for (size_t i = 0; i < findings->finding_count && status == DXT_OK; i++) {
        const dxt_finding *finding = &findings->findings[i];
        char name[32];
        note_node(made, finding);
        if (!track_name_way(made->ranks, finding, name, sizeof name)) continue;
        track_strip *strip = strip_of(made, name, &status);
        if (!strip) continue;
        strip->values[k] = fmax(strip->values[k], finding->wait);
        ends_of(made, finding, strip->ranks);
    }
    return status;
}

/* Whether a window has lateness that cannot stand beside that of the others, as where its
 * operations are not known. */
static bool is_odd(track *made, const dxt_window *window, const dxt_findings *findings)
{
    dxt_measure measure = dxt_window_measure(window);
    if (!findings->lateness) return false;
    if (!made->measured) made->measure = measure;
    made->measured = true;
    return made->measure != measure;
}

dxt_status track_add(track *made, const dxt_window *window, const dxt_findings *findings)
{
    if (is_odd(made, window, findings)) return DXT_OK;
    if (made->columns == 0 || made->filled == made->each) begin_column(made, window);
    size_t k = made->columns - 1;
    made->last[k] = window->index;
    made->filled++;
    made->windows++;
    made->inherited += findings->inherited != 0;
    double *values = made->values + k * made->ranks;
    for (uint32_t rank = 0; rank < made->ranks; rank++) {
        double late = findings->lateness ? findings->lateness[rank] : 0;
        if (window->missing && window->missing[rank]) late = NAN;
        values[rank] = fmax(values[rank], late);
        if (late > 0) made->sums[rank] += late;
    }
    return add_ways(made, findings);
}
