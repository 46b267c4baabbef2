/* SPDX-License-Identifier: Apache-2.0 */
/* One rank of `run`: a process that computes, dispatches, computes, combines, with the probe on. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"
#include "run_report.h"

/* Random numbers of the compute time, apart from those of the load. */
enum { STREAM_COMPUTE = 1u << 20 };
/* The step that is checked; no other has its routes. */
#define CHECKED_STEP (UINT64_MAX / 2)

typedef struct rank_state {
    const dxt_run *run;
    uint32_t rank;
    int64_t slow_ns[DXT_EP_OPERATORS];
    uint64_t *waited[DXT_EP_OPERATORS]; /* ticks so far, by source */
    dxt_random random;
    dxt_probe *probe;
    dxt_ep *ep;
    dxt_gather *gather;
    dxt_session *session;
    dxt_load *load;
    dxt_run_report report;
} rank_state;

static int failed(const rank_state *state, const char *what, const char *why)
{
    dxt_complain("run", "rank %u: %s: %s", state->rank, what, why);
    return DXT_EXIT_FAILED;
}

static void sleep_until(int64_t time_ns)
{
    struct timespec when = {time_ns / 1000000000, time_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        ;
}

/* ---- set up ---- */

static dxt_status delay_paths(const rank_state *state)
{
    const dxt_fault_list *paths = &state->run->paths;
    for (size_t i = 0; i < paths->count; i++) {
        const dxt_fault *path = &paths->items[i];
        if (path->rank != state->rank) continue;
        dxt_status status =
            dxt_ep_delay_path(state->ep, path->operator_index, path->source, path->delay_ns);
        if (status != DXT_OK) return status;
    }
    return DXT_OK;
}

static int set_up_engine(rank_state *state)
{
    const dxt_run *run = state->run;
    if (dxt_probe_create(DXT_EP_OPERATORS, run->shape.ranks, &state->probe) != DXT_OK)
        return failed(state, "no counters", dxt_error());
    dxt_ep_config config = dxt_run_ep_config(run, state->rank);
    config.probe = state->probe;
    if (dxt_ep_create(&config, &state->ep) != DXT_OK || delay_paths(state) != DXT_OK)
        return failed(state, "no engine", dxt_ep_error());
    state->load = dxt_load_create(&run->shape, state->rank);
    bool complete = state->load != NULL;
    for (size_t o = 0; o < DXT_EP_OPERATORS; o++) {
        state->waited[o] = calloc(run->shape.ranks, sizeof *state->waited[o]);
        complete = complete && state->waited[o];
    }
    return complete ? -1 : failed(state, "no buffers", strerror(ENOMEM));
}

static int set_up_session(rank_state *state)
{
    const dxt_run *run = state->run;
    dxt_gather_local_config mailboxes = {
        .struct_size = sizeof mailboxes,
        .rank = state->rank,
        .ranks = run->shape.ranks,
        .mail_capacity = dxt_session_mail_size(DXT_EP_OPERATORS, run->shape.ranks),
        .fd = run->fd,
        .offset = run->engine_size,
    };
    if (dxt_gather_create_local(&mailboxes, &state->gather) != DXT_OK)
        return failed(state, "no mailboxes", dxt_error());
    state->report.run = run;
    state->report.record = run->record;
    memcpy(state->report.pictures, run->pictures, sizeof run->pictures);
    const dxt_history_options history = {.struct_size = sizeof history,
                                         .min_share = run->min_share};
    if (state->rank == 0 && dxt_history_create(&history, &state->report.history) != DXT_OK)
        return failed(state, "no history", dxt_error());
    const dxt_analysis_options analysis = {.struct_size = sizeof analysis,
                                           .min_share = run->min_share};
    dxt_session_config config = {
        .struct_size = sizeof config,
        .mode = run->async_ns ? DXT_SESSION_ASYNC : DXT_SESSION_SYNC,
        .probe = state->probe,
        .gather = state->gather,
        .interval_ops = run->window_ops,
        .interval_ns = run->async_ns,
        .deadline_ns = run->async_ns ? 0 : dxt_run_deadline_ns(run),
        .warmup_windows = run->warmup_windows,
        .node = -1,
        .instance = run->instance,
        .source = "deepxtrace run",
        .analysis = &analysis,
        .on_diagnosis = state->rank == 0 ? dxt_run_report_windows : NULL,
        .on_diagnosis_context = &state->report,
        .history = state->report.history,
    };
    if (dxt_session_create(&config, &state->session) != DXT_OK)
        return failed(state, "no session", dxt_error());
    return -1;
}

/* ---- a step ---- */

/* A time around @p mean_ns, uniform within the jitter. */
static int64_t vary(rank_state *state, double mean_ns)
{
    double swing = state->run->jitter * (2.0 * dxt_random_unit(&state->random) - 1.0);
    return (int64_t)(mean_ns * (1.0 + swing));
}

/* What the experts take: on average as long as compute before dispatch, more for more tokens. */
static double expert_ns(const rank_state *state)
{
    const dxt_load_shape *shape = &state->run->shape;
    double usual = (double)shape->tokens * shape->topk;
    return (double)state->run->compute_ns * (double)dxt_load_received(state->load) / usual;
}

static int engine_says(const rank_state *state, dxt_status status, const char *what)
{
    if (status == DXT_OK) return -1;
    if (status == DXT_ERR_MASKED) return DXT_RUN_EXIT_MASKED;
    return failed(state, what, dxt_ep_error());
}

/* When the last token of an operation was there. A rank with a device of its own computes from then
 * on; here its process may still have been waiting for its turn on a processor, which is not to
 * make it late. Who comes last waits for nobody: it counts from the middle of its own sending, as
 * those do on average who wait for it. */
static int64_t arrival_ns(const rank_state *state, uint32_t operator_index, int64_t send_ns,
                          int64_t receive_ns)
{
    uint64_t longest = 0;
    for (uint32_t source = 0; source < state->run->shape.ranks; source++) {
        uint64_t sum = dxt_probe_cell(state->probe, operator_index, source)->wait_ticks_sum;
        uint64_t wait = sum - state->waited[operator_index][source];
        state->waited[operator_index][source] = sum;
        if (wait > longest) longest = wait;
    }
    if (longest == 0) return send_ns + (receive_ns - send_ns) / 2;
    return receive_ns + (int64_t)((double)longest * 1e9 / (double)state->probe->ticks_per_second);
}

/* @param time_ns  In: when compute may begin; out: when the next may. */
static int dispatch(rank_state *state, uint64_t step, int64_t *time_ns)
{
    double compute_ns = (double)state->run->compute_ns;
    dxt_load_route(state->load, step);
    sleep_until(*time_ns + vary(state, compute_ns) + state->slow_ns[DXT_DISPATCH]);
    int64_t send_ns = dxt_run_now_ns();
    dxt_status status = dxt_load_dispatch_send(state->load, state->ep);
    int64_t receive_ns = dxt_run_now_ns();
    if (status == DXT_OK) status = dxt_ep_dispatch_recv(state->ep);
    *time_ns = arrival_ns(state, DXT_DISPATCH, send_ns, receive_ns);
    return engine_says(state, status, "dispatch");
}

static int combine(rank_state *state, int64_t *time_ns)
{
    dxt_load_experts(state->load, false);
    sleep_until(*time_ns + vary(state, expert_ns(state)) + state->slow_ns[DXT_COMBINE]);
    int64_t send_ns = dxt_run_now_ns();
    dxt_status status = dxt_load_combine_send(state->load, state->ep);
    int64_t receive_ns = dxt_run_now_ns();
    if (status == DXT_OK) status = dxt_ep_combine_recv(state->ep);
    *time_ns = arrival_ns(state, DXT_COMBINE, send_ns, receive_ns);
    return engine_says(state, status, "combine");
}

/* Once before the job: is what arrives what was sent? */
static int check_engine(rank_state *state)
{
    dxt_load_route(state->load, CHECKED_STEP);
    dxt_status status = dxt_load_dispatch_send(state->load, state->ep);
    if (status == DXT_OK) status = dxt_ep_dispatch_recv(state->ep);
    int result = engine_says(state, status, "dispatch");
    if (result >= 0) return result;
    const char *wrong = dxt_load_check_dispatch(state->load, CHECKED_STEP);
    if (wrong) return failed(state, "the check of the engine failed", wrong);
    dxt_load_experts(state->load, true);
    status = dxt_load_combine_send(state->load, state->ep);
    if (status == DXT_OK) status = dxt_ep_combine_recv(state->ep);
    result = engine_says(state, status, "combine");
    if (result >= 0) return result;
    wrong = dxt_load_check_combine(state->load);
    return wrong ? failed(state, "the check of the engine failed", wrong) : -1;
}

/* ---- the whole run ---- */

/* All ranks begin an interval together, so that rank 0 is not late for having diagnosed the one
 * before. */
static void begin_interval(const rank_state *state, uint32_t number)
{
    dxt_run_control *control = state->run->control;
    if (state->rank == 0)
        dxt_run_open_gate(control, number);
    else
        dxt_run_wait_gate(control, number,
                          dxt_run_deadline_ns(state->run) + state->run->timeout_ns);
}

static void show_progress(const rank_state *state, uint64_t step)
{
    const dxt_run *run = state->run;
    if (run->steps)
        fprintf(stderr, "\rstep %llu of %llu ", (unsigned long long)step,
                (unsigned long long)run->steps);
    else
        fprintf(stderr, "\rstep %llu ", (unsigned long long)step);
}

static int work(rank_state *state)
{
    const dxt_run *run = state->run;
    int64_t shown_ns = dxt_run_now_ns();
    bool progress = run->progress && state->rank == 0;
    uint32_t interval = 1;
    int64_t time_ns = dxt_run_now_ns();
    for (uint64_t step = 0; !dxt_run_ended(run, step); step++) {
        int result = dispatch(state, step, &time_ns);
        if (result < 0) result = combine(state, &time_ns);
        if (result >= 0) return result;
        /* A session that fails has said so and switched itself off; the job goes on. */
        dxt_status status = dxt_session_step(state->session);
        if (status != DXT_OK && state->rank == 0 && state->report.status == DXT_OK) {
            state->report.status = status;
            snprintf(state->report.error, sizeof state->report.error, "%s", dxt_error());
        }
        if (!run->async_ns && (step + 1) % run->window_ops == 0) {
            begin_interval(state, interval++);
            time_ns = dxt_run_now_ns();
        }
        if (state->rank == 0) atomic_store(&run->control->steps, step + 1);
        if (progress && dxt_run_now_ns() - shown_ns > 200000000) {
            shown_ns = dxt_run_now_ns();
            show_progress(state, step + 1);
        }
    }
    if (progress) fprintf(stderr, "\r\033[K");
    return DXT_EXIT_DONE;
}

/* Rank 0 lets the job begin when all are there; the parent ends it if one cannot come. */
static void meet(const rank_state *state)
{
    dxt_run_control *control = state->run->control;
    atomic_fetch_add(&control->ready, 1);
    if (state->rank == 0) {
        while (atomic_load(&control->ready) < state->run->shape.ranks)
            sleep_until(dxt_run_now_ns() + 1000000);
        dxt_run_open_gate(control, 0);
    }
    while (atomic_load(&control->gate) == 0) dxt_run_wait_gate(control, 0, 1000000000);
}

static int live(rank_state *state)
{
    int result = set_up_engine(state);
    if (result >= 0) return result;
    meet(state);
    result = check_engine(state);
    if (result < 0) result = set_up_session(state);
    if (result < 0) result = work(state);
    dxt_session_destroy(state->session);
    state->session = NULL;
    if (state->rank == 0 && result == DXT_EXIT_DONE) result = dxt_run_report_end(&state->report);
    return result;
}

int dxt_run_rank(const dxt_run *run, uint32_t rank)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != run->parent) return DXT_EXIT_FAILED;
    prctl(PR_SET_TIMERSLACK, 1);
    rank_state state = {.run = run, .rank = rank};
    state.random = dxt_random_for(run->shape.seed, STREAM_COMPUTE, rank);
    for (size_t i = 0; i < run->slow.count; i++)
        if (run->slow.items[i].rank == rank)
            state.slow_ns[run->slow.items[i].operator_index] += run->slow.items[i].delay_ns;
    int result = live(&state);
    for (size_t o = 0; o < DXT_EP_OPERATORS; o++) free(state.waited[o]);
    dxt_load_destroy(state.load);
    dxt_gather_destroy(state.gather);
    dxt_ep_destroy(state.ep);
    dxt_probe_destroy(state.probe);
    return dxt_stdout_finish("run", result);
}
