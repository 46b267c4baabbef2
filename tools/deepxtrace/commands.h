/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each gets its own name as argv[0] and returns an exit status. */
#ifndef DXT_TOOLS_COMMANDS_H
#define DXT_TOOLS_COMMANDS_H

/** Exit statuses of every command. */
enum {
    DXT_EXIT_DONE = 0,
    DXT_EXIT_FINDINGS = 1, /**< only under --exit-code */
    DXT_EXIT_USAGE = 2,    /**< bad usage or bad input */
    DXT_EXIT_FAILED = 3    /**< the run itself failed */
};

int dxt_cmd_run(int argc, char **argv);
int dxt_cmd_analyze(int argc, char **argv);
int dxt_cmd_heatmap(int argc, char **argv);
int dxt_cmd_simulate(int argc, char **argv);
int dxt_cmd_bench(int argc, char **argv);
int dxt_cmd_info(int argc, char **argv);

#endif
