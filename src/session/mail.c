/* SPDX-License-Identifier: Apache-2.0 */
#include "session/mail.h"

#include <string.h>

#include <deepxtrace/session.h>

#include "base/base.h"

size_t dxt_session_mail_size(uint32_t operators, uint32_t ranks)
{
    if (operators == 0 || operators > DXT_MAX_OPERATORS || ranks == 0 || ranks > DXT_MAX_RANKS)
        return 0;
    return sizeof(dxt_mail_head) + operators * dxt_mail_operator_words(ranks) * sizeof(uint64_t);
}

static bool is_printable(unsigned char c)
{
    return c >= 0x20 && c < 0x7f;
}

void dxt_mail_set_text(char text[DXT_MAIL_TEXT], const char *from)
{
    memset(text, 0, DXT_MAIL_TEXT);
    for (size_t i = 0; from && from[i] && i + 1 < DXT_MAIL_TEXT; i++)
        text[i] = is_printable((unsigned char)from[i]) ? from[i] : '?';
}

void dxt_mail_encode(uint64_t *mail, const dxt_mail_head *head, const dxt_probe *counters)
{
    dxt_mail_head full = *head;
    uint32_t ranks = (uint32_t)head->ranks, operators = (uint32_t)head->operators;
    full.magic = DXT_MAIL_MAGIC;
    full.version = DXT_MAIL_VERSION;
    full.size = dxt_session_mail_size(operators, ranks);
    full.ticks_per_second = counters->ticks_per_second;
    memcpy(mail, &full, sizeof full);
    uint64_t *word = mail + sizeof full / sizeof *mail;
    for (uint32_t o = 0; o < operators; o++) {
        *word++ = dxt_probe_operator(counters, o)->ops;
        for (uint32_t s = 0; s < ranks; s++) {
            const dxt_cell *cell = dxt_probe_cell(counters, o, s);
            word[(size_t)DXT_MAIL_WAIT * ranks + s] = cell->wait_ticks_sum;
            word[(size_t)DXT_MAIL_SAMPLES * ranks + s] = cell->samples;
            word[(size_t)DXT_MAIL_BYTES * ranks + s] = cell->bytes;
            word[(size_t)DXT_MAIL_LAST * ranks + s] = cell->last_count;
        }
        word += (size_t)DXT_MAIL_PLANES * ranks;
    }
}

void dxt_mail_get_head(const uint64_t *mail, dxt_mail_head *head)
{
    memcpy(head, mail, sizeof *head);
}

static bool is_text(const char text[DXT_MAIL_TEXT])
{
    size_t length = strnlen(text, DXT_MAIL_TEXT);
    for (size_t i = 0; i < length; i++)
        if (!is_printable((unsigned char)text[i])) return false;
    return length < DXT_MAIL_TEXT;
}

/* @return What is wrong, or NULL. */
static const char *find_fault(const dxt_mail_head *head, size_t size, const dxt_mail_head *expect)
{
    if (head->magic != DXT_MAIL_MAGIC) return "not a mail, or of another byte order";
    if (head->version != DXT_MAIL_VERSION) return "a mail of another version";
    if (head->rank != expect->rank) return "a mail of another rank";
    if (head->ranks != expect->ranks) return "a mail of a group of another size";
    if (head->operators != expect->operators) return "a mail of a probe with other operators";
    if (head->sequence != expect->sequence) return "a mail of another time";
    if (head->size != size ||
        size != dxt_session_mail_size((uint32_t)expect->operators, (uint32_t)expect->ranks))
        return "a mail of the wrong size";
    if (head->time_ns < 0 || head->realtime_ns < 0) return "a time before all time";
    if (head->ticks_per_second > DXT_MAIL_MAX_RATE) return "an impossible clock rate";
    if (head->node < -1 || head->node > INT32_MAX) return "an impossible node";
    if (!is_text(head->host) || !is_text(head->instance)) return "a text that is none";
    return NULL;
}

dxt_status dxt_mail_decode(const uint64_t *mail, size_t size, const dxt_mail_head *expect,
                           dxt_mail_head *head)
{
    const char *fault = "a mail without a head";
    dxt_mail_head read;
    if (size >= sizeof read) {
        dxt_mail_get_head(mail, &read);
        fault = find_fault(&read, size, expect);
    }
    if (fault) return dxt_fail(DXT_ERR_FORMAT, "rank %u sent %s", (unsigned)expect->rank, fault);
    *head = read;
    return DXT_OK;
}
