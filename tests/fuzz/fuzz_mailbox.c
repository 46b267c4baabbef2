/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mailboxes in memory that a hostile peer writes as it likes, under a real session of rank 0.
 *
 * Input: ranks (2 … 4), operators (1 … 2) and mode, then for each window and each other rank what
 * it does to its mailbox: nothing, any words in the head of a slot, any bytes in the whole slot, or
 * a mail that is well formed but for what the input changes. Whatever it is, windows pass their own
 * check, and what is said of them is finite and within its limits.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/session.h>

#include "gather/mailbox.h"
#include "require.h"
#include "session/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WINDOWS 12

typedef struct input {
    const uint8_t *at, *end;
} input;

static uint64_t take(input *in, size_t bytes)
{
    uint64_t value = 0;
    for (; bytes > 0; bytes--) value = value << 8 | (in->at < in->end ? *in->at++ : 0);
    return value;
}

/* A number that is likely to be at some limit. */
static uint64_t wild(input *in)
{
    uint8_t kind = (uint8_t)take(in, 1);
    switch (kind % 8) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return INT64_MAX;
    case 3: return take(in, 8);
    case 4: return take(in, 2);
    case 5: return UINT64_C(1) << (kind % 64);
    default: return kind;
    }
}

typedef struct victim {
    uint32_t ranks, operators;
    size_t capacity, stride, size;
    unsigned char *memory;
    dxt_probe *own, *theirs;
    dxt_gather *gather;
    dxt_session *session;
    uint64_t *mail;
} victim;

static void check_findings(const dxt_findings *findings)
{
    for (size_t f = 0; f < findings->finding_count; f++) {
        const dxt_finding *finding = &findings->findings[f];
        require(finding->kind == DXT_SILENT_RANK || isfinite(finding->wait));
        require(isnan(finding->share) || (finding->share >= 0 && finding->share <= 1));
        require(finding->confidence >= 0 && finding->confidence <= 1);
    }
}

static void on_diagnosis(void *context, const dxt_diagnosis *diagnoses, size_t count)
{
    (void)context;
    for (size_t d = 0; d < count; d++) {
        require(dxt_window_check(diagnoses[d].window) == DXT_OK);
        check_findings(diagnoses[d].findings);
    }
}

static dxt_mailbox_slot *slot_of(const victim *v, uint32_t rank, uint64_t number)
{
    size_t index = (size_t)rank * DXT_GATHER_DEPTH + number % DXT_GATHER_DEPTH;
    return (dxt_mailbox_slot *)(void *)(v->memory + sizeof(dxt_mailbox_head) + index * v->stride);
}

static void count_wildly(victim *v, input *in, unsigned act)
{
    for (uint32_t o = 0; o < v->operators; o++) {
        dxt_operator_counters *all = dxt_probe_operator(v->theirs, o);
        all->ops += act % 8 > 5 ? wild(in) : 1;
        all->issued += act & 8 ? wild(in) : 0;
        for (uint32_t s = 0; s < v->ranks; s++) {
            dxt_cell *cell = dxt_probe_cell(v->theirs, o, s);
            cell->wait_ticks_sum += wild(in);
            cell->samples += act % 8 > 4 ? wild(in) : 1;
            if (act % 8 == 7) cell->bytes += wild(in);
            if (act % 8 == 6) cell->last_count += wild(in);
        }
    }
    v->theirs->ticks_per_second = act & 8 ? wild(in) % (DXT_MAIL_MAX_RATE + 1) : 1000000000;
}

/* A mail as the rank would send it, but for what the input changes. */
static void send_mail(victim *v, input *in, uint32_t rank, uint64_t window, unsigned act)
{
    static const dxt_mail_first first[DXT_MAX_OPERATORS];
    count_wildly(v, in, act);
    dxt_mail_head head = {.rank = rank,
                          .ranks = v->ranks,
                          .operators = v->operators,
                          .sequence = act % 8 == 3 ? wild(in) : window,
                          .time_ns = (int64_t)(act & 16 ? wild(in) : window * 1000000) & INT64_MAX,
                          .realtime_ns = (int64_t)(act & 32 ? wild(in) : 1) & INT64_MAX,
                          .node = act & 64 ? (int64_t)(wild(in) & INT32_MAX) : -1,
                          .leaving = act % 64 == 35,
                          .global_rank = -1,
                          .gpu = -1,
                          .instance = "x"};
    if (act & 128) memset(head.host, (int)take(in, 1), sizeof head.host - 1);
    const dxt_snapshot snapshot = {.data = v->theirs};
    size_t size = dxt_mail_encode(v->mail, &head, &snapshot, first);
    dxt_mailbox_slot *slot = slot_of(v, rank, window - 1);
    memcpy(slot->words, v->mail, size);
    slot->size = size;
    slot->sequence = head.sequence;
    slot->version = 2 * window;
}

static void disturb(victim *v, input *in, uint32_t rank, uint64_t window)
{
    unsigned act = (unsigned)take(in, 1);
    dxt_mailbox_slot *slot = slot_of(v, rank, act >> 4);
    switch (act % 8) {
    case 0: return;
    case 1:
        slot->version = wild(in);
        slot->sequence = wild(in);
        slot->size = wild(in);
        return;
    case 2:
        for (size_t i = 0; i < v->stride && in->at < in->end; i++)
            ((unsigned char *)slot)[i] = (unsigned char)take(in, 1);
        return;
    default: send_mail(v, in, rank, window, act);
    }
}

static void open_victim(victim *v, input *in)
{
    static const char *const names[] = {"dispatch", "combine"};
    v->ranks = 2 + (uint32_t)take(in, 1) % 3;
    v->operators = 1 + (uint32_t)take(in, 1) % 2;
    v->capacity = dxt_session_mail_size(v->operators, v->ranks);
    v->stride = sizeof(dxt_mailbox_slot) + (v->capacity + 63) / 64 * 64;
    v->size = dxt_gather_local_size(v->ranks, v->capacity);
    v->memory = aligned_alloc(64, (v->size + 63) / 64 * 64);
    v->mail = malloc(v->capacity);
    require(v->memory && v->mail);
    memset(v->memory, 0, v->size);
    const dxt_gather_local_config local = {.struct_size = sizeof local,
                                           .ranks = v->ranks,
                                           .mail_capacity = v->capacity,
                                           .memory = v->memory};
    require(dxt_gather_create_local(&local, &v->gather) == DXT_OK);
    require(dxt_probe_create(v->operators, v->ranks, &v->own) == DXT_OK);
    require(dxt_probe_create(v->operators, v->ranks, &v->theirs) == DXT_OK);
    const dxt_session_config config = {.struct_size = sizeof config,
                                       .mode = DXT_SESSION_SYNC,
                                       .gather = v->gather,
                                       .probe = v->own,
                                       .operators = names,
                                       .interval_ops = 1,
                                       .deadline_ns = 1,
                                       .patience_ns = 1,
                                       .node = -1,
                                       .instance = "x",
                                       .on_diagnosis = on_diagnosis};
    require(dxt_session_create(&config, &v->session) == DXT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    victim v = {0};
    input in = {data, data + size};
    if (size < 4) return 0;
    open_victim(&v, &in);
    for (uint64_t window = 1; window <= WINDOWS && in.at < in.end; window++) {
        for (uint32_t o = 0; o < v.operators; o++) {
            dxt_probe_operator(v.own, o)->ops++;
            for (uint32_t s = 0; s < v.ranks; s++) {
                dxt_probe_cell(v.own, o, s)->wait_ticks_sum += take(&in, 2);
                dxt_probe_cell(v.own, o, s)->samples++;
            }
        }
        for (uint32_t r = 1; r < v.ranks; r++) disturb(&v, &in, r, window);
        require(dxt_session_step(v.session) == DXT_OK);
    }
    dxt_session_destroy(v.session);
    dxt_gather_destroy(v.gather);
    dxt_probe_destroy(v.own);
    dxt_probe_destroy(v.theirs);
    free(v.memory);
    free(v.mail);
    return 0;
}
