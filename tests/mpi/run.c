/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the bodies of the engine's tests on ranks that mpirun has started: the program is the same
 * as on one machine, but for this file. Each case takes as many of the ranks as it needs. */
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>

#include "ep_reference.h"

/* cmocka's main() knows nothing of MPI. The report of one rank is enough. */
__attribute__((constructor)) static void begin(void)
{
    int level, rank;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank > 0 && !freopen("/dev/null", "w", stdout)) MPI_Abort(MPI_COMM_WORLD, 1);
}

__attribute__((destructor)) static void end(void)
{
    MPI_Finalize();
}

/* Without taking the processors from those who still work. */
static int sum_over_ranks(int failed)
{
    int all = 0, done = 0;
    MPI_Request request;
    MPI_Iallreduce(&failed, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request);
    for (MPI_Test(&request, &done, MPI_STATUS_IGNORE); !done;
         MPI_Test(&request, &done, MPI_STATUS_IGNORE))
        usleep(1000);
    return all;
}

static int run(const struct ep_case *c, ep_body body, void *context)
{
    int rank, ranks, failed = 0;
    MPI_Comm group;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    bool belongs = (uint32_t)rank < c->ranks;
    if ((uint32_t)ranks < c->ranks) {
        fprintf(stderr, "%d ranks, the case needs %u\n", ranks, c->ranks);
        return 1;
    }
    MPI_Comm_split(MPI_COMM_WORLD, belongs ? 0 : MPI_UNDEFINED, rank, &group);
    if (belongs) {
        struct ep_rank self = {.c = c,
                               .rank = (uint32_t)rank,
                               .config = ep_config_of(c, (uint32_t)rank),
                               .context = context};
        self.config.engine = "mpi";
        self.config.comm = &group;
        failed = ep_run_here(&self, body) != 0;
        MPI_Comm_free(&group);
    }
    return sum_over_ranks(failed);
}

int ep_run_threads(const struct ep_case *c, ep_body body, void *context)
{
    return run(c, body, context);
}

int ep_run_processes(const struct ep_case *c, ep_body body, void *context)
{
    return run(c, body, context);
}
