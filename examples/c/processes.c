/* SPDX-License-Identifier: Apache-2.0 */
/* Four processes that wait for each other, diagnosed by rank 0. The argument is the slow rank:
 *   cc processes.c $(pkg-config --cflags --libs deepxtrace) -o processes && ./processes 2 */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

enum { RANKS = 4, STEPS = 200 };

static void on_diagnosis(void *context, const dxt_diagnosis *d, size_t count)
{
    char text[256];
    (void)context;
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < d[i].findings->finding_count; f++)
            if (dxt_report_sentence(d[i].window, d[i].findings, f, text, sizeof text))
                printf("window %lld: %s\n", (long long)d[i].window->index, text);
}

/* One exchange: tell the others, then wait for each of them. */
static void exchange(_Atomic uint32_t *arrived, uint32_t rank, uint32_t step, dxt_probe *probe)
{
    dxt_probe_op op;
    atomic_store(&arrived[rank], step);
    dxt_probe_begin(&op, probe, DXT_DISPATCH);
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
    dxt_session_config config = {sizeof config, .interval_ops = 50, .min_share = 0.1,
                                 .on_diagnosis = on_diagnosis};
    dxt_session *session;
    mails.rank = rank;
    if (dxt_probe_create(1, RANKS, &config.probe) ||
        dxt_gather_create_local(&mails, &config.gather) || dxt_session_create(&config, &session))
        return fprintf(stderr, "%s\n", dxt_error());
    for (uint32_t step = 1; step <= STEPS; step++) {
        usleep((int)rank == slow ? 22000 : 2000); /* the work */
        exchange(arrived, rank, step, config.probe);
        dxt_session_step(session);
    }
    dxt_session_destroy(session);
    return 0;
}

int main(int argc, char **argv)
{
    size_t mail = dxt_session_mail_size(1, RANKS), size = 4096 + dxt_gather_local_size(RANKS, mail);
    char *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    dxt_gather_local_config mails = {sizeof mails, .ranks = RANKS, .mail_capacity = mail};
    int failed = shared == MAP_FAILED, status;
    mails.memory = shared + 4096;
    for (uint32_t rank = 0; rank < RANKS && !failed; rank++)
        if (fork() == 0) exit(run(rank, (void *)shared, mails, argc > 1 ? atoi(argv[1]) : -1));
    while (wait(&status) > 0) failed |= status;
    return failed != 0;
}
