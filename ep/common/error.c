/* SPDX-License-Identifier: Apache-2.0 */
#include "common/engine.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_error[512];

const char *dxt_ep_error(void)
{
    return last_error;
}

dxt_status dxt_ep_fail(dxt_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(last_error, sizeof last_error, format, args);
    va_end(args);
    return status;
}
