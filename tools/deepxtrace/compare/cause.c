/* SPDX-License-Identifier: Apache-2.0 */
#include "cause.h"

#include <stdio.h>
#include <stdlib.h>

/* Lateness of ranks, silence and single paths are compared figure by figure; skew and stalls are
 * nobody's. */
static bool is_taken(dxt_finding_kind kind)
{
    switch (kind) {
    case DXT_SLOW_RECEIVER:
    case DXT_HOT_EXPERT:
    case DXT_LATE_NODE:
    case DXT_SLOW_NODE_PATH:
    case DXT_SLOW_LINK:
    case DXT_SLOW_NODE_LINK: return true;
    case DXT_LATE_RANK:
    case DXT_EARLY_RANK:
    case DXT_SLOW_PATH:
    case DXT_SYSTEMIC_SKEW:
    case DXT_SILENT_RANK:
    case DXT_PATH_STALLS: break;
    }
    return false;
}

static bool is_same_place(const cause *first, const cause *second)
{
    return first->kind == second->kind && first->rank == second->rank &&
           first->node == second->node && first->source_node == second->source_node;
}

bool cause_is_other_way(const cause *first, const cause *second)
{
    return is_same_place(first, second) && first->direction != second->direction;
}

const cause *cause_find(const cause_list *list, const cause *like)
{
    for (size_t i = 0; i < list->count; i++) {
        const cause *c = &list->causes[i];
        if (is_same_place(c, like) && c->direction == like->direction) return c;
    }
    return NULL;
}

/* One that was in no window before this one. */
static bool add(cause_list *list, const cause *like)
{
    cause *grown = realloc(list->causes, (list->count + 1) * sizeof *grown);
    if (!grown) return false;
    list->causes = grown;
    cause *made = &grown[list->count];
    *made = *like;
    if (!series_begin(&made->wait, 1)) {
        series_end(&made->wait);
        return false;
    }
    made->wait.count[0] = list->windows;
    list->count++;
    return true;
}

static cause cause_of(const dxt_finding *f, dxt_direction direction)
{
    return (cause){.kind = f->kind,
                   .rank = f->rank,
                   .node = f->node,
                   .source_node = f->source_node,
                   .direction = direction};
}

static bool is_of(const cause *c, const dxt_finding *f)
{
    cause like = cause_of(f, f->direction);
    bool both = f->direction == DXT_DIRECTION_BOTH;
    return is_same_place(c, &like) && (both || c->direction == like.direction);
}

/* What is slow both ways is slow each way, so that a run in which one way is slow compares. */
static bool add_ways(cause_list *list, const dxt_finding *f)
{
    bool both = f->direction == DXT_DIRECTION_BOTH;
    const dxt_direction ways[2] = {both ? DXT_DIRECTION_IN : f->direction, DXT_DIRECTION_OUT};
    for (int i = 0; i < (both ? 2 : 1); i++) {
        cause like = cause_of(f, ways[i]);
        if (!cause_find(list, &like) && !add(list, &like)) return false;
    }
    return true;
}

bool causes_take(cause_list *list, const dxt_findings *findings)
{
    for (size_t i = 0; i < findings->finding_count; i++) {
        const dxt_finding *f = dxt_finding_at(findings, i);
        if (is_taken(f->kind) && !add_ways(list, f)) return false;
    }
    list->windows++;
    for (size_t k = 0; k < list->count; k++) {
        double wait = 0;
        for (size_t i = 0; i < findings->finding_count; i++) {
            const dxt_finding *f = dxt_finding_at(findings, i);
            if (is_of(&list->causes[k], f)) wait += f->wait;
        }
        series_take(&list->causes[k].wait, 0, wait);
    }
    return true;
}

void causes_end(cause_list *list)
{
    for (size_t i = 0; i < list->count; i++) series_end(&list->causes[i].wait);
    free(list->causes);
    *list = (cause_list){0};
}

change cause_compare(const cause_list *before, const cause_list *after, const cause *which,
                     double spread)
{
    const cause *sides[2] = {cause_find(before, which), cause_find(after, which)};
    uint32_t counts[2] = {before->windows, after->windows};
    double nothing[2] = {0, 0};
    series made[2];
    for (int i = 0; i < 2; i++)
        made[i] = sides[i] ? sides[i]->wait : (series){1, &counts[i], &nothing[0], &nothing[1]};
    change c = series_compare(&made[0], &made[1], 0, spread);
    series_part(&made[0], &made[1], 0, spread, &c);
    return c;
}

/* What a link does, behind its name. */
static const char *link_words(dxt_direction direction, bool grew)
{
    switch (direction) {
    case DXT_DIRECTION_IN: return grew ? "receives more slowly" : "receives faster";
    case DXT_DIRECTION_OUT: return grew ? "sends more slowly" : "sends faster";
    case DXT_DIRECTION_BOTH:
        return grew ? "is slower in both directions" : "is faster in both directions";
    case DXT_DIRECTION_NONE: break;
    }
    return grew ? "is slower" : "is faster";
}

void cause_words(const cause *which, dxt_direction direction, bool grew, char text[96])
{
    const char *link = link_words(direction, grew);
    const char *slower = grew ? "slower" : "faster", *later = grew ? "later" : "earlier";
    switch (which->kind) {
    case DXT_LATE_NODE: snprintf(text, 96, "node %d comes %s", which->node, later); return;
    case DXT_SLOW_NODE_PATH:
        snprintf(text, 96, "path node %d → node %d is %s", which->source_node, which->node, slower);
        return;
    case DXT_SLOW_NODE_LINK: snprintf(text, 96, "uplink of node %d %s", which->node, link); return;
    case DXT_SLOW_LINK: snprintf(text, 96, "link of rank %u %s", which->rank, link); return;
    case DXT_HOT_EXPERT:
        snprintf(text, 96, "rank %u receives %s than its share (hot expert)", which->rank,
                 grew ? "more" : "less above");
        return;
    default: break;
    }
    snprintf(text, 96, "rank %u receives %s", which->rank, grew ? "more slowly" : "faster");
}
