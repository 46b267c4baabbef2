/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

#define PATH_SIZE 1024

/* Which of two libraries that cannot share a process to go with, and why none. */
static const char *which_mpi(char *why, size_t size);

/** Every part there is, libdeepxtrace-NAME.so.0 or libdeepxtrace-NAME-VARIANT.so.0. A new one is a
 *  line here and a library that exports its functions. */
static struct part {
    const char *name;
    const char *purpose;
    const char *(*variant)(char *why, size_t size); /* NULL: there is only one */
    bool tried;
    void *library;
    char why[PATH_SIZE + 64];
} parts[] = {
    {.name = "cairo", .purpose = "heat maps as PNG and PDF"},
    {.name = "mpi", .purpose = "jobs on more than one machine", .variant = which_mpi},
};

static pthread_mutex_t parts_lock = PTHREAD_MUTEX_INITIALIZER;

/* The thread that loads a part when the process is forked does not exist in the child. A fork does
 * not wait for it: a library's constructor, which runs under the lock, may itself fork. A part that
 * was half loaded is loaded again. */
static void free_lock(void)
{
    pthread_mutex_init(&parts_lock, NULL);
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, free_lock);
}

/* A process can hold one MPI: the one that it was linked with, or else the one that started it. */
static const char *which_mpi(char *why, size_t size)
{
    static const char *const names[] = {"openmpi", "mpich", "mpich"};
    static const char *const libraries[] = {"libmpi.so.40", "libmpich.so.12", "libmpi.so.12"};
    const char *given = secure_getenv("DEEPXTRACE_MPI");
    bool chosen = given && given[0];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (chosen && strcmp(given, names[i]) == 0) return names[i];
        void *library = chosen ? NULL : dlopen(libraries[i], RTLD_NOW | RTLD_NOLOAD);
        if (!library) continue;
        dlclose(library);
        return names[i];
    }
    if (chosen)
        snprintf(why, size, "DEEPXTRACE_MPI is \"%s\", neither \"openmpi\" nor \"mpich\"", given);
    else if (getenv("OMPI_COMM_WORLD_SIZE"))
        return names[0];
    else if (getenv("PMI_RANK") || getenv("PMI_FD"))
        return names[1];
    else if (getenv("PMIX_RANK"))
        return names[0];
    else
        snprintf(why, size, "not started by mpirun or srun, and no MPI library is loaded");
    return NULL;
}

/* Directory of the object that this very function lies in; empty if the system cannot tell. */
static void own_directory(char *path, size_t size)
{
    Dl_info info;
    path[0] = '\0';
    if (!dladdr((const void *)parts, &info) || !info.dli_fname) return;
    snprintf(path, size, "%s", info.dli_fname);
    char *slash = strrchr(path, '/');
    /* Without one it is the name of a program that this is a part of: nowhere to look. */
    if (!slash) slash = path;
    *slash = '\0';
}

/* Keep why a library could not be loaded: that it is not here says less than what is wrong with one
 * that is. */
static void keep_reason(struct part *part, const char *path, const char *reason)
{
    bool here = strchr(path, '/') && access(path, F_OK) == 0;
    if (here || !part->why[0])
        snprintf(part->why, sizeof part->why, "%s", reason ? reason : "cannot be loaded");
}

static bool try_load(struct part *part, const char *variant, const char *directory)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s%slibdeepxtrace-%s%s%s.so.0", directory, directory[0] ? "/" : "",
             part->name, variant[0] ? "-" : "", variant);
    part->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (part->library)
        snprintf(part->why, sizeof part->why, "%s", path);
    else
        keep_reason(part, path, dlerror());
    return part->library != NULL;
}

static void load(struct part *part)
{
    char directory[PATH_SIZE];
    const char *given = secure_getenv("DEEPXTRACE_PARTS");
    const char *variant = part->variant ? part->variant(part->why, sizeof part->why) : "";
    /* Which one it is may be known later, when an MPI has been loaded. */
    part->tried = variant != NULL;
    if (!variant) return;
    part->why[0] = '\0';
    if (given && given[0] && try_load(part, variant, given)) return;
    own_directory(directory, sizeof directory);
    if (directory[0] && try_load(part, variant, directory)) return;
    try_load(part, variant, "");
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
