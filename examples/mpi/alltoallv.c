/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An MPI_Alltoallv loop under diagnosis: what another program would add to its own loop is marked
 * with [+]. One rank computes longer than the others; rank 0 prints who it is.
 *
 *   mpicc alltoallv.c $(pkg-config --cflags --libs deepxtrace) -o alltoallv
 *   mpirun -n 4 ./alltoallv 2
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <deepxtrace/deepxtrace.h>

enum { STEPS = 200, WINDOW = 50, DOUBLES = 4096 };

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

/* A collective does not tell who kept it waiting. A word from each rank, which goes ahead of the
 * data, does. */
static void wait_for_all(dxt_probe_op *op, int rank, int ranks)
{
    MPI_Request sent;
    MPI_Status from;
    for (int r = 0; r < ranks; r++) {
        if (r == rank) continue;
        MPI_Isend(NULL, 0, MPI_BYTE, r, 1, MPI_COMM_WORLD, &sent);
        MPI_Request_free(&sent);
    }
    for (int left = ranks - 1; left > 0; left--) {
        MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &from);
        dxt_probe_wait(op, (uint32_t)from.MPI_SOURCE, dxt_probe_elapsed(op), 0); /* [+] */
    }
}

int main(int argc, char **argv)
{
    int rank, ranks, level, slow = argc > 1 ? atoi(argv[1]) : -1;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    int *counts = calloc(2 * (size_t)ranks, sizeof *counts), *offsets = counts + ranks;
    double *in = calloc((size_t)ranks * DOUBLES, sizeof *in);
    double *out = calloc((size_t)ranks * DOUBLES, sizeof *out);
    if (!counts || !in || !out) MPI_Abort(MPI_COMM_WORLD, 1);
    for (int r = 0; r < ranks; r++) {
        counts[r] = DOUBLES;
        offsets[r] = r * DOUBLES;
    }

    dxt_probe *probe = NULL;     /* [+] */
    dxt_gather *gather = NULL;   /* [+] */
    dxt_session *session = NULL; /* [+] */
    const char *name = "alltoallv";
    dxt_gather_mpi_config mails = {.struct_size = sizeof mails,
                                   .mail_capacity = dxt_session_mail_size(1, (uint32_t)ranks)};
    /* What a processor that is shared with other programs costs is nothing to name. */
    const dxt_analysis_options analysis = {.struct_size = sizeof analysis, .min_share = 0.1};
    dxt_session_config config = {.struct_size = sizeof config,
                                 .interval_ops = WINDOW,
                                 .warmup_windows = 1,
                                 .node = -1,
                                 .operators_count = 1,
                                 .operators = &name,
                                 .analysis = &analysis,
                                 .on_diagnosis = on_diagnosis};
    if (dxt_probe_create(1, (uint32_t)ranks, &probe) != DXT_OK || /* [+] */
        dxt_gather_create_mpi(&mails, &gather) != DXT_OK) {       /* [+] */
        fprintf(stderr, "%s\n", dxt_error());
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    config.probe = probe;                  /* [+] */
    config.gather = gather;                /* [+] */
    dxt_session_create(&config, &session); /* [+] */

    for (int step = 0; step < STEPS; step++) {
        compute(rank == slow ? 22000000 : 2000000);
        dxt_probe_op op;
        dxt_probe_issue(probe, 0);      /* [+] */
        dxt_probe_begin(&op, probe, 0); /* [+] */
        wait_for_all(&op, rank, ranks); /* [+] */
        MPI_Alltoallv(in, counts, offsets, MPI_DOUBLE, out, counts, offsets, MPI_DOUBLE,
                      MPI_COMM_WORLD);
        dxt_probe_end(&op);        /* [+] */
        dxt_session_step(session); /* [+] */
    }

    dxt_session_destroy(session); /* [+] */
    dxt_gather_destroy(gather);   /* [+] */
    dxt_probe_destroy(probe);     /* [+] */
    free(out);
    free(in);
    free(counts);
    MPI_Finalize();
    return 0;
}
