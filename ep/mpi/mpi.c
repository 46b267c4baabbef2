/* SPDX-License-Identifier: Apache-2.0 */
/* Joining and leaving a group. */
#include "mpi/mpi.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/part.h"

#define SLOTS (DXT_EP_OPERATORS * DXT_EP_IN_FLIGHT)
#define NOT_FAR UINT32_MAX

static dxt_status buffer_size(const dxt_ep_config *config, size_t *size)
{
    (void)config;
    *size = 0;
    return DXT_OK;
}

/* ---- the group ---- */

static dxt_status open_comm(const dxt_ep_config *config, MPI_Comm *comm)
{
    int initialized = 0, finalized = 0, rank = 0, ranks = 0;
    MPI_Initialized(&initialized);
    if (initialized) MPI_Finalized(&finalized);
    if (!initialized || finalized)
        return dxt_ep_fail(DXT_ERR_STATE,
                           "MPI is %s: make the group between MPI_Init() and MPI_Finalize()",
                           finalized ? "finalized" : "not initialized");
    MPI_Comm given = config->comm ? *(const MPI_Comm *)config->comm : MPI_COMM_WORLD;
    MPI_Comm_rank(given, &rank);
    MPI_Comm_size(given, &ranks);
    if ((uint32_t)rank != config->rank || (uint32_t)ranks != config->ranks)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "config.rank and config.ranks are %u and %u, but must be those of the "
                           "communicator, %d and %d",
                           config->rank, config->ranks, rank, ranks);
    int error = MPI_Comm_dup(given, comm);
    if (error != MPI_SUCCESS) return dxt_ep_mpi_failed("cannot make a communicator", error);
    MPI_Comm_set_errhandler(*comm, MPI_ERRORS_RETURN);
    return DXT_OK;
}

/* The segment sees to that among the ranks of a node. */
static dxt_status check_agreement(const dxt_ep_config *config, MPI_Comm comm)
{
    static const char *const names[] = {"max_tokens", "hidden", "experts", "max_topk",
                                        "timeout_ns"};
    enum { WORDS = sizeof names / sizeof names[0] };
    int64_t words[2 * WORDS] = {config->max_tokens, config->hidden, config->experts,
                                config->max_topk, config->timeout_ns};
    int64_t most[2 * WORDS];
    for (size_t i = 0; i < WORDS; i++) words[WORDS + i] = -words[i];
    int error = MPI_Allreduce(words, most, 2 * WORDS, MPI_INT64_T, MPI_MAX, comm);
    if (error != MPI_SUCCESS)
        return dxt_ep_mpi_failed("cannot compare the configurations of the ranks", error);
    for (size_t i = 0; i < WORDS; i++)
        if (most[i] != -most[WORDS + i])
            return dxt_ep_fail(DXT_ERR_INVALID,
                               "config.%s must be the same on all ranks; it is %lld here, and %lld "
                               "to %lld in the group",
                               names[i], (long long)words[i], (long long)-most[WORDS + i],
                               (long long)most[i]);
    return DXT_OK;
}

/* ---- far ranks ---- */

static bool allocate_arrays(dxt_ep_mpi_state *m, const dxt_ep_config *config)
{
    size_t requests = SLOTS * (size_t)m->count + 1;
    m->ranks = calloc(m->count, sizeof *m->ranks);
    m->index = calloc(config->ranks, sizeof *m->index);
    m->mask_out = calloc(config->ranks, sizeof *m->mask_out);
    m->receives = malloc(requests * sizeof(MPI_Request));
    m->sends = malloc(requests * sizeof(MPI_Request));
    m->here = calloc(requests, sizeof *m->here);
    m->done = calloc(requests, sizeof *m->done);
    m->statuses = calloc(requests, sizeof *m->statuses);
    for (size_t i = 0; m->receives && i < requests; i++) m->receives[i] = MPI_REQUEST_NULL;
    for (size_t i = 0; m->sends && i < requests; i++) m->sends[i] = MPI_REQUEST_NULL;
    bool complete = m->ranks && m->index && m->mask_out && m->receives && m->sends && m->here &&
                    m->done && m->statuses;
    for (size_t parity = 0; parity < DXT_EP_IN_FLIGHT; parity++) {
        m->found[parity] =
            calloc((size_t)config->max_tokens * config->max_topk, sizeof *m->found[parity]);
        complete = complete && m->found[parity];
    }
    return complete;
}

/* Everything at its largest, in pages that nobody has asked for yet. */
static dxt_status map_regions(dxt_ep_mpi_state *m, const dxt_ep_config *config)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), copies = dxt_ep_mpi_most_copies(config), size = 0;
    m->stride[DXT_DISPATCH] =
        dxt_ep_mpi_dispatch_parts(config, DXT_EP_FP8, copies, config->max_tokens).size +
        config->max_tokens * (size_t)config->hidden; /* BF16 has no scales but twice the bytes */
    m->stride[DXT_COMBINE] = dxt_ep_mpi_combine_parts(config, DXT_EP_COMBINE_BF16, copies).size;
    for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++) {
        m->stride[o] = (m->stride[o] + page - 1) / page * page;
        size_t regions;
        if (m->stride[o] > INT_MAX)
            return dxt_ep_fail(DXT_ERR_LIMIT,
                               "a message would have %zu bytes, but MPI sends at most %d; lower "
                               "max_tokens or hidden",
                               m->stride[o], INT_MAX);
        if (__builtin_mul_overflow(m->stride[o], 2 * DXT_EP_IN_FLIGHT * (size_t)m->count,
                                   &regions) ||
            __builtin_add_overflow(size, regions, &size))
            return dxt_ep_fail(DXT_ERR_LIMIT, "the group needs more memory than can be "
                                              "addressed; lower max_tokens or hidden");
    }
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return dxt_ep_fail(DXT_ERR_NO_MEMORY, "out of memory: %zu bytes for messages", size);
    uint8_t *at = m->memory = memory;
    m->mapped = size;
    for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++)
        for (uint32_t parity = 0; parity < DXT_EP_IN_FLIGHT; parity++) {
            m->in[o][parity] = at;
            m->out[o][parity] = at + m->count * m->stride[o];
            at += 2 * m->count * m->stride[o];
        }
    return DXT_OK;
}

static dxt_status set_up_far(dxt_ep_mpi_state *m, const dxt_ep_config *config,
                             const uint32_t *members, uint32_t count)
{
    m->count = config->ranks - count;
    if (!allocate_arrays(m, config)) return dxt_ep_fail(DXT_ERR_NO_MEMORY, "out of memory");
    uint32_t far = 0, near = 0;
    for (uint32_t rank = 0; rank < config->ranks; rank++) {
        m->mask_out[rank] = rank;
        m->index[rank] = NOT_FAR;
        if (near < count && members[near] == rank) {
            near++;
            continue;
        }
        m->index[rank] = far;
        m->ranks[far++] = rank;
    }
    return map_regions(m, config);
}

/* What MPI may still be reading from is left to it. */
static void release(dxt_ep_mpi_state *m)
{
    bool busy = m->count > 0 && dxt_ep_mpi_disarm(m);
    if (m->memory && !busy) munmap(m->memory, m->mapped);
    for (size_t parity = 0; parity < DXT_EP_IN_FLIGHT; parity++) free(m->found[parity]);
    free(m->ranks);
    free(m->index);
    if (!busy) free(m->mask_out);
    free(m->receives);
    free(m->sends);
    free(m->here);
    free(m->done);
    free(m->statuses);
    if (m->comm != MPI_COMM_NULL) MPI_Comm_free(&m->comm);
    free(m);
}

/* ---- joining ---- */

static dxt_status join(dxt_ep *ep, dxt_ep_mpi_state *m, uint32_t *members)
{
    uint32_t count = 0;
    dxt_status status = check_agreement(&ep->config, m->comm);
    if (status != DXT_OK) return status;
    status = dxt_ep_mpi_share(&ep->config, m->comm, members, &count, &ep->config.fd);
    if (status != DXT_OK) return status;
    bool alone = count == ep->config.ranks;
    ep->config.memory = NULL;
    dxt_ep_shm_members group = {
        .count = count, .ranks = members, .far = alone ? NULL : &dxt_ep_mpi_far, .far_state = m};
    status = dxt_ep_shm_join(ep, &group);
    if (status == DXT_OK && !alone) status = set_up_far(m, &ep->config, members, count);
    if (status == DXT_OK && !alone) status = dxt_ep_mpi_arm(ep, m);
    return dxt_ep_mpi_all_well(m->comm, status);
}

static dxt_status create(dxt_ep *ep)
{
    dxt_ep_mpi_state *m = calloc(1, sizeof *m);
    uint32_t *members = calloc(ep->config.ranks, sizeof *members);
    dxt_status status = DXT_ERR_NO_MEMORY;
    if (m && members) {
        m->comm = MPI_COMM_NULL;
        status = open_comm(&ep->config, &m->comm);
    } else {
        dxt_ep_fail(status, "out of memory");
    }
    ep->config.fd = -1;
    if (status == DXT_OK) status = join(ep, m, members);
    if (ep->config.fd >= 0) close(ep->config.fd);
    free(members);
    if (status == DXT_OK) return DXT_OK;
    if (ep->state) dxt_ep_shm_destroy(ep);
    ep->state = NULL;
    if (m) release(m);
    return status;
}

static void destroy(dxt_ep *ep)
{
    dxt_ep_mpi_state *m = dxt_ep_mpi_of(ep);
    int finalized = 0;
    dxt_ep_shm_destroy(ep);
    MPI_Finalized(&finalized);
    if (!finalized) release(m);
}

static const dxt_ep_engine engine = {.name = "mpi",
                                     .buffer_size = buffer_size,
                                     .create = create,
                                     .destroy = destroy,
                                     .dispatch_send = dxt_ep_shm_dispatch_send,
                                     .dispatch_recv = dxt_ep_shm_dispatch_recv,
                                     .combine_send = dxt_ep_shm_combine_send,
                                     .combine_recv = dxt_ep_shm_combine_recv,
                                     .wait = dxt_ep_shm_wait,
                                     .wait_buffer = dxt_ep_shm_wait_buffer,
                                     .masked = dxt_ep_shm_masked,
                                     .delay_path = dxt_ep_shm_delay_path};

const dxt_ep_engine *dxt_ep_part_engine(uint32_t layout)
{
    return layout == DXT_EP_PART_LAYOUT ? &engine : NULL;
}
