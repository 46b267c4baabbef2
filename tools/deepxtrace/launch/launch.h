/* SPDX-License-Identifier: Apache-2.0 */
/* `run`: hands a command to the launcher, which is Python (python/deepxtrace/run.py) and has the
 * table of options. This finds the package, and an interpreter. */
#ifndef TOOLS_LAUNCH_LAUNCH_H
#define TOOLS_LAUNCH_LAUNCH_H

#include "outcome.h"

/**
 * Become the launcher.
 *
 * @param argc, argv   Command line of `run`, argv[0] its name. Not modified.
 * @param job_options  Options of the built-in job, "--ranks -n --steps …": who gives one of them
 *                     to `run` is told about `deepxtrace job`.
 * @return EXIT_FAILED, said on standard error, if that cannot be; otherwise it does not return.
 *
 * Of the process nothing changes but its program, so that exit status and signals are the
 * command's. Signals that are ignored come back to what they do by themselves.
 */
outcome launch(int argc, char **argv, const char *job_options);

#endif
