/* SPDX-License-Identifier: Apache-2.0 */
#include "session/delay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Three numbers of 20 digits. */
#define TEXT_SIZE 72
#define PATH_SIZE 64

static pid_t this_thread(void)
{
    return (pid_t)syscall(SYS_gettid);
}

void dxt_delay_start(dxt_delay *delay, bool whoever_asks)
{
    const char *given = secure_getenv("DEEPXTRACE_RUN_DELAY");
    *delay = (dxt_delay){.off = given && strcmp(given, "0") == 0,
                         .thread = whoever_asks ? 0 : this_thread()};
}

int64_t dxt_delay_parse(const char *text)
{
    char *end, *behind;
    errno = 0;
    unsigned long long ran_ns = strtoull(text, &end, 10);
    if (end == text || *end != ' ') return -1;
    unsigned long long delay_ns = strtoull(end, &behind, 10);
    /* The calling thread has run: 0 means that the kernel does not count. */
    if (behind == end || *behind != ' ' || errno != 0 || ran_ns == 0 || delay_ns > INT64_MAX)
        return -1;
    return (int64_t)delay_ns;
}

static int64_t read_of(pid_t thread)
{
    char path[PATH_SIZE], text[TEXT_SIZE];
    snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", (int)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    if (size <= 0) return -1;
    text[size] = '\0';
    return dxt_delay_parse(text);
}

int64_t dxt_delay_read(dxt_delay *delay)
{
    if (delay->off) return -1;
    pid_t thread = delay->thread > 0 ? delay->thread : this_thread();
    bool another = delay->before > 0 && delay->before != thread;
    delay->before = thread;
    return another ? -1 : read_of(thread);
}
