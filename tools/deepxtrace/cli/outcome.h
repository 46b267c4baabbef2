/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_CLI_OUTCOME_H
#define TOOLS_CLI_OUTCOME_H

/** What a step of a command came to: the command goes on, or ends with this exit status. Whoever
 *  ends it by EXIT_USAGE or EXIT_FAILED has said why on standard error. */
typedef enum outcome {
    GO_ON = -1,
    EXIT_DONE = 0,
    EXIT_FINDINGS = 1, /**< only under --exit-code */
    EXIT_USAGE = 2,    /**< bad usage or bad input */
    EXIT_FAILED = 3,   /**< the run itself failed */
    EXIT_MASKED = 64   /**< a rank of `job` that the others have given up; for its parent only */
} outcome;

#endif
