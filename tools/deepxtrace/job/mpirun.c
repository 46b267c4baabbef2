/* SPDX-License-Identifier: Apache-2.0 */
#include "mpirun.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "outcome.h"

/* Words of the board. */
enum { GATE, LAST_STEP, NAME };

/* How long the others are waited for at the end; a rank that is stopped never comes. */
#define END_SECONDS 10

static job_control own_control;
static volatile sig_atomic_t exit_status;
static uint32_t own_rank;

outcome job_mpi_start(struct job_mpi *mpi)
{
    mpi->place.struct_size = sizeof mpi->place;
    dxt_status status = dxt_mpi_start();
    if (status == DXT_OK) status = dxt_mpi_find_place(NULL, &mpi->place);
    if (status != DXT_OK) return complain("job", "--engine mpi: %s", dxt_error());
    own_rank = mpi->place.rank;
    complain_mute(own_rank != 0);
    return GO_ON;
}

dxt_status job_mpi_gather(const job *run, dxt_gather **gather)
{
    const dxt_gather_mpi_config config = {
        .struct_size = sizeof config,
        .mail_capacity = dxt_session_mail_size(DXT_EP_OPERATORS, run->shape.ranks)};
    return dxt_gather_create_mpi(&config, gather);
}

/* ---- beginning and ending together ---- */

static outcome failed(const job *run, const char *what)
{
    complain("job", "rank %u: %s", run->mpi->place.rank, what);
    return EXIT_FAILED;
}

/* Of one turn of waiting no more than this counts. */
#define LONGEST_TURN_NS 50000000

/* Wait until the gate of an interval is open. Counted turn by turn: the time for which this process
 * was stopped is nobody's, and what has come meanwhile has yet to be seen. */
static outcome wait_for(const job *run, uint32_t number, int64_t timeout_ns,
                        uint64_t words[DXT_MPI_BOARD_WORDS])
{
    int64_t waited_ns = 0, seen_ns = job_now_ns();
    struct timespec pause = {0, 20000};
    for (;;) {
        if (dxt_mpi_board_read(run->mpi->board, words) != DXT_OK) return failed(run, dxt_error());
        if (words[GATE] > number) return GO_ON;
        int64_t turn_ns = job_now_ns() - seen_ns;
        seen_ns += turn_ns;
        waited_ns += turn_ns < LONGEST_TURN_NS ? turn_ns : LONGEST_TURN_NS;
        if (waited_ns > timeout_ns)
            return failed(run, "rank 0, which writes the report, has stopped; the job ends");
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 1000000) pause.tv_nsec *= 2;
    }
}

outcome job_mpi_begin(const job *run, uint32_t number, uint64_t step)
{
    uint64_t words[DXT_MPI_BOARD_WORDS];
    if (run->mpi->place.rank == 0) {
        /* Everybody passes here before the next step: the one place to agree on an end. */
        if (atomic_load(&run->control->stop)) atomic_store(&run->control->last_step, step);
        if (dxt_mpi_board_read(run->mpi->board, words) != DXT_OK) return failed(run, dxt_error());
        words[GATE] = number + 1;
        words[LAST_STEP] = atomic_load(&run->control->last_step);
        return dxt_mpi_board_show(run->mpi->board, words) == DXT_OK ? GO_ON
                                                                    : failed(run, dxt_error());
    }
    outcome result = wait_for(run, number, job_deadline_ns(run) + run->timeout_ns, words);
    if (result == GO_ON) atomic_store(&run->control->last_step, words[LAST_STEP]);
    return result;
}

outcome job_mpi_meet(const job *run)
{
    uint64_t words[DXT_MPI_BOARD_WORDS] = {[GATE] = 1, [LAST_STEP] = UINT64_MAX};
    if (run->steps) words[LAST_STEP] = run->steps;
    outcome result = GO_ON;
    if (run->mpi->place.rank == 0) {
        if (getrandom(&words[NAME], 2 * sizeof words[NAME], 0) < 0)
            words[NAME] = (uint64_t)job_now_ns();
        if (dxt_mpi_board_show(run->mpi->board, words) != DXT_OK) return failed(run, dxt_error());
    } else {
        result = wait_for(run, 0, run->timeout_ns, words);
    }
    job_name(run->instance, words[NAME], words[NAME + 1]);
    return result;
}

/* ---- this process ---- */

static void stop(int number)
{
    (void)number;
    job_stop(&own_control);
}

/* mpirun passes on what interrupts it; what that means is for rank 0 to say. */
static void catch_signals(bool reports)
{
    struct sigaction action = {.sa_handler = reports ? stop : SIG_IGN};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void job_mpi_take_part(job *run)
{
    run->control = &own_control;
    atomic_store(&own_control.last_step, run->steps ? run->steps : UINT64_MAX);
    catch_signals(run->mpi->place.rank == 0);
}

outcome job_mpi_open_board(const job *run)
{
    if (dxt_mpi_board_create(NULL, &run->mpi->board) == DXT_OK) return GO_ON;
    return failed(run, dxt_error());
}

static void leave(int number)
{
    (void)number;
    _exit(exit_status);
}

outcome job_mpi_end(outcome result)
{
    exit_status = result;
    fflush(NULL);
    /* To finalize is to wait for all. Whoever ends without it ends the job, which is not for those
     * who leave it to rank 0 to say why. */
    bool good = result == EXIT_DONE || result == EXIT_FINDINGS;
    if (!good && !(result == EXIT_USAGE && own_rank != 0)) _exit(result);
    signal(SIGALRM, leave);
    alarm(END_SECONDS);
    if (dxt_mpi_end() != DXT_OK && result == EXIT_DONE) result = EXIT_FAILED;
    alarm(0);
    return result;
}
