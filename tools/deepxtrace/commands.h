/* SPDX-License-Identifier: Apache-2.0 */
/* The commands. Each gets its own name as argv[0] and returns an exit status. */
#ifndef TOOLS_COMMANDS_H
#define TOOLS_COMMANDS_H

#include "outcome.h"

outcome cmd_run(int argc, char **argv);
outcome cmd_job(int argc, char **argv);
outcome cmd_analyze(int argc, char **argv);
outcome cmd_compare(int argc, char **argv);
outcome cmd_heatmap(int argc, char **argv);
outcome cmd_report(int argc, char **argv);
outcome cmd_top(int argc, char **argv);
outcome cmd_serve(int argc, char **argv);
outcome cmd_simulate(int argc, char **argv);
outcome cmd_bench(int argc, char **argv);
outcome cmd_info(int argc, char **argv);

#endif
