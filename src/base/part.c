/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "system/loader.h"

/** Every part there is, libdeepxtrace-NAME.so.0 or libdeepxtrace-NAME-VARIANT.so.0. A new one is a
 *  line here and a library that exports its functions. */
static struct part {
    const char *name;
    const char *purpose;
    const char *(*variant)(char *why, size_t why_size); /* NULL: there is only one */
    bool tried;
    void *library;
    char why[DXT_LOADER_WHY_SIZE];
} parts[] = {
    {.name = "cairo", .purpose = "heat maps as PNG and PDF"},
    {.name = "mpi", .purpose = "jobs on more than one machine", .variant = dxt_which_mpi},
};

static void load(struct part *part)
{
    char name[64];
    const char *variant = part->variant ? part->variant(part->why, sizeof part->why) : "";
    /* Which one it is may be known later, when an MPI has been loaded. */
    part->tried = variant != NULL;
    if (!variant) return;
    snprintf(name, sizeof name, "%s%s%s", part->name, variant[0] ? "-" : "", variant);
    part->library = dxt_load_part(name, parts, NULL, NULL, part->why, sizeof part->why);
}

void *dxt_part_function(const char *name, const char *function, const char **why)
{
    void *address = NULL;
    const char *reason = "there is no such part";
    dxt_loader_lock();
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct part *part = &parts[i];
        if (strcmp(part->name, name) != 0) continue;
        if (!part->tried) load(part);
        reason = part->why;
        if (part->library) address = dlsym(part->library, function);
        if (part->library && !address)
            reason = "the part is of another version; install all parts from one build";
    }
    dxt_loader_unlock();
    if (why) *why = reason;
    return address;
}

bool dxt_part_at(size_t index, dxt_part_state *state)
{
    if (index >= sizeof parts / sizeof parts[0]) return false;
    struct part *part = &parts[index];
    dxt_loader_lock();
    if (!part->tried) load(part);
    *state = (dxt_part_state){.name = part->name,
                              .purpose = part->purpose,
                              .why = part->why,
                              .available = part->library != NULL};
    dxt_loader_unlock();
    return true;
}
