/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/ep.h>

/* Directory of libdeepxtrace-ep, next to which all parts are; empty if the system cannot tell. */
static void library_directory(char *path, size_t size)
{
    Dl_info info;
    void *address = NULL;
    dxt_status (*function)(const dxt_ep_config *, dxt_ep **) = dxt_ep_create;
    memcpy(&address, &function, sizeof address);
    path[0] = '\0';
    if (!dladdr(address, &info) || !info.dli_fname) return;
    snprintf(path, size, "%s", info.dli_fname);
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    else
        path[0] = '\0';
}

const device_table *device_find(const char *name, const char **why)
{
    static char reason[1200];
    char library[64], path[1024], directory[960];
    const char *given = getenv("DEEPXTRACE_PARTS");
    library_directory(directory, sizeof directory);
    const char *const folders[] = {given ? given : "", directory, NULL};
    snprintf(library, sizeof library, "libdeepxtrace-run-%s.so.0", name);
    void *part = NULL;
    *why = reason;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !part; i++) {
        if (folders[i] && !folders[i][0]) continue;
        snprintf(path, sizeof path, "%s%s%s", folders[i] ? folders[i] : "", folders[i] ? "/" : "",
                 library);
        part = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        const char *told = part ? NULL : dlerror();
        if (!part) snprintf(reason, sizeof reason, "%s", told ? told : "cannot be loaded");
    }
    if (!part) return NULL;
    const device_table *(*find)(uint32_t) = NULL;
    void *address = dlsym(part, "dxt_device_part");
    memcpy(&find, &address, sizeof find);
    const device_table *device = find ? find(DEVICE_LAYOUT) : NULL;
    if (device) return device;
    snprintf(reason, sizeof reason, "%s is of another version", path);
    dlclose(part);
    return NULL;
}
