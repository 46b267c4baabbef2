/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions: check every argument, keep the count of what is under way, hand over to the
 * engine. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/engine.h"
#include "common/fp8.h"
#include "common/logfmt.h"
#include "common/part.h"
#include "system/structs.h"

#define DEFAULT_TIMEOUT_NS (INT64_C(100) * 1000000000)
/* Keeps deadlines far from overflow: 100 years. */
#define MAX_TIMEOUT_NS (INT64_C(3155760000) * 1000000000)

/* The arguments as they were before their optional tails. */
#define DISPATCH_LEAST offsetof(dxt_ep_dispatch, topk_weights)
#define COMBINE_LEAST offsetof(dxt_ep_combine, recv_routes)
/* The configuration as it was in 0.1.0. */
#define CONFIG_LEAST DXT_SIZE_UP_TO(dxt_ep_config, comm)

static const char *const operator_names[DXT_EP_OPERATORS] = {"dispatch", "combine"};

/* ---- configuration ---- */

static dxt_status check_count(const char *name, uint32_t value, uint32_t most)
{
    if (value > 0 && value <= most) return DXT_OK;
    return dxt_ep_fail(value == 0 ? DXT_ERR_INVALID : DXT_ERR_LIMIT,
                       "config.%s is %u, but must be 1 to %u", name, value, most);
}

static dxt_status check_shape(const dxt_ep_config *config)
{
    const struct {
        const char *name;
        uint32_t value;
        uint32_t most;
    } counts[] = {{"ranks", config->ranks, DXT_MAX_RANKS},
                  {"max_tokens", config->max_tokens, DXT_EP_MAX_TOKENS},
                  {"hidden", config->hidden, DXT_EP_MAX_HIDDEN},
                  {"experts", config->experts, DXT_EP_MAX_EXPERTS},
                  {"max_topk", config->max_topk, DXT_EP_MAX_TOPK}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        dxt_status status = check_count(counts[i].name, counts[i].value, counts[i].most);
        if (status != DXT_OK) return status;
    }
    if (config->hidden % DXT_EP_BLOCK != 0)
        return dxt_ep_fail(DXT_ERR_INVALID, "config.hidden is %u, but must be a multiple of %u",
                           config->hidden, DXT_EP_BLOCK);
    if (config->experts % config->ranks != 0)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "config.experts is %u, but must be a multiple of the %u ranks",
                           config->experts, config->ranks);
    if (config->max_topk > config->experts)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "config.max_topk is %u, but must be at most the %u experts",
                           config->max_topk, config->experts);
    return DXT_OK;
}

static dxt_status find_engine(const char *name, const dxt_ep_engine **engine)
{
    if (name && strcmp(name, dxt_ep_shm.name) != 0) return dxt_ep_part_find(name, engine);
    *engine = &dxt_ep_shm;
    return DXT_OK;
}

/* The configuration as this version knows it, from a caller compiled against any. */
static dxt_status take_config(const dxt_ep_config *given, dxt_ep_config *config,
                              const dxt_ep_engine **engine)
{
    if (!given) return dxt_ep_fail(DXT_ERR_INVALID, "config must not be NULL");
    if (!dxt_take_struct(config, sizeof *config, given, CONFIG_LEAST))
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "config.struct_size is %zu; set it to sizeof(dxt_ep_config)",
                           given->struct_size);
    dxt_status status = check_shape(config);
    return status == DXT_OK ? find_engine(config->engine, engine) : status;
}

dxt_status dxt_ep_buffer_size(const dxt_ep_config *config, size_t *size)
{
    const dxt_ep_engine *engine;
    dxt_ep_config known;
    dxt_status status = take_config(config, &known, &engine);
    if (status != DXT_OK) return status;
    if (!size) return dxt_ep_fail(DXT_ERR_INVALID, "size must not be NULL");
    return engine->buffer_size(&known, size);
}

static dxt_status check_member(const dxt_ep_config *config, const dxt_ep_engine *engine)
{
    if (config->rank >= config->ranks)
        return dxt_ep_fail(DXT_ERR_INVALID, "config.rank is %u, but must be 0 to %u", config->rank,
                           config->ranks - 1);
    if (config->timeout_ns < 0 || config->timeout_ns > MAX_TIMEOUT_NS)
        return dxt_ep_fail(DXT_ERR_INVALID, "config.timeout_ns is %lld, but must be 0 to %lld",
                           (long long)config->timeout_ns, (long long)MAX_TIMEOUT_NS);
    const dxt_probe *probe = config->probe;
    if (!probe || engine->device_memory) return DXT_OK;
    if (probe->layout != DXT_PROBE_LAYOUT)
        return dxt_ep_fail(
            DXT_ERR_INVALID,
            "config.probe has layout %u, but this library needs %u; build both from one version",
            probe->layout, DXT_PROBE_LAYOUT);
    if (probe->operators < DXT_EP_OPERATORS || probe->sources < config->ranks)
        return dxt_ep_fail(
            DXT_ERR_INVALID, "config.probe has %u operators and %u sources, but needs %u and %u",
            probe->operators, probe->sources, (unsigned)DXT_EP_OPERATORS, config->ranks);
    return DXT_OK;
}

dxt_status dxt_ep_create(const dxt_ep_config *config, dxt_ep **ep)
{
    const dxt_ep_engine *engine;
    dxt_ep_config known;
    dxt_status status = take_config(config, &known, &engine);
    if (status == DXT_OK) status = check_member(&known, engine);
    if (status != DXT_OK) return status;
    if (!ep) return dxt_ep_fail(DXT_ERR_INVALID, "ep must not be NULL");
    dxt_ep *created = calloc(1, sizeof *created);
    if (!created) return dxt_ep_fail(DXT_ERR_NO_MEMORY, "out of memory");
    created->engine = engine;
    created->config = known;
    created->config.engine = engine->name;
    if (known.timeout_ns == 0) created->config.timeout_ns = DEFAULT_TIMEOUT_NS;
    created->local_experts = known.experts / known.ranks;
    created->slots = known.ranks * known.max_tokens;
    status = engine->create(created);
    if (status != DXT_OK) {
        free(created);
        return status;
    }
    *ep = created;
    return DXT_OK;
}

void dxt_ep_destroy(dxt_ep *ep)
{
    if (!ep) return;
    ep->engine->destroy(ep);
    free(ep);
}

/* ---- what dispatch and combine share ---- */

static dxt_status check_size(const dxt_ep *ep, uint32_t index, const void *arguments, size_t have,
                             size_t want)
{
    if (!ep) return dxt_ep_fail(DXT_ERR_INVALID, "ep must not be NULL");
    if (!arguments)
        return dxt_ep_fail(DXT_ERR_INVALID, "%s must not be NULL", operator_names[index]);
    if (have >= want) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_INVALID, "%s.struct_size is %zu; set it to sizeof(dxt_ep_%s)",
                       operator_names[index], have, operator_names[index]);
}

static dxt_status check_handle(const dxt_ep_handle *handle)
{
    if (handle->src_info && handle->src_slot && handle->layout_range) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_INVALID,
                       "handle.src_info, src_slot and layout_range must not be NULL");
}

static bool appears_before(const int64_t *routes, uint32_t index)
{
    bool found = false;
    for (uint32_t k = 0; k < index; k++) found |= routes[k] == routes[index];
    return found;
}

static dxt_status check_routes(const dxt_ep *ep, const int64_t *topk_idx, uint32_t tokens,
                               uint32_t topk)
{
    if (tokens > ep->config.max_tokens)
        return dxt_ep_fail(DXT_ERR_INVALID, "tokens is %u, but must be at most max_tokens, %u",
                           tokens, ep->config.max_tokens);
    if (topk == 0 || topk > ep->config.max_topk)
        return dxt_ep_fail(DXT_ERR_INVALID, "topk is %u, but must be 1 to max_topk, %u", topk,
                           ep->config.max_topk);
    if (tokens > 0 && !topk_idx) return dxt_ep_fail(DXT_ERR_INVALID, "topk_idx must not be NULL");
    if (ep->engine->device_memory) return DXT_OK;
    for (uint32_t t = 0; t < tokens; t++) {
        const int64_t *routes = topk_idx + (size_t)t * topk;
        for (uint32_t k = 0; k < topk; k++) {
            if (routes[k] < -1 || routes[k] >= (int64_t)ep->config.experts)
                return dxt_ep_fail(
                    DXT_ERR_INVALID,
                    "token %u, route %u names expert %lld, but must name -1 or 0 to %u", t, k,
                    (long long)routes[k], ep->config.experts - 1);
            if (routes[k] >= 0 && appears_before(routes, k))
                return dxt_ep_fail(DXT_ERR_INVALID,
                                   "token %u goes to expert %lld twice, but its routes must differ",
                                   t, (long long)routes[k]);
        }
    }
    return DXT_OK;
}

static dxt_status check_in_flight(const dxt_ep *ep, uint32_t index)
{
    if (ep->sent[index] - ep->received[index] < DXT_EP_IN_FLIGHT) return DXT_OK;
    return dxt_ep_fail(
        DXT_ERR_STATE,
        "%u operations of %s were sent and not received yet: call dxt_ep_%s_recv() first",
        DXT_EP_IN_FLIGHT, operator_names[index], operator_names[index]);
}

static dxt_status check_sent(const dxt_ep *ep, uint32_t index)
{
    if (!ep) return dxt_ep_fail(DXT_ERR_INVALID, "ep must not be NULL");
    if (ep->sent[index] == ep->received[index])
        return dxt_ep_fail(DXT_ERR_STATE, "there is no %s to receive: call dxt_ep_%s_send() first",
                           operator_names[index], operator_names[index]);
    return DXT_OK;
}

/* ---- dispatch ---- */

static dxt_status check_dispatch(const dxt_ep *ep, const dxt_ep_dispatch *dispatch)
{
    dxt_status status = check_size(ep, DXT_DISPATCH, dispatch, dispatch ? dispatch->struct_size : 0,
                                   DISPATCH_LEAST);
    if (status == DXT_OK) status = check_in_flight(ep, DXT_DISPATCH);
    if (status == DXT_OK) status = check_handle(&dispatch->handle);
    if (status == DXT_OK)
        status = check_routes(ep, dispatch->topk_idx, dispatch->tokens, dispatch->topk);
    if (status != DXT_OK) return status;
    if (dispatch->format != DXT_EP_BF16 && dispatch->format != DXT_EP_FP8)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "dispatch.format is %d, but must be DXT_EP_BF16 or DXT_EP_FP8",
                           (int)dispatch->format);
    if (dispatch->tokens > 0 && !dispatch->x)
        return dxt_ep_fail(DXT_ERR_INVALID, "x must not be NULL");
    if (!dispatch->recv_x || !dispatch->recv_count)
        return dxt_ep_fail(DXT_ERR_INVALID, "recv_x and recv_count must not be NULL");
    if (dispatch->format == DXT_EP_FP8 && !dispatch->recv_scales)
        return dxt_ep_fail(DXT_ERR_INVALID, "recv_scales must not be NULL with DXT_EP_FP8");
    return DXT_OK;
}

dxt_status dxt_ep_dispatch_send(dxt_ep *ep, const dxt_ep_dispatch *dispatch)
{
    dxt_status status = check_dispatch(ep, dispatch);
    if (status != DXT_OK) return status;
    uint64_t epoch = ep->sent[DXT_DISPATCH] + 1;
    dxt_ep_dispatch known;
    dxt_take_struct(&known, sizeof known, dispatch, DISPATCH_LEAST);
    status = ep->engine->dispatch_send(ep, &known, epoch);
    if (status != DXT_OK) return status;
    ep->dispatch[epoch % DXT_EP_IN_FLIGHT] = known;
    ep->sent[DXT_DISPATCH] = epoch;
    return DXT_OK;
}

dxt_status dxt_ep_dispatch_recv(dxt_ep *ep)
{
    dxt_status status = check_sent(ep, DXT_DISPATCH);
    if (status != DXT_OK) return status;
    uint64_t epoch = ep->received[DXT_DISPATCH] + 1;
    status = ep->engine->dispatch_recv(ep, &ep->dispatch[epoch % DXT_EP_IN_FLIGHT], epoch);
    if (status != DXT_ERR_MASKED) ep->received[DXT_DISPATCH] = epoch;
    return status;
}

/* ---- combine ---- */

static dxt_status check_slots(const dxt_ep *ep, const dxt_ep_handle *handle, uint32_t expert,
                              uint32_t source)
{
    dxt_ep_range range = handle->layout_range[(size_t)expert * ep->config.ranks + source];
    if (range.count < 0 || range.begin < 0 || (uint32_t)range.count > ep->config.max_tokens ||
        (uint32_t)range.begin > ep->slots - (uint32_t)range.count)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "handle: the range of expert %u and rank %u leaves the buffer; give the "
                           "handle that dispatch filled",
                           expert, source);
    for (int32_t i = 0; i < range.count; i++) {
        size_t slot = (size_t)expert * ep->slots + (size_t)range.begin + (size_t)i;
        if (handle->src_info[slot] < 0 ||
            (uint32_t)handle->src_info[slot] >= ep->config.max_tokens ||
            handle->src_slot[slot] >= ep->config.max_topk)
            return dxt_ep_fail(DXT_ERR_INVALID,
                               "handle: slot %zu names a token or route that was not sent; give "
                               "the handle that dispatch filled",
                               slot);
    }
    return DXT_OK;
}

static dxt_status check_combine(const dxt_ep *ep, const dxt_ep_combine *combine)
{
    dxt_status status =
        check_size(ep, DXT_COMBINE, combine, combine ? combine->struct_size : 0, COMBINE_LEAST);
    if (status == DXT_OK) status = check_in_flight(ep, DXT_COMBINE);
    if (status == DXT_OK) status = check_handle(&combine->handle);
    if (status == DXT_OK)
        status = check_routes(ep, combine->topk_idx, combine->tokens, combine->topk);
    if (status != DXT_OK) return status;
    if (combine->format != DXT_EP_COMBINE_BF16 && combine->format != DXT_EP_COMBINE_LOGFMT)
        return dxt_ep_fail(
            DXT_ERR_INVALID,
            "combine.format is %d, but must be DXT_EP_COMBINE_BF16 or DXT_EP_COMBINE_LOGFMT",
            (int)combine->format);
    if (!combine->x) return dxt_ep_fail(DXT_ERR_INVALID, "x must not be NULL");
    if (combine->tokens > 0 && (!combine->topk_weights || !combine->out))
        return dxt_ep_fail(DXT_ERR_INVALID, "topk_weights and out must not be NULL");
    if (ep->engine->device_memory) return DXT_OK;
    for (uint32_t expert = 0; expert < ep->local_experts; expert++)
        for (uint32_t source = 0; source < ep->config.ranks; source++) {
            status = check_slots(ep, &combine->handle, expert, source);
            if (status != DXT_OK) return status;
        }
    return DXT_OK;
}

dxt_status dxt_ep_combine_send(dxt_ep *ep, const dxt_ep_combine *combine)
{
    dxt_status status = check_combine(ep, combine);
    if (status != DXT_OK) return status;
    uint64_t epoch = ep->sent[DXT_COMBINE] + 1;
    dxt_ep_combine known;
    dxt_take_struct(&known, sizeof known, combine, COMBINE_LEAST);
    status = ep->engine->combine_send(ep, &known, epoch);
    if (status != DXT_OK) return status;
    ep->combine[epoch % DXT_EP_IN_FLIGHT] = known;
    ep->sent[DXT_COMBINE] = epoch;
    return DXT_OK;
}

dxt_status dxt_ep_combine_recv(dxt_ep *ep)
{
    dxt_status status = check_sent(ep, DXT_COMBINE);
    if (status != DXT_OK) return status;
    uint64_t epoch = ep->received[DXT_COMBINE] + 1;
    status = ep->engine->combine_recv(ep, &ep->combine[epoch % DXT_EP_IN_FLIGHT], epoch);
    if (status != DXT_ERR_MASKED) ep->received[DXT_COMBINE] = epoch;
    return status;
}

/* ---- the rest ---- */

static dxt_status check_call(const dxt_ep *ep, uint32_t operator_index, const char *name,
                             int64_t ns)
{
    if (!ep) return dxt_ep_fail(DXT_ERR_INVALID, "ep must not be NULL");
    if (operator_index >= DXT_EP_OPERATORS)
        return dxt_ep_fail(DXT_ERR_INVALID,
                           "operator_index is %u, but must be DXT_DISPATCH or DXT_COMBINE",
                           operator_index);
    if (ns >= 0 && ns <= MAX_TIMEOUT_NS) return DXT_OK;
    return dxt_ep_fail(DXT_ERR_INVALID, "%s is %lld, but must be 0 to %lld", name, (long long)ns,
                       (long long)MAX_TIMEOUT_NS);
}

dxt_status dxt_ep_wait(dxt_ep *ep, uint32_t operator_index, int64_t at_most_ns)
{
    dxt_status status = check_call(ep, operator_index, "at_most_ns", at_most_ns);
    if (status == DXT_OK) status = check_sent(ep, operator_index);
    if (status != DXT_OK) return status;
    if (!ep->engine->wait)
        return dxt_ep_fail(DXT_ERR_UNSUPPORTED, "engine \"%s\" waits on its stream",
                           ep->engine->name);
    return ep->engine->wait(ep, operator_index, ep->received[operator_index] + 1, at_most_ns);
}

dxt_status dxt_ep_wait_buffer(dxt_ep *ep, uint32_t operator_index, const void *arguments,
                              int64_t at_most_ns)
{
    dxt_status status = check_call(ep, operator_index, "at_most_ns", at_most_ns);
    if (status == DXT_OK && !arguments) status = check_in_flight(ep, operator_index);
    if (status == DXT_OK && arguments)
        status = (operator_index == DXT_DISPATCH) ? check_dispatch(ep, arguments)
                                                  : check_combine(ep, arguments);
    if (status != DXT_OK || !ep->engine->wait_buffer) return status;
    return ep->engine->wait_buffer(ep, operator_index, ep->sent[operator_index] + 1, at_most_ns);
}

uint32_t dxt_ep_masked(const dxt_ep *ep, uint8_t *masked)
{
    return ep ? ep->engine->masked(ep, masked) : 0;
}

dxt_status dxt_ep_delay_path(dxt_ep *ep, uint32_t operator_index, uint32_t source, int64_t delay_ns)
{
    dxt_status status = check_call(ep, operator_index, "delay_ns", delay_ns);
    if (status != DXT_OK) return status;
    if (source >= ep->config.ranks)
        return dxt_ep_fail(DXT_ERR_INVALID, "source is %u, but must be 0 to %u", source,
                           ep->config.ranks - 1);
    if (!ep->engine->delay_path)
        return dxt_ep_fail(DXT_ERR_UNSUPPORTED, "engine \"%s\" cannot delay paths",
                           ep->engine->name);
    return ep->engine->delay_path(ep, operator_index, source, delay_ns);
}
