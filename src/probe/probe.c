/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/probe.h>

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "probe/probe_block.h"

/* Whether a block can have these counts. @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT. */
static dxt_status check_counts(uint32_t operators, uint32_t sources)
{
    if (operators == 0 || operators > DXT_MAX_OPERATORS)
        return dxt_fail(operators == 0 ? DXT_ERR_INVALID : DXT_ERR_LIMIT,
                        "operators is %u, but must be 1 to %u", operators, DXT_MAX_OPERATORS);
    if (sources == 0 || sources > DXT_MAX_RANKS)
        return dxt_fail(sources == 0 ? DXT_ERR_INVALID : DXT_ERR_LIMIT,
                        "sources is %u, but must be 1 to %u", sources, DXT_MAX_RANKS);
    return DXT_OK;
}

dxt_status dxt_probe_init(void *memory, size_t size, uint32_t operators, uint32_t sources,
                          dxt_probe **probe)
{
    if (!memory || !probe) return dxt_fail(DXT_ERR_INVALID, "memory and probe must not be NULL");
    dxt_status status = check_counts(operators, sources);
    if (status != DXT_OK) return status;
    size_t needed = dxt_probe_size(operators, sources);
    if (size < needed)
        return dxt_fail(DXT_ERR_INVALID,
                        "size is %zu, but a probe of %u operators and %u sources needs %zu bytes",
                        size, operators, sources, needed);
    if ((uintptr_t)memory % DXT_PROBE_ALIGN != 0)
        return dxt_fail(DXT_ERR_INVALID, "memory must be aligned to %u bytes", DXT_PROBE_ALIGN);
    memset(memory, 0, needed);
    dxt_probe *block = memory;
    block->layout = DXT_PROBE_LAYOUT;
    block->operators = operators;
    block->sources = sources;
    block->ticks_per_second = dxt_probe_clock_rate();
    *probe = block;
    return DXT_OK;
}

dxt_status dxt_probe_create(uint32_t operators, uint32_t sources, dxt_probe **probe)
{
    if (!probe) return dxt_fail(DXT_ERR_INVALID, "probe must not be NULL");
    dxt_status status = check_counts(operators, sources);
    if (status != DXT_OK) return status;
    size_t size = dxt_probe_size(operators, sources);
    void *memory = aligned_alloc(DXT_PROBE_ALIGN, size);
    if (!memory) return dxt_fail_memory(size);
    return dxt_probe_init(memory, size, operators, sources, probe);
}

dxt_status dxt_probe_create_durations(uint32_t operators, uint32_t sources, uint32_t durations,
                                      dxt_probe **probe)
{
    if (!probe) return dxt_fail(DXT_ERR_INVALID, "probe must not be NULL");
    dxt_status status = check_counts(operators, sources);
    if (status != DXT_OK) return status;
    if (durations == 0 || (durations & (durations - 1)) != 0)
        return dxt_fail(DXT_ERR_INVALID, "durations is %u, but must be a power of two up to %u",
                        durations, DXT_MAX_DURATIONS);
    if (durations > DXT_MAX_DURATIONS)
        return dxt_fail(DXT_ERR_LIMIT, "durations is %u, but must be a power of two up to %u",
                        durations, DXT_MAX_DURATIONS);
    size_t counters = dxt_probe_size(operators, sources);
    size_t rings = operators * (size_t)durations * sizeof(dxt_duration);
    size_t size = (counters + rings + DXT_PROBE_ALIGN - 1) / DXT_PROBE_ALIGN * DXT_PROBE_ALIGN;
    void *memory = aligned_alloc(DXT_PROBE_ALIGN, size);
    if (!memory) return dxt_fail_memory(size);
    dxt_probe *made;
    status = dxt_probe_init(memory, size, operators, sources, &made);
    if (status != DXT_OK) {
        free(memory);
        return status;
    }
    memset((char *)memory + counters, 0, size - counters);
    made->durations = durations;
    *probe = made;
    return DXT_OK;
}

void dxt_probe_note_duration(dxt_probe *probe, uint32_t operator_index, uint64_t number,
                             uint64_t ticks)
{
    if (probe && probe->durations > 0 && operator_index < probe->operators)
        dxt_probe_duration(probe, operator_index, number, ticks);
}

/* Where the writer is. Whatever lies a ring behind it may be under its pen. */
static uint64_t noted(const dxt_probe *probe, uint32_t index)
{
    return __atomic_load_n(&dxt_probe_operator(probe, index)->durations, __ATOMIC_ACQUIRE);
}

uint32_t dxt_probe_read_durations(const dxt_probe *probe, uint32_t operator_index, uint64_t since,
                                  dxt_duration *durations, uint32_t capacity)
{
    if (!probe || probe->durations == 0 || operator_index >= probe->operators) return 0;
    uint64_t slots = probe->durations, end = noted(probe, operator_index);
    uint64_t most = capacity < slots ? capacity : slots;
    const dxt_duration *ring = dxt_probe_durations(probe, operator_index);
    uint32_t count = 0;
    for (uint64_t n = end > most ? end - most : 0; n < end; n++) {
        const dxt_duration *slot = ring + (n & (slots - 1));
        dxt_duration read = {__atomic_load_n(&slot->number, __ATOMIC_ACQUIRE),
                             __atomic_load_n(&slot->ticks, __ATOMIC_ACQUIRE)};
        if (n + slots > noted(probe, operator_index) && read.number >= since)
            durations[count++] = read;
    }
    return count;
}

void dxt_probe_destroy(dxt_probe *probe)
{
    free(probe);
}
