/* SPDX-License-Identifier: Apache-2.0 */
#include "common/part.h"

#include <stdio.h>
#include <string.h>

#include "system/loader.h"

/** Every engine that is a part: libdeepxtrace-ep-NAME.so.0, or libdeepxtrace-ep-NAME-VARIANT.so.0.
 *  A new one is a line here. */
static struct part {
    const char *name;
    const char *(*variant)(char *why, size_t why_size); /* NULL: there is only one */
    const dxt_ep_engine *engine;
    char why[DXT_LOADER_WHY_SIZE]; /* not there, if it is not */
} parts[] = {
    {.name = "cuda"},
    {.name = "mpi", .variant = dxt_which_mpi},
};

/* Ask a library for its engine: there is none if it was built for another layout. */
static bool take_engine(void *library, void *context)
{
    struct part *part = context;
    const dxt_ep_engine *(*find)(uint32_t) = NULL;
    dxt_part_symbol(library, "dxt_ep_part_engine", &find);
    part->engine = find ? find(DXT_EP_PART_LAYOUT) : NULL;
    return part->engine != NULL;
}

/* Tried again each time: what was missing may have been installed. */
static void load(struct part *part)
{
    char name[64];
    const char *variant = part->variant ? part->variant(part->why, sizeof part->why) : "";
    if (!variant) return;
    snprintf(name, sizeof name, "ep-%s%s%s", part->name, variant[0] ? "-" : "", variant);
    dxt_load_part(name, parts, take_engine, part, part->why, sizeof part->why);
}

dxt_status dxt_ep_part_find(const char *name, const dxt_ep_engine **engine)
{
    dxt_status status = DXT_ERR_UNSUPPORTED;
    dxt_loader_lock();
    bool known = false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct part *part = &parts[i];
        if (strcmp(part->name, name) != 0) continue;
        known = true;
        if (!part->engine) load(part);
        if (!part->engine) {
            dxt_ep_fail(status, "engine \"%s\" cannot be used: %s", name, part->why);
            continue;
        }
        *engine = part->engine;
        status = DXT_OK;
    }
    dxt_loader_unlock();
    if (!known) dxt_ep_fail(status, "there is no engine \"%s\"; there are shm, mpi and cuda", name);
    return status;
}
