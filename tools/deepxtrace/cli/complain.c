/* SPDX-License-Identifier: Apache-2.0 */
#include "complain.h"

#include <stdarg.h>
#include <stdio.h>

#include "progress.h"

static bool muted;

void complain_mute(bool mute)
{
    muted = mute;
}

outcome complain(const char *command, const char *format, ...)
{
    char line[4096];
    if (muted) return EXIT_USAGE;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    dxt_make_printable(line); /* whatever a file name or an argument holds */
    progress_clear();
    fprintf(stderr, "deepxtrace%s%s: %s\n", command ? " " : "", command ? command : "", line);
    return EXIT_USAGE;
}

outcome complain_memory(const char *command)
{
    complain(command, "out of memory");
    return EXIT_FAILED;
}

outcome complain_status(const char *command, dxt_status status)
{
    bool told = status != DXT_ERR_NO_MEMORY && *dxt_error();
    complain(command, "%s", told ? dxt_error() : dxt_status_string(status));
    switch (status) {
    case DXT_ERR_INVALID:
    case DXT_ERR_LIMIT:
    case DXT_ERR_FORMAT:
    case DXT_ERR_IO: return EXIT_USAGE;
    default: return EXIT_FAILED;
    }
}
