/* SPDX-License-Identifier: Apache-2.0 */
/* What all files of the part ask of MPI and of the system. */
#include "gather/mpi/mpi.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "system/clock.h"

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

dxt_status mpi_part_check_alive(char *why)
{
    int initialized = 0, finalized = 0;
    MPI_Initialized(&initialized);
    if (!initialized) return mpi_part_say(DXT_ERR_STATE, why, "MPI is not initialized");
    MPI_Finalized(&finalized);
    return finalized ? mpi_part_say(DXT_ERR_STATE, why, "MPI is finalized") : DXT_OK;
}

dxt_status mpi_part_check_threads(char *why)
{
    int level = MPI_THREAD_SINGLE;
    MPI_Query_thread(&level);
    if (level == MPI_THREAD_MULTIPLE) return DXT_OK;
    return mpi_part_say(DXT_ERR_UNSUPPORTED, why,
                        "MPI was initialized without "
                        "MPI_THREAD_MULTIPLE, or has no threads");
}

dxt_status mpi_part_open(const void *given, MPI_Comm *comm, char *why)
{
    *comm = MPI_COMM_NULL;
    dxt_status status = mpi_part_check_alive(why);
    if (status != DXT_OK) return status;
    MPI_Comm from = given ? *(const MPI_Comm *)given : MPI_COMM_WORLD;
    status = mpi_part_check(MPI_Comm_dup(from, comm), why);
    if (status != DXT_OK) {
        *comm = MPI_COMM_NULL;
        return status;
    }
    MPI_Comm_set_errhandler(*comm, MPI_ERRORS_RETURN);
    return mpi_part_check_threads(why);
}
