/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_TOOLS_EXIT_H
#define DXT_TOOLS_EXIT_H

/** Exit statuses of every command. */
enum {
    DXT_EXIT_DONE = 0,
    DXT_EXIT_FINDINGS = 1, /**< only under --exit-code */
    DXT_EXIT_USAGE = 2,    /**< bad usage or bad input */
    DXT_EXIT_FAILED = 3    /**< the run itself failed */
};

#endif
