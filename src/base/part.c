/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/deepxtrace.h>

#define PATH_SIZE 1024

/** Every part there is. A new one is a line here and a library that exports its functions. */
static struct part {
    const char *name;
    const char *purpose;
    bool tried;
    void *library;
    char why[PATH_SIZE + 64];
} parts[] = {
    {.name = "cairo", .purpose = "heat maps as PNG and PDF"},
};

static pthread_mutex_t parts_lock = PTHREAD_MUTEX_INITIALIZER;

/* Directory of the object that this very function lies in; empty if the system cannot tell. */
static void own_directory(char *path, size_t size)
{
    Dl_info info;
    path[0] = '\0';
    if (!dladdr((const void *)parts, &info) || !info.dli_fname) return;
    snprintf(path, size, "%s", info.dli_fname);
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    else
        snprintf(path, size, ".");
}

static bool try_load(struct part *part, const char *directory)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s%slibdeepxtrace-%s.so.0", directory, directory[0] ? "/" : "",
             part->name);
    part->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *reason = part->library ? path : dlerror();
    snprintf(part->why, sizeof part->why, "%s", reason ? reason : "cannot be loaded");
    return part->library != NULL;
}

static void load(struct part *part)
{
    char directory[PATH_SIZE];
    const char *given = getenv("DEEPXTRACE_PARTS");
    part->tried = true;
    if (given && given[0] && try_load(part, given)) return;
    own_directory(directory, sizeof directory);
    if (directory[0] && try_load(part, directory)) return;
    try_load(part, "");
}

void *dxt_part_function(const char *name, const char *function, const char **why)
{
    void *address = NULL;
    const char *reason = "there is no such part";
    pthread_mutex_lock(&parts_lock);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct part *part = &parts[i];
        if (strcmp(part->name, name) != 0) continue;
        if (!part->tried) load(part);
        reason = part->why;
        if (part->library) address = dlsym(part->library, function);
        if (part->library && !address) reason = "the part is of another version";
    }
    pthread_mutex_unlock(&parts_lock);
    if (why) *why = reason;
    return address;
}

size_t dxt_parts(dxt_part *out, size_t capacity)
{
    size_t count = sizeof parts / sizeof parts[0];
    pthread_mutex_lock(&parts_lock);
    for (size_t i = 0; i < count; i++) {
        if (!parts[i].tried) load(&parts[i]);
        if (i < capacity)
            out[i] = (dxt_part){.name = parts[i].name,
                                .purpose = parts[i].purpose,
                                .available = parts[i].library != NULL,
                                .why = parts[i].why};
    }
    pthread_mutex_unlock(&parts_lock);
    return count;
}
