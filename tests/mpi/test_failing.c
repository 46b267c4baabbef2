/* SPDX-License-Identifier: Apache-2.0 */
/* A send whose end MPI cannot tell of: the operation says so. Two ranks on nodes of their own. */
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include <deepxtrace/ep.h>

#include "ep_reference.h"

/* Calls that fail from now on. */
static int failing;

/* In the place of MPI's, which the part calls. */
DXT_API int MPI_Test(MPI_Request *request, int *done, MPI_Status *status)
{
    if (failing == 0) return PMPI_Test(request, done, status);
    failing--;
    *done = 0;
    return MPI_ERR_OTHER;
}

static bool told(dxt_status status)
{
    return status == DXT_ERR_IO && strstr(dxt_ep_error(), "cannot send");
}

static int one_hears_of_it(struct ep_rank *rank)
{
    for (uint64_t round = 0; round < 4; round++) {
        ep_prepare(rank, round, &rank->buffers[0]);
        dxt_ep_dispatch dispatch = ep_dispatch_of(rank, &rank->buffers[0], DXT_EP_BF16);
        /* The third one uses the buffer of the first. */
        if (round == 2 && rank->rank == 0) {
            failing = 1;
            EP_CHECK(told(dxt_ep_dispatch_send(rank->ep, &dispatch)));
            EP_CHECK(failing == 0);
        }
        EP_CHECK(dxt_ep_dispatch_send(rank->ep, &dispatch) == DXT_OK);
        if (round < 3) {
            EP_CHECK(dxt_ep_dispatch_recv(rank->ep) == DXT_OK);
            continue;
        }
        failing = rank->rank == 0;
        dxt_status status = dxt_ep_dispatch_recv(rank->ep);
        EP_CHECK(rank->rank == 0 ? told(status) : status == DXT_OK);
        EP_CHECK(failing == 0);
    }
    return 0;
}

int main(void)
{
    const struct ep_case pair = {
        .ranks = 2, .max_tokens = 6, .hidden = 512, .experts = 8, .topk = 4, .seed = 21};
    int level, rank, all = 0;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm world = MPI_COMM_WORLD;
    struct ep_rank self = {
        .c = &pair, .rank = (uint32_t)rank, .config = ep_config_of(&pair, (uint32_t)rank)};
    self.config.engine = "mpi";
    self.config.comm = &world;
    int failed = ep_run_here(&self, one_hears_of_it) != 0;
    MPI_Allreduce(&failed, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all != 0;
}
