/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job for the tests of sessions, of which only the waits are real: every test feeds its probes by
 * hand, and looks at what rank 0 was told.
 */
#ifndef DXT_TESTS_TEST_SESSION_JOB_H
#define DXT_TESTS_TEST_SESSION_JOB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <deepxtrace/session.h>

enum { MOST = 8, KEPT = 64, OPS = 10 };

/* ------------------------------------------------------------------ what rank 0 was told --- */

struct record {
    int64_t index;
    uint8_t missing[MOST];
    int64_t wait[DXT_EP_OPERATORS][MOST * MOST];
    int64_t samples[DXT_EP_OPERATORS][MOST * MOST];
    int64_t bytes[DXT_EP_OPERATORS][MOST * MOST];
    double value[DXT_EP_OPERATORS][MOST * MOST];
    int64_t ops[DXT_EP_OPERATORS];
    dxt_finding found[DXT_EP_OPERATORS][4];
    size_t found_count[DXT_EP_OPERATORS];
    bool has_nodes, has_begin, has_elapsed;
};

struct records {
    _Atomic size_t count; /* all; the last KEPT are kept */
    struct record kept[KEPT];
    /* of all windows since `feeding` */
    atomic_bool feeding;
    int64_t total[MOST * MOST];
    bool ever_missing[MOST];
};

static inline void add_up(struct records *records, const dxt_window *window)
{
    for (uint32_t r = 0; r < window->ranks; r++) {
        bool absent = window->missing[r] || window->wait[r * window->ranks] < 0;
        if (atomic_load(&records->feeding) && absent) records->ever_missing[r] = true;
        for (uint32_t c = 0; c < window->ranks && !absent; c++)
            records->total[r * MOST + c] += window->wait[r * window->ranks + c];
    }
}

static inline void keep(struct record *record, size_t o, const dxt_diagnosis *diagnosis)
{
    const dxt_window *w = diagnosis->window;
    record->index = w->index;
    record->ops[o] = w->ops;
    record->has_nodes = w->nodes != NULL;
    record->has_begin = w->begin != NULL;
    record->has_elapsed = w->elapsed_ns > 0;
    memcpy(record->missing, w->missing, w->ranks);
    for (uint32_t i = 0; i < w->ranks * w->ranks; i++) {
        record->wait[o][i] = w->wait[i];
        record->samples[o][i] = w->samples ? w->samples[i] : -1;
        record->bytes[o][i] = w->bytes ? w->bytes[i] : -1;
        record->value[o][i] = dxt_window_value(w, i / w->ranks, i % w->ranks);
    }
    const dxt_findings *f = diagnosis->findings;
    record->found_count[o] = f->finding_count;
    for (size_t i = 0; i < f->finding_count && i < 4; i++) record->found[o][i] = f->findings[i];
}

static inline void on_diagnosis(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    struct records *records = context;
    size_t number = atomic_load(&records->count);
    assert_int_equal(count, DXT_EP_OPERATORS);
    assert_string_equal(diagnoses[0].window->phase, "dispatch");
    assert_string_equal(diagnoses[1].window->phase, "combine");
    add_up(records, diagnoses[DXT_DISPATCH].window);
    for (size_t o = 0; o < count; o++) {
        assert_int_equal(dxt_window_check(diagnoses[o].window), DXT_OK);
        keep(&records->kept[number % KEPT], o, &diagnoses[o]);
    }
    atomic_store(&records->count, number + 1);
}

/* ------------------------------------------------------------------ the job --- */

struct job {
    uint32_t ranks;
    void *memory;
    dxt_probe *probes[MOST];
    dxt_gather *gathers[MOST];
    dxt_session *sessions[MOST];
    struct records records;
};

/* In sync mode rank 0 steps last, and finds what there is: it need not wait, and who sent nothing
 * for a window is silent at once. */
static inline dxt_session_config config_of(struct job *job, uint32_t rank, dxt_session_mode mode)
{
    return (dxt_session_config){.struct_size = sizeof(dxt_session_config),
                                .mode = mode,
                                .probe = job->probes[rank],
                                .gather = job->gathers[rank],
                                .interval_ops = OPS,
                                .interval_ns = 15000000,
                                .deadline_ns = mode == DXT_SESSION_SYNC ? 1 : 20000000,
                                .node = -1,
                                .on_diagnosis = on_diagnosis,
                                .on_diagnosis_context = &job->records};
}

/* Probes and gathers; each rank's clock has its own rate. @p durations: kept by each, or 0. */
static inline struct job *new_job_with(uint32_t ranks, uint32_t operators, uint32_t durations)
{
    struct job *job = calloc(1, sizeof *job);
    size_t capacity = durations > 0 ? dxt_session_duration_mail_size(operators, ranks)
                                    : dxt_session_mail_size(operators, ranks);
    size_t size = (dxt_gather_local_size(ranks, capacity) + 63) / 64 * 64;
    job->ranks = ranks;
    job->memory = memset(aligned_alloc(64, size), 0, size);
    for (uint32_t r = 0; r < ranks; r++) {
        dxt_gather_local_config config = {.struct_size = sizeof config,
                                          .rank = r,
                                          .ranks = ranks,
                                          .mail_capacity = capacity,
                                          .memory = job->memory};
        assert_int_equal(dxt_gather_create_local(&config, &job->gathers[r]), DXT_OK);
        dxt_status status =
            durations > 0 ? dxt_probe_create_durations(operators, ranks, durations, &job->probes[r])
                          : dxt_probe_create(operators, ranks, &job->probes[r]);
        assert_int_equal(status, DXT_OK);
        job->probes[r]->ticks_per_second = 1000000000 + 500000000 * (uint64_t)r;
    }
    return job;
}

static inline struct job *new_job_of(uint32_t ranks, uint32_t operators)
{
    return new_job_with(ranks, operators, 0);
}

static inline struct job *new_job(uint32_t ranks)
{
    return new_job_of(ranks, DXT_EP_OPERATORS);
}

static inline void start(struct job *job, uint32_t rank, const dxt_session_config *config)
{
    assert_int_equal(dxt_session_create(config, &job->sessions[rank]), DXT_OK);
}

static inline struct job *start_job(uint32_t ranks, dxt_session_mode mode)
{
    struct job *job = new_job(ranks);
    for (uint32_t r = 0; r < ranks; r++) {
        dxt_session_config config = config_of(job, r, mode);
        start(job, r, &config);
    }
    return job;
}

static inline void end_job(struct job *job)
{
    for (uint32_t r = 0; r < job->ranks; r++) {
        dxt_session_destroy(job->sessions[r]);
        dxt_gather_destroy(job->gathers[r]);
        dxt_probe_destroy(job->probes[r]);
    }
    free(job->memory);
    free(job);
}

static inline uint64_t ticks(const struct job *job, uint32_t rank, uint64_t ns)
{
    return ns * (job->probes[rank]->ticks_per_second / 100000000) / 10;
}

/* One operation of each operator on one rank: 1 µs for everybody, more for the late one. */
static inline void operate(struct job *job, uint32_t rank, uint32_t late, uint64_t late_ns)
{
    for (uint32_t o = 0; o < DXT_EP_OPERATORS; o++) {
        dxt_probe_op op;
        dxt_probe_begin(&op, job->probes[rank], o);
        for (uint32_t s = 0; s < job->ranks; s++) {
            uint64_t ns = s == late && rank != late && o == DXT_DISPATCH ? late_ns : 1000;
            dxt_probe_wait(&op, s, ticks(job, rank, rank == late ? 0 : ns), 4096);
        }
        dxt_probe_end(&op);
    }
}

static inline void run_rank(struct job *job, uint32_t rank, int steps)
{
    for (int i = 0; i < steps; i++) {
        operate(job, rank, DXT_NO_RANK, 0);
        assert_int_equal(dxt_session_step(job->sessions[rank]), DXT_OK);
    }
}

/* One window on all ranks but `absent`; rank 0 comes last and finds all mails there. */
static inline void run_window(struct job *job, uint32_t absent)
{
    for (uint32_t r = job->ranks; r-- > 0;)
        if (r != absent) run_rank(job, r, OPS);
}

/* Whether a rank has no row, but is not silent either. */
static inline bool is_excused(const struct record *record, uint32_t rank, uint32_t ranks)
{
    for (size_t i = 0; i < record->found_count[0] && i < 4; i++)
        if (record->found[0][i].kind == DXT_SILENT_RANK && record->found[0][i].rank == rank)
            return false;
    return !record->missing[rank] && record->wait[0][rank * ranks] == DXT_NOT_OBSERVED;
}

/* A copy: while it is looked at, any number of windows may end. */
static inline const struct record *last_record(const struct job *job)
{
    static struct record copy;
    size_t count;
    do {
        count = atomic_load(&job->records.count);
        assert_true(count > 0);
        copy = job->records.kept[(count - 1) % KEPT];
    } while (atomic_load(&job->records.count) - count >= KEPT - 1);
    return &copy;
}

static inline const dxt_finding *find(const struct record *record, size_t o, dxt_finding_kind kind)
{
    for (size_t i = 0; i < record->found_count[o] && i < 4; i++)
        if (record->found[o][i].kind == kind) return &record->found[o][i];
    return NULL;
}

/* ------------------------------------------------------------------ transports --- */

/* Local mailboxes with a fault in front of them. */
struct faulty {
    dxt_gather *inner;
    _Atomic dxt_status publish_status, collect_status; /* DXT_OK: let pass */
    bool scramble;                                     /* turn over one bit of what rank 1 sent */
    _Atomic int looks;                                 /* at rank 1 */
    int held_back; /* looks at rank 1 that find nothing, the newest apart */
};

static inline dxt_status faulty_publish(void *context, uint64_t sequence, const void *mail,
                                        size_t size)
{
    struct faulty *f = context;
    dxt_status fault = f->publish_status;
    if (fault != DXT_OK) return fault;
    return dxt_gather_publish(f->inner, sequence, mail, size);
}

static inline dxt_status faulty_collect(void *context, uint32_t rank, uint64_t wanted, void *mail,
                                        size_t capacity, size_t *size, uint64_t *sequence)
{
    struct faulty *f = context;
    if (rank == 1) f->looks++;
    if (rank == 1 && wanted != DXT_GATHER_NEWEST && f->held_back-- > 0) return DXT_AGAIN;
    if (f->collect_status != DXT_OK && rank == 1) return f->collect_status;
    dxt_status status = dxt_gather_collect(f->inner, rank, wanted, mail, capacity, size, sequence);
    if (status == DXT_OK && rank == 1 && f->scramble) ((unsigned char *)mail)[9] ^= 1;
    return status;
}

static inline void put_before(struct job *job, uint32_t rank, struct faulty *faulty)
{
    const dxt_gather_transport transport = {.struct_size = sizeof transport,
                                            .context = faulty,
                                            .publish = faulty_publish,
                                            .collect = faulty_collect};
    faulty->inner = job->gathers[rank];
    assert_int_equal(dxt_gather_create(rank, job->ranks, &transport, &job->gathers[rank]), DXT_OK);
}

/* A job whose rank `at` has the fault before its mailbox. */
static inline struct job *start_faulty_job(uint32_t at, struct faulty *faulty)
{
    struct job *job = new_job(3);
    put_before(job, at, faulty);
    for (uint32_t r = 0; r < 3; r++) {
        dxt_session_config config = config_of(job, r, DXT_SESSION_SYNC);
        start(job, r, &config);
    }
    return job;
}

static inline void end_faulty_job(struct job *job, struct faulty *faulty)
{
    end_job(job);
    dxt_gather_destroy(faulty->inner);
}

#endif
