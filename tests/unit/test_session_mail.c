/* SPDX-License-Identifier: Apache-2.0 */
/* Mails: what survives the way, those of the version before, what is refused. */
#include "test_session_mails.h"

#include "base/base.h"
#include "session/delay.h"

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
        {offsetof(dxt_mail_head, sequence), 10, "number of another"},
        {offsetof(dxt_mail_head, time_ns), UINT64_MAX, "a negative time"},
        {offsetof(dxt_mail_head, realtime_ns), UINT64_C(1) << 63, "a negative time"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_in_range),
        cmocka_unit_test(a_mail_survives_the_way),
        cmocka_unit_test(mails_of_the_version_before_are_read),
        cmocka_unit_test(what_is_no_older_mail_stays_as_it_is),
        cmocka_unit_test(the_time_waited_for_a_core_is_read),
        cmocka_unit_test(texts_are_cut_and_cleaned),
        cmocka_unit_test(malformed_mails_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
