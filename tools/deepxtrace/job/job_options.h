/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `run`. */
#ifndef DXT_RUN_OPTIONS_H
#define DXT_RUN_OPTIONS_H

#include "job.h"

/**
 * Read the command line into a job and open the files that it names.
 *
 * @param run  Zeroed; filled in.
 * @return −1 to go on; otherwise the exit status, with all files closed.
 */
int dxt_run_options(int argc, char **argv, dxt_run *run);

#endif
