/* SPDX-License-Identifier: Apache-2.0 */
/* What the part offers, starting and ending MPI, and who is where. */
#include "gather/mpi/mpi.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "system/clock.h"

/* Set to a number, each machine's ranks count as nodes of so many ranks, as in the engine: to try
 * out on one machine what several would show. */
#define NODE_SIZE "DEEPXTRACE_MPI_NODE_SIZE"

static bool started; /* by start() */

int64_t mpi_part_now_ns(void)
{
    return dxt_clock_ns(CLOCK_MONOTONIC);
}

void mpi_part_pause(int64_t *pause_ns)
{
    struct timespec pause = {.tv_nsec = *pause_ns};
    nanosleep(&pause, NULL);
    if (*pause_ns < 2000000) *pause_ns *= 2;
}

dxt_status mpi_part_say(dxt_status status, char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, DXT_MPI_WHY, format, args);
    va_end(args);
    return status;
}

dxt_status mpi_part_check(int error, char *why)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    if (error == MPI_SUCCESS) return DXT_OK;
    MPI_Error_string(error, text, &length);
    return mpi_part_say(DXT_ERR_IO, why, "%.300s", text);
}

dxt_status mpi_part_all_well(MPI_Comm comm, dxt_status status, char *why)
{
    int mine = status != DXT_OK, any = 0;
    int error = MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, comm);
    if (status != DXT_OK) return status;
    if (error != MPI_SUCCESS) return mpi_part_check(error, why);
    return any ? mpi_part_say(DXT_ERR_STATE, why, "another rank failed") : DXT_OK;
}

void mpi_part_cancel(MPI_Request *request)
{
    int done = 0;
    if (*request == MPI_REQUEST_NULL) return;
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    MPI_Cancel(request);
    MPI_Wait(request, MPI_STATUS_IGNORE);
}

/* ---- life of MPI ---- */

static dxt_status check_alive(char *why)
{
    int initialized = 0, finalized = 0;
    MPI_Initialized(&initialized);
    if (!initialized) return mpi_part_say(DXT_ERR_STATE, why, "MPI is not initialized");
    MPI_Finalized(&finalized);
    return finalized ? mpi_part_say(DXT_ERR_STATE, why, "MPI is finalized") : DXT_OK;
}

static dxt_status check_threads(char *why)
{
    int level = MPI_THREAD_SINGLE;
    MPI_Query_thread(&level);
    if (level == MPI_THREAD_MULTIPLE) return DXT_OK;
    return mpi_part_say(DXT_ERR_UNSUPPORTED, why,
                        "MPI was initialized without "
                        "MPI_THREAD_MULTIPLE, or has no threads");
}

static dxt_status start(char *why)
{
    int initialized = 0, level = MPI_THREAD_SINGLE;
    MPI_Initialized(&initialized);
    if (initialized) {
        dxt_status status = check_alive(why);
        return status == DXT_OK ? check_threads(why) : status;
    }
    dxt_status status =
        mpi_part_check(MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level), why);
    if (status != DXT_OK) return status;
    started = true;
    return check_threads(why);
}

static dxt_status end(char *why)
{
    if (!started) return DXT_OK;
    started = false;
    return mpi_part_check(MPI_Finalize(), why);
}

dxt_status mpi_part_open(const void *given, MPI_Comm *comm, char *why)
{
    dxt_status status = check_alive(why);
    if (status == DXT_OK) status = check_threads(why);
    if (status != DXT_OK) return status;
    MPI_Comm from = given ? *(const MPI_Comm *)given : MPI_COMM_WORLD;
    status = mpi_part_check(MPI_Comm_dup(from, comm), why);
    if (status == DXT_OK) MPI_Comm_set_errhandler(*comm, MPI_ERRORS_RETURN);
    return status;
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
    const char *given = getenv(NODE_SIZE);
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
    dxt_status status = check_alive(why);
    if (status != DXT_OK) return status;
    MPI_Comm comm = given ? *(const MPI_Comm *)given : MPI_COMM_WORLD;
    status = mpi_part_check(MPI_Comm_rank(comm, &rank), why);
    if (status == DXT_OK) status = mpi_part_check(MPI_Comm_size(comm, &ranks), why);
    if (status != DXT_OK) return status;
    if ((uint32_t)ranks > DXT_MAX_RANKS)
        return mpi_part_say(DXT_ERR_LIMIT, why, "%d ranks, at most %u", ranks, DXT_MAX_RANKS);
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
