/* SPDX-License-Identifier: Apache-2.0 */
#include <deepxtrace/probe.h>

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "probe/probe_block.h"

dxt_status dxt_probe_check_counts(uint32_t operators, uint32_t sources)
{
    if (operators == 0 || sources == 0)
        return dxt_fail(DXT_ERR_INVALID, "a probe needs at least one operator and one source");
    if (operators > DXT_MAX_OPERATORS)
        return dxt_fail(DXT_ERR_LIMIT, "%u operators, at most %u", operators, DXT_MAX_OPERATORS);
    if (sources > DXT_MAX_RANKS)
        return dxt_fail(DXT_ERR_LIMIT, "%u sources, at most %u", sources, DXT_MAX_RANKS);
    return DXT_OK;
}

dxt_status dxt_probe_init(void *memory, size_t size, uint32_t operators, uint32_t sources,
                          dxt_probe **probe)
{
    if (!memory || !probe) return dxt_fail(DXT_ERR_INVALID, "a probe without memory");
    dxt_status status = dxt_probe_check_counts(operators, sources);
    if (status != DXT_OK) return status;
    size_t needed = dxt_probe_size(operators, sources);
    if (size < needed)
        return dxt_fail(DXT_ERR_INVALID, "a probe needs %zu bytes, not %zu", needed, size);
    if ((uintptr_t)memory % DXT_PROBE_ALIGN != 0)
        return dxt_fail(DXT_ERR_INVALID, "the memory of a probe must be aligned to %u bytes",
                        DXT_PROBE_ALIGN);
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
    if (!probe) return dxt_fail(DXT_ERR_INVALID, "nowhere to put the probe");
    dxt_status status = dxt_probe_check_counts(operators, sources);
    if (status != DXT_OK) return status;
    size_t size = dxt_probe_size(operators, sources);
    void *memory = aligned_alloc(DXT_PROBE_ALIGN, size);
    if (!memory) return dxt_fail_memory(size);
    return dxt_probe_init(memory, size, operators, sources, probe);
}

void dxt_probe_destroy(dxt_probe *probe)
{
    free(probe);
}
