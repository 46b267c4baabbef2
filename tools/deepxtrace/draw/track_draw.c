/* SPDX-License-Identifier: Apache-2.0 */
#include "track_draw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/report.h>

#include "words.h"

/* A caption has so many lines of the summary. */
#define NAMED 6

/* Whether an episode blames a rank: itself, or its node. */
static bool blames_rank(const track *made, const dxt_episode *episode, uint32_t rank)
{
    if (episode->kind == DXT_SLOW_PATH || episode->kind == DXT_EARLY_RANK) return false;
    bool node = episode->kind == DXT_LATE_NODE || episode->kind == DXT_SLOW_NODE_LINK;
    return node ? episode->node >= 0 && made->nodes[rank] == episode->node : episode->rank == rank;
}

static const char *host_of(const track *made, uint32_t rank)
{
    return made->hosts && rank < made->ranks && made->hosts[rank][0] ? made->hosts[rank] : NULL;
}

/* "gpu-00", or of a path between two "gpu-01 → gpu-00". NULL: not known. */
static const char *name_hosts(const track *made, const uint32_t ranks[2], char text[96])
{
    const char *from = host_of(made, ranks[0]), *to = host_of(made, ranks[1]);
    if (!from || !to) return NULL;
    if (strcmp(from, to) == 0)
        snprintf(text, 96, "%.90s", from);
    else
        snprintf(text, 96, "%.44s → %.44s", from, to);
    return text;
}

static dxt_status transpose(track *made)
{
    made->drawn = malloc(made->columns * made->ranks * sizeof *made->drawn);
    if (!made->drawn) return DXT_ERR_NO_MEMORY;
    for (size_t k = 0; k < made->columns; k++)
        for (uint32_t rank = 0; rank < made->ranks; rank++)
            made->drawn[rank * made->columns + k] = made->values[k * made->ranks + rank];
    for (size_t k = 0; k < made->columns; k++) made->time_list[k] = made->times[k];
    for (size_t i = 0; i < made->strip_count; i++)
        made->strip_list[i] = (dxt_timeline_strip){
            .name = made->strips[i]->name,
            .values = made->strips[i]->values,
            .host = name_hosts(made, made->strips[i]->ranks, made->strip_hosts[i])};
    return DXT_OK;
}

/* The column of a window; of one that has gone by, the nearest. */
static size_t column_of(const track *made, int64_t window)
{
    size_t k = 0;
    while (k + 1 < made->columns && made->last[k] < window) k++;
    return k;
}

static dxt_status make_marks(track *made, const dxt_history *history)
{
    dxt_episode *episodes = NULL;
    size_t count = 0;
    dxt_status status = dxt_history_summary(history, &episodes, &count);
    if (status != DXT_OK || count == 0) return status;
    made->marks = calloc((size_t)count * made->ranks, sizeof *made->marks);
    for (size_t i = 0; made->marks && i < count; i++) {
        const dxt_episode *episode = &episodes[i];
        if (strcmp(episode->phase, made->phase) != 0 || track_is_link(episode->kind)) continue;
        for (uint32_t rank = 0; rank < made->ranks; rank++)
            if (blames_rank(made, episode, rank) ||
                (episode->kind == DXT_EARLY_RANK && episode->rank == rank))
                made->marks[made->mark_count++] =
                    (dxt_timeline_mark){.rank = rank,
                                        .first = column_of(made, episode->first),
                                        .last = column_of(made, episode->last)};
    }
    free(episodes);
    return made->marks ? DXT_OK : DXT_ERR_NO_MEMORY;
}

/* Whether an episode of this operator blames a rank. */
static bool is_named(const track *made, const dxt_episode *episodes, size_t count, uint32_t rank)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(episodes[i].phase, made->phase) == 0 && blames_rank(made, &episodes[i], rank))
            return true;
    return false;
}

/* The rank that is latest over the run, of those in `among`; NULL = of all. DXT_NO_RANK: none. */
static uint32_t latest_of(const track *made, const bool *among)
{
    uint32_t latest = DXT_NO_RANK;
    for (uint32_t rank = 0; rank < made->ranks; rank++)
        if ((!among || among[rank]) &&
            (latest == DXT_NO_RANK || made->sums[rank] > made->sums[latest]))
            latest = rank;
    return latest;
}

/* "rank 5", or of ranks that are about as late "ranks 16 to 23", "8 ranks, rank 19 most,". @return
 * How many they are. */
static uint32_t say_latest(const track *made, const bool *among, uint32_t latest, char text[64])
{
    uint32_t first = made->ranks, last = 0, count = 0;
    for (uint32_t rank = 0; rank < made->ranks; rank++) {
        if (!among[rank] || made->sums[rank] < made->sums[latest] / 2) continue;
        if (first == made->ranks) first = rank;
        last = rank;
        count++;
    }
    if (count <= 1)
        snprintf(text, 64, "rank %u", latest);
    else if (last - first + 1 == count)
        snprintf(text, 64, "ranks %u to %u", first, last);
    else
        snprintf(text, 64, "%u ranks, rank %u most,", count, latest);
    return count;
}

/* Whom no finding names here and who is late all the same: because of the other operator, or of
 * what is named here, such as a slow path. */
static dxt_status explain(const track *made, const dxt_episode *episodes, size_t count,
                          struct words *caption)
{
    char who[64], line[200];
    bool here = false, other = false, *left = calloc(made->ranks, sizeof *left);
    if (!left) return DXT_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        *(strcmp(episodes[i].phase, made->phase) == 0 ? &here : &other) = true;
    for (uint32_t rank = 0; rank < made->ranks; rank++)
        left[rank] = !is_named(made, episodes, count, rank);
    uint32_t latest = latest_of(made, left);
    other = (other || !here) && made->inherited > 0 && 10 * made->inherited >= made->windows;
    /* What nobody would look at need not be explained. */
    bool shown = latest != DXT_NO_RANK && made->sums[latest] > made->floor * (double)made->windows;
    bool several = shown && say_latest(made, left, latest, who) > 1;
    free(left);
    if (!shown || (!other && !here)) return DXT_OK;
    int length = other ? snprintf(line, sizeof line,
                                  "%s %s held up by what is named in the other operator; the "
                                  "lateness here follows from that\n",
                                  who, several ? "are" : "is")
                       : snprintf(line, sizeof line,
                                  "the lateness of %s follows from what is named here\n", who);
    return words_add(caption, line, (size_t)length);
}

/* Of the rank that is latest here, where it is named if not here; and whether nobody is named here.
 */
static dxt_status say_elsewhere(const track *made, const dxt_episode *episodes, size_t count,
                                struct words *caption)
{
    char line[600] = "";
    uint32_t latest = latest_of(made, NULL);
    const char *other = NULL;
    for (size_t i = 0; i < count && made->sums[latest] > 0 && !other; i++)
        if (blames_rank(made, &episodes[i], latest)) other = episodes[i].phase;
    if (!caption->text) snprintf(line, sizeof line, "nobody is named in %s\n", made->phase);
    if (other && !is_named(made, episodes, count, latest))
        snprintf(line + strlen(line), sizeof line - strlen(line),
                 "rank %u, the latest here, is named in %s\n", latest, other);
    return line[0] ? words_add(caption, line, strlen(line)) : DXT_OK;
}

/* The next entry of a summary, on one line: it begins behind two blanks and goes on behind four.
 * NULL at the end. */
static char *next_entry(char **rest)
{
    while (*rest && **rest) {
        char *line = strsep(rest, "\n");
        if (strncmp(line, "  ", 2) != 0) continue;
        /* Its other lines, one after the other, move up behind it. */
        char *end = line + strlen(line);
        while (*rest && strncmp(*rest, "    ", 4) == 0) {
            char *more = strsep(rest, "\n") + 3;
            size_t size = strlen(more);
            memmove(end, more, size + 1);
            end += size;
        }
        return line + 2;
    }
    return NULL;
}

/* Those entries of the run's summary that are about this operator, and why nothing of the latest
 * rank is among them. */
static dxt_status make_caption(track *made, const dxt_history *history)
{
    struct words summary = {0}, caption = {0};
    dxt_episode *episodes = NULL;
    size_t count = 0;
    char about[300];
    int named = 0;
    dxt_status status = dxt_report_summary_text(history, words_add, &summary);
    snprintf(about, sizeof about, "in %s ", made->phase);
    char *rest = summary.text;
    for (char *entry; status == DXT_OK && (entry = next_entry(&rest));) {
        if (!strstr(entry, about) || named++ >= NAMED) continue;
        status = words_add(&caption, entry, strlen(entry));
        if (status == DXT_OK) status = words_add(&caption, "\n", 1);
    }
    if (status == DXT_OK && named > NAMED) {
        int length = snprintf(about, sizeof about, "and %d more\n", named - NAMED);
        status = words_add(&caption, about, (size_t)length);
    }
    size_t before = caption.size;
    if (status == DXT_OK) status = dxt_history_summary(history, &episodes, &count);
    if (status == DXT_OK) status = explain(made, episodes, count, &caption);
    if (status == DXT_OK && caption.size == before)
        status = say_elsewhere(made, episodes, count, &caption);
    free(episodes);
    free(summary.text);
    made->caption = caption.text;
    return status;
}

dxt_status track_finish(track *made, const dxt_history *history)
{
    dxt_timeline *newest;
    dxt_run_identity run = {.struct_size = sizeof run};
    dxt_status status = dxt_history_run(history, &run);
    if (status == DXT_OK) status = dxt_history_timeline(history, made->phase, &newest);
    if (status != DXT_OK) return status;
    made->floor = newest->floor;
    made->measure = newest->measure;
    free(newest);
    if (asprintf(&made->title, "lateness in %s%s%s", made->phase, run.case_name ? ", case " : "",
                 run.case_name ? run.case_name : "") < 0) {
        made->title = NULL;
        return DXT_ERR_NO_MEMORY;
    }
    status = transpose(made);
    if (status == DXT_OK) status = make_marks(made, history);
    return status == DXT_OK ? make_caption(made, history) : status;
}

dxt_timeline_panel track_panel(const track *made)
{
    return (dxt_timeline_panel){.ranks = made->ranks,
                                .windows = made->columns,
                                .index = made->first,
                                .last = made->last,
                                .values = made->drawn,
                                .measure = made->measure,
                                .ordinary = made->floor,
                                .title = made->title,
                                .times = made->times[0][0] ? made->time_list : NULL,
                                .hosts = (const char *const *)made->hosts,
                                .caption = made->caption,
                                .marks = made->marks,
                                .mark_count = made->mark_count,
                                .strips = made->strip_list,
                                .strip_count = made->strip_count};
}
