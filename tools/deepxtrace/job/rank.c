/* SPDX-License-Identifier: Apache-2.0 */
/* One rank of `job`: a process that computes, dispatches, computes, combines, with the probe on. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"
#include "mpirun.h"
#include "options.h"
#include "outcome.h"

static dxt_status open_gather(job_rank *state)
{
    const job *run = state->run;
    if (run->mpi) return job_mpi_gather(run, &state->gather);
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

static outcome set_up_session(job_rank *state, const job_engine *engine)
{
    const job *run = state->run;
    if (open_gather(state) != DXT_OK)
        return job_failed(state, "cannot open the mailboxes", dxt_error());
    state->report.run = run;
    state->report.record = run->record;
    memcpy(state->report.pictures, run->pictures, sizeof run->pictures);
    const dxt_history_options history = {.struct_size = sizeof history,
                                         .min_share = run->min_share};
    if (state->rank == 0 && dxt_history_create(&history, &state->report.history) != DXT_OK)
        return job_failed(state, "cannot make the history", dxt_error());
    const dxt_analysis_options analysis = {.struct_size = sizeof analysis,
                                           .min_share = run->min_share};
    dxt_session_config config = {
        .struct_size = sizeof config,
        .mode = run->async_ns ? DXT_SESSION_ASYNC : DXT_SESSION_SYNC,
        .gather = state->gather,
        .interval_ops = run->window_ops,
        .interval_ns = run->async_ns,
        .deadline_ns = run->async_ns ? 0 : job_deadline_ns(run),
        .warmup_windows = run->warmup_windows,
        .node = -1,
        .instance = run->instance,
        .source = "deepxtrace job",
        .analysis = &analysis,
        .on_diagnosis = state->rank == 0 ? job_report_windows : NULL,
        .on_diagnosis_context = &state->report,
        .history = state->report.history,
        .mix = 1, /* every step is of the same shape */
    };
    engine->counters(state, &config);
    if (dxt_session_create(&config, &state->session) != DXT_OK)
        return job_failed(state, "cannot start the session", dxt_error());
    return GO_ON;
}

/* ---- the whole run ---- */

/* All ranks begin an interval together, so that rank 0 is not late for having diagnosed the one
 * before. */
static outcome begin_interval(const job_rank *state, uint32_t number, uint64_t step)
{
    job_control *control = state->run->control;
    if (state->run->mpi) return job_mpi_begin(state->run, number, step);
    if (state->rank == 0)
        job_open_gate(control, number);
    else
        job_wait_gate(control, number, job_deadline_ns(state->run) + state->run->timeout_ns);
    return GO_ON;
}

static void show_progress(const job_rank *state, uint64_t step)
{
    const job *run = state->run;
    if (run->steps)
        fprintf(stderr, "\rstep %llu of %llu ", (unsigned long long)step,
                (unsigned long long)run->steps);
    else
        fprintf(stderr, "\rstep %llu ", (unsigned long long)step);
}

/* A session that fails has said so and switched itself off; the job goes on. */
static void step_session(job_rank *state)
{
    dxt_status status = dxt_session_step(state->session);
    if (status == DXT_OK || state->rank != 0 || state->report.status != DXT_OK) return;
    state->report.status = status;
    snprintf(state->report.error, sizeof state->report.error, "%s", dxt_error());
}

/* What --slow asks of this rank after so long. */
static void set_delays(job_rank *state, int64_t worked_ns)
{
    const job *run = state->run;
    bool acts = worked_ns >= run->slow_from_ns &&
                (run->slow_until_ns == 0 || worked_ns < run->slow_until_ns);
    memset(state->slow_ns, 0, sizeof state->slow_ns);
    for (size_t i = 0; acts && i < run->slow.count; i++)
        if (run->slow.items[i].rank == state->rank)
            state->slow_ns[run->slow.items[i].operator_index] += run->slow.items[i].delay_ns;
}

static outcome work(job_rank *state, const job_engine *engine)
{
    const job *run = state->run;
    int64_t begun_ns = job_now_ns(), shown_ns = begun_ns;
    bool progress = run->progress && state->rank == 0;
    uint32_t interval = 1;
    outcome result = engine->begin(state);
    for (uint64_t step = 0; result == GO_ON && !job_ended(run, step, engine->ahead); step++) {
        /* Between machines the end is agreed on where an interval begins. */
        bool last = (!run->async_ns || run->mpi) && (step + 1) % run->window_ops == 0;
        set_delays(state, job_now_ns() - begun_ns);
        result = engine->step(state, step);
        if (result == GO_ON && last && engine->settle) result = engine->settle(state);
        if (result != GO_ON) return result;
        step_session(state);
        if (last) {
            result = begin_interval(state, interval++, step + 1);
            if (result == GO_ON) result = engine->begin(state);
        }
        if (progress && job_now_ns() - shown_ns > 200000000) {
            shown_ns = job_now_ns();
            show_progress(state, step + 1);
        }
    }
    if (progress) fprintf(stderr, "\r\033[K");
    if (result == GO_ON && engine->settle) result = engine->settle(state);
    return result == GO_ON ? EXIT_DONE : result;
}

/* Rank 0 lets the job begin when all are there; the parent ends it if one cannot come. */
static outcome meet(const job_rank *state)
{
    job_control *control = state->run->control;
    if (state->run->mpi) return job_mpi_meet(state->run);
    atomic_fetch_add(&control->ready, 1);
    if (state->rank == 0) {
        const struct timespec moment = {0, 1000000};
        while (atomic_load(&control->ready) < state->run->shape.ranks) nanosleep(&moment, NULL);
        job_open_gate(control, 0);
    }
    while (atomic_load(&control->gate) == 0) job_wait_gate(control, 0, 1000000000);
    return GO_ON;
}

static outcome live(job_rank *state, const job_engine *engine)
{
    outcome result = engine->set_up(state);
    if (result != GO_ON) return result;
    result = meet(state);
    if (result == GO_ON) result = engine->check(state);
    if (result == GO_ON) result = set_up_session(state, engine);
    if (result == GO_ON) result = work(state, engine);
    dxt_session_destroy(state->session);
    state->session = NULL;
    if (state->rank == 0 && result == EXIT_DONE) result = job_report_end(&state->report);
    return result;
}

outcome job_work(const job *run, uint32_t rank)
{
    if (!run->mpi) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != run->parent) return EXIT_FAILED;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    const job_engine *engine = job_engine_of(run->engine);
    job_rank state = {.run = run, .rank = rank};
    outcome result = live(&state, engine);
    dxt_gather_destroy(state.gather);
    engine->tear_down(&state);
    return stdout_finish("job", result);
}

outcome job_mpi(job *run)
{
    job_mpi_take_part(run);
    outcome result = run->recording ? output_grow(&run->record) : GO_ON;
    if (result != GO_ON) return result;
    complain_mute(false);
    if ((result = job_mpi_open_board(run)) != GO_ON) return result;
    result = job_work(run, run->mpi->place.rank);
    dxt_mpi_board_destroy(run->mpi->board);
    run->control = NULL;
    if (result != EXIT_MASKED) return result;
    complain("job", "rank %u came back after the others had given it up; it has left",
             run->mpi->place.rank);
    return run->mpi->place.rank == 0 ? EXIT_FAILED : EXIT_DONE;
}
