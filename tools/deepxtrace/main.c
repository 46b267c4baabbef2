/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <deepxtrace/deepxtrace.h>

#include "commands.h"
#include "options.h"
#include "output.h"

static const struct entry {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"run", dxt_cmd_run, "run an EP job with the probe on, diagnose it while it runs"},
    {"analyze", dxt_cmd_analyze, "name what is slow in recorded wait matrices"},
    {"heatmap", dxt_cmd_heatmap, "draw a recorded wait matrix"},
    {"bench", dxt_cmd_bench, "measure the probe, dispatch and combine on this machine"},
    {"info", dxt_cmd_info, "show this build, its parts, and this machine's clocks"},
};

static int print_help(void)
{
    dxt_stdout_printf("deepxtrace finds the slow rank, the slow receiver or the slow path in\n"
                      "Mixture-of-Experts expert-parallel communication.\n\n"
                      "Usage: deepxtrace COMMAND [OPTION]... [FILE]...\n\nCommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        dxt_stdout_printf("  %-10s%s\n", commands[i].name, commands[i].summary);
    dxt_stdout_printf(
        "\n  --version prints the version; COMMAND --help explains a command.\n\nExamples:\n"
        "  deepxtrace run --engine shm --ranks 4 --slow dispatch:2:1ms\n"
        "  deepxtrace analyze recording.jsonl\n"
        "  deepxtrace heatmap recording.jsonl -o waits.svg\n");
    return DXT_EXIT_DONE;
}

static int call(int argc, char **argv, const char **name)
{
    if (argc < 2) {
        dxt_complain(NULL, "which command? (see deepxtrace --help)");
        return DXT_EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0) {
        dxt_stdout_printf("deepxtrace %s\n", dxt_version());
        return DXT_EXIT_DONE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return print_help();
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(word, commands[i].name) == 0) {
            *name = commands[i].name;
            return commands[i].main(argc - 1, argv + 1);
        }
    return dxt_complain(NULL, "unknown command '%s' (see deepxtrace --help)", word);
}

int main(int argc, char **argv)
{
    const char *name = NULL;
    /* A reader that goes away is an error of write(), seen in dxt_stdout_finish(). */
    signal(SIGPIPE, SIG_IGN);
    int status = call(argc, argv, &name);
    return dxt_stdout_finish(name, status);
}
