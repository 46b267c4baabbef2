/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of a rank that has a GPU: compute, operations and delays are queued on a stream, a few
 * steps ahead of what the GPU is at, so that no host is in the way of the times that are looked at.
 */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cuda_paths.h"
#include "options.h"
#include "outcome.h"

/* From the moment at which the hosts may begin an interval to that at which the GPUs do. */
#define LEAD_NS 500000
/* How long copying the counters, or a rank before the job begins, may take. */
#define COPY_NS INT64_C(2000000000)
#define MEET_NS INT64_C(120000000000)
/* Compute of a step when nobody says, twice. */
#define USUAL_COMPUTE_NS 60000

static job_usual usual(uint64_t ranks_per_processor)
{
    (void)ranks_per_processor;
    return (job_usual){.compute_ns = USUAL_COMPUTE_NS, .min_share = JOB_MIN_SHARE};
}

static outcome prepare(void)
{
    const char *why = NULL;
    return device_find("cuda", &why) ? GO_ON : complain("job", "--engine cuda: %s", why);
}

/* ---- waiting on the host ---- */

static void pause_ns(long ns)
{
    const struct timespec moment = {0, ns};
    nanosleep(&moment, NULL);
}

/* Short waits by looking, long ones in sleep: a silent peer keeps the GPU for seconds. */
static outcome await(const job_rank *state, void *event)
{
    const device_table *device = ((job_gpu *)state->own)->device;
    for (uint32_t looks = 0;; looks++) {
        int reached = device->event_query(event);
        if (reached > 0) return GO_ON;
        if (reached < 0) return job_cuda_failed(state, "a step failed");
        if (looks < 2000)
            sched_yield();
        else
            pause_ns(50000);
    }
}

/* Before the job the ranks take their time, more than the engine would wait for. */
static outcome together(const job_rank *state)
{
    job_gpu *own = state->own;
    job_control *control = state->run->control;
    uint32_t ranks = state->run->shape.ranks;
    uint32_t all = ++own->meetings * ranks;
    int64_t end_ns = job_now_ns() + MEET_NS;
    atomic_fetch_add(&control->met, 1);
    while (atomic_load(&control->met) < all) {
        if (atomic_load(&control->stop)) return EXIT_FAILED;
        if (job_now_ns() > end_ns)
            return job_failed(state, "cannot set up", "another rank has ended");
        pause_ns(100000);
    }
    return GO_ON;
}

/* ---- set up ---- */

static outcome choose_device(const job_rank *state)
{
    const device_table *device = ((job_gpu *)state->own)->device;
    uint32_t ranks = state->run->shape.ranks, devices = device->count();
    if (devices >= ranks)
        return device->use(state->rank) == 0 ? GO_ON
                                             : job_cuda_failed(state, "cannot open the GPU");
    /* All ranks find this and one tells it; who leaves before makes the parent end them all. */
    _Atomic uint32_t *told = &state->run->control->told;
    uint32_t none = 0;
    if (!atomic_compare_exchange_strong(told, &none, 1)) {
        while (atomic_load(told) != 2) pause_ns(1000000);
        return EXIT_FAILED;
    }
    if (devices == 0)
        complain("job", "--engine cuda: %s", device->error());
    else
        complain("job", "--engine cuda: %u ranks need a GPU each, but there %s %u; lower --ranks",
                 ranks, devices == 1 ? "is" : "are", devices);
    atomic_store(told, 2);
    return EXIT_FAILED;
}

/* Counters on the device, laid out here: the GPU counts nanoseconds. */
static bool make_probe(job_gpu *own, uint32_t ranks)
{
    dxt_probe *empty = NULL;
    own->probe_size = dxt_probe_size(DXT_EP_OPERATORS, ranks);
    own->probe = own->device->allocate(own->probe_size);
    own->copy = own->device->allocate_pinned(own->probe_size);
    if (!own->probe || !own->copy || dxt_probe_create(DXT_EP_OPERATORS, ranks, &empty) != DXT_OK)
        return false;
    empty->ticks_per_second = 1000000000;
    bool copied = own->device->copy(own->probe, empty, own->probe_size) == 0;
    dxt_probe_destroy(empty);
    return copied;
}

static bool make_streams(job_rank *state)
{
    job_gpu *own = state->own;
    const device_table *device = own->device;
    own->stream = device->stream_create();
    own->side = device->stream_create();
    own->background = device->stream_create();
    own->copied = device->event_create(false);
    own->settled = device->event_create(false);
    bool complete = own->stream && own->side && own->background && own->copied && own->settled;
    for (uint32_t i = 0; i < JOB_CUDA_AHEAD; i++) {
        own->finished[i] = device->event_create(false);
        complete = complete && own->finished[i];
    }
    size_t page = 4096;
    uint8_t *control = (uint8_t *)state->run->control;
    size_t size = (sizeof *state->run->control + page - 1) / page * page;
    uint8_t *mapped = complete ? device->map_host(control, size) : NULL;
    if (!mapped) return false;
    own->gate = mapped + offsetof(job_control, device_gate);
    return true;
}

static outcome set_up(job_rank *state)
{
    const char *why = NULL;
    const job *run = state->run;
    job_gpu *own = state->own = calloc(1, sizeof *own);
    if (!own) return job_failed(state, "cannot make the buffers", strerror(ENOMEM));
    own->random = random_for(run->shape.seed, JOB_STREAM_COMPUTE, state->rank);
    own->device = device_find("cuda", &why);
    if (!own->device) return job_failed(state, "cannot open the GPU", why);
    outcome result = choose_device(state);
    if (result != GO_ON) return result;
    if (!make_probe(own, run->shape.ranks))
        return job_cuda_failed(state, "cannot make the counters");
    if (!make_streams(state)) return job_cuda_failed(state, "cannot make streams");
    own->load = device_load_create(own->device, &run->shape, state->rank);
    if (!own->load) return job_cuda_failed(state, "cannot make the buffers");
    /* The engine waits for the others no longer than they may be silent later. */
    result = together(state);
    if (result != GO_ON) return result;
    dxt_ep_config config = job_ep_config(run, state->rank);
    config.probe = own->probe;
    if (dxt_ep_create(&config, &state->ep) != DXT_OK)
        return job_failed(state, "cannot start the engine", dxt_ep_error());
    return job_cuda_set_up_paths(state);
}

/* With a rank that is gone the GPU may be busy with waiting for it: the end of the process frees
 * everything, and waits for nobody. */
static void tear_down(job_rank *state)
{
    job_gpu *own = state->own;
    if (!own || !own->device || !state->ep || dxt_ep_masked(state->ep, NULL) > 0) return;
    const device_table *device = own->device;
    device->synchronize(own->stream);
    device->synchronize(own->background);
    dxt_ep_destroy(state->ep);
    device_load_destroy(own->load);
    for (size_t i = 0; i < own->traffic_count; i++) {
        device->unmap_shared(own->traffic[i].to);
        device->release(own->traffic[i].from);
        device->event_destroy(own->traffic[i].fork);
        for (uint32_t k = 0; k < JOB_CUDA_AHEAD; k++)
            device->event_destroy(own->traffic[i].done[k]);
    }
    if (own->room) device->release(own->room);
    for (uint32_t i = 0; i < JOB_CUDA_AHEAD; i++) device->event_destroy(own->finished[i]);
    device->event_destroy(own->copied);
    device->event_destroy(own->settled);
    device->stream_destroy(own->background);
    device->stream_destroy(own->side);
    device->stream_destroy(own->stream);
    device->unmap_host(state->run->control);
    device->release_pinned(own->copy);
    device->release(own->probe);
    free(own);
    state->own = NULL;
}

/* ---- counters ---- */

/* The copy runs beside whatever the GPU is at, and is waited for without a call that blocks other
 * work of the process or disturbs the capture of a graph. */
static dxt_status snapshot(void *context, dxt_snapshot *out)
{
    job_rank *state = context;
    job_gpu *own = state->own;
    const device_table *device = own->device;
    /* Called in this thread or in the session's, which knows of no device. */
    if (device->use(state->rank) != 0) return DXT_ERR_IO;
    device->tolerate_captures();
    if (device->copy_queued(own->copy, own->probe, own->probe_size, own->side) != 0 ||
        device->event_record(own->copied, own->side) != 0)
        return DXT_ERR_IO;
    int64_t end_ns = job_now_ns() + COPY_NS;
    int reached = 0;
    while ((reached = device->event_query(own->copied)) == 0) {
        if (job_now_ns() > end_ns) return DXT_ERR_IO;
        pause_ns(5000);
    }
    if (reached < 0) return DXT_ERR_IO;
    memcpy(out->data, own->copy, own->probe_size);
    return DXT_OK;
}

static void counters(job_rank *state, dxt_session_config *config)
{
    config->snapshot = snapshot;
    config->snapshot_context = state;
    config->operators_count = DXT_EP_OPERATORS;
}

/* ---- a step ---- */

/* The GPUs begin an interval together, on a word that all of them see. */
static outcome begin(job_rank *state)
{
    job_gpu *own = state->own;
    own->begun_ns = job_now_ns();
    own->opened = false;
    own->intervals++;
    if (own->device->gate(own->gate, own->intervals, state->run->timeout_ns, own->stream) == 0)
        return GO_ON;
    return job_cuda_failed(state, "cannot begin an interval");
}

/* Once something is queued behind the gate, and the others have had the time for that, too. */
static void open_gate(const job_rank *state)
{
    job_gpu *own = state->own;
    if (state->rank != 0 || own->opened) return;
    while (job_now_ns() - own->begun_ns < LEAD_NS) sched_yield();
    atomic_store(&state->run->control->device_gate, own->intervals);
    own->opened = true;
}

static outcome compute(job_rank *state, uint32_t operator_index, uint64_t number)
{
    job_gpu *own = state->own;
    int64_t usual_ns = state->run->compute_ns;
    device_compute work = {.mean_ns = usual_ns};
    if (operator_index == DXT_COMBINE) {
        work = device_load_expert_time(own->load, usual_ns);
        if (device_load_experts(own->load, own->stream) != 0)
            return job_cuda_failed(state, "the experts failed");
    }
    work.delay_ns = state->slow_ns[operator_index];
    work.swing = state->run->jitter * (2.0 * random_unit(&own->random) - 1.0);
    if (own->device->compute(&work, own->stream) != 0)
        return job_cuda_failed(state, "the compute between operations failed");
    return job_cuda_congest(state, operator_index, number);
}

static outcome step(job_rank *state, uint64_t number)
{
    job_gpu *own = state->own;
    void *finished = own->finished[number % JOB_CUDA_AHEAD];
    outcome result = number < JOB_CUDA_AHEAD ? GO_ON : await(state, finished);
    if (result == GO_ON) result = compute(state, DXT_DISPATCH, number);
    if (result != GO_ON) return result;
    dxt_status status = device_load_dispatch(own->load, state->ep, number, own->stream);
    result = job_heed(state, status, "dispatch");
    if (result == GO_ON) result = compute(state, DXT_COMBINE, number);
    if (result != GO_ON) return result;
    status = device_load_combine(own->load, state->ep, number, own->stream);
    result = job_heed(state, status, "combine");
    if (result == GO_ON && own->device->event_record(finished, own->stream) != 0)
        result = job_cuda_failed(state, "a step failed");
    open_gate(state);
    return result;
}

static outcome settle(job_rank *state)
{
    job_gpu *own = state->own;
    if (own->device->event_record(own->settled, own->stream) != 0)
        return job_cuda_failed(state, "a step failed");
    return await(state, own->settled);
}

/* ---- the check ---- */

static outcome wrong(const job_rank *state, const char *what)
{
    return what ? job_failed(state, "the check of the engine failed", what) : GO_ON;
}

static outcome check(job_rank *state)
{
    job_gpu *own = state->own;
    outcome result = job_cuda_map_paths(state);
    if (result == GO_ON) result = together(state);
    if (result != GO_ON) return result;
    dxt_status status = device_load_checked_dispatch(own->load, state->ep, own->stream);
    result = job_heed(state, status, "dispatch");
    if (result == GO_ON) result = wrong(state, device_load_check_dispatch(own->load, own->stream));
    if (result == GO_ON) result = together(state);
    if (result != GO_ON) return result;
    status = device_load_checked_combine(own->load, state->ep, own->stream);
    result = job_heed(state, status, "combine");
    if (result == GO_ON) result = wrong(state, device_load_check_combine(own->load, own->stream));
    return result == GO_ON ? together(state) : result;
}

const job_engine job_cuda = {
    .name = "cuda",
    .ahead = JOB_CUDA_AHEAD,
    .usual = usual,
    .prepare = prepare,
    .set_up = set_up,
    .check = check,
    .counters = counters,
    .begin = begin,
    .step = step,
    .settle = settle,
    .tear_down = tear_down,
};
