/* SPDX-License-Identifier: Apache-2.0 */
/* What a recording has one of for each rank. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/recording.h"
#include "matrix/scan.h"

dxt_status dxt_recording_bad_json(const dxt_recording *rec)
{
    return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT, "column %zu: %s",
                           (size_t)(rec->json.at - rec->json.begin) + 1, rec->json.why);
}

/* Take an integer of 0 … most. `index` < 0: the field itself, else an element of it. */
dxt_status dxt_take_integer(dxt_recording *rec, const char *field, int64_t index, int64_t most,
                            int64_t *value)
{
    dxt_json *json = &rec->json;
    dxt_json_space(json);
    int64_t taken;
    const char *next = dxt_scan_integer(json->at, json->end, &taken);
    bool plain = next && (*json->at != '0' || next == json->at + 1);
    if (plain && next < json->end) plain = dxt_is_blank(*next) || memchr(",]}", *next, 3);
    char why[96];
    dxt_status status = DXT_ERR_LIMIT;
    if (plain && taken <= most) {
        *value = taken;
        json->at = next;
        return DXT_OK;
    }
    if (!plain)
        status = dxt_scan_why(json->at, json->end, why, sizeof why);
    else
        snprintf(why, sizeof why, "%lld is above %lld", (long long)taken, (long long)most);
    if (index < 0) return dxt_reader_fail(rec->reader, status, "%s: %s", field, why);
    return dxt_reader_fail(rec->reader, status, "%s: element %lld: %s", field, (long long)index,
                           why);
}

/* Make room for one more element: the lists grow at 0, 16, 32, 64 … */
static dxt_status grow(void **list, uint32_t count, size_t size)
{
    if (count > 0 && (count < 16 || (count & (count - 1)) != 0)) return DXT_OK;
    size_t capacity = count == 0 ? 16 : 2 * (size_t)count;
    void *grown = realloc(*list, capacity * size);
    if (!grown) return dxt_fail_memory(capacity * size);
    *list = grown;
    return DXT_OK;
}

typedef dxt_status (*element_fn)(dxt_recording *rec, uint32_t index);

/* Take an array of one element per rank. */
static dxt_status take_list(dxt_recording *rec, const char *field, uint32_t *count, element_fn take)
{
    dxt_json *json = &rec->json;
    if (!dxt_json_expect(json, '[')) return dxt_recording_bad_json(rec);
    do {
        if (*count == DXT_MAX_RANKS)
            return dxt_reader_fail(rec->reader, DXT_ERR_LIMIT, "%s: more than %u elements", field,
                                   DXT_MAX_RANKS);
        dxt_status status = take(rec, *count);
        if (status != DXT_OK) return status;
        ++*count;
    } while (dxt_json_take(json, ','));
    return dxt_json_expect(json, ']') ? DXT_OK : dxt_recording_bad_json(rec);
}

static dxt_status take_tick_rate(dxt_recording *rec, uint32_t index)
{
    double rate;
    void *list = rec->window->ticks_per_second;
    dxt_status status = grow(&list, index, sizeof rate);
    if (status != DXT_OK) return status;
    rec->window->ticks_per_second = list;
    if (!dxt_json_double(&rec->json, &rate)) return dxt_recording_bad_json(rec);
    if (!(rate >= 1 && rate <= DXT_MAX_TICKS_PER_SECOND))
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                               "ticks_per_second: %g, but must be 1 to 1e12", rate);
    rec->window->ticks_per_second[index] = rate;
    return DXT_OK;
}

bool dxt_at_array(dxt_recording *rec)
{
    return dxt_json_space(&rec->json) && *rec->json.at == '[';
}

dxt_status dxt_take_ticks(dxt_recording *rec)
{
    if (dxt_at_array(rec)) return take_list(rec, "ticks_per_second", &rec->ticks, take_tick_rate);
    rec->ticks_each = true;
    return take_tick_rate(rec, 0);
}

static dxt_status take_node(dxt_recording *rec, uint32_t index)
{
    int64_t node;
    void *list = rec->window->nodes;
    dxt_status status = grow(&list, index, sizeof *rec->window->nodes);
    if (status != DXT_OK) return status;
    rec->window->nodes = list;
    status = dxt_take_integer(rec, "nodes", index, INT32_MAX, &node);
    if (status == DXT_OK) rec->window->nodes[index] = (int32_t)node;
    return status;
}

dxt_status dxt_take_string(dxt_recording *rec, char **text)
{
    dxt_status status = dxt_json_string(&rec->json, text);
    return status == DXT_ERR_FORMAT ? dxt_recording_bad_json(rec) : status;
}

static dxt_status take_host(dxt_recording *rec, uint32_t index)
{
    void *list = rec->window->hosts;
    dxt_status status = grow(&list, index, sizeof *rec->window->hosts);
    if (status != DXT_OK) return status;
    rec->window->hosts = list;
    return dxt_take_string(rec, &rec->window->hosts[index]);
}

dxt_status dxt_take_nodes(dxt_recording *rec)
{
    return take_list(rec, "nodes", &rec->nodes, take_node);
}

dxt_status dxt_take_hosts(dxt_recording *rec)
{
    return take_list(rec, "hosts", &rec->hosts, take_host);
}

/* ---- devices ---- */

/* Take a text into a place of `size` bytes. */
static dxt_status take_device_text(dxt_recording *rec, const char *name, uint32_t index, char *to,
                                   size_t size)
{
    char *text;
    dxt_status status = dxt_take_string(rec, &text);
    if (status != DXT_OK) return status;
    size_t length = strlen(text);
    if (length < size)
        memcpy(to, text, length + 1);
    else
        status = dxt_reader_fail(rec->reader, DXT_ERR_LIMIT,
                                 "devices: element %u: %s has more than %zu bytes", index, name,
                                 size - 1);
    free(text);
    return status;
}

/* Take one member of a device; those that are not known are passed over. */
static dxt_status take_device_member(dxt_recording *rec, uint32_t index, const char *name)
{
    dxt_place *device = &rec->window->devices[index];
    if (dxt_json_literal(&rec->json, "null")) return DXT_OK;
    if (strcmp(name, "host") == 0)
        return take_device_text(rec, name, index, device->host, sizeof device->host);
    if (strcmp(name, "uuid") == 0)
        return take_device_text(rec, name, index, device->uuid, sizeof device->uuid);
    if (strcmp(name, "pci") == 0)
        return take_device_text(rec, name, index, device->pci, sizeof device->pci);
    if (strcmp(name, "pid") == 0)
        return dxt_take_integer(rec, "devices: pid", index, INT64_MAX, &device->pid);
    if (strcmp(name, "rank") == 0)
        return dxt_take_integer(rec, "devices: rank", index, INT64_MAX, &device->rank);
    if (strcmp(name, "gpu") != 0)
        return dxt_json_skip(&rec->json) ? DXT_OK : dxt_recording_bad_json(rec);
    int64_t gpu;
    dxt_status status = dxt_take_integer(rec, "devices: gpu", index, INT32_MAX, &gpu);
    if (status == DXT_OK) device->gpu = (int32_t)gpu;
    return status;
}

static dxt_status take_device(dxt_recording *rec, uint32_t index)
{
    void *list = rec->window->devices;
    dxt_status status = grow(&list, index, sizeof *rec->window->devices);
    if (status != DXT_OK) return status;
    rec->window->devices = list;
    rec->window->devices[index] = (dxt_place){.rank = -1, .gpu = -1};
    if (dxt_json_literal(&rec->json, "null")) return DXT_OK;
    if (!dxt_json_expect(&rec->json, '{')) return dxt_recording_bad_json(rec);
    if (dxt_json_take(&rec->json, '}')) return DXT_OK;
    do {
        char *name;
        status = dxt_take_string(rec, &name);
        if (status != DXT_OK) return status;
        status = dxt_json_expect(&rec->json, ':') ? take_device_member(rec, index, name)
                                                  : dxt_recording_bad_json(rec);
        free(name);
        if (status != DXT_OK) return status;
    } while (dxt_json_take(&rec->json, ','));
    return dxt_json_expect(&rec->json, '}') ? DXT_OK : dxt_recording_bad_json(rec);
}

dxt_status dxt_take_devices(dxt_recording *rec)
{
    return take_list(rec, "devices", &rec->devices, take_device);
}

/* ---- operations and tokens ---- */

/* Take a number, or null for one that is not known. */
static dxt_status take_known(dxt_recording *rec, const char *field, uint32_t index, int64_t *value)
{
    if (!dxt_json_literal(&rec->json, "null"))
        return dxt_take_integer(rec, field, index, INT64_MAX, value);
    *value = DXT_NOT_OBSERVED;
    return DXT_OK;
}

/* Take such a number into a list that grows. */
static dxt_status take_rank(dxt_recording *rec, const char *field, uint32_t index, int64_t **values)
{
    void *list = *values;
    dxt_status status = grow(&list, index, sizeof **values);
    if (status != DXT_OK) return status;
    *values = list;
    return take_known(rec, field, index, &(*values)[index]);
}

static dxt_status take_rank_ops(dxt_recording *rec, uint32_t index)
{
    return take_rank(rec, "ops", index, &rec->window->rank_ops);
}

dxt_status dxt_take_ops(dxt_recording *rec)
{
    if (dxt_at_array(rec)) return take_list(rec, "ops", &rec->rank_ops, take_rank_ops);
    return dxt_take_integer(rec, "ops", -1, INT64_MAX, &rec->window->ops);
}

static dxt_status take_rank_issued(dxt_recording *rec, uint32_t index)
{
    return take_rank(rec, "issued", index, &rec->window->issued);
}

dxt_status dxt_take_issued(dxt_recording *rec)
{
    return take_list(rec, "issued", &rec->issued, take_rank_issued);
}

static dxt_status take_rank_delay(dxt_recording *rec, uint32_t index)
{
    return take_rank(rec, "run_delay_ns", index, &rec->window->run_delay_ns);
}

dxt_status dxt_take_run_delay(dxt_recording *rec)
{
    return take_list(rec, "run_delay_ns", &rec->run_delay, take_rank_delay);
}

/* Make room for so many numbers of tokens; new ones are not known. */
static dxt_status grow_tokens(dxt_recording *rec, size_t count)
{
    if (count > rec->token_cells) {
        size_t cells = count > 2 * rec->token_cells ? count : 2 * rec->token_cells;
        int64_t *grown = realloc(rec->window->tokens, cells * sizeof *grown);
        if (!grown) return dxt_fail_memory(cells * sizeof *grown);
        for (size_t i = rec->token_cells; i < cells; i++) grown[i] = DXT_NOT_OBSERVED;
        rec->window->tokens = grown;
        rec->token_cells = cells;
    }
    return DXT_OK;
}

/* Take the tokens of one rank, by expert, into the reader's row. */
static dxt_status take_experts(dxt_recording *rec, uint32_t index, uint32_t *count)
{
    uint32_t taken = 0;
    if (!dxt_json_expect(&rec->json, '[')) return dxt_recording_bad_json(rec);
    do {
        if (taken == DXT_MAX_LOCAL_EXPERTS)
            return dxt_reader_fail(rec->reader, DXT_ERR_LIMIT,
                                   "tokens: element %u has more than %u values", index,
                                   DXT_MAX_LOCAL_EXPERTS);
        dxt_status status = take_known(rec, "tokens", index, &rec->reader->row[taken]);
        if (status != DXT_OK) return status;
        taken++;
    } while (dxt_json_take(&rec->json, ','));
    *count = taken;
    return dxt_json_expect(&rec->json, ']') ? DXT_OK : dxt_recording_bad_json(rec);
}

/* The first element that is there says whether each is a number or an array, and how long. */
static dxt_status take_token(dxt_recording *rec, uint32_t index)
{
    dxt_window *window = rec->window;
    uint32_t count = 1;
    if (dxt_json_literal(&rec->json, "null")) return DXT_OK;
    bool nested = dxt_at_array(rec);
    dxt_status status = nested ? take_experts(rec, index, &count)
                               : take_known(rec, "tokens", index, rec->reader->row);
    if (status != DXT_OK) return status;
    if (window->local_experts == 0) {
        window->local_experts = count;
        rec->tokens_nested = nested;
    }
    if (nested != rec->tokens_nested || count != window->local_experts)
        return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                               "tokens: element %u must have as many values as those before it",
                               index);
    status = grow_tokens(rec, ((size_t)index + 1) * count);
    if (status == DXT_OK)
        memcpy(window->tokens + (size_t)index * count, rec->reader->row,
               count * sizeof *window->tokens);
    return status;
}

dxt_status dxt_take_tokens(dxt_recording *rec)
{
    return take_list(rec, "tokens", &rec->tokens, take_token);
}

/* ---- when all has been read ---- */

/* One clock rate for all ranks becomes one per rank. */
static dxt_status spread_ticks(dxt_recording *rec)
{
    if (!rec->ticks_each || !rec->window->ticks_per_second) return DXT_OK;
    size_t size = rec->window->ranks * sizeof *rec->window->ticks_per_second;
    double *ticks = malloc(size);
    if (!ticks) return dxt_fail_memory(size);
    for (uint32_t i = 0; i < rec->window->ranks; i++) ticks[i] = *rec->window->ticks_per_second;
    free(rec->window->ticks_per_second);
    rec->window->ticks_per_second = ticks;
    return DXT_OK;
}

/* The upper median of the ranks' operations; of 4096 at the most. */
static void find_ops(dxt_window *window)
{
    const int64_t *ops = window->rank_ops;
    uint32_t known = 0;
    for (uint32_t i = 0; i < window->ranks; i++) known += ops[i] >= 0;
    for (uint32_t i = 0; i < window->ranks; i++) {
        uint32_t below = 0, same = 0;
        for (uint32_t k = 0; k < window->ranks; k++) {
            below += ops[k] >= 0 && ops[k] < ops[i];
            same += ops[k] == ops[i];
        }
        if (ops[i] >= 0 && below <= known / 2 && known / 2 < below + same) window->ops = ops[i];
    }
}

dxt_status dxt_complete_ranks(dxt_recording *rec)
{
    dxt_window *window = rec->window;
    const struct {
        const char *name;
        uint32_t count;
    } lists[] = {
        {"ticks_per_second", rec->ticks}, {"nodes", rec->nodes},           {"hosts", rec->hosts},
        {"devices", rec->devices},        {"ops", rec->rank_ops},          {"tokens", rec->tokens},
        {"issued", rec->issued},          {"run_delay_ns", rec->run_delay}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (lists[i].count > 0 && lists[i].count != window->ranks)
            return dxt_reader_fail(rec->reader, DXT_ERR_FORMAT,
                                   "%s has %u elements, but ranks is %u", lists[i].name,
                                   lists[i].count, window->ranks);
    if (window->rank_ops) find_ops(window);
    dxt_status status = DXT_OK;
    if (rec->tokens > 0) {
        if (window->local_experts == 0) window->local_experts = 1;
        status = grow_tokens(rec, (size_t)window->ranks * window->local_experts);
    }
    return status == DXT_OK ? spread_ticks(rec) : status;
}
