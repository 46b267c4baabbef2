/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unaware SLOW STEPS: an MPI program that knows nothing of the diagnosis. Ranks compute 5 ms, rank
 * SLOW 15 ms more, and exchange their numbers in two ways and two communicators; rank 0 prints a
 * sum over all that came.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NUMBERS = 64 };

static void exchange(MPI_Comm comm, int ranks, const long *in, long *out, long *sum)
{
    int counts[64], offsets[64];
    for (int r = 0; r < ranks; r++) {
        counts[r] = NUMBERS;
        offsets[r] = r * NUMBERS;
    }
    MPI_Alltoall(in, NUMBERS, MPI_LONG, out, NUMBERS, MPI_LONG, comm);
    for (int i = 0; i < ranks * NUMBERS; i++) *sum += out[i];
    MPI_Alltoallv(in, counts, offsets, MPI_LONG, out, counts, offsets, MPI_LONG, comm);
    for (int i = 0; i < ranks * NUMBERS; i++) *sum += 3 * out[i];
}

int main(int argc, char **argv)
{
    int rank, ranks, half_ranks, slow = atoi(argv[1]), steps = atoi(argv[2]);
    MPI_Comm half;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
    MPI_Comm_size(half, &half_ranks);
    if (ranks > 64) MPI_Abort(MPI_COMM_WORLD, 1);
    static long in[64 * NUMBERS], out[64 * NUMBERS];
    long sum = 0, all = 0;
    for (int step = 0; step < steps; step++) {
        struct timespec time = {0, rank == slow ? 20000000 : 5000000};
        nanosleep(&time, NULL);
        for (int i = 0; i < ranks * NUMBERS; i++) in[i] = rank * 1000 + step + i;
        exchange(MPI_COMM_WORLD, ranks, in, out, &sum);
        if (step % 10 == 0) exchange(half, half_ranks, in, out, &sum);
    }
    MPI_Reduce(&sum, &all, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0) printf("%ld\n", all);
    MPI_Comm_free(&half);
    MPI_Finalize();
    return 0;
}
