/* SPDX-License-Identifier: Apache-2.0 */
#include "part.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/deepxtrace.h>

#define LIBRARY "libdeepxtrace-monitor.so.0"

/* Folder of the core library, next to which all parts are; "" if the system cannot tell. */
static void library_folder(char *path, size_t size)
{
    Dl_info info;
    void *address = NULL;
    const char *(*function)(void) = dxt_version;
    memcpy(&address, &function, sizeof address);
    path[0] = '\0';
    if (!dladdr(address, &info) || !info.dli_fname) return;
    snprintf(path, size, "%s", info.dli_fname);
    char *slash = strrchr(path, '/');
    if (slash)
        slash[1] = '\0';
    else
        path[0] = '\0';
}

const dxt_monitor_part *monitor_find(const char **why)
{
    static char reason[1200];
    char path[1024], folder[900];
    const char *given = secure_getenv("DEEPXTRACE_PARTS");
    library_folder(folder, sizeof folder);
    void *part = NULL;
    *why = reason;
    if (given && given[0]) {
        snprintf(path, sizeof path, "%s/" LIBRARY, given);
        part = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    snprintf(path, sizeof path, "%s" LIBRARY, folder);
    if (!part) part = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *told = part ? NULL : dlerror();
    if (!part) {
        snprintf(
            reason, sizeof reason,
            "the part \"monitor\" is not there: %s (it needs Debian's libsqlite3-0, libmicrohttpd12"
            " and zlib1g)",
            told ? told : "cannot be loaded");
        return NULL;
    }
    dxt_monitor_find find = NULL;
    void *address = dlsym(part, "dxt_monitor");
    memcpy(&find, &address, sizeof find);
    const dxt_monitor_part *found = find ? find(DXT_MONITOR_LAYOUT) : NULL;
    if (!found) snprintf(reason, sizeof reason, "%s is of another version", path);
    return found;
}
