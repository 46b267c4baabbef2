/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before a program: its clock is that of the machine and as many seconds as the file
 * $CLOCK_SHIFT says now. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *time)
{
    int (*real)(clockid_t, struct timespec *);
    void *address = dlsym(RTLD_NEXT, "clock_gettime");
    memcpy(&real, &address, sizeof real);
    int result = real(clock, time);
    const char *path = getenv("CLOCK_SHIFT");
    char text[32] = "";
    int fd = clock == CLOCK_REALTIME && path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return result;
    if (read(fd, text, sizeof text - 1) > 0) time->tv_sec += atol(text);
    close(fd);
    return result;
}
