/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

#include "commands.h"
#include "complete.h"
#include "nearest.h"
#include "options.h"
#include "outcome.h"
#include "output.h"

static outcome completion(int argc, char **argv);

static const complete_command commands[] = {
    {"run", cmd_run, "run any program with the diagnosis attached"},
    {"job", cmd_job, "run an EP job with the probe on, diagnose it while it runs"},
    {"analyze", cmd_analyze, "name what is slow in recorded wait matrices"},
    {"heatmap", cmd_heatmap, "draw a recorded wait matrix"},
    {"report", cmd_report, "make one page for the ticket, the recording inside it"},
    {"compare", cmd_compare, "say what changed from one recording to another"},
    {"top", cmd_top, "watch recordings that grow, in the terminal"},
    {"serve", cmd_serve, "follow recordings: history, incidents, metrics, alerts"},
    {"simulate", cmd_simulate, "make labelled recordings of a simulated job"},
    {"bench", cmd_bench, "measure the probe, dispatch and combine on this machine"},
    {"info", cmd_info, "show this build, its parts, and this machine's clocks"},
    {"completion", completion, "print completions for bash, zsh or fish"},
};

static outcome completion(int argc, char **argv)
{
    static const char *const shells[] = {"bash", "zsh", "fish", NULL};
    const cli_command command = {
        .name = "completion",
        .summary = "Print what makes a shell complete the commands and options of deepxtrace.",
        .operands = "bash|zsh|fish",
        .min_operands = 1,
        .max_operands = 1,
        .words = shells,
        .examples = "  source <(deepxtrace completion bash)\n"
                    "  deepxtrace completion zsh > ~/.zfunc/_deepxtrace\n"
                    "  deepxtrace completion fish | source\n",
    };
    int operands;
    outcome result = command_line(&command, argc, argv, &operands);
    if (result != GO_ON) return result;
    result = complete_write(argv[1], commands, sizeof commands / sizeof commands[0], "run");
    if (result == EXIT_USAGE)
        return complain("completion", "'%s' is not one of bash, zsh, fish", argv[1]);
    return result;
}

static outcome print_help(void)
{
    stdout_printf("deepxtrace finds the slow rank, the slow receiver or the slow path in\n"
                  "Mixture-of-Experts expert-parallel communication.\n\n"
                  "Usage: deepxtrace COMMAND [OPTION]... [FILE]...\n\nCommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        stdout_printf("  %-12s%s\n", commands[i].name, commands[i].summary);
    stdout_printf("\n  COMMAND --help (or help COMMAND) explains one; -V prints the version.\n"
                  "\nExamples:\n"
                  "  deepxtrace run --output logs python3 server.py\n"
                  "  deepxtrace job --ranks 4 --slow dispatch:2:1ms\n"
                  "  deepxtrace analyze recording.jsonl\n"
                  "  deepxtrace heatmap recording.jsonl -o waits.svg\n");
    return EXIT_DONE;
}

static const complete_command *find_command(const char *word)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(word, commands[i].name) == 0) return &commands[i];
    return NULL;
}

static const char *command_name(const void *context, size_t index)
{
    (void)context;
    return index < sizeof commands / sizeof commands[0] ? commands[index].name : NULL;
}

static outcome unknown(const char *command, const char *word)
{
    const char *meant = nearest(word, command_name, NULL);
    if (meant) return complain(command, "unknown command '%s' (did you mean '%s'?)", word, meant);
    if (access(word, F_OK) == 0)
        return complain(command, "unknown command '%s'; to read it: deepxtrace analyze %s", word,
                        word);
    if (strcmp(word, "-v") == 0)
        return complain(command, "unknown command '-v' (did you mean -V?)");
    return complain(command, "unknown command '%s' (see deepxtrace --help)", word);
}

/* "help" alone or with the name of a command. */
static outcome help(int argc, char **argv)
{
    char option[] = "--help";
    if (argc < 2) return print_help();
    if (argc > 2) return complain("help", "'%s' is one argument too many", argv[2]);
    const complete_command *entry = find_command(argv[1]);
    if (!entry) return unknown("help", argv[1]);
    char *line[] = {argv[1], option, NULL};
    return entry->main(2, line);
}

/* `deepxtrace-run` is `deepxtrace run`. */
static bool is_run(const char *program)
{
    const char *slash = strrchr(program, '/');
    return strcmp(slash ? slash + 1 : program, "deepxtrace-run") == 0;
}

static outcome call(int argc, char **argv, const char **name)
{
    if (argc > 0 && is_run(argv[0])) {
        *name = "run";
        return cmd_run(argc, argv);
    }
    if (argc < 2) {
        complain(NULL, "a command is missing (see deepxtrace --help)");
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0 || strcmp(word, "version") == 0) {
        stdout_printf("deepxtrace %s\n", dxt_version());
        return EXIT_DONE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return print_help();
    if (strcmp(word, "help") == 0) return help(argc - 1, argv + 1);
    const complete_command *entry = find_command(word);
    if (entry) {
        *name = entry->name;
        return entry->main(argc - 1, argv + 1);
    }
    return unknown(NULL, word);
}

/* A file must not get the number of a standard stream that came closed: what is meant for the one
 * would go into the other. What takes its place fails as the closed one would. */
static outcome occupy_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) == fd) continue;
        complain(NULL, "/dev/null: %s", strerror(errno));
        return EXIT_FAILED;
    }
    return GO_ON;
}

int main(int argc, char **argv)
{
    const char *name = NULL;
    outcome closed = occupy_streams();
    if (closed != GO_ON) return closed;
    /* A reader that goes away is an error of write(), seen in stdout_finish(). */
    signal(SIGPIPE, SIG_IGN);
    /* So is a file that may not grow any more; what was begun of it can then be removed. */
    signal(SIGXFSZ, SIG_IGN);
    outcome status = call(argc, argv, &name);
    return stdout_finish(name, status);
}
