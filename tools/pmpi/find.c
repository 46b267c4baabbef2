/* SPDX-License-Identifier: Apache-2.0 */
/* The MPI that the program uses. */
#include <dlfcn.h>

#include "pmpi.h"

void *pmpi_find(const char *name)
{
    /* A program that loads its MPI itself, as Python does, may keep it to itself. */
    static const char *const libraries[] = {"libmpi.so.40", "libmpich.so.12", "libmpi.so.12"};
    void *found = dlsym(RTLD_DEFAULT, name); /* data may have been copied into the program */
    for (size_t i = 0; !found && i < sizeof libraries / sizeof libraries[0]; i++) {
        void *library = dlopen(libraries[i], RTLD_NOW | RTLD_NOLOAD);
        if (!library) continue;
        found = dlsym(library, name);
        dlclose(library);
    }
    return found;
}
