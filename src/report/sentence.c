/* SPDX-License-Identifier: Apache-2.0 */
/* One finding, one sentence. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/report.h>

#include "analysis/explain/counted.h"
#include "report/words.h"

/** What every sentence needs. */
struct words {
    dxt_text *text;
    const dxt_window *window;
    const dxt_findings *findings;
    const dxt_finding *finding;
};

static void in_phase(const struct words *w)
{
    dxt_text_puts(w->text, " in ");
    dxt_words_name(w->text, w->window->phase);
}

/* ": +1.03 ms per operation, 38 % of the step", as far as that is known. */
static void cost(const struct words *w, const char *sign)
{
    bool sized = isfinite(w->finding->wait);
    if (sized) {
        dxt_text_printf(w->text, ": %s", sign);
        dxt_words_wait(w->text, w->findings->measure, w->finding->wait);
    }
    dxt_words_share(w->text, sized ? ", " : ": ", w->finding->share);
}

static bool is_missing(const dxt_window *window, uint32_t rank)
{
    return window->missing && window->missing[rank];
}

static bool is_own(const dxt_finding *finding, uint32_t rank)
{
    for (uint32_t i = 0; i < finding->rank_count; i++)
        if (finding->ranks[i] == rank) return true;
    return rank == finding->rank;
}

/* ": 15 % to 71 % of the step", where the share is known as a range. */
static void cost_range(const struct words *w)
{
    const dxt_finding *finding = w->finding;
    if (!(finding->share_most > finding->share)) {
        cost(w, "");
        return;
    }
    dxt_text_printf(w->text, ": it costs %.*f", finding->share < 0.0995 ? 1 : 0,
                    finding->share * 100);
    dxt_words_share(w->text, " to ", finding->share_most);
}

/*
 * "; all 15 others wait for it": of the ranks that sent counters and are not blamed themselves,
 * those that wait for the blamed one (of a node: its first) at least half of what the finding says.
 */
static void who_waits(const struct words *w, const char *others)
{
    const dxt_finding *finding = w->finding;
    uint32_t column = finding->rank_count ? finding->ranks[0] : finding->rank;
    uint32_t count = 0, waiting = 0, one = 0;
    for (uint32_t rank = 0; rank < w->window->ranks && column < w->window->ranks; rank++) {
        if (is_own(finding, rank) || is_missing(w->window, rank)) continue;
        count++;
        double wait = dxt_window_value(w->window, rank, column);
        if (!(wait > 0 && wait >= finding->wait / 2)) continue;
        waiting++;
        one = rank;
    }
    if (waiting == 1)
        dxt_text_printf(w->text, "; rank %u waits for it", one);
    else if (waiting > 0 && waiting == count)
        dxt_text_printf(w->text, "; all %u %s wait for it", count, others);
    else if (waiting > 0)
        dxt_text_printf(w->text, "; %u of %u %s wait for it", waiting, count, others);
}

/* "; its thread waited 12 ms for a CPU core", where that is most of it. */
static void held_up(const struct words *w)
{
    const dxt_window *window = w->window;
    uint32_t rank = w->finding->rank;
    bool summed = w->findings->measure == DXT_MEASURE_NS;
    if (!window->run_delay_ns || rank >= window->ranks || !isfinite(w->finding->wait)) return;
    if (!summed && w->findings->measure != DXT_MEASURE_NS_PER_OP) return;
    double ops = summed ? 1 : (double)dxt_window_ops(window, rank);
    double delay_ns = (double)window->run_delay_ns[rank];
    if (!(delay_ns > 0 && delay_ns >= w->finding->wait * ops / 2)) return;
    dxt_text_puts(w->text, "; its thread waited ");
    dxt_words_amount(w->text, DXT_MEASURE_NS, delay_ns);
    dxt_text_puts(w->text, " for a CPU core");
}

/* " waits 1.03 ms longer per operation "; for sentences that compare. */
static void compare(const struct words *w)
{
    dxt_text_puts(w->text, " waits ");
    if (isfinite(w->finding->wait)) {
        dxt_words_amount(w->text, w->findings->measure, w->finding->wait);
        dxt_text_printf(w->text, " longer %s ", dxt_words_per(w->findings->measure));
    } else {
        dxt_text_puts(w->text, "longer ");
    }
}

/* "rank 1 is late or rank 0 early in dispatch: 40 µs per operation, up to 20 % of the step": what
 * is early costs nothing. */
static void late_or_early(const struct words *w)
{
    dxt_text_puts(w->text, " or ");
    dxt_words_rank(w->text, w->window, 1 - w->finding->rank);
    dxt_text_puts(w->text, " early");
    in_phase(w);
    bool sized = isfinite(w->finding->wait);
    if (sized) {
        dxt_text_puts(w->text, ": ");
        dxt_words_wait(w->text, w->findings->measure, w->finding->wait);
    }
    dxt_words_share(w->text, sized ? ", up to " : ": up to ", w->finding->share);
    who_waits(w, "others");
}

static void late_rank(const struct words *w)
{
    dxt_words_rank(w->text, w->window, w->finding->rank);
    dxt_text_puts(w->text, " is late");
    if (w->finding->or_early) {
        late_or_early(w);
        return;
    }
    in_phase(w);
    cost(w, "+");
    who_waits(w, "others");
    held_up(w);
}

/* Of durations it is not known why: where a rank leaves when its own data is there, a slow path to
 * it looks as if it had come early. */
static void early_by_durations(const struct words *w)
{
    compare(w);
    dxt_text_puts(w->text, "in ");
    dxt_words_name(w->text, w->window->phase);
    dxt_text_puts(w->text, " than the others: it comes earlier, or leaves later");
}

static void early_rank(const struct words *w)
{
    dxt_words_rank(w->text, w->window, w->finding->rank);
    if (w->window->origin == DXT_ORIGIN_DURATION) {
        early_by_durations(w);
        return;
    }
    dxt_text_puts(w->text, " is early");
    in_phase(w);
    dxt_text_puts(w->text, ": it");
    compare(w);
    dxt_text_puts(w->text, "than the others (harmless: nobody waits for it)");
}

static void slow_receiver(const struct words *w)
{
    dxt_words_rank(w->text, w->window, w->finding->rank);
    dxt_text_puts(w->text, " receives slowly");
    in_phase(w);
    cost(w, "+");
    dxt_text_puts(w->text, "; it waits for everybody");
}

static void hot_expert(const struct words *w)
{
    bool answers = strcmp(w->window->phase, "combine") == 0;
    dxt_words_rank(w->text, w->window, w->finding->rank);
    dxt_text_puts(w->text, " receives more than its share (hot expert)");
    if (!answers) in_phase(w);
    dxt_text_puts(w->text, " and answers late");
    if (answers) in_phase(w);
    cost(w, "+");
    who_waits(w, "others");
}

/* "12 paths from rank 3", "16 paths of ranks 3, 11", "40 paths": what paths have in common. */
static void paths(const struct words *w)
{
    const dxt_finding *finding = w->finding;
    dxt_text_printf(w->text, "%u paths", finding->path_total);
    if (finding->rank_count) {
        dxt_text_puts(w->text, " between ");
        dxt_words_ranks(w->text, finding->ranks, finding->rank_count);
    } else if (finding->source != DXT_NO_RANK) {
        dxt_text_puts(w->text, " from ");
        dxt_words_rank(w->text, w->window, finding->source);
    } else if (finding->rank != DXT_NO_RANK) {
        dxt_text_puts(w->text, " to ");
        dxt_words_rank(w->text, w->window, finding->rank);
    }
}

static void slow_paths(const struct words *w)
{
    paths(w);
    dxt_text_puts(w->text, " are slow");
    in_phase(w);
    cost(w, "+");
}

static void slow_path(const struct words *w)
{
    const dxt_finding *finding = w->finding;
    if (finding->path_count > 0) {
        slow_paths(w);
        return;
    }
    dxt_text_printf(w->text, "the path %u → %u is slow", finding->source, finding->rank);
    in_phase(w);
    dxt_text_puts(w->text, ": ");
    dxt_words_rank(w->text, w->window, finding->rank);
    compare(w);
    dxt_text_puts(w->text, "for ");
    dxt_words_rank(w->text, w->window, finding->source);
    dxt_text_puts(w->text, " than for others");
    dxt_words_share(w->text, ", ", finding->share);
}

static void late_node(const struct words *w)
{
    const dxt_finding *finding = w->finding;
    dxt_text_printf(w->text, "node %d", finding->node);
    if (finding->rank_count) {
        dxt_text_puts(w->text, " (");
        dxt_words_ranks(w->text, finding->ranks, finding->rank_count);
        dxt_text_puts(w->text, ")");
    }
    dxt_text_puts(w->text, " is late, or its uplink slow,");
    in_phase(w);
    cost(w, "+");
    who_waits(w, "ranks of other nodes");
}

static void slow_node_path(const struct words *w)
{
    const dxt_finding *finding = w->finding;
    dxt_text_printf(w->text, "the path node %d → node %d is slow", finding->source_node,
                    finding->node);
    in_phase(w);
    dxt_text_printf(w->text, ": node %d", finding->node);
    compare(w);
    dxt_text_printf(w->text, "for node %d than for others", finding->source_node);
    dxt_words_share(w->text, ", ", finding->share);
}

/* What is slow of a link, in words that follow a name. */
static void slow_direction(const struct words *w, const char *others)
{
    static const char *const ways[] = {
        [DXT_DIRECTION_NONE] = " is slow",
        [DXT_DIRECTION_IN] = " receives slowly",
        [DXT_DIRECTION_OUT] = " sends slowly",
        [DXT_DIRECTION_BOTH] = " is slow in both directions",
    };
    unsigned way = (unsigned)w->finding->direction;
    dxt_text_puts(w->text, ways[way < sizeof ways / sizeof ways[0] ? way : 0]);
    in_phase(w);
    cost(w, "+");
    dxt_text_printf(w->text, ", with %s", others);
}

static void slow_link(const struct words *w)
{
    dxt_text_puts(w->text, "the link of ");
    dxt_words_rank(w->text, w->window, w->finding->rank);
    slow_direction(w, w->finding->between_nodes ? "all ranks of other nodes" : "all other ranks");
    if (w->finding->or_irregular)
        dxt_text_puts(w->text, "; or its work is irregular, now early, now late");
}

static void slow_node_link(const struct words *w)
{
    const dxt_finding *finding = w->finding;
    dxt_text_printf(w->text, "the uplink of node %d", finding->node);
    if (finding->rank_count) {
        dxt_text_puts(w->text, " (");
        dxt_words_ranks(w->text, finding->ranks, finding->rank_count);
        dxt_text_puts(w->text, ")");
    }
    slow_direction(w, "all other nodes");
}

static void path_stalls(const struct words *w)
{
    const dxt_finding *finding = w->finding;
    dxt_text_printf(w->text, "%u paths stall now and then", finding->path_total);
    if (finding->node_count > 1) {
        dxt_text_puts(w->text, " between nodes ");
        for (uint32_t i = 0; i < finding->node_count && i < 8; i++)
            dxt_text_printf(w->text, "%s%d", i ? ", " : "", finding->nodes[i]);
        if (finding->node_count > 8) dxt_text_puts(w->text, " …");
    }
    in_phase(w);
    cost(w, "up to ");
    dxt_text_puts(w->text, "; no path in particular");
}

static void systemic_skew(const struct words *w)
{
    dxt_text_puts(w->text, "everybody waits for everybody");
    in_phase(w);
    cost_range(w);
    dxt_text_puts(w->text, "; nobody in particular is late");
}

static void silent_rank(const struct words *w)
{
    dxt_words_rank(w->text, w->window, w->finding->rank);
    switch (w->finding->silence) {
    case DXT_SILENCE_NO_COUNTERS:
        dxt_text_puts(w->text, " sent no counters: stopped, hung or dead?");
        break;
    case DXT_SILENCE_NO_PART:
        dxt_text_puts(w->text, " takes no part");
        in_phase(w);
        dxt_text_puts(w->text, dxt_is_behind(w->window, w->finding->rank)
                                   ? ": it has begun fewer operations than the others"
                                   : ": nobody waits for it, and it for nobody");
        dxt_text_puts(w->text, "; hung or masked?");
        break;
    case DXT_SILENCE_TIMED_OUT:
        dxt_text_puts(w->text, " timed out");
        in_phase(w);
        dxt_text_puts(w->text, ": the others gave up waiting for it; hung or dead?");
        break;
    }
}

void dxt_words_finding(dxt_text *text, const dxt_window *window, const dxt_findings *findings,
                       size_t index)
{
    static void (*const kinds[])(const struct words *) = {
        [DXT_LATE_RANK] = late_rank,           [DXT_EARLY_RANK] = early_rank,
        [DXT_SLOW_RECEIVER] = slow_receiver,   [DXT_HOT_EXPERT] = hot_expert,
        [DXT_SLOW_PATH] = slow_path,           [DXT_LATE_NODE] = late_node,
        [DXT_SLOW_NODE_PATH] = slow_node_path, [DXT_SYSTEMIC_SKEW] = systemic_skew,
        [DXT_SILENT_RANK] = silent_rank,       [DXT_SLOW_LINK] = slow_link,
        [DXT_PATH_STALLS] = path_stalls,       [DXT_SLOW_NODE_LINK] = slow_node_link,
    };
    const struct words words = {text, window, findings, &findings->findings[index]};
    unsigned kind = (unsigned)words.finding->kind;
    if (kind < sizeof kinds / sizeof kinds[0])
        kinds[kind](&words);
    else
        dxt_text_puts(text, dxt_finding_kind_name(words.finding->kind));
}

/* Without memory: a finding that is not said would be taken for none. */
static size_t in_short(const dxt_window *window, const dxt_finding *finding, char *buffer,
                       size_t size)
{
    const char *kind = dxt_finding_kind_name(finding->kind);
    int length =
        finding->rank < window->ranks
            ? snprintf(buffer, size, "%s: rank %u (no memory to say more)", kind, finding->rank)
            : snprintf(buffer, size, "%s (no memory to say more)", kind);
    return (size_t)length;
}

size_t dxt_report_sentence(const dxt_window *window, const dxt_findings *findings, size_t index,
                           char *buffer, size_t size)
{
    dxt_text text = {0};
    if (size > 0) buffer[0] = '\0';
    if (!window || !findings) return 0;
    if (index >= findings->finding_count) return 0;
    dxt_words_finding(&text, window, findings, index);
    if (text.failed) {
        free(text.data);
        return in_short(window, &findings->findings[index], buffer, size);
    }
    size_t length = text.size;
    if (size > 0) {
        size_t kept = length < size ? length : size - 1;
        /* Never half a character. */
        while (kept < length && kept > 0 && ((unsigned char)text.data[kept] & 0xc0) == 0x80) kept--;
        memcpy(buffer, text.data, kept);
        buffer[kept] = '\0';
    }
    free(text.data);
    return length;
}
