/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda_paths.h"

#include "outcome.h"

/* Size of the buffers that keep a link busy. */
#define TRAFFIC_BYTES ((size_t)64 << 20)

outcome job_cuda_failed(const job_rank *state, const char *what)
{
    return job_failed(state, what, ((job_gpu *)state->own)->device->error());
}

outcome job_cuda_set_up_paths(job_rank *state)
{
    const job_fault_list *paths = &state->run->paths;
    job_gpu *own = state->own;
    if (paths->count == 0) return GO_ON;
    if (dxt_ep_delay_path(state->ep, DXT_DISPATCH, 0, 0) != DXT_ERR_UNSUPPORTED) {
        if (job_delay_paths(state) == DXT_OK) return GO_ON;
        return job_failed(state, "cannot start the engine", dxt_ep_error());
    }
    own->by_copy = true;
    for (size_t i = 0; i < paths->count; i++) {
        if (paths->items[i].rank != state->rank) continue;
        if (!own->room) own->room = own->device->allocate(TRAFFIC_BYTES);
        if (!own->room || own->device->share(own->room, state->run->control->buffers[i]) != 0)
            return job_cuda_failed(state, "cannot slow a path");
    }
    return GO_ON;
}

outcome job_cuda_map_paths(job_rank *state)
{
    job_gpu *own = state->own;
    const device_table *device = own->device;
    const job_fault_list *paths = &state->run->paths;
    for (size_t i = 0; own->by_copy && i < paths->count; i++) {
        if (paths->items[i].source != state->rank) continue;
        job_traffic *t = &own->traffic[own->traffic_count++];
        t->path = &paths->items[i];
        t->from = device->allocate(TRAFFIC_BYTES);
        t->to = device->map_shared(state->run->control->buffers[i]);
        t->fork = device->event_create(false);
        bool complete = t->from && t->to && t->fork;
        for (uint32_t k = 0; k < JOB_CUDA_AHEAD; k++) {
            t->done[k] = device->event_create(false);
            complete = complete && t->done[k];
        }
        if (!complete) return job_cuda_failed(state, "cannot slow a path");
    }
    return GO_ON;
}

/* One path beside one step. What was copied beside the step that this one takes the place of may
 * still be under way: then the link is busy as it is, and nothing is added, so that the queue does
 * not grow. */
static bool copy_beside(const job_gpu *own, const job_traffic *t, uint64_t number)
{
    const device_table *device = own->device;
    void *done = t->done[number % JOB_CUDA_AHEAD];
    if (device->event_query(done) == 0) return true;
    if (device->event_record(t->fork, own->stream) != 0 ||
        device->wait_event(own->background, t->fork) != 0)
        return false;
    double left = (double)t->path->delay_ns * LINK_BYTES_PER_S / 1e9;
    for (; left >= 1.0; left -= (double)TRAFFIC_BYTES) {
        size_t size = left < (double)TRAFFIC_BYTES ? (size_t)left : TRAFFIC_BYTES;
        if (device->copy_queued(t->to, t->from, size, own->background) != 0) return false;
    }
    return device->event_record(done, own->background) == 0;
}

outcome job_cuda_congest(job_rank *state, uint32_t operator_index, uint64_t number)
{
    job_gpu *own = state->own;
    for (size_t i = 0; i < own->traffic_count; i++) {
        if (own->traffic[i].path->operator_index != operator_index) continue;
        if (!copy_beside(own, &own->traffic[i], number))
            return job_cuda_failed(state, "cannot slow a path");
    }
    return GO_ON;
}
