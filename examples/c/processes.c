/* SPDX-License-Identifier: Apache-2.0 */
/* Four processes that wait for each other, diagnosed by rank 0. The argument is the slow rank:
 *   cc processes.c $(pkg-config --cflags --libs deepxtrace) -o processes && ./processes 2 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>

enum { RANKS = 4, STEPS = 200 };

static dxt_status print(void *context, const void *text, size_t size)
{
    return fwrite(text, 1, size, context) == size ? DXT_OK : DXT_ERR_IO;
}

static void on_diagnosis(void *context, const dxt_diagnosis *d, size_t count)
{
    for (size_t i = 0; i < count; i++) dxt_report_text(d[i].window, d[i].findings, print, context);
}

/* One exchange: tell the others, then wait for each of them. */
static void exchange(_Atomic uint32_t *arrived, uint32_t rank, uint32_t step, dxt_probe *probe)
{
    dxt_probe_op op;
    arrived[rank] = step;
    dxt_probe_begin(&op, probe, DXT_DISPATCH);
    for (uint32_t seen = 0; seen != (1u << RANKS) - 1; usleep(20))
        for (uint32_t source = 0; source < RANKS; source++)
            if (!(seen & 1u << source) && arrived[source] >= step) {
                dxt_probe_wait(&op, source, dxt_probe_elapsed(&op), 0);
                seen |= 1u << source;
            }
    dxt_probe_end(&op);
}

int main(int argc, char **argv)
{
    size_t mail = dxt_session_mail_size(1, RANKS), size = 4096 + dxt_gather_local_size(RANKS, mail);
    char *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    dxt_gather_local_config mails = {sizeof mails, .ranks = RANKS, .mail_capacity = mail};
    dxt_session_config config = {sizeof config, .interval_ops = 50, .min_share = 0.1,
                                 .on_diagnosis = on_diagnosis, .on_diagnosis_context = stdout};
    dxt_session *session;
    int slow = argc > 1 ? atoi(argv[1]) : -1, status = shared == MAP_FAILED;
    mails.memory = shared + 4096;
    while (!status && mails.rank + 1 < RANKS && fork() == 0) mails.rank++; /* each forks the next */
    if (status || dxt_probe_create(1, RANKS, &config.probe) ||
        dxt_gather_create_local(&mails, &config.gather) || dxt_session_create(&config, &session))
        return fprintf(stderr, "rank %u: %s\n", mails.rank, dxt_error()), 1;
    for (uint32_t step = 1; step <= STEPS; step++) {
        usleep((int)mails.rank == slow ? 22000 : 2000); /* the work */
        exchange((void *)shared, mails.rank, step, config.probe);
        dxt_session_step(session);
    }
    dxt_session_destroy(session);
    return wait(&status) > 0 && status != 0;
}
