/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before a program: its clock is that of the machine and as many seconds as the file
 * $CLOCK_SHIFT says now. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *now)
{
    int (*real)(clockid_t, struct timespec *);
    void *address = dlsym(RTLD_NEXT, "clock_gettime");
    memcpy(&real, &address, sizeof real);
    int result = real(clock, now);
    const char *path = getenv("CLOCK_SHIFT");
    FILE *file = clock == CLOCK_REALTIME && path ? fopen(path, "re") : NULL;
    long seconds = 0;
    if (!file) return result;
    if (fscanf(file, "%ld", &seconds) == 1) now->tv_sec += seconds;
    fclose(file);
    return result;
}
