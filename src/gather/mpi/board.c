/* SPDX-License-Identifier: Apache-2.0 */
/* Rank 0 sends its words to everybody who has taken the ones before; who has not gets the newest
 * when it has. The others keep one receive waiting. */
#include "gather/mpi/mpi.h"

#include <stdlib.h>
#include <string.h>

#define TAG_WORDS 0

typedef uint64_t words[DXT_MPI_BOARD_WORDS];

typedef struct board {
    MPI_Comm comm;
    int rank, ranks;
    words newest;
    words *sent;           /* rank 0: [ranks] buffers under way */
    MPI_Request *requests; /* rank 0: [ranks] */
    unsigned char *behind; /* rank 0: [ranks] has not been sent the newest */
    words incoming;
    MPI_Request receive;
} board;

static int listen(board *b)
{
    return MPI_Irecv(b->incoming, DXT_MPI_BOARD_WORDS, MPI_UINT64_T, 0, TAG_WORDS, b->comm,
                     &b->receive);
}

static void release(board *b)
{
    free(b->requests);
    free(b->behind);
    free(b->sent);
    if (b->comm != MPI_COMM_NULL) MPI_Comm_free(&b->comm);
    free(b);
}

dxt_status mpi_part_open_board(const void *comm, dxt_status ready, void **out, char *why)
{
    MPI_Comm own = MPI_COMM_NULL;
    dxt_status status = mpi_part_open(comm, &own, why);
    if (own == MPI_COMM_NULL) return status;
    if (ready != DXT_OK) status = ready;
    board *b = calloc(1, sizeof *b);
    if (b) {
        b->comm = own;
        b->receive = MPI_REQUEST_NULL;
        MPI_Comm_rank(own, &b->rank);
        MPI_Comm_size(own, &b->ranks);
        b->sent = calloc((size_t)b->ranks, sizeof *b->sent);
        b->behind = calloc((size_t)b->ranks, sizeof *b->behind);
        b->requests = malloc((size_t)b->ranks * sizeof(MPI_Request));
    }
    bool complete = b && b->sent && b->behind && b->requests;
    for (int r = 0; complete && r < b->ranks; r++) b->requests[r] = MPI_REQUEST_NULL;
    if (!complete && status == DXT_OK)
        status = mpi_part_say(DXT_ERR_NO_MEMORY, why, "out of memory");
    status = mpi_part_all_well(own, status, why);
    if (status == DXT_OK && b->rank != 0) status = mpi_part_check(listen(b), why);
    if (status == DXT_OK) {
        *out = b;
        return DXT_OK;
    }
    if (b)
        release(b);
    else
        MPI_Comm_free(&own);
    return status;
}

/* @return Whether nothing is under way any more. */
static bool send_on(board *b, int *error)
{
    bool all = true;
    for (int r = 1; r < b->ranks && *error == MPI_SUCCESS; r++) {
        int done = 1;
        *error = MPI_Test(&b->requests[r], &done, MPI_STATUS_IGNORE);
        if (*error == MPI_SUCCESS && done && b->behind[r]) {
            memcpy(b->sent[r], b->newest, sizeof b->newest);
            *error = MPI_Isend(b->sent[r], DXT_MPI_BOARD_WORDS, MPI_UINT64_T, r, TAG_WORDS, b->comm,
                               &b->requests[r]);
            b->behind[r] = 0;
            done = 0;
        }
        all = all && done;
    }
    return all;
}

dxt_status mpi_part_show(void *state, const uint64_t *shown, char *why)
{
    board *b = state;
    int error = MPI_SUCCESS;
    if (b->rank != 0)
        return mpi_part_say(DXT_ERR_INVALID, why, "only rank 0 may show words, not rank %d",
                            b->rank);
    memcpy(b->newest, shown, sizeof b->newest);
    memset(b->behind, 1, (size_t)b->ranks);
    send_on(b, &error);
    return mpi_part_check(error, why);
}

dxt_status mpi_part_read(void *state, uint64_t *out, char *why)
{
    board *b = state;
    int done = 1, error = MPI_SUCCESS;
    if (b->rank == 0) {
        send_on(b, &error);
        memcpy(out, b->newest, sizeof b->newest);
        return mpi_part_check(error, why);
    }
    while (done && error == MPI_SUCCESS) {
        error = MPI_Test(&b->receive, &done, MPI_STATUS_IGNORE);
        if (!done || error != MPI_SUCCESS) break;
        memcpy(b->newest, b->incoming, sizeof b->newest);
        error = listen(b);
    }
    memcpy(out, b->newest, sizeof b->newest);
    return mpi_part_check(error, why);
}

void mpi_part_close_board(void *state)
{
    board *b = state;
    int error = MPI_SUCCESS;
    int64_t pause_ns = 50000, end_ns = mpi_part_now_ns() + MPI_PART_LINGER_NS;
    bool gone = b->rank != 0 || send_on(b, &error);
    while (!gone && error == MPI_SUCCESS && mpi_part_now_ns() < end_ns) {
        mpi_part_pause(&pause_ns);
        gone = send_on(b, &error);
    }
    mpi_part_cancel(&b->receive);
    if (!gone) b->sent = NULL; /* left to MPI, which may still be reading */
    release(b);
}
