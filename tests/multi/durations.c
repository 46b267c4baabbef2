/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations against counters by source: processes dispatch and combine with our own engine, which
 * counts its waits by source, and note how long each operation took them, besides. Two sessions, of
 * which one sees only the counters and the other one only the durations, have to name the same
 * ranks. One rank comes late by far more than a busy machine holds anybody up; another one in each
 * window, and in every fourth nobody. Exits with 0 if they agree in 99 of 100 windows, and the
 * rank that was held up is named in most.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <deepxtrace/deepxtrace.h>
#include <deepxtrace/ep.h>

enum { RANKS = 3, HIDDEN = 128, WINDOW = 6, WINDOWS = 54, OPERATORS = 2, ATTEMPTS = 4 };
enum { BY_SOURCE, BY_DURATION, WAYS };

/* What either way says of a window: a bit for each rank that is late. */
static uint32_t named[WAYS][OPERATORS][WINDOWS];
static int told[WAYS][WINDOWS];

static void keep(uint32_t way, const dxt_diagnosis *diagnoses, size_t count)
{
    int64_t index = diagnoses[0].window->index;
    if (index < 0 || index >= WINDOWS) return;
    for (size_t o = 0; o < count && o < OPERATORS; o++) {
        const dxt_findings *findings = diagnoses[o].findings;
        for (size_t f = 0; f < findings->finding_count; f++)
            if (findings->findings[f].kind == DXT_LATE_RANK)
                named[way][o][index] |= 1u << findings->findings[f].rank;
    }
    told[way][index] = 1;
}

static void keep_sources(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    (void)context;
    keep(BY_SOURCE, diagnoses, count);
}

static void keep_durations(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    (void)context;
    keep(BY_DURATION, diagnoses, count);
}

/* Who is held up in a window before an operator; RANKS = nobody. */
static uint32_t late_in(int window, int operator_of)
{
    return (uint32_t)(window + operator_of) % (RANKS + 1);
}

static void be_late(void)
{
    const struct timespec time = {.tv_nsec = 5000000};
    nanosleep(&time, NULL);
}

/* ---- one rank ---- */

struct rank {
    uint32_t rank;
    dxt_probe *probe[WAYS];
    dxt_gather *gather[WAYS];
    dxt_session *session[WAYS];
    dxt_ep *ep;
    dxt_ep_dispatch dispatch;
    dxt_ep_combine combine;
};

static uint16_t x[HIDDEN], received[RANKS * HIDDEN], out[HIDDEN];
static int64_t topk_idx[1];
static float topk_weights[1] = {1};
static int32_t recv_count[1], src_info[RANKS];
static uint8_t src_slot[RANKS];
static dxt_ep_range layout_range[RANKS];

static size_t mail_size(uint32_t way)
{
    return way == BY_SOURCE ? dxt_session_mail_size(OPERATORS, RANKS)
                            : dxt_session_duration_mail_size(OPERATORS, RANKS);
}

static dxt_status begin_session(struct rank *r, uint32_t way, void *mailboxes)
{
    dxt_gather_local_config mails = {.struct_size = sizeof mails,
                                     .rank = r->rank,
                                     .ranks = RANKS,
                                     .mail_capacity = mail_size(way),
                                     .memory = mailboxes};
    dxt_status status = way == BY_SOURCE
                            ? dxt_probe_create(OPERATORS, RANKS, &r->probe[way])
                            : dxt_probe_create_durations(OPERATORS, RANKS, 16, &r->probe[way]);
    if (status == DXT_OK) status = dxt_gather_create_local(&mails, &r->gather[way]);
    dxt_session_config config = {
        .struct_size = sizeof config,
        .gather = r->gather[way],
        .probe = r->probe[way],
        .interval_ops = WINDOW,
        .deadline_ns = INT64_C(5000000000),
        .patience_ns = INT64_C(1000000000), /* every window has all rows */
        .node = -1,
        .min_share = 0.25,
        .alone = 1,
        .on_diagnosis = way == BY_SOURCE ? keep_sources : keep_durations,
    };
    return status == DXT_OK ? dxt_session_create(&config, &r->session[way]) : status;
}

static dxt_status begin(struct rank *r, char *const mailboxes[WAYS], void *memory)
{
    dxt_status status = DXT_OK;
    for (uint32_t way = 0; way < WAYS && status == DXT_OK; way++)
        status = begin_session(r, way, mailboxes[way]);
    dxt_ep_config config = {.struct_size = sizeof config,
                            .rank = r->rank,
                            .ranks = RANKS,
                            .max_tokens = 1,
                            .hidden = HIDDEN,
                            .experts = RANKS,
                            .max_topk = 1,
                            .probe = r->probe[BY_SOURCE],
                            .memory = memory};
    const dxt_ep_handle handle = {src_info, src_slot, layout_range};
    topk_idx[0] = (r->rank + 1) % RANKS;
    r->dispatch = (dxt_ep_dispatch){.struct_size = sizeof r->dispatch,
                                    .x = x,
                                    .topk_idx = topk_idx,
                                    .tokens = 1,
                                    .topk = 1,
                                    .recv_x = received,
                                    .recv_count = recv_count,
                                    .handle = handle};
    r->combine = (dxt_ep_combine){.struct_size = sizeof r->combine,
                                  .x = received,
                                  .handle = handle,
                                  .topk_idx = topk_idx,
                                  .topk_weights = topk_weights,
                                  .tokens = 1,
                                  .topk = 1,
                                  .out = out};
    return status == DXT_OK ? dxt_ep_create(&config, &r->ep) : status;
}

static dxt_status operate(struct rank *r, uint32_t operator_index, uint64_t number)
{
    uint64_t from = dxt_probe_clock();
    dxt_status status = operator_index == DXT_DISPATCH ? dxt_ep_dispatch_send(r->ep, &r->dispatch)
                                                       : dxt_ep_combine_send(r->ep, &r->combine);
    if (status == DXT_OK)
        status = operator_index == DXT_DISPATCH ? dxt_ep_dispatch_recv(r->ep)
                                                : dxt_ep_combine_recv(r->ep);
    dxt_probe_duration(r->probe[BY_DURATION], operator_index, number, dxt_probe_clock() - from);
    return status;
}

static int run(uint32_t rank, char *const mailboxes[WAYS], void *memory)
{
    struct rank r = {.rank = rank};
    dxt_status status = begin(&r, mailboxes, memory);
    for (int step = 0; step < WINDOW * WINDOWS && status == DXT_OK; step++) {
        for (int o = 0; o < OPERATORS && status == DXT_OK; o++) {
            if (late_in(step / WINDOW, o) == rank) be_late();
            status = operate(&r, (uint32_t)o, (uint64_t)step);
        }
        for (int way = 0; way < WAYS; way++) dxt_session_step(r.session[way]);
    }
    if (status != DXT_OK)
        fprintf(stderr, "rank %u: %s: %s, %s\n", rank, dxt_status_string(status), dxt_error(),
                dxt_ep_error());
    dxt_ep_destroy(r.ep);
    for (int way = 0; way < WAYS; way++) {
        dxt_session_destroy(r.session[way]);
        dxt_gather_destroy(r.gather[way]);
        dxt_probe_destroy(r.probe[way]);
    }
    return status == DXT_OK ? 0 : 1;
}

/* ---- all of them ---- */

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) exit(1);
    return memory;
}

/* Rank 0 says how far both agree. @return 0 if that is far enough. */
static int compare(void)
{
    int same = 0, right = 0, all = 0;
    for (int o = 0; o < OPERATORS; o++)
        for (int w = 0; w < WINDOWS; w++) {
            uint32_t late = late_in(w, o), truth = late < RANKS ? 1u << late : 0;
            if (!told[BY_SOURCE][w] || !told[BY_DURATION][w]) continue;
            all++;
            same += named[BY_SOURCE][o][w] == named[BY_DURATION][o][w];
            right += named[BY_DURATION][o][w] == truth;
        }
    printf("%d windows: the same ranks named in %d, those that were late in %d\n", all, same,
           right);
    return all >= 100 && same * 100 >= all * 99 && right * 10 >= all * 9 ? 0 : 1;
}

/* Ranks in processes, rank 0 in a child as well. @return 0 if all of them are content. */
static int attempt(void)
{
    dxt_ep_config config = {.struct_size = sizeof config,
                            .ranks = RANKS,
                            .max_tokens = 1,
                            .hidden = HIDDEN,
                            .experts = RANKS,
                            .max_topk = 1};
    size_t size;
    if (dxt_ep_buffer_size(&config, &size) != DXT_OK) return 1;
    void *memory = shared(size);
    char *mailboxes[WAYS];
    for (uint32_t way = 0; way < WAYS; way++)
        mailboxes[way] = shared(dxt_gather_local_size(RANKS, mail_size(way)));
    pid_t children[RANKS];
    for (uint32_t rank = 0; rank < RANKS; rank++) {
        children[rank] = fork();
        if (children[rank] < 0) exit(1);
        if (children[rank] > 0) continue;
        int failed = run(rank, mailboxes, memory);
        if (!failed && rank == 0) failed = compare();
        fflush(stdout);
        _exit(failed);
    }
    int failed = 0;
    for (uint32_t rank = 0; rank < RANKS; rank++) {
        int status = 0;
        waitpid(children[rank], &status, 0);
        failed |= !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    return failed;
}

/* Whoever else keeps the processors busy may come between; hardly four times. */
int main(void)
{
    for (int k = 0; k < ATTEMPTS; k++)
        if (attempt() == 0) return 0;
    return 1;
}
