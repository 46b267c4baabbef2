/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded: the wall clock of a process is ahead by the seconds in the file DXT_CLOCKS/PID. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int clock_gettime(clockid_t id, struct timespec *time)
{
    char name[4096];
    long ahead = 0;
    int result = (int)syscall(SYS_clock_gettime, id, time);
    const char *folder = getenv("DXT_CLOCKS");
    if (id != CLOCK_REALTIME || result != 0 || !folder) return result;
    snprintf(name, sizeof name, "%s/%d", folder, (int)getpid());
    FILE *file = fopen(name, "re");
    if (!file) return result;
    if (fscanf(file, "%ld", &ahead) == 1) time->tv_sec += ahead;
    fclose(file);
    return result;
}
