/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: one byte that chooses ranks (2 … 5), operators (1 … 3), the rank of the sender and what
 * the next one has sent, then two mails of the same length. What passes the decoder must make
 * windows that pass their own check. The next rank has sent the same mails, or the first one twice,
 * so that durations have others to be held against.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <deepxtrace/session.h>

#include "session/assemble.h"
#include "session/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const NAMES[] = {"dispatch", "combine", "third"};

/* Blocks of the exact size, so that a read beyond a mail is noticed. */
static uint64_t *copy(const uint8_t *data, size_t size)
{
    uint64_t *mail = malloc(size + (size == 0));
    if (!mail) abort();
    return memcpy(mail, data, size);
}

static void assemble(const dxt_mail_head *head, const uint64_t *before, const uint64_t *after,
                     const uint64_t *of_next)
{
    const uint64_t *from[5] = {NULL}, *to[5] = {NULL};
    dxt_identity identities[5] = {{.known = false}};
    const dxt_window *windows[3];
    dxt_assembler *assembler;
    from[head->rank] = before;
    to[head->rank] = after;
    identities[head->rank] = (dxt_identity){
        .known = true, .ticks_per_second = head->ticks_per_second, .node = (int32_t)head->node};
    memcpy(identities[head->rank].device.host, head->host, sizeof head->host);
    uint32_t next = ((uint32_t)head->rank + 1) % (uint32_t)head->ranks;
    from[next] = before;
    to[next] = of_next;
    identities[next] = identities[head->rank];
    dxt_assembly assembly = {.ranks = (uint32_t)head->ranks,
                             .operators = (uint32_t)head->operators,
                             .names = NAMES,
                             .before = from,
                             .after = to,
                             .identities = identities,
                             .busy_ns = 1000000,
                             .instance = head->instance};
    if (head->duration_words > 0 &&
        dxt_durations_create((uint32_t)head->ranks, (uint32_t)head->operators,
                             &assembly.durations) != DXT_OK)
        abort();
    if (dxt_assembler_create(assembly.ranks, assembly.operators, &assembler) != DXT_OK) abort();
    dxt_assemble(assembler, &assembly, windows);
    for (uint32_t o = 0; o < assembly.operators; o++)
        if (dxt_window_check(windows[o]) != DXT_OK) {
            fprintf(stderr, "%s\n", dxt_error());
            abort();
        }
    dxt_assembler_destroy(assembler);
    dxt_durations_destroy(assembly.durations);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    dxt_mail_head expect = {.ranks = 2 + data[0] % 4, .operators = 1 + data[0] / 4 % 3}, head;
    expect.rank = data[0] / 12 % expect.ranks;
    size_t each = (size - 1) / 2;
    uint64_t *before = copy(data + 1, each), *after = copy(data + 1 + each, each);
    expect.sequence = 3;
    if (!dxt_mail_decode(before, each, &expect, &head)) {
        expect.sequence = 4;
        if (!dxt_mail_decode(after, each, &expect, &head))
            assemble(&head, before, after, data[0] / 60 % 2 ? before : after);
    }
    free(before);
    free(after);
    return 0;
}
