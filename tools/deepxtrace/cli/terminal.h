/* SPDX-License-Identifier: Apache-2.0 */
/* What a file descriptor leads to. */
#ifndef TOOLS_CLI_TERMINAL_H
#define TOOLS_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/** Characters in a line of the terminal; 80 if it is none or does not tell. */
static inline uint32_t terminal_columns(int fd)
{
    struct winsize size;
    if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20) return size.ws_col;
    return 80;
}

/** Whether it is a terminal on which a line can be written again; on TERM=dumb none can. */
static inline bool terminal_rewrites(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && !(term && strcmp(term, "dumb") == 0);
}

#endif
