/* SPDX-License-Identifier: Apache-2.0 */
#include "part.h"

#include <stdio.h>
#include <string.h>

#include <deepxtrace/deepxtrace.h>

#include "system/loader.h"

static bool take_monitor(void *library, void *context)
{
    const dxt_monitor_part **part = context;
    dxt_monitor_find find = NULL;
    dxt_part_symbol(library, "dxt_monitor", &find);
    *part = find ? find(DXT_MONITOR_LAYOUT) : NULL;
    return *part != NULL;
}

const dxt_monitor_part *monitor_find(const char **why)
{
    static char reason[DXT_LOADER_WHY_SIZE + 160];
    char told[DXT_LOADER_WHY_SIZE];
    const dxt_monitor_part *part = NULL;
    /* Parts are next to the core library. */
    const void *beside = NULL;
    const char *(*function)(void) = dxt_version;
    memcpy(&beside, &function, sizeof beside);
    *why = reason;
    if (!dxt_load_part("monitor", beside, take_monitor, &part, told, sizeof told))
        snprintf(reason, sizeof reason,
                 "the part \"monitor\" is not there: %s (it needs Debian's libsqlite3-0, "
                 "libmicrohttpd12 and zlib1g)",
                 told);
    return part;
}
