/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `job`. */
#ifndef TOOLS_JOB_JOB_OPTIONS_H
#define TOOLS_JOB_JOB_OPTIONS_H

#include "job.h"

/**
 * Read the command line into a job and open the files that it names.
 *
 * @param run  Zeroed; filled in.
 * @return GO_ON; otherwise the exit status, with all files closed.
 */
outcome job_options_read(int argc, char **argv, job *run);

#endif
