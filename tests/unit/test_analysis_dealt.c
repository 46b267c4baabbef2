/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a job does not depend on how its ranks are dealt to its nodes. */
#include <stdlib.h>

#include "judged.h"

enum fault { LATE, SENDS, RECEIVES, UPLINK, LATE_NODE, FAULTS };

static uint32_t size, subject;
static enum fault fault;

static double slow_link(uint32_t i, uint32_t j)
{
    if (i / size == j / size) return 0;
    bool slow = fault == SENDS      ? j == subject
                : fault == RECEIVES ? i == subject
                                    : fault == UPLINK && j / size == subject / size;
    return slow ? 200 * US : 0;
}

static dxt_window *job_with_fault(uint32_t ranks, uint64_t seed)
{
    healthy(ranks, seed);
    job.transfer = 10 * US;
    job.step = 500 * US;
    job.path = slow_link;
    for (uint32_t r = 0; r < ranks; r++)
        if (fault == LATE ? r == subject : fault == LATE_NODE && r / size == subject / size)
            job.late[r] = 200 * US;
    dxt_window *window = arrivals_window(&job, "dispatch");
    give_nodes(window, size);
    return window;
}

/* The new number of a rank if each group of `dealt` nodes takes its ranks in turn. */
static uint32_t new_number(uint32_t ranks, uint32_t dealt, uint32_t rank)
{
    uint32_t first = rank / (dealt * size) * dealt * size;
    uint32_t nodes = (ranks - first) / size < dealt ? (ranks - first) / size : dealt;
    return first + rank % size * nodes + (rank - first) / size;
}

static dxt_window *deal(const dxt_window *from, uint32_t dealt)
{
    uint32_t n = from->ranks;
    dxt_window *to = arrivals_window(&job, "dispatch");
    give_nodes(to, size);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t row = new_number(n, dealt, i);
        to->nodes[row] = from->nodes[i];
        for (uint32_t j = 0; j < n; j++)
            to->wait[(size_t)row * n + new_number(n, dealt, j)] = from->wait[(size_t)i * n + j];
    }
    return to;
}

static void assert_same(const dxt_findings *one, const dxt_findings *other, uint32_t dealt)
{
    uint32_t n = job.ranks;
    assert_int_equal(other->verdict, one->verdict);
    assert_int_equal(other->finding_count, one->finding_count);
    for (size_t f = 0; f < one->finding_count; f++) {
        const dxt_finding *a = &one->findings[f], *b = &other->findings[f];
        assert_int_equal(b->kind, a->kind);
        assert_int_equal(b->direction, a->direction);
        if (fault == UPLINK || fault == LATE_NODE)
            assert_int_equal(b->node, a->node);
        else
            assert_int_equal(b->rank, new_number(n, dealt, a->rank));
        assert_near(b->wait, a->wait, 5 * US);
    }
}

static void judge_dealt(const dxt_window *window, const dxt_findings *found, uint32_t dealt)
{
    dxt_window *other = deal(window, dealt);
    dxt_findings *found_there = analyze(other, NULL);
    assert_same(found, found_there, dealt);
    dxt_findings_free(found_there);
    dxt_window_free(other);
}

static void dealt_ranks_have_the_same_faults(void **state)
{
    static const uint32_t sizes[] = {2, 3, 4, 8};
    static const dxt_finding_kind kinds[FAULTS] = {DXT_LATE_RANK, DXT_SLOW_LINK, DXT_SLOW_LINK,
                                                   DXT_SLOW_NODE_LINK, DXT_LATE_NODE};
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint32_t nodes = 4; nodes * sizes[s] <= 64; nodes *= 2)
            for (int k = 0; k < FAULTS; k++) {
                size = sizes[s];
                fault = (enum fault)k;
                uint32_t n = nodes * size;
                subject = n / 3;
                dxt_window *window = job_with_fault(n, nodes);
                dxt_findings *found = analyze(window, NULL);
                const dxt_finding *one = only(found, kinds[k]);
                if (k < UPLINK) assert_int_equal(one->rank, subject);
                for (uint32_t dealt = 2; dealt <= nodes; dealt *= 2)
                    judge_dealt(window, found, dealt);
                dxt_findings_free(found);
                dxt_window_free(window);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dealt_ranks_have_the_same_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
