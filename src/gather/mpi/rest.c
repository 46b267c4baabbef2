/* SPDX-License-Identifier: Apache-2.0 */
/* What is left to be done when MPI ends. The attributes of MPI_COMM_SELF are deleted first of all
 * then, while messages still travel. */
#include "gather/mpi/mpi.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static mpi_part_rest *rests;
static bool asked; /* to be told of the end */

/* Go on with each. In turns: ranks may have left them in different orders, and where one of them
 * waits for another rank, that rank may wait in the next. @return What is not finished. */
static mpi_part_rest *go_on(mpi_part_rest *left)
{
    mpi_part_rest **at = &left;
    while (*at) {
        mpi_part_rest *next = (*at)->next; /* it may be gone then */
        if ((*at)->finish((*at)->context))
            *at = next;
        else
            at = &(*at)->next;
    }
    return left;
}

static int at_end(MPI_Comm comm, int key, void *value, void *state)
{
    int64_t pause_ns = 50000;
    (void)comm, (void)key, (void)value, (void)state;
    pthread_mutex_lock(&lock);
    mpi_part_rest *left = rests;
    rests = NULL;
    pthread_mutex_unlock(&lock);
    while ((left = go_on(left))) mpi_part_pause(&pause_ns);
    return MPI_SUCCESS;
}

void mpi_part_leave(mpi_part_rest *rest)
{
    int key = MPI_KEYVAL_INVALID;
    pthread_mutex_lock(&lock);
    rest->next = rests;
    rests = rest;
    bool ask = !asked;
    asked = true;
    pthread_mutex_unlock(&lock);
    if (ask && MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, at_end, &key, NULL) == MPI_SUCCESS)
        MPI_Comm_set_attr(MPI_COMM_SELF, key, NULL);
}
