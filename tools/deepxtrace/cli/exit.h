/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_CLI_EXIT_H
#define TOOLS_CLI_EXIT_H

/** Exit statuses of every command. */
enum {
    EXIT_DONE = 0,
    EXIT_FINDINGS = 1, /**< only under --exit-code */
    EXIT_USAGE = 2,    /**< bad usage or bad input */
    EXIT_FAILED = 3    /**< the run itself failed */
};

#endif
