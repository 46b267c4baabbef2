/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ep_reference.h"

struct thread {
    struct ep_rank rank;
    ep_body body;
    pthread_t id;
    int failed;
};

static void *thread_main(void *argument)
{
    struct thread *thread = argument;
    thread->failed = ep_run_here(&thread->rank, thread->body);
    return NULL;
}

int ep_run_threads(const struct ep_case *c, ep_body body, void *context)
{
    dxt_ep_config config = ep_config_of(c, 0);
    size_t size;
    if (dxt_ep_buffer_size(&config, &size) != DXT_OK) return 1;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct thread *threads = calloc(c->ranks, sizeof *threads);
    if (memory == MAP_FAILED || !threads) abort();
    int failed = 0;
    for (uint32_t rank = 0; rank < c->ranks; rank++) {
        struct thread *thread = &threads[rank];
        thread->body = body;
        thread->rank = (struct ep_rank){
            .c = c, .rank = rank, .config = ep_config_of(c, rank), .context = context};
        thread->rank.config.memory = memory;
        if (pthread_create(&thread->id, NULL, thread_main, thread) != 0) abort();
    }
    for (uint32_t rank = 0; rank < c->ranks; rank++) {
        pthread_join(threads[rank].id, NULL);
        failed += threads[rank].failed != 0;
    }
    free(threads);
    munmap(memory, size);
    return failed;
}

int ep_run_processes(const struct ep_case *c, ep_body body, void *context)
{
    dxt_ep_config config = ep_config_of(c, 0);
    size_t size;
    if (dxt_ep_buffer_size(&config, &size) != DXT_OK) return 1;
    int fd = memfd_create("dxt-ep-test", MFD_CLOEXEC);
    if (fd < 0 || posix_fallocate(fd, 0, (off_t)size) != 0) abort();
    pid_t *children = calloc(c->ranks, sizeof *children);
    for (uint32_t rank = 0; rank < c->ranks; rank++) {
        children[rank] = fork();
        if (children[rank] < 0) abort();
        if (children[rank] > 0) continue;
        struct ep_rank self = {
            .c = c, .rank = rank, .config = ep_config_of(c, rank), .context = context};
        self.config.fd = fd;
        _exit(ep_run_here(&self, body));
    }
    int failed = 0;
    for (uint32_t rank = 0; rank < c->ranks; rank++) {
        int status = 0;
        waitpid(children[rank], &status, 0);
        /* A rank that kills itself is part of its test. */
        if (!(WIFEXITED(status) && WEXITSTATUS(status) == 0) &&
            !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
            failed++;
    }
    free(children);
    close(fd);
    return failed;
}
