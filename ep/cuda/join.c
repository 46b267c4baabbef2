/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/join.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <nccl.h>

#include "common/agree.h"
#include "cuda/nccl_version.h"
#include "system/clock.h"
#include "system/cuda_words.h"

/** "DXTCU", version 3. */
#define MAGIC UINT64_C(0x4458544355000003)
#define SLICE_NS 200000
/* Longest wait for the others at the end. */
#define PARTING_NS (INT64_C(2) * 1000000000)

/* One rank's entry on the page. */
struct place {
    _Atomic uint32_t joined;
    uint64_t process;
    char gpu[32]; /* PCI address: an index would depend on the process */
    void *window; /* for threads on one GPU */
};

/* The page. Zeroed by whoever makes it; a counter reaches `ranks` when all have come so far. */
struct page {
    _Atomic uint64_t config[DXT_EP_AGREED];
    _Atomic uint32_t id_known;
    ncclUniqueId id;
    _Atomic uint32_t here;
    _Atomic uint32_t ready;
    _Atomic uint32_t left;
    struct place places[CUDA_MAX_RANKS];
};

size_t dxt_ep_cuda_page_size(void)
{
    size_t unit = (size_t)sysconf(_SC_PAGESIZE);
    return (sizeof(struct page) + unit - 1) / unit * unit;
}

dxt_status dxt_ep_cuda_check(cudaError_t error, const char *what)
{
    if (error == cudaSuccess) return DXT_OK;
    const char *words = dxt_cuda_words_here(error);
    if (words) return dxt_ep_fail(DXT_ERR_UNSUPPORTED, "no GPU: %s", words);
    return dxt_ep_fail(error == cudaErrorMemoryAllocation ? DXT_ERR_NO_MEMORY : DXT_ERR_IO,
                       "%s: %s", what, cudaGetErrorString(error));
}

static dxt_status check_nccl(ncclResult_t result, const char *what)
{
    if (result == ncclSuccess) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_IO, "NCCL: %s: %s", what, ncclGetErrorString(result));
}

/* Wait until a counter of the page has reached @p value. */
static dxt_status wait_for(_Atomic uint32_t *counter, uint32_t value, const dxt_ep_config *config,
                           const char *what)
{
    int64_t deadline_ns = dxt_clock_ns(CLOCK_MONOTONIC) + config->timeout_ns;
    while (atomic_load(counter) < value) {
        if (dxt_clock_ns(CLOCK_MONOTONIC) > deadline_ns)
            return dxt_ep_fail(DXT_ERR_TIMEOUT, "%s: %u of %u ranks have come", what,
                               atomic_load(counter), value);
        nanosleep(&(struct timespec){.tv_nsec = SLICE_NS}, NULL);
    }
    return DXT_OK;
}

static dxt_status map_page(dxt_ep_cuda_membership *m, const dxt_ep_config *config)
{
    m->page_size = dxt_ep_cuda_page_size();
    if (config->memory) {
        if ((uintptr_t)config->memory % (size_t)sysconf(_SC_PAGESIZE) != 0)
            return dxt_ep_fail(DXT_ERR_INVALID, "config.memory must be aligned to the page size");
        m->page = config->memory;
        return DXT_OK;
    }
    struct stat file;
    if (fstat(config->fd, &file) != 0)
        return dxt_ep_fail(DXT_ERR_IO, "cannot examine the shared memory: %s", strerror(errno));
    if ((size_t)file.st_size < m->page_size)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "the shared memory has %lld bytes, but the group needs %zu",
                           (long long)file.st_size, m->page_size);
    void *page = mmap(NULL, m->page_size, PROT_READ | PROT_WRITE, MAP_SHARED, config->fd, 0);
    if (page == MAP_FAILED)
        return dxt_ep_fail(DXT_ERR_IO, "cannot map the shared memory: %s", strerror(errno));
    m->page = page;
    m->mapped = true;
    return DXT_OK;
}

static dxt_status take_place(struct page *page, const dxt_ep_config *config)
{
    struct place *place = &page->places[config->rank];
    uint32_t absent = 0;
    if (!atomic_compare_exchange_strong(&place->joined, &absent, 1))
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "rank %u has already joined: each rank joins once, in zeroed memory",
                           config->rank);
    int device = 0;
    dxt_status status = dxt_ep_cuda_check(cudaGetDevice(&device), "cannot find this rank's GPU");
    if (status != DXT_OK) return status;
    status = dxt_ep_cuda_check(cudaDeviceGetPCIBusId(place->gpu, sizeof place->gpu, device),
                               "cannot read the GPU's PCI address");
    if (status != DXT_OK) return status;
    place->process = (uint64_t)getpid();
    atomic_fetch_add(&page->here, 1);
    return wait_for(&page->here, config->ranks, config, "the group is not complete");
}

/* Whether all ranks are threads of this process on one GPU; no two may share a GPU otherwise. */
static dxt_status look_around(const struct page *page, const dxt_ep_config *config, bool *alone)
{
    uint32_t same = 0;
    uint32_t threads = 0;
    const struct place *own = &page->places[config->rank];
    for (uint32_t rank = 0; rank < config->ranks; rank++) {
        bool gpu = strcmp(page->places[rank].gpu, own->gpu) == 0;
        same += gpu;
        threads += gpu && page->places[rank].process == own->process;
    }
    *alone = threads == config->ranks;
    if (*alone || same == 1) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_INVALID, "%u ranks share the GPU %s, but each needs one of its own",
                       same, own->gpu);
}

/* ---- with NCCL ---- */

static dxt_status learn_id(struct page *page, const dxt_ep_config *config)
{
    if (config->rank != 0) return wait_for(&page->id_known, 1, config, "rank 0 has not begun");
    dxt_status status = check_nccl(ncclGetUniqueId(&page->id), "cannot make an id for the group");
    if (status == DXT_OK) atomic_store(&page->id_known, 1);
    return status;
}

static dxt_status join_with_nccl(struct page *page, const dxt_ep_config *config, size_t size,
                                 dxt_ep_cuda_membership *m, uint8_t **windows)
{
    int version = 0;
    dxt_status status = check_nccl(ncclGetVersion(&version), "cannot read its version");
    if (status != DXT_OK) return status;
    if (!nccl_fits(NCCL_VERSION_CODE, version)) {
        char advice[256];
        nccl_advice(NCCL_VERSION_CODE, version, advice, sizeof advice);
        return dxt_ep_fail(DXT_ERR_UNSUPPORTED, "%s", advice);
    }
    status = learn_id(page, config);
    if (status != DXT_OK) return status;
    ncclComm_t comm = NULL;
    status = check_nccl(ncclCommInitRank(&comm, (int)config->ranks, page->id, (int)config->rank),
                        "cannot make a group of the ranks");
    if (status != DXT_OK) return status;
    m->nccl_comm = comm;
    uint32_t within = dxt_ep_cuda_ranks_within_reach(comm);
    if (within != config->ranks)
        return dxt_ep_fail(DXT_ERR_UNSUPPORTED,
                           "only %u of %u ranks can write to each other's memory; the engine needs "
                           "GPUs joined by NVLink",
                           within, config->ranks);
    status = check_nccl(ncclMemAlloc(&m->memory, size), "cannot allocate the window");
    if (status != DXT_OK) return status;
    ncclWindow_t window = NULL;
    status =
        check_nccl(ncclCommWindowRegister(comm, m->memory, size, &window, NCCL_WIN_COLL_SYMMETRIC),
                   "cannot register the window");
    m->nccl_window = window;
    if (status == DXT_OK && !window)
        status =
            dxt_ep_fail(DXT_ERR_UNSUPPORTED,
                        "NCCL cannot make symmetric windows on these GPUs; the engine needs them");
    if (status != DXT_OK) return status;
    return dxt_ep_cuda_check(dxt_ep_cuda_window_pointers(window, config->ranks, windows),
                             "cannot find the windows");
}

/* ---- all of it ---- */

/* The window is zeroed before anybody can store into it. */
static dxt_status open_windows(struct page *page, const dxt_ep_config *config,
                               const dxt_ep_cuda_layout *layout, dxt_ep_cuda_membership *m,
                               uint8_t **windows)
{
    dxt_status status;
    if (m->alone) {
        status =
            dxt_ep_cuda_check(cudaMalloc(&m->memory, layout->size), "cannot allocate the window");
        page->places[config->rank].window = m->memory;
    } else {
        status = join_with_nccl(page, config, layout->size, m, windows);
    }
    if (status == DXT_OK)
        status =
            dxt_ep_cuda_check(cudaMemset(m->memory, 0, layout->size), "cannot zero the window");
    if (status == DXT_OK)
        status = dxt_ep_cuda_check(cudaDeviceSynchronize(), "cannot zero the window");
    if (status != DXT_OK) return status;
    atomic_fetch_add(&page->ready, 1);
    status = wait_for(&page->ready, config->ranks, config, "not all windows are ready");
    for (uint32_t rank = 0; m->alone && rank < config->ranks; rank++)
        windows[rank] = page->places[rank].window;
    return status;
}

dxt_status dxt_ep_cuda_join(const dxt_ep_config *config, const dxt_ep_cuda_layout *layout,
                            dxt_ep_cuda_membership *m, uint8_t **windows)
{
    memset(m, 0, sizeof *m);
    dxt_status status = map_page(m, config);
    struct page *page = m->page;
    if (status == DXT_OK) status = dxt_ep_agree(page->config, MAGIC, config);
    if (status == DXT_OK) status = take_place(page, config);
    if (status == DXT_OK) status = look_around(page, config, &m->alone);
    if (status == DXT_OK) status = open_windows(page, config, layout, m, windows);
    return status;
}

void dxt_ep_cuda_part(dxt_ep_cuda_membership *m)
{
    if (!m->page || !m->memory) return;
    struct page *page = m->page;
    int64_t deadline_ns = dxt_clock_ns(CLOCK_MONOTONIC) + PARTING_NS;
    atomic_fetch_add(&page->left, 1);
    while (atomic_load(&page->left) < atomic_load(&page->ready) &&
           dxt_clock_ns(CLOCK_MONOTONIC) < deadline_ns)
        nanosleep(&(struct timespec){.tv_nsec = SLICE_NS}, NULL);
}

void dxt_ep_cuda_leave(dxt_ep_cuda_membership *m)
{
    if (m->nccl_window) ncclCommWindowDeregister(m->nccl_comm, m->nccl_window);
    if (m->nccl_comm) ncclCommAbort(m->nccl_comm);
    if (m->memory && m->alone) cudaFree(m->memory);
    if (m->memory && !m->alone) ncclMemFree(m->memory);
    if (m->mapped) munmap(m->page, m->page_size);
    memset(m, 0, sizeof *m);
}
