/* SPDX-License-Identifier: Apache-2.0 */
/* One rank of `run`: a process that computes, dispatches, computes, combines, with the probe on. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "exit.h"
#include "mpirun.h"
#include "options.h"

/* The first is also how ranks work with an engine that is not known here: it says so itself. */
static const dxt_run_engine *const engines[] = {&dxt_run_processes, &dxt_run_cuda};

const dxt_run_engine *dxt_run_engine_of(const char *name)
{
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
        if (strcmp(engines[i]->name, name) == 0) return engines[i];
    return engines[0];
}

int dxt_run_failed(const dxt_run_rank_state *state, const char *what, const char *why)
{
    dxt_complain("run", "rank %u: %s: %s", state->rank, what, why);
    return DXT_EXIT_FAILED;
}

int dxt_run_heed(const dxt_run_rank_state *state, dxt_status status, const char *what)
{
    if (status == DXT_OK) return -1;
    if (status == DXT_ERR_MASKED) return DXT_RUN_EXIT_MASKED;
    return dxt_run_failed(state, what, dxt_ep_error());
}

dxt_status dxt_run_delay_paths(const dxt_run_rank_state *state)
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

static dxt_status open_gather(dxt_run_rank_state *state)
{
    const dxt_run *run = state->run;
    if (run->mpi) return dxt_run_mpi_gather(run, &state->gather);
    const dxt_gather_local_config mailboxes = {
        .struct_size = sizeof mailboxes,
        .rank = state->rank,
        .ranks = run->shape.ranks,
        .mail_capacity = dxt_session_mail_size(DXT_EP_OPERATORS, run->shape.ranks),
        .fd = run->fd,
        .offset = run->engine_size,
    };
    return dxt_gather_create_local(&mailboxes, &state->gather);
}

static int set_up_session(dxt_run_rank_state *state, const dxt_run_engine *engine)
{
    const dxt_run *run = state->run;
    if (open_gather(state) != DXT_OK) return dxt_run_failed(state, "no mailboxes", dxt_error());
    state->report.run = run;
    state->report.record = run->record;
    memcpy(state->report.pictures, run->pictures, sizeof run->pictures);
    const dxt_history_options history = {.struct_size = sizeof history,
                                         .min_share = run->min_share};
    if (state->rank == 0 && dxt_history_create(&history, &state->report.history) != DXT_OK)
        return dxt_run_failed(state, "no history", dxt_error());
    const dxt_analysis_options analysis = {.struct_size = sizeof analysis,
                                           .min_share = run->min_share};
    dxt_session_config config = {
        .struct_size = sizeof config,
        .mode = run->async_ns ? DXT_SESSION_ASYNC : DXT_SESSION_SYNC,
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
    engine->counters(state, &config);
    if (dxt_session_create(&config, &state->session) != DXT_OK)
        return dxt_run_failed(state, "no session", dxt_error());
    return -1;
}

/* ---- the whole run ---- */

/* All ranks begin an interval together, so that rank 0 is not late for having diagnosed the one
 * before. */
static int begin_interval(const dxt_run_rank_state *state, uint32_t number, uint64_t step)
{
    dxt_run_control *control = state->run->control;
    if (state->run->mpi) return dxt_run_mpi_begin(state->run, number, step);
    if (state->rank == 0)
        dxt_run_open_gate(control, number);
    else
        dxt_run_wait_gate(control, number,
                          dxt_run_deadline_ns(state->run) + state->run->timeout_ns);
    return -1;
}

static void show_progress(const dxt_run_rank_state *state, uint64_t step)
{
    const dxt_run *run = state->run;
    if (run->steps)
        fprintf(stderr, "\rstep %llu of %llu ", (unsigned long long)step,
                (unsigned long long)run->steps);
    else
        fprintf(stderr, "\rstep %llu ", (unsigned long long)step);
}

/* A session that fails has said so and switched itself off; the job goes on. */
static void step_session(dxt_run_rank_state *state)
{
    dxt_status status = dxt_session_step(state->session);
    if (status == DXT_OK || state->rank != 0 || state->report.status != DXT_OK) return;
    state->report.status = status;
    snprintf(state->report.error, sizeof state->report.error, "%s", dxt_error());
}

static int work(dxt_run_rank_state *state, const dxt_run_engine *engine)
{
    const dxt_run *run = state->run;
    int64_t shown_ns = dxt_run_now_ns();
    bool progress = run->progress && state->rank == 0;
    uint32_t interval = 1;
    int result = engine->begin(state);
    for (uint64_t step = 0; result < 0 && !dxt_run_ended(run, step, engine->ahead); step++) {
        /* Between machines the end is agreed on where an interval begins. */
        bool last = (!run->async_ns || run->mpi) && (step + 1) % run->window_ops == 0;
        result = engine->step(state, step);
        if (result < 0 && last && engine->settle) result = engine->settle(state);
        if (result >= 0) return result;
        step_session(state);
        if (last) {
            result = begin_interval(state, interval++, step + 1);
            if (result < 0) result = engine->begin(state);
        }
        if (progress && dxt_run_now_ns() - shown_ns > 200000000) {
            shown_ns = dxt_run_now_ns();
            show_progress(state, step + 1);
        }
    }
    if (progress) fprintf(stderr, "\r\033[K");
    if (result < 0 && engine->settle) result = engine->settle(state);
    return result < 0 ? DXT_EXIT_DONE : result;
}

/* Rank 0 lets the job begin when all are there; the parent ends it if one cannot come. */
static int meet(const dxt_run_rank_state *state)
{
    dxt_run_control *control = state->run->control;
    if (state->run->mpi) return dxt_run_mpi_meet(state->run);
    atomic_fetch_add(&control->ready, 1);
    if (state->rank == 0) {
        const struct timespec moment = {0, 1000000};
        while (atomic_load(&control->ready) < state->run->shape.ranks) nanosleep(&moment, NULL);
        dxt_run_open_gate(control, 0);
    }
    while (atomic_load(&control->gate) == 0) dxt_run_wait_gate(control, 0, 1000000000);
    return -1;
}

static int live(dxt_run_rank_state *state, const dxt_run_engine *engine)
{
    int result = engine->set_up(state);
    if (result >= 0) return result;
    result = meet(state);
    if (result < 0) result = engine->check(state);
    if (result < 0) result = set_up_session(state, engine);
    if (result < 0) result = work(state, engine);
    dxt_session_destroy(state->session);
    state->session = NULL;
    if (state->rank == 0 && result == DXT_EXIT_DONE) result = dxt_run_report_end(&state->report);
    return result;
}

int dxt_run_rank(const dxt_run *run, uint32_t rank)
{
    if (!run->mpi) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != run->parent) return DXT_EXIT_FAILED;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    const dxt_run_engine *engine = dxt_run_engine_of(run->engine);
    dxt_run_rank_state state = {.run = run, .rank = rank};
    for (size_t i = 0; i < run->slow.count; i++)
        if (run->slow.items[i].rank == rank)
            state.slow_ns[run->slow.items[i].operator_index] += run->slow.items[i].delay_ns;
    int result = live(&state, engine);
    dxt_gather_destroy(state.gather);
    engine->tear_down(&state);
    return dxt_stdout_finish("run", result);
}
