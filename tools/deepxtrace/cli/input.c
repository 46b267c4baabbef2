/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <stdio.h>
#include <string.h>

#include "output.h"
#include "progress.h"

static const char *const methods[] = {"robust", "ratio", NULL};

void analysis_options_of(analysis_options *values, cli_option *options)
{
    const cli_option table[ANALYSIS_OPTIONS] = {
        {.name = "method",
         .type = OPTION_CHOICE,
         .value = &values->method,
         .argument = "NAME",
         .choices = methods,
         .help = "robust (default), or ratio: the established ratio to the mean"},
        {.name = "min-share",
         .type = OPTION_SHARE,
         .value = &values->min_share,
         .argument = "SHARE",
         .help = "leave out what costs less of the time (default 1%)"},
        {.name = "ranks-per-node",
         .type = OPTION_COUNT,
         .value = &values->ranks_per_node,
         .argument = "G",
         .min = 1,
         .max = DXT_MAX_RANKS,
         .help = "ranks 0 to G-1 share a node, and so on, where the input does not say"},
        {.name = "threshold-col",
         .type = OPTION_NUMBER,
         .value = &values->threshold_col,
         .argument = "X",
         .help = "ratio: a column is abnormal above X times the mean (default 3)"},
        {.name = "threshold-row",
         .type = OPTION_NUMBER,
         .value = &values->threshold_row,
         .argument = "X",
         .help = "ratio: the same for a row (default 3)"},
        {.name = "threshold-point",
         .type = OPTION_NUMBER,
         .value = &values->threshold_point,
         .argument = "X",
         .help = "ratio: the same for a single cell (default 5)"},
        {.name = "excluding-zeros",
         .type = OPTION_FLAG,
         .value = &values->excluding_zeros,
         .help = "ratio: compare cells with the mean of those that are not zero"},
        {.name = "keep-points",
         .type = OPTION_FLAG,
         .value = &values->keep_points,
         .help = "ratio: also list cells inside abnormal rows and columns"},
    };
    memcpy(options, table, sizeof table);
}

dxt_status analyze_window(const analysis_options *values, const dxt_window *window,
                          const dxt_window *companion, const dxt_history *history,
                          dxt_findings **findings)
{
    dxt_analysis_options options = {
        .struct_size = sizeof options,
        .method = (dxt_method)values->method,
        .companion = companion,
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
    if (input->said == MOST_REMARKS) complain(input->command, "more of the kind is only counted");
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
    const dxt_source source = {sizeof source, input->files, unpack_read, unpack_next};
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

static bool same_text(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

static bool is_pair_of_phases(const char *dispatch, const char *combine)
{
    size_t before = strlen(dispatch), end = strlen("dispatch");
    if (before < end || strcmp(dispatch + before - end, "dispatch") != 0) return false;
    before -= end;
    return strncmp(dispatch, combine, before) == 0 && strcmp(combine + before, "combine") == 0;
}

bool is_pair(const dxt_window *first, const dxt_window *second)
{
    if (first->ranks != second->ranks || first->index != second->index) return false;
    if (!same_text(first->instance, second->instance)) return false;
    if (!same_text(first->case_name, second->case_name)) return false;
    /* "dispatch" and "combine", or these behind the same words ("ll_dispatch", "ll_combine"). */
    bool forward = is_pair_of_phases(first->phase, second->phase);
    return forward || (is_pair_of_phases(second->phase, first->phase) && first->index >= 0);
}

outcome input_each(cli_input *input, window_fn take, void *context)
{
    dxt_window *before = NULL, *window = NULL, *after = NULL;
    outcome result = GO_ON;
    dxt_status status = input_next(input, &window);
    while (window && result == GO_ON) {
        const dxt_window *companion = before && is_pair(before, window) ? before : NULL;
        if (!companion) {
            status = input_next(input, &after);
            if (after && is_pair(window, after)) companion = after;
        }
        result = take(context, window, companion);
        /* With the pair complete, neither half can be another window's companion. */
        bool complete = before && companion == before;
        dxt_window_free(before);
        before = complete ? NULL : window;
        if (complete) dxt_window_free(window);
        window = after;
        after = NULL;
        if (!window && status == DXT_OK) status = input_next(input, &window);
    }
    dxt_window_free(before);
    dxt_window_free(window);
    return result == GO_ON ? input_end(input, status) : result;
}
