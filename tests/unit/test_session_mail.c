/* SPDX-License-Identifier: Apache-2.0 */
/* The mail of a session, and what becomes of two mails of every rank. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <deepxtrace/session.h>

#include "alloc_fail.h"
#include "base/base.h"
#include "session/assemble.h"
#include "session/delay.h"
#include "session/mail.h"

static const char *const NAMES[] = {"dispatch", "combine", "third"};

static dxt_mail_head head_of(uint32_t rank, uint32_t ranks, uint32_t operators, uint64_t sequence)
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
static uint64_t *put_in_mail(const dxt_mail_head *head, const dxt_snapshot *snapshot,
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
static size_t plain_size(uint32_t operators, uint32_t ranks)
{
    return dxt_session_mail_size(operators, ranks) - DXT_MAIL_TOKENS * sizeof(uint64_t);
}

/* A mail in which the counters of (operator, source) are n, 2n, 3n and 4n with n = base + 100 o +
 * s, and the operations of an operator 5 × base. */
static uint64_t *new_mail(uint32_t rank, uint32_t ranks, uint32_t operators, uint64_t sequence,
                          uint64_t base)
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

static void sizes_are_in_range(void **state)
{
    (void)state;
    assert_int_equal(dxt_session_mail_size(2, 16), 384 + 2 * 8 * (4 + 4 * 16) + 8 * 256);
    assert_int_equal(dxt_session_mail_size(0, 16), 0);
    assert_int_equal(dxt_session_mail_size(2, 0), 0);
    assert_int_equal(dxt_session_mail_size(DXT_MAX_OPERATORS + 1, 2), 0);
    assert_int_equal(dxt_session_mail_size(2, DXT_MAX_RANKS + 1), 0);
}

static void a_mail_survives_the_way(void **state)
{
    (void)state;
    uint64_t *mail = new_mail(3, 4, 2, 9, 1000);
    dxt_mail_head expect = head_of(3, 4, 2, 9), head;
    assert_null(dxt_mail_decode(mail, plain_size(2, 4), &expect, &head));
    assert_int_equal(head.ticks_per_second, 1000000003);
    assert_int_equal(head.time_ns, 3250000000);
    assert_int_equal(head.node, 1);
    assert_string_equal(head.host, "host-7");
    assert_string_equal(head.instance, "job");
    assert_string_equal(head.uuid, "GPU-5f0c");
    assert_string_equal(head.pci, "0000:3b:00.0");
    assert_int_equal(head.pid, 77);
    assert_int_equal(head.global_rank, 103);
    assert_int_equal(head.gpu, 3);
    assert_int_equal(head.run_delay_ns, 9000000);
    assert_int_equal(dxt_mail_get_counts(mail, 4, 1).ops, 5000);
    assert_int_equal(dxt_mail_plane(mail, 4, 1, DXT_MAIL_WAIT)[2], 1102);
    assert_int_equal(dxt_mail_plane(mail, 4, 1, DXT_MAIL_SAMPLES)[2], 2204);
    assert_int_equal(dxt_mail_plane(mail, 4, 1, DXT_MAIL_BYTES)[2], 3306);
    assert_int_equal(dxt_mail_plane(mail, 4, 1, DXT_MAIL_LAST)[3], 4412);
    free(mail);
}

/* What a rank with an older library sends: the same without the last word of the head. */
static size_t make_older(uint64_t *mail, size_t size)
{
    char *from = (char *)mail + sizeof(dxt_mail_head);
    memmove(from - 8, from, size - sizeof(dxt_mail_head));
    mail[1] = 2;
    mail[2] = size - 8;
    return size - 8;
}

static void mails_of_the_version_before_are_read(void **state)
{
    (void)state;
    uint64_t *mail = new_mail(3, 4, 2, 9, 1000);
    size_t whole = plain_size(2, 4), size = make_older(mail, whole);
    dxt_mail_head expect = head_of(3, 4, 2, 9), head;
    assert_string_equal(dxt_mail_decode(mail, size, &expect, &head), "a mail of another version");
    dxt_mail_upgrade(mail, whole, &size);
    assert_int_equal(size, whole);
    assert_null(dxt_mail_decode(mail, size, &expect, &head));
    assert_int_equal(head.run_delay_ns, -1);
    assert_string_equal(head.pci, "0000:3b:00.0");
    assert_int_equal(dxt_mail_get_counts(mail, 4, 1).ops, 5000);
    assert_int_equal(dxt_mail_plane(mail, 4, 1, DXT_MAIL_LAST)[3], 4412);
    free(mail);
}

static void what_is_no_older_mail_stays_as_it_is(void **state)
{
    (void)state;
    uint64_t *mail = new_mail(3, 4, 2, 9, 1000), *copy;
    size_t whole = plain_size(2, 4), older = make_older(mail, whole);
    const struct {
        size_t word;
        uint64_t value; /* instead of what is there */
        size_t capacity, size;
    } cases[] = {{1, 2, older, older}, /* there is no room */
                 {1, 1, whole, older}, /* still older */
                 {1, 3, whole, older},
                 {0, 7, whole, older},
                 {2, older + 8, whole, older}, /* of another size than it says */
                 {1, 2, whole, 8},
                 {1, 2, whole, sizeof(dxt_mail_head) - 16},
                 {1, 2, 0, older}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = cases[i].size;
        copy = malloc(whole);
        assert_non_null(copy);
        memcpy(copy, mail, older);
        copy[cases[i].word] = cases[i].value;
        uint64_t word[3] = {copy[0], copy[1], copy[2]};
        dxt_mail_upgrade(copy, cases[i].capacity, &size);
        assert_int_equal(size, cases[i].size);
        assert_memory_equal(copy, word, sizeof word);
        assert_memory_equal(copy + 3, mail + 3, older - sizeof word);
        free(copy);
    }
    free(mail);
}

static void the_time_waited_for_a_core_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t delay_ns;
    } cases[] = {{"663253 396753 2\n", 396753},
                 {"1 0 1\n", 0},
                 {"0 0 0\n", -1}, /* a kernel that does not count */
                 {"12 99999999999999999999 4\n", -1},
                 {"12 9223372036854775808 4\n", -1},
                 {"12 9223372036854775807 4\n", INT64_MAX},
                 {"12 13", -1}, /* cut off */
                 {"12\n", -1},
                 {"", -1},
                 {"x y z\n", -1},
                 {"12 x 3\n", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(dxt_delay_parse(cases[i].text), cases[i].delay_ns);
    dxt_delay delay;
    setenv("DEEPXTRACE_RUN_DELAY", "0", 1);
    dxt_delay_start(&delay, true);
    assert_int_equal(dxt_delay_read(&delay), -1);
    setenv("DEEPXTRACE_RUN_DELAY", "1", 1);
    dxt_delay_start(&delay, true);
    int64_t before_ns = dxt_delay_read(&delay), now_ns = dxt_delay_read(&delay);
    assert_true(before_ns >= -1 && now_ns >= before_ns);
    /* Another thread than the last time. */
    delay.before++;
    assert_int_equal(dxt_delay_read(&delay), -1);
    assert_true(dxt_delay_read(&delay) >= before_ns);
    /* One that is not there. */
    delay = (dxt_delay){.thread = INT32_MAX};
    assert_int_equal(dxt_delay_read(&delay), -1);
}

static void texts_are_cut_and_cleaned(void **state)
{
    (void)state;
    char text[DXT_MAIL_TEXT];
    dxt_mail_set_text(text, sizeof text, NULL);
    assert_string_equal(text, "");
    dxt_mail_set_text(text, sizeof text, "a\tb\x80 c");
    assert_string_equal(text, "a?b? c");
    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[199] = '\0';
    dxt_mail_set_text(text, sizeof text, longest);
    assert_int_equal(strlen(text), DXT_MAIL_TEXT - 1);
}

static void malformed_mails_are_refused(void **state)
{
    (void)state;
    size_t size = plain_size(2, 4);
    dxt_mail_head expect = head_of(3, 4, 2, 9), kept, head;
    memset(&head, 7, sizeof head);
    kept = head;
    uint64_t *good = new_mail(3, 4, 2, 9, 1000), *mail = malloc(size);
    static const struct {
        size_t offset;
        uint64_t value;
        const char *reason;
    } cases[] = {
        {offsetof(dxt_mail_head, magic), 0x44585444, "byte order"},
        {offsetof(dxt_mail_head, version), 1, "version"},
        {offsetof(dxt_mail_head, tokens_count), 1, "wrong size"},
        {offsetof(dxt_mail_head, tokens_count), DXT_MAIL_TOKENS + 1, "number of experts"},
        {offsetof(dxt_mail_head, local_experts), DXT_MAX_LOCAL_EXPERTS + 1, "number of experts"},
        {offsetof(dxt_mail_head, gpu), UINT64_C(1) << 31, "GPU"},
        {offsetof(dxt_mail_head, pid), UINT64_MAX, "process"},
        {offsetof(dxt_mail_head, global_rank), UINT64_MAX - 1, "process"},
        {offsetof(dxt_mail_head, uuid), 0x0a0a0a0a, "text"},
        {offsetof(dxt_mail_head, pci), 0x0a0a0a0a, "text"},
        {offsetof(dxt_mail_head, size), 1, "wrong size"},
        {offsetof(dxt_mail_head, rank), 2, "another rank"},
        {offsetof(dxt_mail_head, ranks), 5, "another size"},
        {offsetof(dxt_mail_head, operators), 3, "operators"},
        {offsetof(dxt_mail_head, sequence), 10, "another time"},
        {offsetof(dxt_mail_head, time_ns), UINT64_MAX, "before all time"},
        {offsetof(dxt_mail_head, realtime_ns), UINT64_C(1) << 63, "before all time"},
        {offsetof(dxt_mail_head, ticks_per_second), 0, NULL}, /* unknown */
        {offsetof(dxt_mail_head, ticks_per_second), DXT_MAIL_MAX_RATE + 1, "clock rate"},
        {offsetof(dxt_mail_head, node), UINT64_MAX - 1, "node"},
        {offsetof(dxt_mail_head, node), UINT64_C(1) << 31, "node"},
        {offsetof(dxt_mail_head, run_delay_ns), UINT64_MAX, NULL}, /* unknown */
        {offsetof(dxt_mail_head, run_delay_ns), UINT64_MAX - 1, "run delay"},
        {offsetof(dxt_mail_head, host), 0x0a0a0a0a, "text"},
        {offsetof(dxt_mail_head, instance) + 8, UINT64_MAX, NULL}, /* behind the terminator */
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        memcpy(mail, good, size);
        memcpy((char *)mail + cases[c].offset, &cases[c].value, sizeof cases[c].value);
        dxt_mail_head out = kept;
        const char *why = dxt_mail_decode(mail, size, &expect, &out);
        assert_int_equal(why != NULL, cases[c].reason != NULL);
        if (!why) continue;
        assert_non_null(strstr(why, cases[c].reason));
        assert_memory_equal(&out, &kept, sizeof out);
    }
    memcpy(mail, good, size);
    memset((char *)mail + offsetof(dxt_mail_head, host), 'h', DXT_MAIL_TEXT); /* no terminator */
    assert_non_null(dxt_mail_decode(mail, size, &expect, &head));
    for (size_t cut = 0; cut < size; cut += 8)
        assert_non_null(dxt_mail_decode(good, cut, &expect, &head));
    free(good);
    free(mail);
}

/* ------------------------------------------------------------------ windows --- */

enum { MOST = 8 };

struct fixture {
    uint64_t *before[MOST], *after[MOST];
    dxt_identity identities[MOST];
    dxt_assembly assembly;
    dxt_assembler *assembler;
};

static void set_up(struct fixture *f, uint32_t ranks, uint32_t operators)
{
    memset(f, 0, sizeof *f);
    for (uint32_t r = 0; r < ranks; r++) {
        f->before[r] = new_mail(r, ranks, operators, 3, 1000);
        f->after[r] = new_mail(r, ranks, operators, 4, 1000 + 10 * (r + 1));
        f->identities[r] =
            (dxt_identity){.known = true, .ticks_per_second = 1000 + r, .node = (int32_t)r / 2};
        strcpy(f->identities[r].device.host, r < 2 ? "left" : "right");
    }
    f->assembly = (dxt_assembly){.ranks = ranks,
                                 .operators = operators,
                                 .names = NAMES,
                                 .before = (const uint64_t *const *)f->before,
                                 .after = (const uint64_t *const *)f->after,
                                 .identities = f->identities,
                                 .index = 5,
                                 .instance = "job",
                                 .source = "a test"};
    assert_int_equal(dxt_assembler_create(ranks, operators, &f->assembler), DXT_OK);
}

static void tear_down(struct fixture *f)
{
    dxt_assembler_destroy(f->assembler);
    for (int r = 0; r < MOST; r++) {
        free(f->before[r]);
        free(f->after[r]);
    }
}

static void windows_hold_the_differences(void **state)
{
    (void)state;
    struct fixture f;
    const dxt_window *windows[3];
    set_up(&f, 4, 3);
    dxt_assemble(f.assembler, &f.assembly, windows);
    for (uint32_t o = 0; o < 3; o++) {
        const dxt_window *w = windows[o];
        assert_int_equal(dxt_window_check(w), DXT_OK);
        assert_string_equal(w->phase, NAMES[o]);
        assert_int_equal(w->ranks, 4);
        assert_int_equal(w->unit, DXT_UNIT_CYCLES);
        assert_int_equal(w->index, 5);
        assert_int_equal(w->elapsed_ns, 250000000);
        assert_string_equal(w->begin, "2025-09-15T16:28:53.686Z");
        assert_string_equal(w->instance, "job");
        assert_string_equal(w->source, "a test");
        assert_int_equal(w->ops, 150); /* of 50, 100, 150 and 200 */
        for (uint32_t r = 0; r < 4; r++) {
            assert_int_equal(w->missing[r], 0);
            assert_true(w->ticks_per_second[r] == 1000 + r);
            assert_int_equal(w->nodes[r], r / 2);
            assert_string_equal(w->hosts[r], r < 2 ? "left" : "right");
            for (uint32_t c = 0; c < 4; c++) {
                assert_int_equal(w->wait[4 * r + c], 10 * (r + 1));
                assert_int_equal(w->samples[4 * r + c], 20 * (r + 1));
                assert_int_equal(w->bytes[4 * r + c], 30 * (r + 1));
                assert_int_equal(w->last[4 * r + c], 40 * (r + 1));
            }
        }
    }
    tear_down(&f);
}

/* There is no row 2, but the others: it is missing and holds zeros, or, where there is a mail or an
 * excuse, not observed. */
static void check_row_2_missing(const struct fixture *f)
{
    const dxt_window *windows[3];
    bool excused = f->assembly.excused || f->after[2];
    dxt_assemble(f->assembler, &f->assembly, windows);
    for (uint32_t o = 0; o < 3; o++) {
        assert_int_equal(dxt_window_check(windows[o]), DXT_OK);
        for (uint32_t r = 0; r < 4; r++) {
            int64_t wait = r != 2 ? 10 * (r + 1) : excused ? DXT_NOT_OBSERVED : 0;
            assert_int_equal(windows[o]->missing[r], r == 2 && !excused);
            for (uint32_t c = 0; c < 4; c++) assert_int_equal(windows[o]->wait[4 * r + c], wait);
        }
        assert_int_equal(windows[o]->ops, 100); /* of 50, 100 and 200 */
    }
}

static void check_row_2_after_loss(struct fixture *f)
{
    static const uint8_t excused[] = {0, 0, 1, 0};
    uint64_t *kept = f->after[2];
    f->after[2] = NULL;
    check_row_2_missing(f);
    f->assembly.excused = excused;
    check_row_2_missing(f);
    f->assembly.excused = NULL;
    f->after[2] = kept;
}

static void rows_without_two_mails_are_missing(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 4, 3);
    uint64_t *kept = f.before[2];
    f.before[2] = NULL;
    check_row_2_missing(&f);
    f.before[2] = kept;
    check_row_2_after_loss(&f);
    /* Backwards anywhere, or further than a window can tell: a rank that was restarted. */
    size_t words = plain_size(3, 4) / 8;
    for (size_t w = sizeof(dxt_mail_head) / 8; w < words; w += 3) {
        /* What was issued, and the first step, are no reason. */
        size_t word = (w - sizeof(dxt_mail_head) / 8) % dxt_mail_operator_words(4);
        if (word >= 1 && word < DXT_MAIL_COUNTS) continue;
        uint64_t value = f.after[2][w];
        f.after[2][w] = f.before[2][w] - 1;
        check_row_2_missing(&f);
        f.after[2][w] = f.before[2][w] + (UINT64_C(1) << 63);
        check_row_2_missing(&f);
        f.after[2][w] = value;
    }
    f.after[2][offsetof(dxt_mail_head, ticks_per_second) / 8]++;
    check_row_2_missing(&f);
    f.after[2][offsetof(dxt_mail_head, ticks_per_second) / 8]--;
    f.after[2][offsetof(dxt_mail_head, time_ns) / 8] = 5;
    check_row_2_missing(&f);
    tear_down(&f);
}

static void ranks_of_a_host_are_a_node(void **state)
{
    (void)state;
    static const struct {
        const char *hosts[4];
        int32_t nodes[4];
        bool known;
    } cases[] = {{{"a", "a", "b", "b"}, {0, 0, 1, 1}, true},
                 {{"b", "a", "a", "b"}, {0, 1, 1, 0}, true},
                 {{"a", "a", "a", "a"}, {0, 0, 0, 0}, true},
                 {{"a", "b", "c", "d"}, {0}, false}, /* a container each: no nodes to speak of */
                 {{"a", "a", "", "b"}, {0}, false}};
    struct fixture f;
    const dxt_window *window;
    set_up(&f, 4, 1);
    f.identities[2].node = -1; /* not all say their node */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint32_t r = 0; r < 4; r++) strcpy(f.identities[r].device.host, cases[i].hosts[r]);
        dxt_assemble(f.assembler, &f.assembly, &window);
        assert_int_equal(window->nodes != NULL, cases[i].known);
        for (uint32_t r = 0; r < 4 && cases[i].known; r++)
            assert_int_equal(window->nodes[r], cases[i].nodes[r]);
    }
    tear_down(&f);
}

static void what_is_unknown_is_left_out(void **state)
{
    (void)state;
    struct fixture f;
    const dxt_window *window;
    set_up(&f, 4, 1);
    f.identities[3] = (dxt_identity){.known = false, .node = -1};
    free(f.before[3]);
    f.before[3] = NULL;
    f.assembly.instance = "";
    f.assembly.source = NULL;
    dxt_assemble(f.assembler, &f.assembly, &window);
    assert_int_equal(dxt_window_check(window), DXT_OK);
    assert_null(window->nodes);
    assert_null(window->hosts);
    assert_null(window->instance);
    assert_null(window->source);
    assert_true(window->ticks_per_second[3] == 1000);
    f.identities[3] = (dxt_identity){.known = true, .ticks_per_second = 1, .node = -1};
    free(f.after[0]);
    f.after[0] = NULL;
    dxt_assemble(f.assembler, &f.assembly, &window);
    assert_null(window->nodes);
    assert_null(window->hosts);
    assert_null(window->begin);
    assert_int_equal(window->elapsed_ns, 0);
    f.identities[1].ticks_per_second = 0; /* of a row that is there */
    dxt_assemble(f.assembler, &f.assembly, &window);
    assert_int_equal(dxt_window_check(window), DXT_OK);
    assert_null(window->ticks_per_second);
    f.identities[1].ticks_per_second = 1001;
    f.identities[0].ticks_per_second = 0; /* of one that is not */
    dxt_assemble(f.assembler, &f.assembly, &window);
    assert_int_equal(dxt_window_check(window), DXT_OK);
    assert_true(window->ticks_per_second[0] == 1001);
    for (int r = 0; r < 4; r++) {
        free(f.after[r]);
        f.after[r] = NULL;
        f.identities[r] = (dxt_identity){.known = false};
    }
    dxt_assemble(f.assembler, &f.assembly, &window);
    assert_int_equal(dxt_window_check(window), DXT_OK);
    assert_int_equal(window->ops, 0);
    assert_null(window->ticks_per_second);
    tear_down(&f);
}

static void put_delay(uint64_t *mail, int64_t delay_ns)
{
    memcpy(mail + offsetof(dxt_mail_head, run_delay_ns) / sizeof *mail, &delay_ns, sizeof delay_ns);
}

static void the_delay_of_a_window_is_that_between_its_mails(void **state)
{
    (void)state;
    struct fixture f;
    const dxt_window *window;
    set_up(&f, 4, 1);
    put_delay(f.before[0], 100), put_delay(f.after[0], 350);
    put_delay(f.before[1], -1), put_delay(f.after[1], 350); /* began to be known */
    put_delay(f.before[2], 100), put_delay(f.after[2], -1);
    put_delay(f.before[3], 100), put_delay(f.after[3], 99); /* another thread */
    dxt_assemble(f.assembler, &f.assembly, &window);
    assert_int_equal(dxt_window_check(window), DXT_OK);
    assert_non_null(window->run_delay_ns);
    assert_int_equal(window->run_delay_ns[0], 250);
    for (int r = 1; r < 4; r++) assert_int_equal(window->run_delay_ns[r], DXT_NOT_OBSERVED);
    put_delay(f.after[0], -1);
    dxt_assemble(f.assembler, &f.assembly, &window);
    assert_null(window->run_delay_ns);
    tear_down(&f);
}

static void clear_plane(uint64_t *mail, enum dxt_mail_plane plane)
{
    memset((uint64_t *)dxt_mail_plane(mail, 4, 0, plane), 0, 4 * sizeof *mail);
}

/* Foreign counters hold waits alone. A plane that was counted before this window is not left out.
 */
static void what_nobody_counts_is_left_out(void **state)
{
    (void)state;
    struct fixture f;
    const dxt_window *window;
    set_up(&f, 4, 1);
    for (int r = 0; r < 4; r++) {
        for (int p = DXT_MAIL_SAMPLES; p <= DXT_MAIL_LAST; p++) clear_plane(f.before[r], p);
        clear_plane(f.after[r], DXT_MAIL_SAMPLES);
        if (r != 3) clear_plane(f.after[r], DXT_MAIL_BYTES);
        clear_plane(f.after[r], DXT_MAIL_LAST);
    }
    ((uint64_t *)dxt_mail_plane(f.before[1], 4, 0, DXT_MAIL_LAST))[2] = 9;
    ((uint64_t *)dxt_mail_plane(f.after[1], 4, 0, DXT_MAIL_LAST))[2] = 9;
    dxt_assemble(f.assembler, &f.assembly, &window);
    assert_int_equal(dxt_window_check(window), DXT_OK);
    assert_null(window->samples);
    assert_non_null(window->bytes);
    assert_non_null(window->last);
    assert_int_equal(window->last[6], 0);
    assert_true(dxt_window_value(window, 1, 0) > 0);
    free(f.before[3]); /* the row with bytes is missing */
    f.before[3] = NULL;
    dxt_assemble(f.assembler, &f.assembly, &window);
    assert_int_equal(dxt_window_check(window), DXT_OK);
    assert_null(window->bytes);
    tear_down(&f);
}

/* What was in the memory before must not show. */
static void windows_share_their_memory_with_those_before(void **state)
{
    (void)state;
    struct fixture f;
    const dxt_window *windows[3];
    set_up(&f, 4, 3);
    alloc_count_begin();
    dxt_assemble(f.assembler, &f.assembly, windows);
    const int64_t *wait = windows[1]->wait;
    check_row_2_after_loss(&f);
    dxt_assemble(f.assembler, &f.assembly, windows);
    assert_int_equal(alloc_count(), 0);
    assert_ptr_equal(windows[1]->wait, wait);
    assert_int_equal(windows[1]->missing[2], 0);
    assert_int_equal(windows[1]->last[8], 120);
    tear_down(&f);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    dxt_assembler *assembler = NULL;
    long k = 1;
    dxt_status status;
    for (; alloc_fail_arm(k), status = dxt_assembler_create(4, 2, &assembler), alloc_fail_disarm();
         k++) {
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
        assert_null(assembler);
    }
    assert_int_equal(status, DXT_OK);
    assert_true(k > 8);
    dxt_assembler_destroy(assembler);
    dxt_assembler_destroy(NULL);
}

/* 2048 ranks: right at the far corner, and the time it takes. The mails of all ranks are the same
 * two, so that the test needs memory for the windows only. */
static void two_thousand_ranks(void **state)
{
    (void)state;
    enum { N = 2048 };
    uint64_t *before = new_mail(0, N, 2, 0, 0), *after = new_mail(0, N, 2, 1, 7);
    const uint64_t **from = malloc(N * sizeof *from), **to = malloc(N * sizeof *to);
    dxt_identity *identities = calloc(N, sizeof *identities);
    for (uint32_t r = 0; r < N; r++) {
        from[r] = before;
        to[r] = after;
        identities[r] = (dxt_identity){.known = true, .ticks_per_second = 1000000000};
    }
    dxt_assembly assembly = {.ranks = N,
                             .operators = 2,
                             .names = NAMES,
                             .before = from,
                             .after = to,
                             .identities = identities};
    dxt_assembler *assembler;
    const dxt_window *windows[2];
    assert_int_equal(dxt_assembler_create(N, 2, &assembler), DXT_OK);
    for (int again = 0; again < 2; again++) {
        int64_t begin = dxt_now_ns();
        dxt_assemble(assembler, &assembly, windows);
        print_message("2 windows of %d ranks: %.0f ms\n", N, 1e-6 * (double)(dxt_now_ns() - begin));
    }
    size_t last = (size_t)N * N - 1;
    assert_int_equal(windows[0]->wait[last], 7 + N - 1);
    assert_int_equal(windows[1]->last[last], 4 * (107 + N - 1));
    assert_int_equal(windows[1]->ops, 35);
    dxt_assembler_destroy(assembler);
    free(identities);
    free(from);
    free(to);
    free(before);
    free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_in_range),
        cmocka_unit_test(a_mail_survives_the_way),
        cmocka_unit_test(mails_of_the_version_before_are_read),
        cmocka_unit_test(what_is_no_older_mail_stays_as_it_is),
        cmocka_unit_test(the_time_waited_for_a_core_is_read),
        cmocka_unit_test(the_delay_of_a_window_is_that_between_its_mails),
        cmocka_unit_test(texts_are_cut_and_cleaned),
        cmocka_unit_test(malformed_mails_are_refused),
        cmocka_unit_test(windows_hold_the_differences),
        cmocka_unit_test(rows_without_two_mails_are_missing),
        cmocka_unit_test(ranks_of_a_host_are_a_node),
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(what_nobody_counts_is_left_out),
        cmocka_unit_test(windows_share_their_memory_with_those_before),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(two_thousand_ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
