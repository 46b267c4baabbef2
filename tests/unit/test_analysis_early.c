/* SPDX-License-Identifier: Apache-2.0 */
/* Levels between nodes found while the matrix is checked are those found later. */
#include <stdlib.h>
#include <string.h>

#include "analysis/arrive/early.h"
#include "analysis/arrive/fit.h"
#include "analysis/arrive/levels.h"
#include "analysis/arrive/take.h"
#include "analysis/arrive/within.h"
#include "analysis/glance.h"
#include "judged.h"

#define EVEN 264u /* 132 nodes of 2, 88 of 3, 66 of 4, but 33 of 8, which need too many cells */

static dxt_window *even_nodes(uint32_t per_node, bool late)
{
    healthy(EVEN, 4);
    job.ops = 20;
    job.late[33] = late ? 140 * US : 0;
    for (uint32_t r = 240; late && r < 243; r++) job.late[r] = 70 * US;
    dxt_window *window = arrivals_window(&job, "dispatch");
    give_nodes(window, per_node);
    return window;
}

/* Whether the counters that were kept are those of the partners. */
static void check_counters(const dxt_window *window, const dxt_early_data *early)
{
    size_t n = window->ranks;
    for (uint32_t p = 0; p < early->partners; p++)
        for (size_t r = 0; r < n; r++) {
            uint32_t node = (uint32_t)(r * early->nodes / n);
            uint32_t partner = dxt_early_partner(early, p, node);
            assert_true(partner < n && window->nodes[partner] != window->nodes[r]);
            assert_int_equal(early->counter[p * n + r], window->wait[r * n + partner]);
        }
}

/* Whether the cells that were kept are those of the window. */
static void check_cells(const dxt_window *window, const dxt_early_data *early)
{
    uint32_t n = window->ranks, before = 0;
    if (!early->level) return;
    const dxt_early_sample *sample = early->sample;
    dxt_spread spread = dxt_cells_begin(n * (n - 1));
    assert_int_equal(sample->count, spread.taken);
    for (uint32_t k = 0; k < sample->count; k++) {
        uint32_t i = sample->row[k], j = sample->column[k];
        assert_int_equal(i * (n - 1) + j - (j > i), dxt_spread_next(&spread));
        assert_true(i != j && j < n && i >= before && i < n);
        assert_int_equal(sample->counter[k], window->wait[(size_t)i * n + j]);
        before = i;
    }
    for (uint32_t r = 0; r < n; r++) {
        uint32_t size = n / early->nodes, first = r / size * size;
        for (uint32_t k = 0; k < size; k++)
            assert_true(early->within[(size_t)r * DXT_WITHIN_MEMBERS + k] ==
                        (double)window->wait[(size_t)r * n + first + k] * dxt_factor_of(window, r));
    }
    for (uint32_t a = 0; a < early->nodes; a++) {
        double least = INFINITY;
        for (uint32_t b = 0; b < early->nodes; b++)
            if (a != b) least = fmin(least, early->level[(size_t)a * early->nodes + b]);
        assert_true(early->least[a] == least);
    }
}

/* A fit of a window and its levels, with those that a glance found early or without.
 * @param seen  Memory of the glance, to which the levels may belong.
 * @return How many of its nodes have early levels. */
static uint32_t levels_with(const dxt_window *window, bool early, dxt_block *block, dxt_block *seen,
                            dxt_fit *fit)
{
    dxt_glance glance;
    const dxt_looking look = {.block = seen, .glance = &glance};
    dxt_known known = {.nodes = window->nodes, .min_share = 0.01, .cell_spread = NAN};
    bool observed = false;
    assert_int_equal(dxt_glance_over(window, &look, &observed), DXT_OK);
    assert_true(observed && glance.peak);
    if (early) known.early = glance.early;
    check_counters(window, &glance.early);
    check_cells(window, &glance.early);
    assert_int_equal(dxt_fit_window(block, window, &known, fit), DXT_OK);
    /* The fit has taken the levels over, and changed them. */
    assert_int_equal(dxt_glance_over(window, &look, &observed), DXT_OK);
    dxt_take_levels(fit);
    return glance.early.level ? glance.early.nodes : 0;
}

/* Slow links of ranks that same_levels() found. */
static uint32_t slow_links;

/* Whether levels and links are the same with early ones. @return As levels_with(). */
static uint32_t same_levels(const dxt_window *window)
{
    dxt_block block = {NULL, 0}, other = {NULL, 0}, seen = {NULL, 0}, unused = {NULL, 0};
    dxt_fit with, without;
    uint32_t nodes = levels_with(window, true, &block, &seen, &with);
    levels_with(window, false, &other, &unused, &without);
    assert_int_equal(with.nodes, without.nodes);
    assert_memory_equal(with.link, without.link,
                        (size_t)with.nodes * with.nodes * sizeof *with.link);
    assert_memory_equal(with.least_level, without.least_level, with.nodes * sizeof(double));
    assert_memory_equal(with.nic_in, without.nic_in, with.count * sizeof *with.nic_in);
    assert_memory_equal(with.nic_out, without.nic_out, with.count * sizeof *with.nic_out);
    slow_links = 0;
    for (uint32_t k = 0; k < with.count; k++)
        slow_links += (with.nic_in[k] > 0) + (with.nic_out[k] > 0);
    free(block.data);
    free(other.data);
    free(seen.data);
    free(unused.data);
    return nodes;
}

/* Also if ranks are late, which then do not stand for their nodes. */
static void early_levels_are_those_found_later(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 3, 4, 8};
    for (size_t t = 0; t < 2 * sizeof sizes / sizeof sizes[0]; t++) {
        uint32_t size = sizes[t / 2];
        dxt_window *window = even_nodes(size, t % 2 == 1);
        /* Once the late ranks of its node do not count, the shortest waits are for rank 243. */
        for (size_t r = 0; r < 240 && t % 2 == 1; r++) window->wait[r * EVEN + 243] /= 4;
        assert_int_equal(same_levels(window), size < 8 ? EVEN / size : 0);
        for (size_t c = 0; c < (size_t)EVEN * EVEN; c++) window->wait[c] += (int64_t)(c % 7);
        window->rank_ops = malloc(EVEN * sizeof *window->rank_ops);
        assert_non_null(window->rank_ops);
        for (uint32_t r = 0; r < EVEN; r++) window->rank_ops[r] = 18 + r % 3;
        assert_int_equal(same_levels(window), size < 8 ? EVEN / size : 0);
        dxt_window_free(window);
    }
}

/* The links of ranks to other nodes are judged by counters that were kept early. */
static void early_counters_are_those_read_later(void **state)
{
    (void)state;
    for (uint32_t size = 2; size <= 4; size++) {
        dxt_window *window = even_nodes(size, false);
        for (size_t k = 0; k < EVEN; k++) {
            if (k / size != 9 / size) window->wait[9 * EVEN + k] += 90 * US * 20;
            if (k / size != 40 / size) window->wait[k * EVEN + 40] += 90 * US * 20;
        }
        assert_int_equal(same_levels(window), EVEN / size);
        assert_true(slow_links == 2);
        dxt_window_free(window);
    }
}

static void levels_are_not_found_early_where_they_might_be_wrong(void **state)
{
    (void)state;
    dxt_window *window = even_nodes(4, false);
    assert_int_equal(same_levels(window), EVEN / 4);
    window->nodes[7] = window->nodes[8];
    assert_int_equal(same_levels(window), 0);
    window->nodes[7] = window->nodes[6];
    for (uint32_t r = EVEN - 4; r < EVEN; r++) window->nodes[r] = 0;
    assert_int_equal(same_levels(window), 0);
    for (uint32_t r = EVEN - 4; r < EVEN; r++) window->nodes[r] = EVEN;
    assert_int_equal(same_levels(window), EVEN / 4);
    window->missing = calloc(EVEN, sizeof *window->missing);
    assert_non_null(window->missing);
    assert_int_equal(same_levels(window), EVEN / 4);
    window->unit = DXT_UNIT_CYCLES;
    assert_int_equal(same_levels(window), EVEN / 4);
    window->wait[(size_t)40 * EVEN + 80] += DXT_TIMEOUT_CYCLES;
    assert_int_equal(same_levels(window), 0);
    window->unit = DXT_UNIT_NS;
    assert_int_equal(same_levels(window), EVEN / 4);
    window->samples = calloc((size_t)EVEN * EVEN, sizeof *window->samples);
    assert_non_null(window->samples);
    window->samples_each = 0;
    for (size_t c = 0; c < (size_t)EVEN * EVEN; c++) window->samples[c] = 20;
    assert_int_equal(same_levels(window), 0);
    free(window->samples);
    window->samples = NULL;
    window->samples_each = 20;
    assert_int_equal(same_levels(window), EVEN / 4);
    window->missing[9] = 1;
    memset(window->wait + (size_t)9 * EVEN, 0, EVEN * sizeof *window->wait);
    assert_int_equal(same_levels(window), 0);
    dxt_window_free(window);
}

/* By the size of a node, where the window does not say it. */
static void early_nodes_may_be_told(void **state)
{
    (void)state;
    dxt_window *window = even_nodes(4, false);
    assert_int_equal(dxt_early_nodes(window, 0), EVEN / 4);
    assert_int_equal(dxt_early_nodes(window, 3), EVEN / 4);
    free(window->nodes);
    window->nodes = NULL;
    static const uint32_t told[][2] = {{0, 0}, {1, 0}, {2, 132},  {3, 88},       {4, 66},
                                       {5, 0}, {8, 0}, {EVEN, 0}, {EVEN + 1, 0}, {UINT32_MAX, 0}};
    for (size_t t = 0; t < sizeof told / sizeof told[0]; t++)
        assert_int_equal(dxt_early_nodes(window, told[t][0]), told[t][1]);
    dxt_window_free(window);
}

/* Room for other windows is made behind the check of the first one, which must keep what it saw.
 * AddressSanitizer tells. */
static void the_first_window_of_an_analyzer_keeps_its_glance(void **state)
{
    (void)state;
    dxt_window *window = even_nodes(4, true);
    dxt_analyzer *analyzer = NULL;
    const dxt_findings *first = NULL;
    assert_int_equal(dxt_analyzer_create(&analyzer), DXT_OK);
    assert_int_equal(dxt_analyzer_run(analyzer, window, NULL, &first), DXT_OK);
    dxt_findings *alone = analyze(window, NULL);
    assert_int_equal(first->verdict, alone->verdict);
    assert_int_equal(first->finding_count, alone->finding_count);
    assert_true(first->finding_count > 0);
    dxt_findings_free(alone);
    dxt_analyzer_destroy(analyzer);
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_levels_are_those_found_later),
        cmocka_unit_test(early_counters_are_those_read_later),
        cmocka_unit_test(levels_are_not_found_early_where_they_might_be_wrong),
        cmocka_unit_test(early_nodes_may_be_told),
        cmocka_unit_test(the_first_window_of_an_analyzer_keeps_its_glance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
