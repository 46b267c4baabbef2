/* SPDX-License-Identifier: Apache-2.0 */
#include "session/mail.h"

#include <string.h>

#include <deepxtrace/session.h>

#include "base/base.h"

/* A duration in words, and what the durations of an operator take at the most. */
#define DURATION_WORDS (sizeof(dxt_duration) / sizeof(uint64_t))
#define MOST_DURATION_WORDS (1 + DXT_MAIL_DURATIONS * DURATION_WORDS)

/* Bytes of a mail with so many words behind the counters. */
static size_t size_of(uint32_t operators, uint32_t ranks, size_t words)
{
    return sizeof(dxt_mail_head) +
           (operators * dxt_mail_operator_words(ranks) + words) * sizeof(uint64_t);
}

size_t dxt_session_mail_size(uint32_t operators, uint32_t ranks)
{
    if (operators == 0 || operators > DXT_MAX_OPERATORS || ranks == 0 || ranks > DXT_MAX_RANKS)
        return 0;
    return size_of(operators, ranks, DXT_MAIL_TOKENS);
}

size_t dxt_session_duration_mail_size(uint32_t operators, uint32_t ranks)
{
    size_t size = dxt_session_mail_size(operators, ranks);
    return size > 0 ? size + operators * MOST_DURATION_WORDS * sizeof(uint64_t) : 0;
}

static bool is_printable(unsigned char c)
{
    return c >= 0x20 && c < 0x7f;
}

void dxt_mail_set_text(char *text, size_t capacity, const char *from)
{
    memset(text, 0, capacity);
    for (size_t i = 0; from && from[i] && i + 1 < capacity; i++)
        text[i] = is_printable((unsigned char)from[i]) ? from[i] : '?';
}

static uint64_t *put_operator(uint64_t *word, uint32_t ranks, const dxt_probe *counters,
                              uint32_t index, const dxt_mail_first *first)
{
    const dxt_operator_counters *all = dxt_probe_operator(counters, index);
    const dxt_mail_counts counts = {
        .ops = all->ops, .issued = all->issued, .first_ops = first->ops, .first_wait = first->wait};
    memcpy(word, &counts, sizeof counts);
    word += DXT_MAIL_COUNTS;
    for (uint32_t s = 0; s < ranks; s++) {
        const dxt_cell *cell = dxt_probe_cell(counters, index, s);
        word[(size_t)DXT_MAIL_WAIT * ranks + s] = cell->wait_ticks_sum;
        word[(size_t)DXT_MAIL_SAMPLES * ranks + s] = cell->samples;
        word[(size_t)DXT_MAIL_BYTES * ranks + s] = cell->bytes;
        word[(size_t)DXT_MAIL_LAST * ranks + s] = cell->last_count;
    }
    return word + (size_t)DXT_MAIL_PLANES * ranks;
}

/* Write tokens one by one if there is room; otherwise their sum. @return How many. */
static uint32_t put_tokens(uint64_t *word, const dxt_snapshot *snapshot)
{
    if (!snapshot->tokens || snapshot->tokens_count == 0) return 0;
    bool each = snapshot->tokens_count <= DXT_MAIL_TOKENS;
    word[0] = 0;
    for (uint32_t t = 0; t < snapshot->tokens_count; t++) {
        uint64_t tokens = snapshot->tokens[t] > 0 ? (uint64_t)snapshot->tokens[t] : 0;
        if (each)
            word[t] = tokens;
        else
            word[0] += tokens;
    }
    return each ? snapshot->tokens_count : 1;
}

size_t dxt_mail_encode(uint64_t *mail, const dxt_mail_head *head, const dxt_snapshot *snapshot,
                       const dxt_mail_first *first)
{
    dxt_mail_head full = *head;
    uint32_t ranks = (uint32_t)head->ranks, operators = (uint32_t)head->operators;
    uint64_t *word = mail + sizeof full / sizeof *mail;
    for (uint32_t o = 0; o < operators; o++)
        word = put_operator(word, ranks, snapshot->data, o, &first[o]);
    full.magic = DXT_MAIL_MAGIC;
    full.version = DXT_MAIL_VERSION;
    full.ticks_per_second = snapshot->data->ticks_per_second;
    full.tokens_count = put_tokens(word, snapshot);
    full.local_experts = snapshot->local_experts;
    full.mix = snapshot->mix;
    full.duration_words = 0;
    full.size = size_of(operators, ranks, full.tokens_count);
    memcpy(mail, &full, sizeof full);
    return full.size;
}

/* The place where the durations of the first operator begin. */
static size_t first_duration_word(const dxt_mail_head *head)
{
    return size_of((uint32_t)head->operators, (uint32_t)head->ranks, head->tokens_count) /
           sizeof(uint64_t);
}

/* By how many powers of two the hash of a number can be divided. Python's Sampler has the same, and
 * says why it is one. */
static unsigned thinness(uint64_t number)
{
    uint64_t product = number * UINT64_C(0x9e3779b1);
    uint64_t hash = (product ^ product >> 15) * UINT64_C(0x85ebca77) >> 20;
    return (unsigned)__builtin_ctzll(hash | UINT64_C(1) << 40);
}

/* The smallest thinness that leaves no more durations than a mail holds. */
static unsigned thin_out(const dxt_duration *told, uint32_t count)
{
    uint32_t of[41] = {0};
    unsigned least = 0;
    for (uint32_t k = 0; k < count; k++) of[thinness(told[k].number)]++;
    for (uint32_t left = count; left > DXT_MAIL_DURATIONS; least++) left -= of[least];
    return least;
}

size_t dxt_mail_add_durations(uint64_t *mail, const dxt_probe *probe, const uint64_t *since,
                              uint64_t *next, dxt_duration *scratch)
{
    dxt_mail_head head;
    dxt_mail_get_head(mail, &head);
    uint64_t *begin = mail + first_duration_word(&head), *word = begin;
    for (uint32_t o = 0; o < head.operators; o++) {
        uint32_t count = dxt_probe_read_durations(probe, o, since[o], scratch, probe->durations);
        unsigned least = thin_out(scratch, count);
        if (count > 0) next[o] = scratch[count - 1].number + 1;
        dxt_duration *told = (dxt_duration *)(void *)(word + 1);
        *word = 0;
        for (uint32_t k = 0; k < count; k++)
            if (thinness(scratch[k].number) >= least) told[(*word)++] = scratch[k];
        word += 1 + *word * DURATION_WORDS;
    }
    head.duration_words = (uint64_t)(word - begin);
    head.size += head.duration_words * sizeof(uint64_t);
    memcpy(mail, &head, sizeof head);
    return head.size;
}

const dxt_duration *dxt_mail_durations(const uint64_t *mail, uint32_t index, uint32_t *count)
{
    dxt_mail_head head;
    dxt_mail_get_head(mail, &head);
    *count = 0;
    if (head.duration_words == 0) return NULL;
    const uint64_t *word = mail + first_duration_word(&head);
    while (index-- > 0) word += 1 + *word * DURATION_WORDS;
    *count = (uint32_t)*word;
    return (const dxt_duration *)(const void *)(word + 1);
}

/* Whether the durations of all operators fill their part of the mail. */
static bool are_durations(const uint64_t *mail, const dxt_mail_head *head)
{
    const uint64_t *word = mail + first_duration_word(head);
    uint64_t left = head->duration_words;
    if (left == 0) return true;
    for (uint64_t o = 0; o < head->operators; o++) {
        if (left == 0 || *word > DXT_MAIL_DURATIONS) return false;
        uint64_t taken = 1 + *word * DURATION_WORDS;
        if (taken > left) return false;
        word += taken;
        left -= taken;
    }
    return left == 0;
}

void dxt_mail_get_head(const uint64_t *mail, dxt_mail_head *head)
{
    memcpy(head, mail, sizeof *head);
}

static bool is_text(const char *text, size_t capacity)
{
    size_t length = strnlen(text, capacity);
    for (size_t i = 0; i < length; i++)
        if (!is_printable((unsigned char)text[i])) return false;
    return length < capacity;
}

/* @return What is wrong with where the sender says it runs; NULL = nothing. */
static const char *find_wrong_place(const dxt_mail_head *head)
{
    if (head->node < -1 || head->node > INT32_MAX) return "an impossible node";
    if (head->gpu < -1 || head->gpu > INT32_MAX) return "an impossible GPU";
    if (head->pid < 0 || head->global_rank < -1) return "an impossible process";
    if (!is_text(head->host, sizeof head->host) ||
        !is_text(head->instance, sizeof head->instance) ||
        !is_text(head->uuid, sizeof head->uuid) || !is_text(head->pci, sizeof head->pci))
        return "a name that is not printable text";
    return NULL;
}

/* Version 2 lacks only the last word of the head. */
void dxt_mail_upgrade(uint64_t *mail, size_t capacity, size_t *size)
{
    const size_t head = offsetof(dxt_mail_head, run_delay_ns), more = sizeof(int64_t);
    const int64_t unknown = -1;
    if (*size < head || *size + more > capacity) return;
    if (mail[0] != DXT_MAIL_MAGIC || mail[1] != DXT_MAIL_VERSION - 1 || mail[2] != *size) return;
    char *behind = (char *)mail + head;
    memmove(behind + more, behind, *size - head);
    memcpy(behind, &unknown, more);
    *size += more;
    mail[1] = DXT_MAIL_VERSION;
    mail[2] = *size;
}

/* @return What is wrong, or NULL. */
static const char *find_fault(const dxt_mail_head *head, size_t size, const dxt_mail_head *expect)
{
    if (head->magic != DXT_MAIL_MAGIC) return "no mail, or one of another byte order";
    if (head->version != DXT_MAIL_VERSION) return "a mail of another version";
    if (head->rank != expect->rank) return "a mail of another rank";
    if (head->ranks != expect->ranks) return "a mail of a group of another size";
    if (head->operators != expect->operators) return "a mail of a probe with other operators";
    if (head->sequence != expect->sequence) return "a mail with the number of another";
    if (head->tokens_count > DXT_MAIL_TOKENS || head->local_experts > DXT_MAX_LOCAL_EXPERTS)
        return "an impossible number of experts";
    if (head->duration_words > expect->operators * MOST_DURATION_WORDS)
        return "an impossible number of durations";
    if (head->size != size || size != size_of((uint32_t)expect->operators, (uint32_t)expect->ranks,
                                              head->tokens_count + head->duration_words))
        return "a mail of the wrong size";
    if (head->time_ns < 0 || head->realtime_ns < 0) return "a negative time";
    if (head->ticks_per_second > DXT_MAIL_MAX_RATE) return "an impossible clock rate";
    if (head->run_delay_ns < -1) return "an impossible run delay";
    return find_wrong_place(head);
}

const char *dxt_mail_decode(const uint64_t *mail, size_t size, const dxt_mail_head *expect,
                            dxt_mail_head *head)
{
    const char *fault = "a mail without a head";
    dxt_mail_head read;
    if (size >= sizeof read) {
        dxt_mail_get_head(mail, &read);
        fault = find_fault(&read, size, expect);
        if (!fault && !are_durations(mail, &read)) fault = "durations that are none";
    }
    if (!fault) *head = read;
    return fault;
}
