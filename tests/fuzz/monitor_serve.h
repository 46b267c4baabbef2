/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor in a folder of its own, for the fuzz targets. */
#ifndef DXT_FUZZ_MONITOR_SERVE_H
#define DXT_FUZZ_MONITOR_SERVE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/serve.h"
#include "monitor_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const dxt_monitor_part *dxt_monitor(uint32_t layout);

static char folder[MONITOR_PATH], store_path[MONITOR_PATH + 16];

static void remove_folder(void)
{
    monitor_folder_remove(folder);
}

static void say(const char *line)
{
    (void)line;
}

static dxt_monitor_options options_of(void)
{
    static const char *inputs[] = {folder};
    return (dxt_monitor_options){.inputs = inputs,
                                 .input_count = 1,
                                 .store = store_path,
                                 .keep_ns = INT64_C(86400000000000) * 36500,
                                 .keep_bytes = 1 << 20,
                                 .open_count = 1,
                                 .open_windows = 2,
                                 .once = true};
}

/* Make the folder once. @return Whether this was the first time. */
static bool begin_folder(void)
{
    if (folder[0]) return false;
    monitor_folder_make(folder);
    atexit(remove_folder);
    snprintf(store_path, sizeof store_path, "%s/s.db", folder);
    return true;
}

static void put(const char *name, const void *data, size_t size)
{
    char path[MONITOR_PATH + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    monitor_folder_write(path, data, size);
}

static int follow(char *why)
{
    const dxt_monitor_options options = options_of();
    const volatile sig_atomic_t stop = 0;
    return dxt_monitor(DXT_MONITOR_LAYOUT)->serve(&options, say, &stop, why);
}

#endif
