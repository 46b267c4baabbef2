/* SPDX-License-Identifier: Apache-2.0 */
#include "system/zstd.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

const dxt_zstd *dxt_zstd_library(void)
{
    static const char *const names[] = {"ZSTD_createDStream", "ZSTD_freeDStream",
                                        "ZSTD_initDStream",   "ZSTD_decompressStream",
                                        "ZSTD_isError",       "ZSTD_getErrorCode"};
    static dxt_zstd table;
    static bool tried, found;
    if (tried) return found ? &table : NULL;
    tried = true;
    void *library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
    void *address[sizeof names / sizeof names[0]];
    _Static_assert(sizeof address == sizeof table, "a function for each name");
    found = library != NULL;
    for (size_t i = 0; found && i < sizeof names / sizeof names[0]; i++) {
        address[i] = dlsym(library, names[i]);
        found = address[i] != NULL;
    }
    if (found) memcpy(&table, address, sizeof table);
    return found ? &table : NULL;
}
