/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each gets its own name as argv[0] and returns an exit status. */
#ifndef DXT_TOOLS_COMMANDS_H
#define DXT_TOOLS_COMMANDS_H

int dxt_cmd_run(int argc, char **argv);
int dxt_cmd_analyze(int argc, char **argv);
int dxt_cmd_heatmap(int argc, char **argv);
int dxt_cmd_simulate(int argc, char **argv);
int dxt_cmd_bench(int argc, char **argv);
int dxt_cmd_info(int argc, char **argv);

#endif
