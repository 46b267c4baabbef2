/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "system/clock.h"
#include "terminal.h"

/* How long nothing must have been printed, and how often the line changes. */
#define SILENCE_NS INT64_C(1000000000)
#define CHANGE_NS INT64_C(200000000)

static int64_t printed_ns; /* 0 = not known yet */
static bool shown;

void progress(const char *format, ...)
{
    static int on_terminal = -1;
    if (on_terminal < 0) on_terminal = terminal_rewrites(STDERR_FILENO);
    if (!on_terminal) return;
    int64_t now = dxt_clock_ns(CLOCK_MONOTONIC);
    if (printed_ns == 0) printed_ns = now;
    if (now - printed_ns < (shown ? CHANGE_NS : SILENCE_NS)) return;
    char line[160];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    dxt_make_printable(line);
    int fits = (int)terminal_columns(STDERR_FILENO) - 1;
    fprintf(stderr, "\r%.*s\033[K", fits < 79 ? fits : 79, line);
    printed_ns = now;
    shown = true;
}

void progress_clear(void)
{
    if (shown) fprintf(stderr, "\r\033[K");
    shown = false;
    printed_ns = 0;
}

void progress_before_stdout(void)
{
    static int on_terminal = -1;
    if (on_terminal < 0) on_terminal = isatty(STDOUT_FILENO);
    if (on_terminal) progress_clear();
}
