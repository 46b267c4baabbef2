/* SPDX-License-Identifier: Apache-2.0 */
/* Windows that are put together of the mails at their ends. */
#include "test_session_mails.h"

#include "alloc_fail.h"
#include "base/base.h"
#include "session/assemble.h"

static const char *const NAMES[] = {"dispatch", "combine", "third"};

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
        cmocka_unit_test(the_delay_of_a_window_is_that_between_its_mails),
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
