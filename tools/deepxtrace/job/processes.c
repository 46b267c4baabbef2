/* SPDX-License-Identifier: Apache-2.0 */
/* The work of a rank that is a process and nothing else: it sleeps for compute, and its operations
 * return when they are done. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine.h"

typedef struct process {
    int64_t time_ns;                    /* when compute may begin */
    uint64_t *waited[DXT_EP_OPERATORS]; /* ticks so far, by source */
    random_state random;
    dxt_probe *probe;
    rank_load *load;
} process;

/* Compute is long enough for every rank to have its turn meanwhile, so that it is not late for
 * having waited for a processor. Those who take turns are late by some part of a step all the same
 * when something else runs beside them. */
static job_usual usual(uint64_t ranks_per_processor)
{
    return (job_usual){.compute_ns = 200000 * (int64_t)ranks_per_processor,
                       .min_share = ranks_per_processor > 1 ? dxt_default("min_share_crowded")
                                                            : JOB_MIN_SHARE};
}

static void sleep_until(int64_t time_ns)
{
    struct timespec when = {time_ns / 1000000000, time_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        ;
}

/* ---- set up ---- */

static outcome set_up(job_rank *state)
{
    const job *run = state->run;
    process *own = state->own = calloc(1, sizeof *own);
    if (!own) return job_failed(state, "cannot make the buffers", strerror(ENOMEM));
    own->random = random_for(run->shape.seed, JOB_STREAM_COMPUTE, state->rank);
    if (dxt_probe_create(DXT_EP_OPERATORS, run->shape.ranks, &own->probe) != DXT_OK)
        return job_failed(state, "cannot make the counters", dxt_error());
    dxt_ep_config config = job_ep_config(run, state->rank);
    config.probe = own->probe;
    if (dxt_ep_create(&config, &state->ep) != DXT_OK || job_delay_paths(state) != DXT_OK)
        return job_failed(state, "cannot start the engine", dxt_ep_error());
    own->load = load_create(&run->shape, state->rank);
    bool complete = own->load != NULL;
    for (size_t o = 0; o < DXT_EP_OPERATORS; o++) {
        own->waited[o] = calloc(run->shape.ranks, sizeof *own->waited[o]);
        complete = complete && own->waited[o];
    }
    return complete ? GO_ON : job_failed(state, "cannot make the buffers", strerror(ENOMEM));
}

static void tear_down(job_rank *state)
{
    process *own = state->own;
    if (!own) return;
    for (size_t o = 0; o < DXT_EP_OPERATORS; o++) free(own->waited[o]);
    load_destroy(own->load);
    dxt_ep_destroy(state->ep);
    dxt_probe_destroy(own->probe);
    free(own);
}

static void counters(job_rank *state, dxt_session_config *config)
{
    config->probe = ((process *)state->own)->probe;
}

static outcome begin(job_rank *state)
{
    ((process *)state->own)->time_ns = job_now_ns();
    return GO_ON;
}

/* ---- a step ---- */

/* A time around @p mean_ns, uniform within the jitter. */
static int64_t vary(const job_rank *state, double mean_ns)
{
    process *own = state->own;
    double swing = state->run->jitter * (2.0 * random_unit(&own->random) - 1.0);
    return (int64_t)(mean_ns * (1.0 + swing));
}

/* What the experts take: on average as long as compute before dispatch, more for more tokens. */
static double expert_ns(const job_rank *state)
{
    const load_shape *shape = &state->run->shape;
    const process *own = state->own;
    double usual = (double)shape->tokens * shape->topk;
    return (double)state->run->compute_ns * (double)load_received(own->load) / usual;
}

/* When the last token of an operation was there. A rank with a device of its own computes from then
 * on; here its process may still have been waiting for its turn on a processor, which is not to
 * make it late. Who comes last waits for nobody: it counts from the middle of its own sending, as
 * those do on average who wait for it. */
static int64_t arrival_ns(const job_rank *state, uint32_t operator_index, int64_t send_ns,
                          int64_t receive_ns)
{
    const process *own = state->own;
    uint64_t longest = 0;
    for (uint32_t source = 0; source < state->run->shape.ranks; source++) {
        uint64_t sum = dxt_probe_cell(own->probe, operator_index, source)->wait_ticks_sum;
        uint64_t wait = sum - own->waited[operator_index][source];
        own->waited[operator_index][source] = sum;
        if (wait > longest) longest = wait;
    }
    if (longest == 0) return send_ns + (receive_ns - send_ns) / 2;
    return receive_ns + (int64_t)((double)longest * 1e9 / (double)own->probe->ticks_per_second);
}

static outcome dispatch(job_rank *state, uint64_t step)
{
    process *own = state->own;
    load_route(own->load, step);
    sleep_until(own->time_ns + vary(state, (double)state->run->compute_ns) +
                state->slow_ns[DXT_DISPATCH]);
    int64_t send_ns = job_now_ns();
    dxt_status status = load_dispatch_send(own->load, state->ep);
    int64_t receive_ns = job_now_ns();
    if (status == DXT_OK) status = dxt_ep_dispatch_recv(state->ep);
    own->time_ns = arrival_ns(state, DXT_DISPATCH, send_ns, receive_ns);
    return job_heed(state, status, "dispatch");
}

static outcome combine(job_rank *state)
{
    process *own = state->own;
    load_experts(own->load, false);
    sleep_until(own->time_ns + vary(state, expert_ns(state)) + state->slow_ns[DXT_COMBINE]);
    int64_t send_ns = job_now_ns();
    dxt_status status = load_combine_send(own->load, state->ep);
    int64_t receive_ns = job_now_ns();
    if (status == DXT_OK) status = dxt_ep_combine_recv(state->ep);
    own->time_ns = arrival_ns(state, DXT_COMBINE, send_ns, receive_ns);
    return job_heed(state, status, "combine");
}

static outcome step(job_rank *state, uint64_t number)
{
    outcome result = dispatch(state, number);
    return result == GO_ON ? combine(state) : result;
}

static outcome check(job_rank *state)
{
    process *own = state->own;
    load_route(own->load, LOAD_CHECKED_STEP);
    dxt_status status = load_dispatch_send(own->load, state->ep);
    if (status == DXT_OK) status = dxt_ep_dispatch_recv(state->ep);
    outcome result = job_heed(state, status, "dispatch");
    if (result != GO_ON) return result;
    const char *wrong = load_check_dispatch(own->load, LOAD_CHECKED_STEP);
    if (wrong) return job_failed(state, "the check of the engine failed", wrong);
    load_experts(own->load, true);
    status = load_combine_send(own->load, state->ep);
    if (status == DXT_OK) status = dxt_ep_combine_recv(state->ep);
    result = job_heed(state, status, "combine");
    if (result != GO_ON) return result;
    wrong = load_check_combine(own->load);
    return wrong ? job_failed(state, "the check of the engine failed", wrong) : GO_ON;
}

const job_engine job_processes = {
    .name = "shm",
    .ahead = 1,
    .usual = usual,
    .set_up = set_up,
    .check = check,
    .counters = counters,
    .begin = begin,
    .step = step,
    .tear_down = tear_down,
};
