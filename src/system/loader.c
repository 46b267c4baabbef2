/* SPDX-License-Identifier: Apache-2.0 */
#include "system/loader.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The thread that loads a part when the process is forked does not exist in the child. A fork does
 * not wait for it: a library's constructor, which runs under the lock, may itself fork. A part that
 * was half loaded is loaded again. */
static void free_lock(void)
{
    pthread_mutex_init(&lock, NULL);
}

__attribute__((constructor)) static void watch_forks(void)
{
    (void)pthread_atfork(NULL, NULL, free_lock);
}

void dxt_loader_lock(void)
{
    pthread_mutex_lock(&lock);
}

void dxt_loader_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

const char *dxt_which_mpi(char *why, size_t why_size)
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
        snprintf(why, why_size, "DEEPXTRACE_MPI is \"%s\", but must be \"openmpi\" or \"mpich\"",
                 given);
    else if (getenv("OMPI_COMM_WORLD_SIZE"))
        return names[0];
    else if (getenv("PMI_RANK") || getenv("PMI_FD"))
        return names[1];
    else if (getenv("PMIX_RANK"))
        return names[0];
    else
        snprintf(why, why_size,
                 "start the program with mpirun or srun; no MPI library is loaded, and "
                 "DEEPXTRACE_MPI names none");
    return NULL;
}

void dxt_part_symbol(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);
    memcpy(function, &address, sizeof address);
}

/* Directory of the object that an address lies in; empty if the system cannot tell. */
static void directory_of(const void *address, char *path, size_t size)
{
    Dl_info info;
    path[0] = '\0';
    if (!dladdr(address, &info) || !info.dli_fname) return;
    snprintf(path, size, "%s", info.dli_fname);
    char *slash = strrchr(path, '/');
    /* Without one it is the name of a program that this is a part of: nowhere to look. */
    if (!slash) slash = path;
    *slash = '\0';
}

typedef struct {
    const char *name;
    dxt_part_fits fits;
    void *context;
    char *why;
    size_t why_size;
} wanted;

/* Keep why a library could not be loaded: that it is not here says less than what is wrong with one
 * that is, or with what it needs. */
static void keep_reason(const wanted *part, const char *path, const char *reason)
{
    bool here = strchr(path, '/') && access(path, F_OK) == 0;
    bool missing = !here && (!reason || strncmp(reason, path, strlen(path)) == 0);
    if (part->why[0] && missing) return;
    if (missing)
        snprintf(part->why, part->why_size,
                 "libdeepxtrace-%s.so.0 is not installed; docs/packaging.md says which package or "
                 "build has it",
                 part->name);
    else
        snprintf(part->why, part->why_size, "%s", reason ? reason : "cannot be loaded");
}

static void *load_from(const wanted *part, const char *directory)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s%slibdeepxtrace-%s.so.0", directory, directory[0] ? "/" : "",
             part->name);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        keep_reason(part, path, dlerror());
        return NULL;
    }
    if (!part->fits || part->fits(library, part->context)) {
        snprintf(part->why, part->why_size, "%s", path);
        return library;
    }
    snprintf(part->why, part->why_size,
             "%s is of another version; install all parts from one build", path);
    dlclose(library);
    return NULL;
}

void *dxt_load_part(const char *name, const void *beside, dxt_part_fits fits, void *context,
                    char *why, size_t why_size)
{
    const wanted part = {name, fits, context, why, why_size};
    char directory[PATH_SIZE];
    const char *given = secure_getenv("DEEPXTRACE_PARTS");
    void *library = NULL;
    why[0] = '\0';
    if (given && given[0]) library = load_from(&part, given);
    directory_of(beside, directory, sizeof directory);
    if (!library && directory[0]) library = load_from(&part, directory);
    return library ? library : load_from(&part, "");
}
