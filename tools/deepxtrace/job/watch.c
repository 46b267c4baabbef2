/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent of a run: starts the ranks, tells of those that die or stop, and sees to it that the
 * job ends in a bounded time and leaves no process behind.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job.h"
#include "options.h"
#include "outcome.h"
#include "temporary.h"

/* What is left to a rank, when the one that reports has ended, beyond its own time-outs. */
#define GRACE_NS 3000000000
/* How often the clock is looked at while nothing happens. */
#define TICK_MS 50

typedef struct watch {
    const job *run;
    pid_t *pids;   /* 0 = not started, or gone */
    bool *stopped; /* by a signal */
    uint32_t living;
    outcome result;     /* of rank 0; GO_ON = not known yet */
    bool failed;        /* some rank ended with a failure of its own */
    bool killing;       /* the rest is being killed; nothing more to tell */
    int64_t end_ns;     /* when it will be; 0 = not set */
    int interrupts;     /* handled so far */
    int64_t looked_ns;  /* when time was last heeded */
    int64_t stopped_ns; /* how long rank 0 has been stopped meanwhile */
} watch;

static volatile sig_atomic_t interrupts;

static void count_interrupt(int number)
{
    /* QUIT is what Ctrl-C twice is: at once. */
    interrupts += number == SIGQUIT ? 2 : 1;
}

static void wake(int number)
{
    (void)number;
}

/* SIGCHLD and the interrupts are blocked but while waiting, so that none is missed. */
static void catch_signals(sigset_t *before)
{
    struct sigaction action = {.sa_handler = count_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    catch_hangup(&action);
    sigaction(SIGQUIT, &action, NULL);
    action.sa_handler = wake;
    sigaction(SIGCHLD, &action, NULL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, before);
}

/* ---- starting ---- */

static void be_rank(const watch *state, uint32_t rank, const sigset_t *before)
{
    /* The handlers of the parent are gone before its signals may come. A Ctrl-C reaches all; what
     * it means is for the parent to say. */
    signal(SIGCHLD, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, before, NULL);
    _exit(job_work(state->run, rank));
}

static void kill_all(watch *state)
{
    state->killing = true;
    for (uint32_t r = 0; r < state->run->shape.ranks; r++) {
        if (state->pids[r] <= 0) continue;
        kill(state->pids[r], SIGCONT);
        kill(state->pids[r], SIGKILL);
    }
}

static void start(watch *state, const sigset_t *before)
{
    for (uint32_t r = 0; r < state->run->shape.ranks; r++) {
        pid_t pid = fork();
        if (pid == 0) be_rank(state, r, before);
        if (pid < 0) {
            complain("job", "cannot start rank %u: %s", r, strerror(errno));
            state->failed = true;
            kill_all(state);
            return;
        }
        state->pids[r] = pid;
        state->living++;
    }
}

/* ---- watching ---- */

/* Without the reporting rank, or with one that could not begin, the job has no point. */
static void rank_failed(watch *state, uint32_t rank)
{
    state->failed = true;
    bool begun = atomic_load(&state->run->control->gate) > 0;
    if (rank == 0 || !begun) kill_all(state);
    job_stop(state->run->control);
}

static void rank_exited(watch *state, uint32_t rank, outcome result)
{
    if (rank == 0) {
        state->result = result;
        state->end_ns = job_now_ns() + state->run->timeout_ns + GRACE_NS;
    }
    if (result == EXIT_MASKED) {
        complain("job", "rank %u came back after the others had given it up; it has left", rank);
        if (rank == 0) rank_failed(state, rank);
    } else if (result != EXIT_DONE && result != EXIT_FINDINGS) {
        rank_failed(state, rank);
    }
}

static void rank_killed(watch *state, uint32_t rank, int number)
{
    if (state->killing) return;
    bool begun = atomic_load(&state->run->control->gate) > 0;
    if (rank == 0 || !begun) {
        complain("job", "rank %u%s was killed by signal %d (%s)", rank,
                 rank == 0 ? ", which writes the report," : "", number, strsignal(number));
        rank_failed(state, rank);
    } else {
        complain("job", "rank %u was killed by signal %d (%s); the others go on without it", rank,
                 number, strsignal(number));
    }
}

static void note_change(watch *state, uint32_t rank, int status)
{
    if (WIFSTOPPED(status)) {
        if (!state->killing)
            complain("job", "rank %u was stopped by signal %d (%s)", rank, WSTOPSIG(status),
                     strsignal(WSTOPSIG(status)));
        state->stopped[rank] = true;
        return;
    }
    if (WIFCONTINUED(status)) {
        if (!state->killing && state->stopped[rank]) complain("job", "rank %u goes on", rank);
        state->stopped[rank] = false;
        return;
    }
    state->pids[rank] = 0;
    state->stopped[rank] = false;
    state->living--;
    if (WIFSIGNALED(status)) rank_killed(state, rank, WTERMSIG(status));
    if (WIFEXITED(status) && !state->killing)
        rank_exited(state, rank, (outcome)WEXITSTATUS(status));
}

static void reap(watch *state)
{
    int status = 0;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0;)
        for (uint32_t r = 0; r < state->run->shape.ranks; r++)
            if (state->pids[r] == pid) note_change(state, r, status);
}

static void heed_interrupts(watch *state)
{
    if (interrupts == state->interrupts) return;
    state->interrupts = interrupts;
    if (state->interrupts > 1) {
        state->failed = true;
        kill_all(state);
        return;
    }
    /* Nobody waits for a job that has not begun. */
    if (atomic_load(&state->run->control->gate) == 0) {
        complain("job", "the job ended before its first window; let it run longer");
        state->failed = true;
        kill_all(state);
        return;
    }
    complain("job", "the job ends after this step; Ctrl-C again ends it at once");
    job_stop(state->run->control);
}

/* Counted turn by turn: a Ctrl-Z stops this process with the job, and that time is nobody's. */
static void count_stopped(watch *state)
{
    int64_t now_ns = job_now_ns(), turn_ns = now_ns - state->looked_ns;
    if (turn_ns > INT64_C(2000000) * TICK_MS) turn_ns = INT64_C(2000000) * TICK_MS;
    state->looked_ns = now_ns;
    state->stopped_ns = state->stopped[0] ? state->stopped_ns + turn_ns : 0;
}

/* The reporting rank may take its time as long as it is able to go on. */
static void heed_time(watch *state)
{
    count_stopped(state);
    if (state->killing) return;
    if (state->end_ns && job_now_ns() > state->end_ns) {
        kill_all(state);
        return;
    }
    if (!state->stopped[0] || state->pids[0] == 0) return;
    if (state->stopped_ns > state->run->timeout_ns + GRACE_NS) {
        complain(
            "job",
            "rank 0, which writes the report, was stopped and did not continue in time; the job "
            "ends");
        rank_failed(state, 0);
        return;
    }
    for (uint32_t r = 1; r < state->run->shape.ranks; r++)
        if (state->pids[r] != 0 && !state->stopped[r]) return;
    complain("job",
             "rank 0, which writes the report, is stopped and all others have ended; the job ends");
    rank_failed(state, 0);
}

outcome job_watch(const job *run)
{
    watch state = {.run = run, .result = GO_ON, .looked_ns = job_now_ns()};
    state.pids = calloc(run->shape.ranks, sizeof *state.pids);
    state.stopped = calloc(run->shape.ranks, sizeof *state.stopped);
    if (!state.pids || !state.stopped) {
        free(state.pids);
        free(state.stopped);
        complain("job", "%s", strerror(ENOMEM));
        return EXIT_FAILED;
    }
    /* The ranks inherit empty buffers and the rate of the clock. */
    fflush(NULL);
    dxt_probe_clock_rate();
    sigset_t before;
    catch_signals(&before);
    start(&state, &before);
    while (state.living > 0) {
        struct timespec tick = {0, TICK_MS * 1000000};
        ppoll(NULL, 0, &tick, &before);
        reap(&state);
        heed_interrupts(&state);
        heed_time(&state);
    }
    free(state.pids);
    free(state.stopped);
    return state.failed || state.result == GO_ON ? EXIT_FAILED : state.result;
}
