/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "confirm.h"
#include "job.h"
#include "load.h"
#include "sum.h"

/* ---- the verdict over the whole run ---- */

static dxt_finding about(dxt_finding_kind kind, uint32_t rank, uint32_t source)
{
    return (dxt_finding){
        .kind = kind, .rank = rank, .source = source, .node = -1, .source_node = -1};
}

static dxt_findings with(const dxt_finding *findings, size_t count)
{
    static const double nobody_late[8] = {0};
    return (dxt_findings){.struct_size = sizeof(dxt_findings),
                          .ranks = 8,
                          .verdict = count ? DXT_VERDICT_SLOW : DXT_VERDICT_HEALTHY,
                          .findings = findings,
                          .finding_count = count,
                          .lateness = nobody_late,
                          .lateness_error = nobody_late};
}

/* A run of windows of which this is said. */
static dxt_history *history_of(const dxt_findings *findings, size_t count)
{
    dxt_history *history = NULL;
    dxt_window *window = NULL;
    assert_int_equal(dxt_history_create(NULL, &history), DXT_OK);
    assert_int_equal(dxt_window_create(8, "combine", &window), DXT_OK);
    for (size_t w = 0; w < count; w++) {
        dxt_findings *judged = NULL;
        window->index = (int64_t)w;
        assert_int_equal(dxt_history_judge(history, window, &findings[w], &judged), DXT_OK);
        assert_int_equal(judged->finding_count, findings[w].finding_count);
        dxt_findings_free(judged);
    }
    dxt_window_free(window);
    return history;
}

static void what_happened_once_is_not_the_verdict(void **state)
{
    (void)state;
    const dxt_finding late = about(DXT_LATE_RANK, 2, DXT_NO_RANK);
    const dxt_finding hot = about(DXT_HOT_EXPERT, 2, DXT_NO_RANK);
    const dxt_finding once = about(DXT_LATE_RANK, 5, DXT_NO_RANK);
    const dxt_finding first[] = {late, once}, sum[] = {late, once};
    const dxt_abnormal_axis cols[] = {{2, 9, 9}, {5, 8, 8}, {6, 7, 7}};
    const dxt_findings windows[] = {with(first, 2), with(&hot, 1), with(NULL, 0)};
    dxt_history *history = history_of(windows, 3);
    dxt_findings whole = with(sum, 2), confirmed;
    whole.cols = cols;
    whole.col_count = 3;
    assert_int_equal(job_confirm(history, "combine", &whole, &confirmed), DXT_OK);
    assert_int_equal(confirmed.finding_count, 1);
    assert_int_equal(confirmed.findings[0].rank, 2);
    assert_int_equal(confirmed.verdict, DXT_VERDICT_SLOW);
    assert_int_equal(confirmed.col_count, 2);
    assert_int_equal(confirmed.cols[1].rank, 6);
    confirmed_free(&confirmed);
    /* The other operator has named nobody. */
    assert_int_equal(job_confirm(history, "dispatch", &whole, &confirmed), DXT_OK);
    assert_int_equal(confirmed.finding_count, 0);
    confirmed_free(&confirmed);
    dxt_history_destroy(history);
}

static void a_run_in_which_nothing_lasts_is_healthy(void **state)
{
    (void)state;
    const dxt_finding path = about(DXT_SLOW_PATH, 1, 3), other = about(DXT_SLOW_PATH, 1, 4);
    const dxt_findings windows[] = {with(&path, 1), with(&other, 1), with(&other, 1)};
    dxt_history *history = history_of(windows, 3);
    dxt_findings whole = with(&path, 1), confirmed;
    assert_int_equal(job_confirm(history, "combine", &whole, &confirmed), DXT_OK);
    assert_int_equal(confirmed.finding_count, 0);
    assert_int_equal(confirmed.verdict, DXT_VERDICT_HEALTHY);
    confirmed_free(&confirmed);
    dxt_history_destroy(history);
}

static void a_silent_rank_is_always_named(void **state)
{
    (void)state;
    const dxt_finding silent = about(DXT_SILENT_RANK, 7, DXT_NO_RANK);
    const dxt_findings windows[] = {with(NULL, 0), with(NULL, 0), with(&silent, 1)};
    dxt_history *history = history_of(windows, 3);
    dxt_findings whole = with(&silent, 1), confirmed;
    assert_int_equal(job_confirm(history, "combine", &whole, &confirmed), DXT_OK);
    assert_int_equal(confirmed.finding_count, 1);
    confirmed_free(&confirmed);
    dxt_history_destroy(history);
}

/* ---- the sum of the windows ---- */

static dxt_window *window_of(int64_t ops)
{
    dxt_window *window = NULL;
    assert_int_equal(dxt_window_create(3, "dispatch", &window), DXT_OK);
    window->index = 4;
    window->ops = window->samples_each = ops;
    window->elapsed_ns = 1000;
    for (size_t c = 0; c < 9; c++) window->wait[c] = ops ? (int64_t)c + 1 : 0;
    window->last = calloc(9, sizeof *window->last);
    assert_non_null(window->last);
    return window;
}

static void add(job_sum *sum, int64_t ops, int silent)
{
    dxt_window *window = window_of(ops);
    if (silent >= 0) {
        window->missing = calloc(3, 1);
        assert_non_null(window->missing);
        window->missing[silent] = 1;
        for (int c = 0; c < 3; c++) window->wait[3 * silent + c] = 0;
    }
    assert_int_equal(job_sum_add(sum, window), DXT_OK);
    dxt_window_free(window);
}

static void an_empty_window_takes_nothing_from_the_sum(void **state)
{
    (void)state;
    static job_sum sum;
    memset(&sum, 0, sizeof sum);
    add(&sum, 0, -1);
    assert_null(sum.window);
    add(&sum, 5, -1);
    add(&sum, 0, 2);
    add(&sum, 7, -1);
    assert_int_equal(job_sum_end(&sum), DXT_OK);
    assert_int_equal(sum.window->index, -1);
    assert_int_equal(sum.window->ops, 12);
    assert_int_equal(sum.window->samples_each, 12);
    assert_int_equal(sum.window->elapsed_ns, 2000);
    assert_int_equal(sum.window->wait[5], 12);
    /* Who was silent in the empty one is silent in the whole. */
    assert_non_null(sum.window->missing);
    assert_int_equal(sum.window->missing[1], 0);
    assert_int_equal(sum.window->missing[2], 1);
    assert_int_equal(sum.window->wait[8], 0);
    dxt_window_free(sum.window);
}

static void a_sum_of_nothing_stays_empty(void **state)
{
    (void)state;
    static job_sum sum;
    memset(&sum, 0, sizeof sum);
    add(&sum, 0, 1);
    assert_int_equal(job_sum_end(&sum), DXT_OK);
    assert_null(sum.window);
}

/* ---- the load ---- */

enum { TOKENS = 64, HIDDEN = 256 };

/* One rank that is a whole group: what it sends comes home. */
static dxt_ep *lonely_engine(uint32_t experts, uint32_t topk, void **memory, size_t *size)
{
    dxt_ep_config config = {.struct_size = sizeof config,
                            .ranks = 1,
                            .max_tokens = TOKENS,
                            .hidden = HIDDEN,
                            .experts = experts,
                            .max_topk = topk,
                            .fd = -1};
    dxt_ep *ep = NULL;
    assert_int_equal(dxt_ep_buffer_size(&config, size), DXT_OK);
    *memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(*memory != MAP_FAILED);
    config.memory = *memory;
    assert_int_equal(dxt_ep_create(&config, &ep), DXT_OK);
    return ep;
}

static void the_check_passes_what_is_right_and_nothing_else(void **state)
{
    (void)state;
    void *memory;
    size_t size;
    const load_shape shape = {.ranks = 1,
                              .tokens = TOKENS,
                              .hidden = HIDDEN,
                              .experts = 8,
                              .topk = 4,
                              .hot_rank = DXT_NO_RANK,
                              .seed = 3};
    dxt_ep *ep = lonely_engine(8, 4, &memory, &size);
    rank_load *load = load_create(&shape, 0);
    assert_non_null(load);
    load_route(load, 5);
    assert_int_equal(load_dispatch_send(load, ep), DXT_OK);
    assert_int_equal(dxt_ep_dispatch_recv(ep), DXT_OK);
    assert_int_equal(load_received(load), TOKENS * 4);
    assert_null(load_check_dispatch(load, 5));
    assert_non_null(load_check_dispatch(load, 6));
    load_experts(load, true);
    assert_int_equal(load_combine_send(load, ep), DXT_OK);
    assert_int_equal(dxt_ep_combine_recv(ep), DXT_OK);
    assert_null(load_check_combine(load));
    load_route(load, 6); /* other weights belong to these routes */
    assert_non_null(load_check_combine(load));
    load_destroy(load);
    dxt_ep_destroy(ep);
    munmap(memory, size);
}

static void random_numbers_repeat_and_differ(void **state)
{
    (void)state;
    random_state a = random_for(1, 2, 3), b = random_for(1, 2, 3), c = random_for(1, 2, 4);
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
        double unit = random_unit(&a);
        assert_true(unit >= 0 && unit < 1);
        assert_true(unit == random_unit(&b));
        assert_true(unit != random_unit(&c));
        sum += unit;
    }
    assert_true(sum > 450 && sum < 550);
}

/* Ranks that begin and complete steps in any order that operations allow: nobody completes a step
 * that not all have begun, nor begins one without having completed the one `ahead` before. */
enum { RANKS = 5 };

static void end_at_random(uint64_t ahead, uint64_t seed)
{
    job_control control = {.last_step = UINT64_MAX};
    job run = {.control = &control, .shape = {.ranks = RANKS}};
    random_state random = random_for(seed, ahead, 0);
    uint64_t begun[RANKS] = {0}, completed[RANKS] = {0}, ended_at[RANKS];
    bool ended[RANKS] = {false};
    uint64_t turns = 0, stop_turn = random_next(&random) % 300;
    for (uint32_t living = RANKS; living > 0; turns++) {
        assert_true(turns < 100000);
        if (turns == stop_turn) job_stop(&control);
        uint32_t r = (uint32_t)(random_next(&random) % RANKS);
        uint64_t slowest = UINT64_MAX;
        for (uint32_t other = 0; other < RANKS; other++)
            if (begun[other] < slowest) slowest = begun[other];
        if (completed[r] < begun[r] && completed[r] < slowest && random_next(&random) % 2) {
            completed[r]++;
        } else if (!ended[r] && begun[r] < completed[r] + ahead) {
            ended[r] = job_ended(&run, begun[r], ahead);
            ended_at[r] = begun[r];
            if (ended[r])
                living--;
            else
                begun[r]++;
        }
    }
    for (uint32_t r = 1; r < RANKS; r++) assert_int_equal(ended_at[r], ended_at[0]);
    assert_true(ended_at[0] <= stop_turn + 2 * ahead + 2);
}

static void all_ranks_end_after_the_same_step(void **state)
{
    (void)state;
    for (uint64_t ahead = 1; ahead <= 4; ahead++)
        for (uint64_t seed = 0; seed < 500; seed++) end_at_random(ahead, seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_happened_once_is_not_the_verdict),
        cmocka_unit_test(a_run_in_which_nothing_lasts_is_healthy),
        cmocka_unit_test(a_silent_rank_is_always_named),
        cmocka_unit_test(an_empty_window_takes_nothing_from_the_sum),
        cmocka_unit_test(a_sum_of_nothing_stays_empty),
        cmocka_unit_test(the_check_passes_what_is_right_and_nothing_else),
        cmocka_unit_test(random_numbers_repeat_and_differ),
        cmocka_unit_test(all_ranks_end_after_the_same_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
