/* SPDX-License-Identifier: Apache-2.0 */
/* Joining and leaving a group. */
#include "shm/shm.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static dxt_status dxt_ep_shm_buffer_size(const dxt_ep_config *config, size_t *size)
{
    dxt_ep_shm_layout layout;
    dxt_status status = dxt_ep_shm_layout_of(config, config->ranks, &layout);
    if (status == DXT_OK) *size = layout.size;
    return status;
}

static dxt_status fail_errno(const char *what)
{
    char reason[128];
    return dxt_ep_fail(DXT_ERR_IO, "%s: %s", what, strerror_r(errno, reason, sizeof reason));
}

/* ---- the segment ---- */

static dxt_status map(dxt_ep_shm_state *s, int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return fail_errno("cannot examine the shared memory");
    if (info.st_size < 0 || (uint64_t)info.st_size < s->at.size)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "the shared memory has %lld bytes, but the group needs %zu",
                           (long long)info.st_size, s->at.size);
    void *base = mmap(NULL, s->at.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) return fail_errno("cannot map the shared memory");
    /* Where the system allows it for shared memory: fewer faults and fewer TLB misses. */
    madvise(base, s->at.size, MADV_HUGEPAGE);
    s->base = base;
    s->mapped = true;
    return DXT_OK;
}

static dxt_status attach(dxt_ep_shm_state *s, const dxt_ep_config *config)
{
    if (!config->memory) return map(s, config->fd);
    if ((uintptr_t)config->memory % (size_t)sysconf(_SC_PAGESIZE) != 0)
        return dxt_ep_fail(DXT_ERR_INVALID, "config.memory must be aligned to the page size");
    s->base = config->memory;
    return DXT_OK;
}

static dxt_status join(dxt_ep_shm_state *s)
{
    uint32_t absent = 0;
    if (atomic_compare_exchange_strong(&dxt_ep_shm_area(s, s->rank)->joined, &absent, 1))
        return dxt_ep_shm_see_masks(s) == DXT_OK
                   ? DXT_OK
                   : dxt_ep_fail(DXT_ERR_INVALID,
                                 "rank %u comes too late: the group has given it up", s->rank);
    return dxt_ep_fail(DXT_ERR_INVALID,
                       "rank %u has already joined: each rank joins once, in zeroed memory",
                       s->rank);
}

/* ---- this rank's side ---- */

static uint32_t usable_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return (uint32_t)CPU_COUNT(&set);
}

static void release(dxt_ep_shm_state *s)
{
    if (s->mapped) munmap(s->base, s->at.size);
    free(s->area_of);
    free(s->masked);
    free(s->rows);
    for (uint32_t i = 0; i < DXT_EP_OPERATORS; i++) {
        free(s->heard[i]);
        free(s->waiting[i].sources);
        free(s->delay_ns[i]);
    }
    free(s->route);
    free(s);
}

static bool allocate(dxt_ep_shm_state *s, const dxt_ep_config *config)
{
    size_t ranks = config->ranks;
    s->area_of = calloc(ranks, sizeof *s->area_of);
    s->masked = calloc(ranks, sizeof *s->masked);
    s->rows = calloc(ranks, sizeof *s->rows);
    s->route = calloc((size_t)config->max_tokens * config->max_topk, sizeof *s->route);
    bool failed = !s->area_of || !s->masked || !s->rows || !s->route;
    for (uint32_t i = 0; i < DXT_EP_OPERATORS; i++) {
        s->heard[i] = calloc(ranks, sizeof *s->heard[i]);
        s->waiting[i].sources = calloc(ranks, sizeof *s->waiting[i].sources);
        s->delay_ns[i] = calloc(ranks, sizeof *s->delay_ns[i]);
        failed |= !s->heard[i] || !s->waiting[i].sources || !s->delay_ns[i];
    }
    return !failed;
}

static dxt_status open_group(dxt_ep_shm_state *s, const dxt_ep_config *config,
                             const dxt_ep_shm_members *members)
{
    if (!allocate(s, config)) return dxt_ep_fail(DXT_ERR_NO_MEMORY, "out of memory");
    for (uint32_t rank = 0; rank < s->ranks; rank++)
        s->area_of[rank] = members->far ? SHM_NO_AREA : rank;
    for (uint32_t i = 0; members->far && i < members->count; i++) s->area_of[members->ranks[i]] = i;
    dxt_status status = attach(s, config);
    if (status != DXT_OK) return status;
    s->header = (dxt_ep_shm_header *)(void *)s->base;
    status = dxt_ep_agree(s->header->config, SHM_MAGIC, config);
    return status == DXT_OK ? join(s) : status;
}

dxt_status dxt_ep_shm_join(dxt_ep *ep, const dxt_ep_shm_members *members)
{
    dxt_ep_shm_layout layout;
    dxt_status status = dxt_ep_shm_layout_of(&ep->config, members->count, &layout);
    if (status != DXT_OK) return status;
    dxt_ep_shm_state *s = calloc(1, sizeof *s);
    if (!s) return dxt_ep_fail(DXT_ERR_NO_MEMORY, "out of memory");
    s->at = layout;
    s->rank = ep->config.rank;
    s->ranks = ep->config.ranks;
    s->far = members->far;
    s->far_state = members->far_state;
    s->spin = members->count <= usable_cores();
    status = open_group(s, &ep->config, members);
    if (status != DXT_OK) {
        release(s);
        return status;
    }
    ep->state = s;
    return DXT_OK;
}

static dxt_status dxt_ep_shm_create(dxt_ep *ep)
{
    const dxt_ep_shm_members all = {.count = ep->config.ranks};
    return dxt_ep_shm_join(ep, &all);
}

void dxt_ep_shm_destroy(dxt_ep *ep)
{
    release(ep->state);
}

dxt_status dxt_ep_shm_delay_path(dxt_ep *ep, uint32_t operator_index, uint32_t source,
                                 int64_t delay_ns)
{
    dxt_ep_shm_state *s = ep->state;
    s->delay_ns[operator_index][source] = delay_ns;
    return DXT_OK;
}

const dxt_ep_engine dxt_ep_shm = {.name = "shm",
                                  .buffer_size = dxt_ep_shm_buffer_size,
                                  .create = dxt_ep_shm_create,
                                  .destroy = dxt_ep_shm_destroy,
                                  .dispatch_send = dxt_ep_shm_dispatch_send,
                                  .dispatch_recv = dxt_ep_shm_dispatch_recv,
                                  .combine_send = dxt_ep_shm_combine_send,
                                  .combine_recv = dxt_ep_shm_combine_recv,
                                  .wait = dxt_ep_shm_wait,
                                  .wait_buffer = dxt_ep_shm_wait_buffer,
                                  .masked = dxt_ep_shm_masked,
                                  .delay_path = dxt_ep_shm_delay_path};
