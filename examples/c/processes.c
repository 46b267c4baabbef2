/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that wait for each other in shared memory, diagnosed while they run. No MPI.
 *   cc processes.c $(pkg-config --cflags --libs deepxtrace) -o processes && ./processes 2
 * The argument is the rank that computes for too long; rank 0 prints who it is. */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

enum { RANKS = 4, STEPS = 200, WINDOW = 50 };

static void on_diagnosis(void *context, const dxt_diagnosis *d, size_t count)
{
    char text[256];
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < d[i].findings->finding_count; f++) {
            dxt_report_sentence(d[i].window, d[i].findings, f, text, sizeof text);
            printf("%s %lld: %s\n", (char *)context, (long long)d[i].window->index, text);
        }
}

/* The exchange of one step: tell the others, then wait for each of them. */
static void exchange(_Atomic uint32_t *arrived, uint32_t rank, uint32_t step, dxt_probe *probe)
{
    dxt_probe_op op;
    atomic_store(&arrived[rank], step);
    dxt_probe_issue(probe, 0);
    dxt_probe_begin(&op, probe, 0);
    for (uint32_t seen = 0; seen != (1u << RANKS) - 1; sched_yield())
        for (uint32_t source = 0; source < RANKS; source++)
            if (!(seen & 1u << source) && atomic_load(&arrived[source]) >= step) {
                dxt_probe_wait(&op, source, dxt_probe_elapsed(&op), 0);
                seen |= 1u << source;
            }
    dxt_probe_end(&op);
}

static int run(uint32_t rank, _Atomic uint32_t *arrived, dxt_gather_local_config mails, int slow)
{
    const char *name = "exchange";
    dxt_analysis_options analysis = {.struct_size = sizeof analysis, .min_share = 0.1};
    dxt_session_config config = {.struct_size = sizeof config,
                                 .interval_ops = WINDOW,
                                 .warmup_windows = 1,
                                 .node = -1,
                                 .operators_count = 1,
                                 .operators = &name,
                                 .analysis = &analysis,
                                 .on_diagnosis = on_diagnosis,
                                 .on_diagnosis_context = "window"};
    dxt_session *session;
    mails.rank = rank;
    if (dxt_probe_create(1, RANKS, &config.probe) ||
        dxt_gather_create_local(&mails, &config.gather) || dxt_session_create(&config, &session))
        return fprintf(stderr, "%s\n", dxt_error()), 1;
    for (uint32_t step = 1; step <= STEPS; step++) {
        usleep((int)rank == slow ? 22000 : 2000); /* what the job is there for */
        exchange(arrived, rank, step, config.probe);
        dxt_session_step(session);
    }
    dxt_session_destroy(session);
    dxt_gather_destroy(config.gather);
    dxt_probe_destroy(config.probe);
    return 0;
}

int main(int argc, char **argv)
{
    size_t mail = dxt_session_mail_size(1, RANKS), size = dxt_gather_local_size(RANKS, mail);
    char *memory =
        mmap(NULL, 4096 + size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return perror("mmap"), 1;
    dxt_gather_local_config mails = {.struct_size = sizeof mails,
                                     .ranks = RANKS,
                                     .mail_capacity = mail,
                                     .memory = memory + 4096};
    int failed = 0, status, slow = argc > 1 ? atoi(argv[1]) : -1;
    for (uint32_t rank = 0; rank < RANKS; rank++)
        if (fork() == 0) exit(run(rank, (_Atomic uint32_t *)memory, mails, slow));
    while (wait(&status) > 0) failed |= status;
    return failed != 0;
}
