/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that read recordings share: their input, the options of the analysis, and pairs of
 * windows. */
#ifndef TOOLS_CLI_INPUT_H
#define TOOLS_CLI_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <deepxtrace/history.h>

#include "options.h"
#include "unpack.h"

/** The options of the analysis as the command line has them; zero it to begin. */
typedef struct analysis_options {
    int method; /**< dxt_method */
    double min_share, threshold_col, threshold_row, threshold_point;
    uint64_t ranks_per_node;
    bool excluding_zeros, keep_points;
} analysis_options;

/** How many options robust_options_of() and analysis_options_of() fill in. */
#define ROBUST_OPTIONS 2
#define ANALYSIS_OPTIONS 8

/** Write the table entries of the options into @p options[0 … ROBUST_OPTIONS): those that the
 *  robust method has. */
void robust_options_of(analysis_options *values, cli_option *options);

/** Write them and those of the ratio method into @p options[0 … ANALYSIS_OPTIONS). */
void analysis_options_of(analysis_options *values, cli_option *options);

/** Windows of other operators over the same interval, by what they are to one (dxt_relation);
 *  NULL = none. */
typedef struct related_windows {
    const dxt_window *companion, *adjacent;
} related_windows;

/** dxt_analyze() with them. @p history may be NULL. */
dxt_status analyze_window(const analysis_options *values, const dxt_window *window,
                          related_windows related, const dxt_history *history,
                          dxt_findings **findings);

/** One input of a command: a file, or the parts of a log. */
typedef struct cli_input {
    const char *command;
    dxt_reader *reader;
    unpack *files;
    bool strict;      /**< the first window that cannot be read ends the reading */
    uint64_t windows; /**< handed out */
    uint64_t lost;    /**< could not be read */
    uint64_t said;    /**< remarks so far */
    /** Changes each window before anybody sees it; NULL = none. @return DXT_OK; a failure. */
    dxt_status (*change)(void *context, dxt_window *window);
    void *change_context;
    char first[1024]; /**< the first one, which may turn out to be all there is to say */
} cli_input;

/**
 * Open an input; packed files are unpacked. What cannot be read of it is left out and said on
 * standard error, unless @p strict.
 *
 * @param input  Filled in; must not move; end it with input_close().
 * @param paths  Must outlive it.
 * @return GO_ON; otherwise the exit status, said on standard error.
 */
outcome input_open(cli_input *input, const char *command, char *const *paths, size_t count,
                   bool strict);

/** dxt_reader_next(), then `change`. */
dxt_status input_next(cli_input *input, dxt_window **window);

/** Is given a window and, where they follow each other, those of the same interval that belong to
 *  it. @return GO_ON, or the exit status. */
typedef outcome (*window_fn)(void *context, const dxt_window *window, related_windows related);

/**
 * Hand all windows over in their order: those of an interval once all operators that belong
 * together have been read, or the first window that does not belong to them.
 *
 * @return GO_ON at the end of the input; otherwise the exit status.
 */
outcome input_each(cli_input *input, window_fn take, void *context);

/**
 * Say how much could not be read, and why the reading ended with @p status.
 *
 * @return GO_ON if it came to its end; otherwise the exit status.
 */
outcome input_end(cli_input *input, dxt_status status);

void input_close(cli_input *input);

#endif
