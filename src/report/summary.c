/* SPDX-License-Identifier: Apache-2.0 */
/* A run summed up, for people and for programs. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include <deepxtrace/report.h>

#include "report/words.h"

/* Lines of episodes: nobody reads more. */
#define MOST_LINES 10u

/* ---- one episode, one sentence ---- */

/* Several paths of one cause have no rank, or no source, or neither. */
static void paths(dxt_text *text, const dxt_episode *episode)
{
    if (episode->source != DXT_NO_RANK && episode->rank != DXT_NO_RANK) {
        dxt_text_printf(text, "path %u → %u", episode->source, episode->rank);
        return;
    }
    if (episode->path_total > 0) dxt_text_printf(text, "up to %u ", episode->path_total);
    dxt_text_puts(text, "paths");
    if (episode->source != DXT_NO_RANK)
        dxt_text_printf(text, " from rank %u", episode->source);
    else if (episode->rank != DXT_NO_RANK)
        dxt_text_printf(text, " to rank %u", episode->rank);
    else if (episode->rank_count > 0) {
        dxt_text_puts(text, " between ");
        dxt_words_ranks(text, episode->ranks, episode->rank_count);
    }
}

/* Whether it is about one rank, and not about paths. */
static bool names_rank(const dxt_episode *episode)
{
    return episode->rank != DXT_NO_RANK && episode->kind != DXT_SLOW_PATH &&
           episode->kind != DXT_PATH_STALLS;
}

static void subject(dxt_text *text, const dxt_episode *episode)
{
    static const char *const what[] = {
        [DXT_LATE_RANK] = "late",
        [DXT_EARLY_RANK] = "early",
        [DXT_SLOW_RECEIVER] = "receives slowly",
        [DXT_HOT_EXPERT] = "receives more than its share (hot expert)",
        [DXT_SLOW_PATH] = "slow",
        [DXT_LATE_NODE] = "late",
        [DXT_SLOW_NODE_PATH] = "slow",
        [DXT_SYSTEMIC_SKEW] = "waits for everybody",
        [DXT_SILENT_RANK] = "silent",
        [DXT_SLOW_LINK] = "slow",
        [DXT_PATH_STALLS] = "stall now and then",
        [DXT_SLOW_NODE_LINK] = "slow",
    };
    unsigned kind = (unsigned)episode->kind;
    if (episode->kind == DXT_SLOW_PATH)
        paths(text, episode);
    else if (episode->kind == DXT_SLOW_NODE_PATH)
        dxt_text_printf(text, "path node %d → node %d", episode->source_node, episode->node);
    else if (episode->kind == DXT_LATE_NODE)
        dxt_text_printf(text, "node %d", episode->node);
    else if (episode->kind == DXT_SYSTEMIC_SKEW)
        dxt_text_puts(text, "everybody");
    else if (episode->kind == DXT_SLOW_LINK)
        dxt_text_printf(text, "link of rank %u", episode->rank);
    else if (episode->kind == DXT_SLOW_NODE_LINK)
        dxt_text_printf(text, "uplink of node %d", episode->node);
    else if (episode->kind == DXT_PATH_STALLS)
        paths(text, episode);
    else
        dxt_text_printf(text, "rank %u", episode->rank);
    if (names_rank(episode))
        dxt_words_place(text, episode->place.host[0] ? episode->place.host : NULL,
                        episode->place.gpu);
    dxt_text_printf(text, " %s",
                    kind < sizeof what / sizeof what[0] ? what[kind]
                                                        : dxt_finding_kind_name(episode->kind));
    if (episode->or_early) dxt_text_printf(text, " or rank %u early", 1 - episode->rank);
    dxt_text_puts(text, " in ");
    dxt_words_name(text, episode->phase);
}

static void when(dxt_text *text, const dxt_episode *episode)
{
    bool past = episode->seen > 1 && !episode->ongoing;
    dxt_text_printf(text, " %s window %" PRId64,
                    episode->seen == 1 ? "once, in"
                    : past             ? "from"
                                       : "since",
                    episode->first);
    if (past) dxt_text_printf(text, " to %" PRId64, episode->last);
    if (episode->seen > 1)
        dxt_text_printf(text, ", in %" PRIu64 " of %" PRIu64 " windows", episode->seen,
                        episode->windows);
}

static void cost(dxt_text *text, const dxt_episode *episode)
{
    if (!isfinite(episode->wait)) return;
    dxt_text_puts(text, ": ");
    bool sure = episode->kind != DXT_EARLY_RANK && !episode->or_early;
    if (sure) dxt_text_puts(text, "+");
    dxt_words_wait(text, episode->measure, episode->wait);
    if (episode->kind == DXT_EARLY_RANK)
        dxt_text_puts(text, " (harmless)");
    else
        dxt_words_share(text, sure ? ", " : ", up to ", episode->share);
}

/* Append "rank 3 late in combine since window 4, in 16 of 20 windows: +5.1 µs per operation". */
static void say_episode(dxt_text *text, const dxt_episode *episode)
{
    subject(text, episode);
    when(text, episode);
    cost(text, episode);
    if (!episode->begin[0]) return;
    dxt_text_puts(text, "; first at ");
    dxt_words_time(text, episode->begin);
}

/* ---- the run ---- */

/** A run, and what is told of it. */
typedef struct told {
    dxt_run_identity run;
    dxt_episode *episodes;
    size_t count;
    uint32_t rank; /**< the only one that is asked about; DXT_NO_RANK = all */
} told;

/* Whether a rank, on a node if that is not negative, has a part in it. */
static bool concerns(const dxt_episode *episode, uint32_t rank, int32_t node)
{
    if (episode->rank == rank || episode->source == rank) return true;
    if (episode->or_early && rank < 2) return true;
    if (node >= 0 && (episode->node == node || episode->source_node == node)) return true;
    for (uint32_t i = 0; i < episode->rank_count; i++)
        if (episode->ranks[i] == rank) return true;
    return false;
}

static dxt_status take(const dxt_history *history, uint32_t rank, int32_t node, told *all)
{
    size_t kept = 0;
    *all = (told){.run.struct_size = sizeof all->run, .rank = rank};
    if (!history) return dxt_fail(DXT_ERR_INVALID, "history must not be NULL");
    dxt_status status = dxt_history_run(history, &all->run);
    if (status != DXT_OK) return status;
    if (all->run.windows == 0)
        return dxt_fail(DXT_ERR_INVALID,
                        "the history has seen no window yet: call dxt_history_judge() first");
    status = dxt_history_summary(history, &all->episodes, &all->count);
    if (status != DXT_OK || rank == DXT_NO_RANK) return status;
    for (size_t e = 0; e < all->count; e++)
        if (concerns(&all->episodes[e], rank, node)) all->episodes[kept++] = all->episodes[e];
    all->count = kept;
    return DXT_OK;
}

static void heading(dxt_text *line, const told *all)
{
    dxt_text_printf(line, "summary of %" PRIu64 " window%s", all->run.windows,
                    all->run.windows == 1 ? "" : "s");
    if (all->run.case_name) {
        dxt_text_puts(line, ", case ");
        dxt_words_name(line, all->run.case_name);
    }
    if (all->rank == DXT_NO_RANK)
        dxt_text_puts(line, all->count ? ":" : ": nobody stands out");
    else
        dxt_text_printf(line, all->count ? ", of rank %u:" : ": nothing is said of rank %u",
                        all->rank);
}

static dxt_status write_text(told *all, dxt_write_fn write, void *context)
{
    dxt_text text = {0}, line = {0};
    heading(&line, all);
    dxt_words_wrap(&text, &line, 4);
    size_t lines = all->count < MOST_LINES ? all->count : MOST_LINES;
    for (size_t e = 0; e < lines; e++) {
        dxt_text_puts(&line, "  ");
        say_episode(&line, &all->episodes[e]);
        dxt_words_wrap(&text, &line, 4);
    }
    if (all->count > lines)
        dxt_text_printf(&text, "  and %zu more that cost less (--json has them all)\n",
                        all->count - lines);
    free(all->episodes);
    return dxt_text_flush(&text, write, context);
}

/* ---- JSON ---- */

static void put_subject(dxt_text *text, const dxt_episode *episode)
{
    bool whole = episode->rank != DXT_NO_RANK && episode->source != DXT_NO_RANK;
    if (episode->kind == DXT_SLOW_PATH && whole)
        dxt_text_printf(text, ",\"path\":[%u,%u]", episode->rank, episode->source);
    else if (episode->kind == DXT_SLOW_NODE_PATH)
        dxt_text_printf(text, ",\"path_nodes\":[%d,%d]", episode->node, episode->source_node);
    else if (episode->kind == DXT_LATE_NODE || episode->kind == DXT_SLOW_NODE_LINK)
        dxt_text_printf(text, ",\"node\":%d", episode->node);
    else if (episode->rank != DXT_NO_RANK)
        dxt_text_printf(text, ",\"rank\":%u", episode->rank);
    else if (episode->source != DXT_NO_RANK)
        dxt_text_printf(text, ",\"source\":%u", episode->source);
    if (episode->rank_count > 0) {
        dxt_text_puts(text, ",\"ranks\":[");
        for (uint32_t i = 0; i < episode->rank_count; i++)
            dxt_text_printf(text, "%s%u", i ? "," : "", episode->ranks[i]);
        dxt_text_puts(text, "]");
    }
    if (episode->path_total > 0) dxt_text_printf(text, ",\"path_count\":%u", episode->path_total);
    if (episode->or_early) dxt_text_printf(text, ",\"or_early\":%u", 1 - episode->rank);
}

/* Nothing of it where nothing of the rank is known. */
static void put_place(dxt_text *text, const dxt_episode *episode)
{
    const dxt_place *place = &episode->place;
    bool known = place->gpu >= 0 || place->uuid[0] || place->pci[0] || place->pid > 0;
    if (!names_rank(episode)) return;
    dxt_words_json_place(text, place->host[0] ? place->host : NULL,
                         known || place->rank >= 0 ? place : NULL);
}

static void put_episode(dxt_text *text, const dxt_episode *episode)
{
    bool timed = episode->measure == DXT_MEASURE_NS_PER_OP || episode->measure == DXT_MEASURE_NS;
    dxt_text sentence = {0};
    dxt_text_printf(text, "{\"kind\":\"%s\",\"phase\":", dxt_finding_kind_name(episode->kind));
    dxt_words_json_string(text, episode->phase);
    put_subject(text, episode);
    put_place(text, episode);
    dxt_words_json_begin(text, episode->begin);
    dxt_text_printf(text,
                    ",\"first\":%" PRId64 ",\"last\":%" PRId64 ",\"seen\":%" PRIu64
                    ",\"windows\":%" PRIu64 ",\"ongoing\":%s",
                    episode->first, episode->last, episode->seen, episode->windows,
                    episode->ongoing ? "true" : "false");
    dxt_words_json_wait(text, episode->wait, timed);
    dxt_text_puts(text, ",\"share\":");
    dxt_words_json_real(text, episode->share);
    dxt_text_puts(text, ",\"text\":");
    say_episode(&sentence, episode);
    dxt_words_json_sentence(text, &sentence);
    dxt_text_puts(text, "}");
}

static void put_name(dxt_text *text, const char *key, const char *name)
{
    dxt_text_printf(text, ",\"%s\":", key);
    if (name)
        dxt_words_json_string(text, name);
    else
        dxt_text_puts(text, "null");
}

static dxt_status write_json(told *all, dxt_write_fn write, void *context)
{
    dxt_text text = {0};
    dxt_text_puts(&text, "{\"v\":1,\"summary\":[");
    for (size_t e = 0; e < all->count && !text.failed; e++) {
        if (e) dxt_text_puts(&text, ",");
        put_episode(&text, &all->episodes[e]);
    }
    dxt_text_printf(&text, "],\"ranks\":%u,\"windows\":%" PRIu64, all->run.ranks, all->run.windows);
    put_name(&text, "instance", all->run.instance);
    put_name(&text, "case", all->run.case_name);
    dxt_text_puts(&text, "}\n");
    free(all->episodes);
    return dxt_text_flush(&text, write, context);
}

/* ---- what is called ---- */

dxt_status dxt_report_summary_text(const dxt_history *history, dxt_write_fn write, void *context)
{
    told all;
    dxt_status status = take(history, DXT_NO_RANK, -1, &all);
    return status == DXT_OK ? write_text(&all, write, context) : status;
}

dxt_status dxt_report_summary_json(const dxt_history *history, dxt_write_fn write, void *context)
{
    told all;
    dxt_status status = take(history, DXT_NO_RANK, -1, &all);
    return status == DXT_OK ? write_json(&all, write, context) : status;
}

dxt_status dxt_report_summary_of_rank(const dxt_history *history, uint32_t rank, int32_t node,
                                      int json, dxt_write_fn write, void *context)
{
    told all;
    if (rank == DXT_NO_RANK)
        return dxt_fail(DXT_ERR_INVALID, "rank is DXT_NO_RANK, but must be a rank");
    dxt_status status = take(history, rank, node, &all);
    if (status != DXT_OK) return status;
    return json ? write_json(&all, write, context) : write_text(&all, write, context);
}
