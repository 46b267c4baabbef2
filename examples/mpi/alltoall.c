/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An MPI_Alltoall loop under diagnosis by durations: no rank can leave it before all have come, so
 * how long each was in it says who came late. The five lines that another program would add to its
 * own loop are marked with [+]. One rank computes longer than the others; rank 0 prints who it is.
 *
 *   mpicc alltoall.c $(pkg-config --cflags --libs deepxtrace) -o alltoall
 *   mpirun -n 4 ./alltoall 2
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <deepxtrace/deepxtrace.h>

enum { STEPS = 200, WINDOW = 50, DOUBLES = 512 };

static void on_diagnosis(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    (void)context;
    char text[256];
    for (size_t d = 0; d < count; d++)
        for (size_t f = 0; f < diagnoses[d].findings->finding_count; f++) {
            dxt_report_sentence(diagnoses[d].window, diagnoses[d].findings, f, text, sizeof text);
            printf("window %lld: %s\n", (long long)diagnoses[d].window->index, text);
        }
}

static void compute(int64_t ns)
{
    struct timespec time = {ns / 1000000000, ns % 1000000000};
    nanosleep(&time, NULL);
}

int main(int argc, char **argv)
{
    int rank, ranks, level, slow = argc > 1 ? atoi(argv[1]) : -1;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    double *in = calloc((size_t)ranks * DOUBLES, sizeof *in);
    double *out = calloc((size_t)ranks * DOUBLES, sizeof *out);
    if (!in || !out) MPI_Abort(MPI_COMM_WORLD, 1);

    dxt_probe *probe = NULL;
    dxt_gather *gather = NULL;
    dxt_session *session = NULL;
    const char *name = "alltoall";
    const dxt_gather_mpi_config mails = {.struct_size = sizeof mails,
                                         .mail_capacity =
                                             dxt_session_duration_mail_size(1, (uint32_t)ranks)};
    dxt_session_config config = {.struct_size = sizeof config,
                                 .interval_ops = WINDOW,
                                 .warmup_windows = 1,
                                 .node = -1,
                                 .operators_count = 1,
                                 .operators = &name,
                                 .min_share = 0.1, /* other programs share the processors */
                                 .on_diagnosis = on_diagnosis};
    dxt_probe_create_durations(1, (uint32_t)ranks, 256, &probe); /* [+] */
    dxt_gather_create_mpi(&mails, &gather);                      /* [+] */
    config.probe = probe;
    config.gather = gather;
    if (dxt_session_create(&config, &session) != DXT_OK) { /* [+] */
        fprintf(stderr, "%s\n", dxt_error());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }

    for (uint64_t step = 0; step < STEPS; step++) {
        compute(rank == slow ? 22000000 : 2000000);
        uint64_t begin = dxt_probe_clock();
        MPI_Alltoall(in, DOUBLES, MPI_DOUBLE, out, DOUBLES, MPI_DOUBLE, MPI_COMM_WORLD);
        dxt_probe_duration(probe, 0, step, dxt_probe_clock() - begin); /* [+] */
        dxt_session_step(session);                                     /* [+] */
    }

    dxt_session_destroy(session);
    dxt_gather_destroy(gather);
    dxt_probe_destroy(probe);
    free(out);
    free(in);
    MPI_Finalize();
    return 0;
}
