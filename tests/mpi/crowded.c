/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowded MANY: three ranks of an MPI program that knows nothing of the diagnosis. Ranks 0 and 1
 * exchange numbers in MANY communicators; then rank 0, which belongs to so many, meets rank 2,
 * which belongs to none of them, in one more. When all of these are freed, the three meet in
 * another.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int exchange(MPI_Comm comm, int rank)
{
    int in[3] = {rank + 1, rank + 2, rank + 3}, out[3] = {0, 0, 0};
    MPI_Alltoall(in, 1, MPI_INT, out, 1, MPI_INT, comm);
    return out[0] + 10 * out[1] + 100 * out[2];
}

int main(int argc, char **argv)
{
    int rank, many = argc > 1 ? atoi(argv[1]) : 1, sum = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm *pairs = calloc((size_t)many, sizeof *pairs), first, ends, all;
    if (!pairs) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Comm_split(MPI_COMM_WORLD, rank < 2 ? 0 : MPI_UNDEFINED, rank, &first);
    for (int k = 0; k < many && rank < 2; k++) {
        MPI_Comm_dup(first, &pairs[k]);
        sum += exchange(pairs[k], rank);
    }
    MPI_Comm_split(MPI_COMM_WORLD, rank != 1 ? 0 : MPI_UNDEFINED, rank, &ends);
    if (rank != 1) sum += exchange(ends, rank) + exchange(ends, rank);
    for (int k = 0; k < many && rank < 2; k++) MPI_Comm_free(&pairs[k]);
    MPI_Comm_dup(MPI_COMM_WORLD, &all);
    for (int step = 0; step < 300; step++) {
        struct timespec time = {0, rank == 1 ? 15000000 : 5000000};
        nanosleep(&time, NULL);
        sum += exchange(all, rank);
    }
    printf("%d\n", sum);
    MPI_Finalize();
    free(pairs);
    return 0;
}
