/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that read recordings share: the options of the analysis, and pairs of windows. */
#ifndef TOOLS_CLI_INPUT_H
#define TOOLS_CLI_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <deepxtrace/history.h>

#include "options.h"

/** The options of the analysis as the command line has them; zero it to begin. */
typedef struct analysis_options {
    int method; /**< dxt_method */
    double min_share, threshold_col, threshold_row, threshold_point;
    uint64_t ranks_per_node;
    bool excluding_zeros, keep_points;
} analysis_options;

/** How many options analysis_options_of() fills in. */
#define ANALYSIS_OPTIONS 8

/** Write the options' table entries into @p options[0 … ANALYSIS_OPTIONS). */
void analysis_options_of(analysis_options *values, cli_option *options);

/** dxt_analyze() with them. @p companion and @p history may be NULL. */
dxt_status analyze_window(const analysis_options *values, const dxt_window *window,
                          const dxt_window *companion, const dxt_history *history,
                          dxt_findings **findings);

/**
 * Open an input of @p command, as dxt_reader_open() does.
 *
 * @return GO_ON; otherwise the exit status, said on standard error.
 */
outcome input_open(const char *command, const char *path, dxt_reader **reader);

/**
 * Whether two neighbours in a file are the two operators over the same interval: the same ranks,
 * instance, case and window number, and not the same operator. Without window numbers only a
 * combine that follows a dispatch counts.
 */
bool is_pair(const dxt_window *first, const dxt_window *second);

#endif
