/* SPDX-License-Identifier: Apache-2.0 */
/* How many ranks there are for a processor. Neither nodes nor hosts say: launchers bind ranks to
 * processors, and containers on one kernel have hosts of their own. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gather/mpi/mpi.h"

/* Where a rank may run. */
typedef struct seat {
    char kernel[40]; /* its boot_id */
    cpu_set_t processors;
} seat;

static seat own_seat(void)
{
    seat own;
    memset(&own, 0, sizeof own);
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file) {
        if (!fgets(own.kernel, sizeof own.kernel, file)) own.kernel[0] = '\0';
        fclose(file);
    }
    if (!own.kernel[0]) {
        char host[MPI_MAX_PROCESSOR_NAME] = "";
        int length = 0;
        MPI_Get_processor_name(host, &length);
        snprintf(own.kernel, sizeof own.kernel, "%.*s", (int)sizeof own.kernel - 1, host);
    }
    /* More processors than a set has room for are enough for all. */
    if (sched_getaffinity(0, sizeof own.processors, &own.processors) != 0)
        memset(&own.processors, 0xff, sizeof own.processors);
    return own;
}

/* On the kernel of one rank; 0 where that of an earlier rank is the same. */
static uint32_t ranks_per_processor(const seat *seats, uint32_t ranks, uint32_t first)
{
    const seat *own = &seats[first];
    uint32_t count = 0;
    cpu_set_t all;
    CPU_ZERO(&all);
    for (uint32_t rank = 0; rank < ranks; rank++) {
        if (memcmp(seats[rank].kernel, own->kernel, sizeof own->kernel) != 0) continue;
        if (rank < first) return 0;
        count++;
        CPU_OR(&all, &all, &seats[rank].processors);
    }
    uint32_t processors = (uint32_t)CPU_COUNT(&all);
    return processors ? (count + processors - 1) / processors : count;
}

dxt_status mpi_part_ranks_per_processor(MPI_Comm comm, uint32_t ranks, uint32_t *most, char *why)
{
    seat own = own_seat();
    seat *seats = calloc(ranks, sizeof *seats);
    dxt_status status = seats ? DXT_OK : mpi_part_say(DXT_ERR_NO_MEMORY, why, "out of memory");
    status = mpi_part_all_well(comm, status, why);
    if (status == DXT_OK)
        status = mpi_part_check(
            MPI_Allgather(&own, sizeof own, MPI_BYTE, seats, sizeof own, MPI_BYTE, comm), why);
    *most = 0;
    for (uint32_t rank = 0; rank < ranks && status == DXT_OK; rank++) {
        uint32_t here = ranks_per_processor(seats, ranks, rank);
        if (here > *most) *most = here;
    }
    free(seats);
    return status;
}
