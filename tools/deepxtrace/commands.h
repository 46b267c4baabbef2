/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each gets its own name as argv[0] and returns an exit status. */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

int cmd_run(int argc, char **argv);
int cmd_job(int argc, char **argv);
int cmd_analyze(int argc, char **argv);
int cmd_heatmap(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_info(int argc, char **argv);

#endif
