/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include "options.h"
#include "outcome.h"

outcome job_failed(const job_rank *state, const char *what, const char *why)
{
    complain("job", "rank %u: %s: %s", state->rank, what, why);
    return EXIT_FAILED;
}

outcome job_heed(const job_rank *state, dxt_status status, const char *what)
{
    if (status == DXT_OK) return GO_ON;
    if (status == DXT_ERR_MASKED) return EXIT_MASKED;
    return job_failed(state, what, dxt_ep_error());
}

dxt_status job_delay_paths(const job_rank *state)
{
    const job_fault_list *paths = &state->run->paths;
    for (size_t i = 0; i < paths->count; i++) {
        const job_fault *path = &paths->items[i];
        if (path->rank != state->rank) continue;
        dxt_status status =
            dxt_ep_delay_path(state->ep, path->operator_index, path->source, path->delay_ns);
        if (status != DXT_OK) return status;
    }
    return DXT_OK;
}
