/* SPDX-License-Identifier: Apache-2.0 */
/* `bench accuracy FILE`: recorded windows whose label says what is wrong. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "input.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "progress.h"
#include "score.h"

/* Most cases that are told apart; those behind are counted with the last. */
#define MOST_CASES 256u

/* How the windows of a file were judged. */
struct tables {
    struct entry {
        char name[64];
        uint32_t ranks;
        score_sheet scores[SCORE_METHODS];
    } cases[MOST_CASES];
    size_t count;
    dxt_history *history; /* forgets by itself where another case begins */
    score_sheet all[SCORE_METHODS];
};

static bool read_set(const json_t *list, uint8_t *set)
{
    size_t k;
    json_t *item;
    if (list && !json_is_array(list)) return false;
    json_array_foreach((json_t *)list, k, item)
    {
        json_int_t rank = json_integer_value(item);
        if (!json_is_integer(item) || rank < 0 || rank >= SIM_MAX_RANKS) return false;
        set[rank] = 1;
    }
    return true;
}

static bool read_pairs(const json_t *list, sim_pairs *pairs)
{
    size_t k;
    json_t *item;
    if (list && !json_is_array(list)) return false;
    json_array_foreach((json_t *)list, k, item)
    {
        uint32_t pair[2];
        for (size_t m = 0; m < 2; m++) {
            json_t *rank = json_array_get(item, m);
            if (!json_is_integer(rank) || json_integer_value(rank) < 0) return false;
            pair[m] = (uint32_t)json_integer_value(rank);
        }
        if (!sim_pairs_add(pairs, pair[0], pair[1])) return false;
    }
    return true;
}

/* Links as [rank, direction]. */
static bool read_links(const json_t *list, uint8_t *links)
{
    static const char *const words[] = {[SIM_IN] = "in", [SIM_OUT] = "out", [SIM_BOTH] = "both"};
    size_t k;
    json_t *item;
    if (list && !json_is_array(list)) return false;
    json_array_foreach((json_t *)list, k, item)
    {
        const json_t *rank = json_array_get(item, 0);
        const char *word = json_string_value(json_array_get(item, 1));
        uint8_t direction = SIM_BOTH;
        if (!json_is_integer(rank) || json_integer_value(rank) < 0 ||
            json_integer_value(rank) >= SIM_MAX_RANKS || !word)
            return false;
        while (direction > 0 && strcmp(words[direction], word) != 0) direction--;
        if (direction == 0) return false;
        links[json_integer_value(rank)] = direction;
    }
    return true;
}

/* The label of a window; false if it has none that is one truth. */
static bool read_label(const dxt_window *window, sim_truth *truth, bool *without_nodes)
{
    if (!window->extra) return false;
    json_t *extra = json_loads(window->extra, 0, NULL);
    const json_t *label = json_object_get(extra, "label");
    memset(truth, 0, sizeof *truth);
    bool good = json_is_object(label) && read_set(json_object_get(label, "cols"), truth->cols) &&
                read_set(json_object_get(label, "rows"), truth->rows) &&
                read_set(json_object_get(label, "nodes"), truth->nodes) &&
                read_pairs(json_object_get(label, "points"), &truth->points) &&
                read_pairs(json_object_get(label, "node_points"), &truth->node_points) &&
                read_links(json_object_get(label, "links"), truth->links) &&
                read_links(json_object_get(label, "node_links"), truth->node_links);
    const json_t *skew = json_object_get(label, "skew_ns");
    truth->stalls = json_is_true(json_object_get(label, "stalls"));
    truth->skew_ns = json_is_number(skew) ? json_number_value(skew) : NAN;
    *without_nodes = !json_object_get(label, "nodes") && !json_object_get(label, "node_points");
    json_decref(extra);
    return good;
}

static struct entry *entry_of(struct tables *tables, const dxt_window *window)
{
    const char *name = window->case_name ? window->case_name : window->phase;
    size_t k = 0;
    while (k < tables->count && (strncmp(tables->cases[k].name, name, 63) != 0 ||
                                 tables->cases[k].ranks != window->ranks))
        k++;
    if (k == MOST_CASES) k--;
    struct entry *entry = &tables->cases[k];
    if (k == tables->count) {
        /* What would have to be escaped in JSON is not worth it here. */
        for (size_t at = 0; at < sizeof entry->name - 1 && name[at]; at++)
            entry->name[at] = strchr("\"\\", name[at]) ? '?' : name[at];
        entry->ranks = window->ranks;
        tables->count++;
    }
    return entry;
}

static dxt_status judge(struct tables *tables, const dxt_window *window,
                        const dxt_window *companion)
{
    static sim_truth truth;
    score_window given = {.window = window,
                          .companion = companion,
                          .truth = &truth,
                          .history = tables->history,
                          .settled = true};
    if (window->ranks > SIM_MAX_RANKS || !read_label(window, &truth, &given.without_nodes))
        return DXT_OK;
    given.logratio = logratio_create(window->ranks);
    if (!given.logratio) return DXT_ERR_NO_MEMORY;
    dxt_status status = score_add(&given, entry_of(tables, window)->scores);
    logratio_destroy(given.logratio);
    return status;
}

static void add_up(struct tables *tables)
{
    for (size_t k = 0; k < tables->count; k++)
        for (int m = 0; m < SCORE_METHODS; m++) {
            const score_sheet *part = &tables->cases[k].scores[m];
            score_sheet *all = &tables->all[m];
            all->faulted += part->faulted;
            all->exact += part->exact;
            all->named += part->named;
            all->true_names += part->true_names;
            all->items += part->items;
            all->healthy += part->healthy;
            all->false_alarms += part->false_alarms;
            all->sure += part->sure;
            all->sure_true += part->sure_true;
        }
}

/* The two operators of a window are neighbours in a recording. */
static dxt_status judge_all(struct tables *tables, dxt_reader *reader)
{
    dxt_window *first = NULL, *second = NULL;
    unsigned long long read = 1;
    dxt_status status = dxt_reader_next(reader, &first);
    while (first && status == DXT_OK) {
        progress("deepxtrace bench: %llu windows read", read);
        status = dxt_reader_next(reader, &second);
        bool pair = second && dxt_window_relation(first, second) == DXT_RELATION_COMPANION;
        dxt_status judged = judge(tables, first, pair ? second : NULL);
        if (pair && judged == DXT_OK) judged = judge(tables, second, first);
        dxt_window_free(first);
        first = pair ? NULL : second;
        if (pair) dxt_window_free(second);
        read += pair ? 2 : 1;
        second = NULL;
        if (judged != DXT_OK) status = judged;
        if (pair && status == DXT_OK) status = dxt_reader_next(reader, &first);
    }
    dxt_window_free(first);
    return status == DXT_END ? DXT_OK : status;
}

outcome score_file(const char *path, bool json)
{
    dxt_reader *reader;
    struct tables *tables = calloc(1, sizeof *tables);
    dxt_status status = tables ? dxt_reader_open(path, &reader) : DXT_ERR_NO_MEMORY;
    if (status == DXT_OK) {
        status = dxt_history_create(NULL, &tables->history);
        if (status == DXT_OK) status = judge_all(tables, reader);
        dxt_reader_close(reader);
        dxt_history_destroy(tables->history);
    }
    if (status == DXT_OK) {
        add_up(tables);
        for (size_t k = 0; k < tables->count; k++)
            score_print(tables->cases[k].name, tables->cases[k].ranks, json,
                        tables->cases[k].scores);
        score_print("all", 0, json, tables->all);
    }
    free(tables);
    return status == DXT_OK ? EXIT_DONE : complain_status("bench", status);
}
