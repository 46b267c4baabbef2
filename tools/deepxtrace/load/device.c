/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <stdio.h>
#include <string.h>

#include <deepxtrace/ep.h>

#include "system/loader.h"

static bool take_table(void *library, void *context)
{
    const device_table **device = context, *(*find)(uint32_t) = NULL;
    dxt_part_symbol(library, "dxt_device_part", &find);
    *device = find ? find(DEVICE_LAYOUT) : NULL;
    return *device != NULL;
}

const device_table *device_find(const char *name, const char **why)
{
    static char reason[DXT_LOADER_WHY_SIZE];
    char part[64];
    const device_table *device = NULL;
    /* Parts are next to libdeepxtrace-ep. */
    const void *beside = NULL;
    dxt_status (*function)(const dxt_ep_config *, dxt_ep **) = dxt_ep_create;
    memcpy(&beside, &function, sizeof beside);
    snprintf(part, sizeof part, "run-%s", name);
    *why = reason;
    dxt_load_part(part, beside, take_table, &device, reason, sizeof reason);
    return device;
}
