/* SPDX-License-Identifier: Apache-2.0 */
/* Mails with known counters, for the tests of mails and of the windows made of them. */
#ifndef DXT_TEST_SESSION_MAILS_H
#define DXT_TEST_SESSION_MAILS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/session.h>

#include "session/mail.h"

static inline dxt_mail_head head_of(uint32_t rank, uint32_t ranks, uint32_t operators,
                                    uint64_t sequence)
{
    dxt_mail_head head = {.rank = rank,
                          .ranks = ranks,
                          .operators = operators,
                          .sequence = sequence,
                          .time_ns = 1000000000 + (int64_t)sequence * 250000000,
                          .realtime_ns = INT64_C(1757953733686123456),
                          .node = (int64_t)rank / 2};
    dxt_mail_set_text(head.host, sizeof head.host, "host-7");
    dxt_mail_set_text(head.instance, sizeof head.instance, "job");
    dxt_mail_set_text(head.uuid, sizeof head.uuid, "GPU-5f0c");
    dxt_mail_set_text(head.pci, sizeof head.pci, "0000:3b:00.0");
    head.pid = 77;
    head.global_rank = 100 + rank;
    head.run_delay_ns = (int64_t)sequence * 1000000;
    head.gpu = (int64_t)rank;
    return head;
}

/* A mail in a block of its own size. */
static inline uint64_t *put_in_mail(const dxt_mail_head *head, const dxt_snapshot *snapshot,
                                    const dxt_mail_first *first)
{
    static const dxt_mail_first none[DXT_MAX_OPERATORS];
    uint64_t *mail =
        malloc(dxt_session_mail_size((uint32_t)head->operators, (uint32_t)head->ranks));
    assert_non_null(mail);
    size_t size = dxt_mail_encode(mail, head, snapshot, first ? first : none);
    mail = realloc(mail, size);
    assert_non_null(mail);
    return mail;
}

/* Bytes of a mail without tokens. */
static inline size_t plain_size(uint32_t operators, uint32_t ranks)
{
    return dxt_session_mail_size(operators, ranks) - DXT_MAIL_TOKENS * sizeof(uint64_t);
}

/* A mail in which the counters of (operator, source) are n, 2n, 3n and 4n with n = base + 100 o +
 * s, and the operations of an operator 5 × base. */
static inline uint64_t *new_mail(uint32_t rank, uint32_t ranks, uint32_t operators,
                                 uint64_t sequence, uint64_t base)
{
    dxt_snapshot *snapshot = NULL;
    assert_int_equal(dxt_snapshot_create(operators, ranks, &snapshot), DXT_OK);
    dxt_probe *probe = snapshot->data;
    probe->ticks_per_second = 1000000000 + rank;
    for (uint32_t o = 0; o < operators; o++) {
        dxt_probe_operator(probe, o)->ops = 5 * base;
        for (uint32_t s = 0; s < ranks; s++) {
            uint64_t n = base == 0 ? 0 : base + 100 * o + s;
            dxt_cell *cell = dxt_probe_cell(probe, o, s);
            cell->wait_ticks_sum = n;
            cell->samples = 2 * n;
            cell->bytes = 3 * n;
            cell->last_count = 4 * n;
        }
    }
    dxt_mail_head head = head_of(rank, ranks, operators, sequence);
    uint64_t *mail = put_in_mail(&head, snapshot, NULL);
    dxt_snapshot_destroy(snapshot);
    return mail;
}

#endif
