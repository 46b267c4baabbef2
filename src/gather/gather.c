/* SPDX-License-Identifier: Apache-2.0 */
/* What all transports have in common. They return statuses; this says why. */
#include <deepxtrace/gather.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "gather/attempt.h"
#include "gather/gather.h"
#include "gather/mailbox.h"

struct dxt_gather {
    uint32_t rank;
    uint32_t ranks;
    dxt_gather_transport transport;
    bool published;    /* anything yet */
    uint64_t sequence; /* of the last mail */
    int32_t node;
    char host[64];
};

static dxt_status check_group(uint32_t rank, uint32_t ranks)
{
    if (ranks > DXT_MAX_RANKS)
        return dxt_fail(DXT_ERR_LIMIT, "ranks is %u, but must be 1 to %u", ranks, DXT_MAX_RANKS);
    if (ranks == 0)
        return dxt_fail(DXT_ERR_INVALID, "ranks is 0, but must be 1 to %u", DXT_MAX_RANKS);
    if (rank >= ranks)
        return dxt_fail(DXT_ERR_INVALID, "rank is %u, but must be 0 to %u", rank, ranks - 1);
    return DXT_OK;
}

dxt_status dxt_gather_prepare(uint32_t rank, uint32_t ranks, dxt_gather **gather)
{
    dxt_status status = check_group(rank, ranks);
    if (status != DXT_OK) return status;
    dxt_gather *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    made->rank = rank;
    made->ranks = ranks;
    made->node = -1;
    *gather = made;
    return DXT_OK;
}

void dxt_gather_use(dxt_gather *gather, const dxt_gather_transport *transport)
{
    gather->transport = *transport;
}

dxt_status dxt_gather_create(uint32_t rank, uint32_t ranks, const dxt_gather_transport *transport,
                             dxt_gather **gather)
{
    if (!transport || !gather)
        return dxt_fail(DXT_ERR_INVALID, "transport and gather must not be NULL");
    dxt_gather_transport taken;
    if (!dxt_take_struct(&taken, sizeof taken, transport,
                         DXT_SIZE_UP_TO(dxt_gather_transport, collect)))
        return dxt_fail_size("transport", "dxt_gather_transport", transport->struct_size);
    if (!taken.publish || !taken.collect)
        return dxt_fail(DXT_ERR_INVALID,
                        "transport.publish and transport.collect must not be NULL");
    dxt_status status = dxt_gather_prepare(rank, ranks, gather);
    if (status == DXT_OK) dxt_gather_use(*gather, &taken);
    return status;
}

dxt_status dxt_gather_create_local(const dxt_gather_local_config *given, dxt_gather **gather)
{
    if (!given || !gather) return dxt_fail(DXT_ERR_INVALID, "config and gather must not be NULL");
    dxt_gather_local_config config;
    if (!dxt_take_struct(&config, sizeof config, given,
                         DXT_SIZE_UP_TO(dxt_gather_local_config, fd)))
        return dxt_fail_size("config", "dxt_gather_local_config", given->struct_size);
    dxt_status status = check_group(config.rank, config.ranks);
    if (status != DXT_OK) return status;
    dxt_gather_transport transport;
    status = dxt_mailbox_open(&config, &transport);
    if (status != DXT_OK) return status;
    status = dxt_gather_create(config.rank, config.ranks, &transport, gather);
    if (status != DXT_OK) transport.destroy(transport.context);
    return status;
}

void dxt_gather_destroy(dxt_gather *gather)
{
    if (!gather) return;
    if (gather->transport.destroy) gather->transport.destroy(gather->transport.context);
    free(gather);
}

uint32_t dxt_gather_rank(const dxt_gather *gather)
{
    if (!gather) return 0;
    return gather->rank;
}

uint32_t dxt_gather_ranks(const dxt_gather *gather)
{
    if (!gather) return 0;
    return gather->ranks;
}

void dxt_gather_set_place(dxt_gather *gather, int32_t node, const char *host)
{
    gather->node = node;
    snprintf(gather->host, sizeof gather->host, "%s", host);
}

int32_t dxt_gather_node(const dxt_gather *gather)
{
    return gather->node;
}

const char *dxt_gather_host(const dxt_gather *gather)
{
    return gather->host;
}

/* A transport of the caller may return anything. */
static dxt_status failure(dxt_status status)
{
    return status < 0 ? status : DXT_ERR_IO;
}

static dxt_status check_publish(const dxt_gather *gather, uint64_t sequence, const void *mail,
                                size_t size)
{
    if (!gather || (!mail && size > 0))
        return dxt_fail(DXT_ERR_INVALID, "gather and mail must not be NULL");
    if (sequence == DXT_GATHER_NEWEST || (gather->published && sequence <= gather->sequence))
        return dxt_fail(DXT_ERR_INVALID,
                        "mail %llu was published after mail %llu, but numbers must grow",
                        (unsigned long long)sequence, (unsigned long long)gather->sequence);
    return DXT_OK;
}

dxt_status dxt_gather_try_publish(dxt_gather *gather, uint64_t sequence, const void *mail,
                                  size_t size)
{
    dxt_status status = check_publish(gather, sequence, mail, size);
    if (status != DXT_OK) return status;
    status = gather->transport.publish(gather->transport.context, sequence, mail, size);
    if (status != DXT_OK) return failure(status);
    gather->published = true;
    gather->sequence = sequence;
    return DXT_OK;
}

dxt_status dxt_gather_publish(dxt_gather *gather, uint64_t sequence, const void *mail, size_t size)
{
    dxt_status status = check_publish(gather, sequence, mail, size);
    if (status != DXT_OK) return status;
    status = dxt_gather_try_publish(gather, sequence, mail, size);
    if (status == DXT_OK) return status;
    return dxt_fail(status, "cannot publish a mail of %zu bytes: %s", size,
                    dxt_status_string(status));
}

static dxt_status check_collect(const dxt_gather *gather, uint32_t rank, const void *mail,
                                const size_t *size)
{
    if (!gather || !mail || !size)
        return dxt_fail(DXT_ERR_INVALID, "gather, mail and size must not be NULL");
    if (rank >= gather->ranks)
        return dxt_fail(DXT_ERR_INVALID, "rank is %u, but must be 0 to %u", rank,
                        gather->ranks - 1);
    return DXT_OK;
}

dxt_status dxt_gather_try_collect(dxt_gather *gather, uint32_t rank, uint64_t wanted, void *mail,
                                  size_t capacity, size_t *size, uint64_t *sequence)
{
    dxt_status status = check_collect(gather, rank, mail, size);
    if (status != DXT_OK) return status;
    size_t got_size = 0;
    uint64_t got_sequence = 0;
    status = gather->transport.collect(gather->transport.context, rank, wanted, mail, capacity,
                                       &got_size, &got_sequence);
    if (status == DXT_AGAIN) return status;
    if (status != DXT_OK) return failure(status);
    if (got_size > capacity || (wanted != DXT_GATHER_NEWEST && got_sequence != wanted))
        return DXT_ERR_FORMAT;
    *size = got_size;
    if (sequence) *sequence = got_sequence;
    return DXT_OK;
}

dxt_status dxt_gather_collect(dxt_gather *gather, uint32_t rank, uint64_t wanted, void *mail,
                              size_t capacity, size_t *size, uint64_t *sequence)
{
    dxt_status status = check_collect(gather, rank, mail, size);
    if (status != DXT_OK) return status;
    status = dxt_gather_try_collect(gather, rank, wanted, mail, capacity, size, sequence);
    if (status >= 0) return status;
    return dxt_fail(status, "cannot collect the mail of rank %u: %s", rank,
                    dxt_status_string(status));
}
