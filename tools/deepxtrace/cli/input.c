/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <stdio.h>
#include <string.h>

#include "output.h"
#include "progress.h"
#include "system/text.h"

static const char *const methods[] = {"robust", "ratio", NULL};

void robust_options_of(analysis_options *values, cli_option *options)
{
    const cli_option table[ROBUST_OPTIONS] = {
        {.name = "min-share",
         .type = OPTION_SHARE,
         .value = &values->min_share,
         .argument = "SHARE",
         .help = "leave out findings that cost a smaller share of the step (default 1%)"},
        {.name = "ranks-per-node",
         .type = OPTION_COUNT,
         .value = &values->ranks_per_node,
         .argument = "G",
         .min = 1,
         .max = DXT_MAX_RANKS,
         .help = "put ranks 0 to G-1 on one node, and so on, if the input names no nodes"},
    };
    memcpy(options, table, sizeof table);
}

void analysis_options_of(analysis_options *values, cli_option *options)
{
    const cli_option method = {.name = "method",
                               .type = OPTION_CHOICE,
                               .value = &values->method,
                               .argument = "NAME",
                               .choices = methods,
                               .help =
                                   "robust (default), or ratio: the rule of the Python DeepXTrace"};
    const cli_option ratio[] = {
        {.name = "threshold-col",
         .type = OPTION_NUMBER,
         .value = &values->threshold_col,
         .argument = "X",
         .help = "ratio: call a column abnormal above X times the mean (default 3)"},
        {.name = "threshold-row",
         .type = OPTION_NUMBER,
         .value = &values->threshold_row,
         .argument = "X",
         .help = "ratio: the same for rows (default 3)"},
        {.name = "threshold-point",
         .type = OPTION_NUMBER,
         .value = &values->threshold_point,
         .argument = "X",
         .help = "ratio: the same for single cells (default 5)"},
        {.name = "excluding-zeros",
         .type = OPTION_FLAG,
         .value = &values->excluding_zeros,
         .help = "ratio: compare cells with the mean of those that are not zero"},
        {.name = "keep-points",
         .type = OPTION_FLAG,
         .value = &values->keep_points,
         .help = "ratio: also list cells inside abnormal rows and columns"},
    };
    _Static_assert(1 + ROBUST_OPTIONS + sizeof ratio / sizeof ratio[0] == ANALYSIS_OPTIONS, "all");
    options[0] = method;
    robust_options_of(values, options + 1);
    memcpy(options + 1 + ROBUST_OPTIONS, ratio, sizeof ratio);
}

dxt_status analyze_window(const analysis_options *values, const dxt_window *window,
                          related_windows related, const dxt_history *history,
                          dxt_findings **findings)
{
    dxt_analysis_options options = {
        .struct_size = sizeof options,
        .method = (dxt_method)values->method,
        .companion = related.companion,
        .adjacent = related.adjacent,
        .min_share = values->min_share,
        .ranks_per_node = (uint32_t)values->ranks_per_node,
        .threshold_col = values->threshold_col,
        .threshold_row = values->threshold_row,
        .threshold_point = values->threshold_point,
        .keep_points = values->keep_points,
        .excluding_zeros = values->excluding_zeros,
    };
    dxt_status status = dxt_history_prior(history, window, &options);
    return status == DXT_OK ? dxt_analyze(window, &options, findings) : status;
}

/* A file with thousands of bad lines has one cause: so many are told one by one. */
#define MOST_REMARKS 8

/* Write the first remark, if that has not been done. */
static void say_first(cli_input *input)
{
    if (input->first[0]) complain(input->command, "%s", input->first);
    input->first[0] = '\0';
}

static int hear(void *context, dxt_remark kind, const char *message)
{
    cli_input *input = context;
    static const char *const what[] = {"; the window is left out", "; it is left out", ""};
    if (input->strict && kind != DXT_REMARK_NOTE) return 0;
    if (kind == DXT_REMARK_LOST) input->lost++;
    if (input->said++ == 0) {
        snprintf(input->first, sizeof input->first, "%s%s", message, what[kind]);
        return 1;
    }
    say_first(input);
    if (input->said <= MOST_REMARKS) complain(input->command, "%s%s", message, what[kind]);
    if (input->said == MOST_REMARKS)
        complain(input->command, "further such lines are only counted");
    return 1;
}

outcome input_open(cli_input *input, const char *command, char *const *paths, size_t count,
                   bool strict)
{
    char why[512];
    *input = (cli_input){.command = command, .strict = strict};
    dxt_status status = unpack_open(paths, count, &input->files, why, sizeof why);
    if (status != DXT_OK) {
        complain(command, "%s", why);
        return status == DXT_ERR_NO_MEMORY ? EXIT_FAILED : EXIT_USAGE;
    }
    const dxt_source source = {sizeof source, input->files, unpack_read_or_tell, unpack_next};
    status = dxt_reader_open_source(&source, unpack_name(input->files), &input->reader);
    if (status != DXT_OK) {
        input_close(input);
        return complain_status(command, status);
    }
    dxt_reader_on_remark(input->reader, hear, input);
    return GO_ON;
}

dxt_status input_next(cli_input *input, dxt_window **window)
{
    dxt_status status = dxt_reader_next(input->reader, window);
    if (status == DXT_OK && input->change) {
        status = input->change(input->change_context, *window);
        if (status != DXT_OK) {
            dxt_window_free(*window);
            *window = NULL;
        }
    }
    if (status == DXT_OK) input->windows++;
    progress("deepxtrace %s: %llu windows read", input->command,
             (unsigned long long)input->windows);
    if (status == DXT_OK) say_first(input);
    return status;
}

outcome input_end(cli_input *input, dxt_status status)
{
    /* Of a file that is nothing but one bad window all has been said with that. */
    bool all = input->first[0] && input->windows == 0 && status == DXT_ERR_FORMAT;
    say_first(input);
    if (all) return EXIT_USAGE;
    if (status != DXT_END) return complain_status(input->command, status);
    if (input->lost > 0)
        complain(input->command, "%llu of %llu windows could not be read",
                 (unsigned long long)input->lost,
                 (unsigned long long)(input->windows + input->lost));
    return GO_ON;
}

void input_close(cli_input *input)
{
    dxt_reader_close(input->reader);
    unpack_close(input->files);
    input->reader = NULL;
    input->files = NULL;
}

/* Windows of one interval that belong together: an operator, the other one, and their transfers. */
enum { OPERATORS = 4 };
/* Jobs that write in turns into one file; and for so many windows of others one is waited for. */
enum { WRITERS = 8, PATIENCE = 16 };

typedef struct interval {
    dxt_window *window[OPERATORS];
    size_t count;
    uint64_t begun; /* when its newest window came */
} interval;

/* Whether a window belongs to an interval; its operator is not there yet. */
static bool belongs(const interval *in, const dxt_window *window)
{
    bool related = in->count == 0;
    for (size_t i = 0; i < in->count; i++) {
        if (strcmp(in->window[i]->phase, window->phase) == 0) return false;
        related = related || dxt_window_relation(in->window[i], window) != DXT_RELATION_NONE;
    }
    return related && in->count < OPERATORS;
}

static related_windows related_to(const interval *in, size_t i)
{
    related_windows related = {0};
    for (size_t k = 0; k < in->count; k++) {
        dxt_relation found = i < k   ? dxt_window_relation(in->window[i], in->window[k])
                             : k < i ? dxt_window_relation(in->window[k], in->window[i])
                                     : DXT_RELATION_NONE;
        if (found == DXT_RELATION_COMPANION) related.companion = in->window[k];
        if (found == DXT_RELATION_ADJACENT) related.adjacent = in->window[k];
    }
    return related;
}

/* Whether nothing more can belong to it: the two operators without transfers, or all four. */
static bool is_complete(const interval *in)
{
    bool pair = in->count == 2 &&
                dxt_window_relation(in->window[0], in->window[1]) == DXT_RELATION_COMPANION;
    return pair || in->count == OPERATORS;
}

static outcome hand_over(interval *in, window_fn take, void *context, outcome result)
{
    for (size_t i = 0; i < in->count && result == GO_ON; i++)
        result = take(context, in->window[i], related_to(in, i));
    for (size_t i = 0; i < in->count; i++) dxt_window_free(in->window[i]);
    in->count = 0;
    return result;
}

/* The interval under way of a window's job, or a free one: after the oldest has been handed over if
 * there is none. */
static interval *place_for(interval *all, const dxt_window *window, window_fn take, void *context,
                           outcome *result)
{
    interval *place = &all[0];
    for (size_t i = 0; i < WRITERS; i++) {
        if (all[i].count > 0 && dxt_same_text(all[i].window[0]->instance, window->instance))
            return &all[i];
        if (place->count > 0 && (all[i].count == 0 || all[i].begun < place->begun)) place = &all[i];
    }
    *result = hand_over(place, take, context, *result);
    return place;
}

/* Those whose job has written nothing for long, the oldest first. */
static outcome hand_over_old(interval *all, uint64_t now, window_fn take, void *context,
                             outcome result)
{
    for (;;) {
        interval *oldest = NULL;
        for (size_t i = 0; i < WRITERS; i++)
            if (all[i].count > 0 && now - all[i].begun >= PATIENCE &&
                (!oldest || all[i].begun < oldest->begun))
                oldest = &all[i];
        if (!oldest) return result;
        result = hand_over(oldest, take, context, result);
    }
}

outcome input_each(cli_input *input, window_fn take, void *context)
{
    interval all[WRITERS] = {{.count = 0}};
    dxt_window *window = NULL;
    outcome result = GO_ON;
    dxt_status status = DXT_OK;
    uint64_t now = 0;
    while (result == GO_ON && (status = input_next(input, &window)) == DXT_OK) {
        interval *in = place_for(all, window, take, context, &result);
        if (!belongs(in, window)) result = hand_over(in, take, context, result);
        in->window[in->count++] = window;
        in->begun = ++now;
        window = NULL;
        if (is_complete(in)) result = hand_over(in, take, context, result);
        result = hand_over_old(all, now, take, context, result);
    }
    result = hand_over_old(all, now + PATIENCE, take, context, result);
    return result == GO_ON ? input_end(input, status) : result;
}
