/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slow_link NAMESPACE NAMESPACE INTERFACE MICROSECONDS: a cable between two network namespaces that
 * every frame needs so long to pass, in both directions, until it is killed. For kernels without
 * netem. In each namespace appears an interface of that name, which is up; "ready" is said then.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "system/clock.h"

#define FRAME 9216
#define QUEUE 8192

struct queue {
    struct frame {
        int64_t due_ns;
        size_t size;
        unsigned char bytes[FRAME];
    } frames[QUEUE];
    size_t first, count;
};

static void need(int ok, const char *what)
{
    if (ok) return;
    perror(what);
    exit(1);
}

static void enter(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "/var/run/netns/%s", name);
    int fd = open(path, O_RDONLY);
    need(fd >= 0 && setns(fd, CLONE_NEWNET) == 0, path);
    close(fd);
}

static int plug_in(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    need(fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0, "/dev/net/tun");
    int control = socket(AF_INET, SOCK_DGRAM, 0);
    request.ifr_mtu = 9000;
    need(ioctl(control, SIOCSIFMTU, &request) == 0, "mtu");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    need(ioctl(control, SIOCSIFFLAGS, &request) == 0, "up");
    close(control);
    return fd;
}

static void take(int fd, struct queue *q, int64_t delay_ns)
{
    while (q->count < QUEUE) {
        struct frame *f = &q->frames[(q->first + q->count) % QUEUE];
        ssize_t size = read(fd, f->bytes, sizeof f->bytes);
        if (size <= 0) return;
        f->size = (size_t)size;
        f->due_ns = dxt_clock_ns(CLOCK_MONOTONIC) + delay_ns;
        q->count++;
    }
}

/* @return When the next is due. */
static int64_t give(int fd, struct queue *q)
{
    while (q->count > 0 && q->frames[q->first].due_ns <= dxt_clock_ns(CLOCK_MONOTONIC)) {
        struct frame *f = &q->frames[q->first];
        if (write(fd, f->bytes, f->size) < 0) { /* dropped, as by any cable */
        }
        q->first = (q->first + 1) % QUEUE;
        q->count--;
    }
    return q->count > 0 ? q->frames[q->first].due_ns : INT64_MAX;
}

int main(int argc, char **argv)
{
    static struct queue queues[2];
    int ends[2];
    need(argc == 5, "usage: slow_link NAMESPACE NAMESPACE INTERFACE MICROSECONDS");
    int64_t delay_ns = strtoll(argv[4], NULL, 10) * 1000;
    for (int i = 0; i < 2; i++) {
        enter(argv[1 + i]);
        ends[i] = plug_in(argv[3]);
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        int64_t due_ns = INT64_MAX;
        for (int i = 0; i < 2; i++) {
            take(ends[i], &queues[i], delay_ns);
            int64_t next_ns = give(ends[1 - i], &queues[i]);
            if (next_ns < due_ns) due_ns = next_ns;
        }
        struct pollfd files[2] = {{.fd = ends[0], .events = POLLIN},
                                  {.fd = ends[1], .events = POLLIN}};
        int64_t left_ns = due_ns - dxt_clock_ns(CLOCK_MONOTONIC);
        if (due_ns == INT64_MAX) left_ns = 1000000000;
        if (left_ns < 0) left_ns = 0;
        struct timespec pause = {left_ns / 1000000000, left_ns % 1000000000};
        ppoll(files, 2, &pause, NULL);
    }
}
