/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "launch.h"
#include "options.h"
#include "outcome.h"

/* What the table of the built-in job says of a command line. */
struct job_line {
    int argc;
    char **argv;
    char names[1024]; /* "--ranks -n --steps …" */
    bool whole;       /* it is one of the job, with nothing but options */
};

static void look(const cli_command *command, void *context)
{
    struct job_line *line = context;
    char why[256];
    int operands = 0;
    size_t used = 0;
    for (size_t i = 0; i < command->option_count; i++) {
        const cli_option *option = &command->options[i];
        char letter[4] = {' ', '-', option->letter, '\0'};
        int length = snprintf(line->names + used, sizeof line->names - used, "%s--%s%s",
                              i ? " " : "", option->name, option->letter ? letter : "");
        if (length < 0 || (size_t)length >= sizeof line->names - used) break;
        used += (size_t)length;
    }
    line->whole =
        options_parse(command, line->argc, line->argv, &operands, why, sizeof why) == PARSED &&
        operands == 0;
}

outcome cmd_run(int argc, char **argv)
{
    struct job_line line = {.argc = argc};
    char text[2048];
    line.argv = calloc((size_t)argc + 1, sizeof *line.argv);
    if (!line.argv) {
        complain("run", "%s", dxt_status_string(DXT_ERR_NO_MEMORY));
        return EXIT_FAILED;
    }
    memcpy(line.argv, argv, (size_t)argc * sizeof *argv);
    command_line_look(cmd_job, "job", look, &line);
    free(line.argv);
    if (!line.whole) return launch(argc, argv, line.names);
    command_line_text(argc - 1, argv + 1, text, sizeof text);
    return complain("run", "no command was given; the built-in job is: deepxtrace job%s%s",
                    argc > 1 ? " " : "", text);
}
