/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: the input is the words, one a line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "options.h"
#include "require.h"
#include "since.h"

#define MAX_WORDS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* assert() is compiled out of an optimised build. */
static bool keep(const char *text, void *value, char *why, size_t why_size)
{
    (void)why, (void)why_size;
    *(const char **)value = text;
    return true;
}

static void parse(int argc, char **argv)
{
    int64_t moment_ns;
    for (int i = 1; i < argc; i++) {
        char path[64], *to, *from;
        if (since_parse(argv[i], INT64_C(1795694400000000000), &moment_ns)) require(argv[i][0]);
        snprintf(path, sizeof path, "%s", argv[i]);
        if (cli_cut_path(path, &to, &from)) require(strlen(to) + strlen(from) < sizeof path);
    }
    char why[64] = "";
    int operands = -1;
    const char *kept = NULL, *output = NULL;
    bool json = false;
    int64_t delay = 5000;
    analysis_options analysis = {0};
    cli_option options[4 + ANALYSIS_OPTIONS] = {
        {.name = "json", .value = &json},
        {.name = "output", .letter = 'o', .type = OPTION_TEXT, .value = &output},
        {.name = "delay", .type = OPTION_DURATION, .value = &delay, .min = 10, .max = 1000000},
        {.name = "keep", .type = OPTION_CUSTOM, .value = &kept, .parse = keep},
    };
    for (size_t i = 1; i < 4; i++) options[i].argument = "VALUE";
    analysis_options_of(&analysis, options + 4);
    const cli_command command = {.name = "fuzz",
                                 .operands = "FILE",
                                 .min_operands = 1,
                                 .max_operands = 3,
                                 .options = options,
                                 .option_count = sizeof options / sizeof options[0]};
    switch (options_parse(&command, argc, argv, &operands, why, sizeof why)) {
    case PARSED:
        require(operands >= 1 && operands <= 3);
        require(analysis.min_share >= 0 && analysis.min_share <= 1);
        require(analysis.ranks_per_node <= DXT_MAX_RANKS);
        require(analysis.threshold_col >= 0 && analysis.threshold_row >= 0);
        require(analysis.method == DXT_METHOD_ROBUST || analysis.method == DXT_METHOD_RATIO);
        require(delay >= 10 && delay <= 1000000);
        break;
    case PARSED_HELP: break;
    case PARSED_BAD: require(why[0]); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *argv[MAX_WORDS] = {(char *)"fuzz"};
    int argc = 1;
    char *text = malloc(size + 1);
    if (!text) return 0;
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    char *rest = text;
    for (char *word; argc < MAX_WORDS && (word = strsep(&rest, "\n"));) argv[argc++] = word;
    parse(argc, argv);
    free(text);
    return 0;
}
