/* SPDX-License-Identifier: Apache-2.0 */
/* What the part offers, starting and ending MPI, and who is where. */
#include "gather/mpi/mpi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Set to a number, each machine's ranks count as nodes of so many ranks, as in the engine: to try
 * out on one machine what several would show. */
#define NODE_SIZE "DEEPXTRACE_MPI_NODE_SIZE"

static bool started; /* by start() */

/* ---- life of MPI ---- */

static dxt_status start(char *why)
{
    int initialized = 0, level = MPI_THREAD_SINGLE;
    MPI_Initialized(&initialized);
    if (initialized) {
        dxt_status status = mpi_part_check_alive(why);
        return status == DXT_OK ? mpi_part_check_threads(why) : status;
    }
    dxt_status status =
        mpi_part_check(MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level), why);
    if (status != DXT_OK) return status;
    started = true;
    return mpi_part_check_threads(why);
}

static dxt_status end(char *why)
{
    if (!started) return DXT_OK;
    started = false;
    return mpi_part_check(MPI_Finalize(), why);
}

/* ---- places ---- */

/* The first rank of this rank's node. Collective. */
static dxt_status find_leader(MPI_Comm comm, uint32_t rank, uint32_t *leader, char *why)
{
    MPI_Comm node;
    int member = 0;
    dxt_status status = mpi_part_check(
        MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node), why);
    if (status != DXT_OK) return status;
    const char *given = secure_getenv(NODE_SIZE);
    long size = given ? strtol(given, NULL, 10) : 0;
    MPI_Comm_rank(node, &member);
    if (size > 0) {
        MPI_Comm part;
        status = mpi_part_check(MPI_Comm_split(node, (int)(member / size), member, &part), why);
        MPI_Comm_free(&node);
        if (status != DXT_OK) return status;
        node = part;
    }
    *leader = rank;
    status = mpi_part_check(MPI_Bcast(leader, 1, MPI_UINT32_T, 0, node), why);
    MPI_Comm_free(&node);
    return status;
}

/* Collective. */
static dxt_status number_nodes(MPI_Comm comm, dxt_mpi_place *place, char *why)
{
    uint32_t leader = 0;
    uint32_t *leaders = calloc(place->ranks, sizeof *leaders);
    dxt_status status = leaders ? DXT_OK : mpi_part_say(DXT_ERR_NO_MEMORY, why, "out of memory");
    status = mpi_part_all_well(comm, status, why);
    if (status == DXT_OK) status = find_leader(comm, place->rank, &leader, why);
    if (status == DXT_OK)
        status = mpi_part_check(
            MPI_Allgather(&leader, 1, MPI_UINT32_T, leaders, 1, MPI_UINT32_T, comm), why);
    place->node = place->nodes = 0;
    for (uint32_t rank = 0; status == DXT_OK && rank < place->ranks; rank++) {
        if (leaders[rank] != rank) continue;
        place->nodes++;
        place->node += rank < leader;
    }
    free(leaders);
    return status;
}

static void name_library(dxt_mpi_place *place)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = '\0';
    for (char *c = text; *c; c++)
        if (*c == '\t') *c = ' ';
    snprintf(place->library, sizeof place->library, "%.95s", text);
}

static dxt_status find_place(const void *given, dxt_mpi_place *place, char *why)
{
    char host[MPI_MAX_PROCESSOR_NAME] = "";
    int rank = 0, ranks = 0, length = 0;
    dxt_status status = mpi_part_check_alive(why);
    if (status != DXT_OK) return status;
    MPI_Comm comm = given ? *(const MPI_Comm *)given : MPI_COMM_WORLD;
    status = mpi_part_check(MPI_Comm_rank(comm, &rank), why);
    if (status == DXT_OK) status = mpi_part_check(MPI_Comm_size(comm, &ranks), why);
    if (status != DXT_OK) return status;
    if ((uint32_t)ranks > DXT_MAX_RANKS)
        return mpi_part_say(DXT_ERR_LIMIT, why,
                            "the communicator has %d ranks, at most %u are possible", ranks,
                            DXT_MAX_RANKS);
    place->rank = (uint32_t)rank;
    place->ranks = (uint32_t)ranks;
    MPI_Get_processor_name(host, &length);
    snprintf(place->host, sizeof place->host, "%.63s", host);
    name_library(place);
    status = number_nodes(comm, place, why);
    if (status != DXT_OK) return status;
    return mpi_part_ranks_per_processor(comm, place->ranks, &place->ranks_per_processor, why);
}

const dxt_mpi_part *dxt_mpi_part_table(void)
{
    static const dxt_mpi_part part = {.version = DXT_MPI_PART_VERSION,
                                      .start = start,
                                      .end = end,
                                      .find_place = find_place,
                                      .open_mail = mpi_part_open_mail,
                                      .open_board = mpi_part_open_board,
                                      .show = mpi_part_show,
                                      .read = mpi_part_read,
                                      .close_board = mpi_part_close_board};
    return &part;
}
