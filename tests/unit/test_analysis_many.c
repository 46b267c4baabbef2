/* SPDX-License-Identifier: Apache-2.0 */
/* What is found for many at once, from below, or only where it is used, is what each would find. */
#include <stdlib.h>

#include "alloc_fail.h"
#include "analysis/arrive/fit.h"
#include "analysis/arrive/levels.h"
#include "analysis/arrive/shifts.h"
#include "analysis/arrive/take.h"
#include "analysis/arrive/within.h"
#include "analysis/explain/paths.h"
#include "analysis/glance.h"
#include "judged.h"
#include "numeric/columns.h"
#include "numeric/floors.h"
#include "numeric/screen.h"
#include "numeric/select.h"
#include "numeric/skew.h"
#include "numeric/spread.h"

#define NODES 24u
#define RANKS (4 * NODES)

static void medians_of_counters_are_those_of_each(void **state)
{
    (void)state;
    static const size_t apart[] = {1, 3, 4, 8};
    static int64_t counter[DXT_COUNTER_ROWS][8 * DXT_LANES];
    uint64_t seed = 5;
    for (uint32_t t = 4; t < 4 * (DXT_COUNTER_ROWS + 1); t++) {
        const int64_t *first[DXT_COUNTER_ROWS];
        size_t step = apart[t % 4];
        uint32_t rows = t / 4, columns = step < 8 ? 2 * DXT_LANES : DXT_LANES;
        size_t begin = 8 * DXT_LANES - 2 - (columns - 1) * step;
        int64_t *row[DXT_COUNTER_ROWS];
        double factor[DXT_COUNTER_ROWS], median[2 * DXT_LANES], each[DXT_COUNTER_ROWS];
        for (uint32_t k = 0; k < rows; k++) {
            /* The last counter ends the memory. */
            row[k] = counter[DXT_COUNTER_ROWS - rows + k];
            first[k] = row[k] + begin;
            factor[k] = k > 0 && t % 8 < 4 ? factor[0] : 1 + arrivals_uniform(&seed);
            for (uint32_t c = 0; c < 8 * DXT_LANES; c++)
                row[k][c] = (int64_t)(arrivals_uniform(&seed) * 30);
        }
        counter[DXT_COUNTER_ROWS - 1][begin + 1 + 5 * step] = INT64_C(1) << 50;
        int64_t bits = dxt_medians_of_counters(first, NULL, 1, step, factor, rows,
                                               columns / DXT_LANES, median);
        assert_true(bits >= INT64_C(1) << 50 && bits < (INT64_C(1) << 50) + 32);
        for (uint32_t c = 0; c < columns; c++) {
            for (uint32_t k = 0; k < rows; k++)
                each[k] = (double)first[k][1 + c * step] * factor[k];
            assert_true(median[c] == dxt_median(each, rows));
        }
    }
}

static void indices_in_turn_are_those_of_each(void **state)
{
    (void)state;
    for (size_t taken = 1; taken < 40; taken++)
        for (size_t count = taken - 1; count < 5000; count += 1 + count / 7) {
            dxt_spread spread = dxt_spread_begin(taken, count);
            for (size_t k = 0; k < taken && count > 0; k++)
                assert_int_equal(dxt_spread_next(&spread), dxt_spread_index(k, taken, count));
        }
}

/* As floats they are rounded, and never down. */
static void peaks_are_no_less_than_counters(void **state)
{
    (void)state;
    static int64_t counter[DXT_SCREEN_ROWS][RANKS];
    float peak[RANKS];
    uint64_t sum[DXT_SCREEN_ROWS], seed = 11;
    for (uint32_t bits = 1; bits < 63; bits++) {
        for (uint32_t c = 0; c < DXT_SCREEN_ROWS * RANKS; c++)
            counter[c / RANKS][c % RANKS] =
                (int64_t)(arrivals_uniform(&seed) * (double)(INT64_C(1) << bits));
        dxt_screen_look(counter[0], RANKS, RANKS, peak, sum);
        for (uint32_t j = 0; j < RANKS; j++) {
            int64_t most = 0;
            for (uint32_t k = 0; k < DXT_SCREEN_ROWS; k++)
                most = counter[k][j] > most ? counter[k][j] : most;
            assert_true((double)peak[j] >= (double)most);
            assert_true((double)peak[j] <= (double)most * (1 + 1e-6));
        }
    }
}

#define CHUNKS 6u
#define COLUMNS (CHUNKS * DXT_CHUNK)

/* Whether a class of a chunk exceeds what is explained by the least of its columns. */
static bool class_exceeds(const float *peak, const double *late, const double *bar, uint32_t chunk)
{
    for (uint32_t k = 0; k < DXT_CHUNK_CLASSES; k++) {
        uint32_t first = chunk * DXT_CHUNK + k;
        double most = 0, least_late = INFINITY, least_bar = INFINITY;
        for (uint32_t j = first; j < (chunk + 1) * DXT_CHUNK; j += DXT_CHUNK_CLASSES) {
            most = fmax(most, peak[j]);
            least_late = fmin(least_late, late[j]);
            least_bar = fmin(least_bar, bar[j]);
        }
        if (most * 2 > fmax(0, -3 + (least_late + 5)) + least_bar) return true;
    }
    return false;
}

/* A chunk that classes pass over has no column that exceeds anything. */
static void classes_find_every_column(void **state)
{
    (void)state;
    static float peak[COLUMNS], most[CHUNKS * DXT_CHUNK_CLASSES];
    static double late[COLUMNS], bar[COLUMNS];
    double least_late[CHUNKS * DXT_CHUNK_CLASSES], least_bar[CHUNKS * DXT_CHUNK_CLASSES];
    uint64_t seed = 3;
    uint32_t exceeds = 0, passed = 0;
    for (uint32_t t = 0; t < 400; t++) {
        for (uint32_t j = 0; j < COLUMNS; j++) {
            peak[j] = (float)(arrivals_uniform(&seed) * 10);
            late[j] = arrivals_uniform(&seed) * 4 - 2;
            bar[j] = 20 + arrivals_uniform(&seed);
        }
        uint32_t odd = (uint32_t)(arrivals_uniform(&seed) * COLUMNS);
        if (t % 4 != 0) peak[odd] = 13;
        if (t % 4 == 2) late[odd] = 9;
        dxt_screen_most_of_classes(peak, CHUNKS, most);
        dxt_screen_least_of_classes(late, CHUNKS, least_late);
        dxt_screen_least_of_classes(bar, CHUNKS, least_bar);
        uint32_t chunk = dxt_screen_chunks(most, 2, -3, 5, least_late, least_bar, CHUNKS);
        for (uint32_t c = 0; c < chunk; c++) {
            assert_int_equal(dxt_screen_peaks(peak + c * DXT_CHUNK, 2, -3, 5, late + c * DXT_CHUNK,
                                              bar + c * DXT_CHUNK, DXT_CHUNK),
                             0);
            assert_false(class_exceeds(peak, late, bar, c));
        }
        if (chunk < CHUNKS) assert_true(class_exceeds(peak, late, bar, chunk));
        exceeds += chunk < CHUNKS;
        passed += chunk == CHUNKS;
    }
    assert_true(exceeds >= 100 && passed >= 100);
}

/* Of nodes of up to so many members, also where these are not neighbours. */
static void waits_within_nodes_are_those_of_the_window(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 3, DXT_WITHIN_MEMBERS, DXT_WITHIN_MEMBERS + 1};
    for (size_t t = 0; t < 2 * sizeof sizes / sizeof sizes[0]; t++) {
        uint32_t size = sizes[t / 2], ranks = 3 * size;
        healthy(ranks, size);
        dxt_window *window = arrivals_window(&job, "dispatch");
        for (size_t c = 0; c < (size_t)ranks * ranks; c++) window->wait[c] += (int64_t)c;
        int32_t nodes[3 * (DXT_WITHIN_MEMBERS + 1)];
        for (uint32_t r = 0; r < ranks; r++) nodes[r] = (int32_t)(t % 2 ? r % 3 : r / size);
        const dxt_known known = {.nodes = nodes, .min_share = 0.01, .cell_spread = NAN};
        dxt_block block = {NULL, 0};
        dxt_fit fit;
        assert_int_equal(dxt_fit_take(&block, window, &known, &fit), DXT_OK);
        assert_int_equal(fit.within != NULL, size <= DXT_WITHIN_MEMBERS);
        for (uint32_t i = 0; i < ranks; i++)
            for (uint32_t j = 0; j < ranks; j++)
                if (fit.node[i] == fit.node[j])
                    assert_true(dxt_wait_within(&fit, i, j) == dxt_fit_wait(&fit, i, j));
        free(block.data);
        dxt_window_free(window);
    }
}

static void floors_are_below_shifts(void **state)
{
    (void)state;
    static const double skews[] = {0, 1e-3, 1, 7e4};
    for (size_t s = 0; s < sizeof skews / sizeof skews[0]; s++) {
        dxt_floors floors;
        dxt_floors_make(&floors, skews[s]);
        for (double z = 0; z < 12; z += 0.00371) {
            double wait = z * (skews[s] > 0 ? skews[s] : 1), least;
            double shift = dxt_shift_of_wait(wait, skews[s]);
            dxt_floors_of(&floors, &wait, 1, &least);
            assert_true(least <= shift);
            if (z > 0.25) assert_near(least, shift, 0.02 * skews[s] + 1e-8 * wait);
        }
    }
}

/* Laid out as far as it is read, in several steps, a curve is the one that is laid out at once. */
static void a_curve_is_the_same_however_far_it_reaches(void **state)
{
    (void)state;
    static const double transfers[] = {0, 1, 30, 1e5}, skews[] = {0, 1e-3, 1, 40};
    uint64_t seed = 9;
    for (size_t t = 0; t < 16; t++) {
        dxt_lateness_scale whole, part;
        double transfer = transfers[t / 4], skew = skews[t % 4];
        dxt_lateness_scale_make(&whole, transfer, skew);
        for (int round = 0; round < 200; round++) {
            if (round % 10 == 0) dxt_lateness_scale_begin(&part, transfer, skew);
            double far = 2.1 * (transfer + 9 * skew);
            double difference = (arrivals_uniform(&seed) - 0.5) * far;
            /* Now and then just at a knot. */
            if (round % 3 == 0 && transfer > 0)
                difference = whole.difference[round % DXT_LATENESS_KNOTS];
            dxt_lateness_reach(&part, difference);
            assert_true(dxt_lateness_read(&part, difference) ==
                        dxt_lateness_read(&whole, difference));
        }
    }
}

static double uneven_path(uint32_t i, uint32_t j)
{
    if (i / 4 == 2 && j / 4 == 7) return 90 * US;
    return i / 4 == j / 4 ? 0 : 6 * US;
}

/* A job of many nodes: one is late, a path between two is slow, a rank is late and one is gone. */
static dxt_window *many_nodes(void)
{
    healthy(RANKS, 4);
    for (uint32_t r = 20; r < 24; r++) job.late[r] = 70 * US;
    job.late[33] = 40 * US;
    job.path = uneven_path;
    dxt_window *window = arrivals_window(&job, "dispatch");
    give_nodes(window, 4);
    window->missing = calloc(RANKS, sizeof *window->missing);
    assert_non_null(window->missing);
    window->missing[50] = 1;
    memset(window->wait + (size_t)50 * RANKS, 0, RANKS * sizeof *window->wait);
    return window;
}

static void fit_nodes(dxt_block *block, const dxt_window *window, dxt_fit *fit)
{
    const dxt_known known = {.nodes = window->nodes, .min_share = 0.01, .cell_spread = NAN};
    assert_int_equal(dxt_fit_window(block, window, &known, fit), DXT_OK);
    assert_int_equal(fit->nodes, NODES);
}

/* Check the shortest path into a node, other than its own, against all of them.
 * @return Whether the row's smallest level tells it alone. */
static bool is_least_path(const dxt_fit *fit, const dxt_floors *floors, uint32_t a,
                          const double *path)
{
    double shortest = INFINITY, level = INFINITY;
    for (uint32_t b = 0; b < NODES; b++) {
        if (b == a) continue;
        shortest = fmin(shortest, path[b]);
        level = fmin(level, fit->level[(size_t)a * NODES + b]);
    }
    double least = dxt_least_path(fit, floors, a);
    assert_true(fabs(least - shortest) <= 1e-12 * fabs(shortest));
    bool told = !fit->settled[a] && !isnan(fit->least_level[a]);
    assert_true(!told || fit->least_level[a] == level);
    return told;
}

static void paths_are_the_same_before_they_are_settled(void **state)
{
    (void)state;
    static uint16_t i[RANKS * RANKS], j[RANKS * RANKS];
    static double path[RANKS * RANKS], work[RANKS * RANKS], least[NODES][NODES];
    dxt_window *window = many_nodes();
    dxt_block block = {NULL, 0};
    dxt_fit fit;
    dxt_floors floors;
    uint32_t pairs = 0, open = 0, measured = 0, parts = 0, alone = 0;
    fit_nodes(&block, window, &fit);
    dxt_floors_make(&floors, fit.skew);
    dxt_settle(&fit, 3);
    for (uint32_t a = 0; a < fit.count; a++)
        for (uint32_t b = 0; b < fit.count; b++) {
            i[pairs] = (uint16_t)a;
            j[pairs++] = (uint16_t)b;
        }
    dxt_paths_of_pairs(&fit, i, j, pairs, path, work);
    for (uint32_t a = 0; a < NODES; a++) {
        open += !fit.settled[a];
        dxt_path_floors(&fit, &floors, a, least[a]);
        alone += is_least_path(&fit, &floors, a, least[a]);
    }
    assert_true(alone > 0 && alone < NODES);
    assert_int_equal(open, NODES - 1);
    for (uint32_t a = 0; a < NODES; a++) dxt_settle(&fit, a);
    for (uint32_t k = 0; k < pairs; k++) {
        uint32_t a = fit.node[i[k]], b = fit.node[j[k]];
        double exact = dxt_fit_node_path(&fit, a, b);
        assert_true(path[k] == exact);
        assert_true(least[a][b] <= exact);
        assert_true(a == b || least[a][b] >= exact - 0.05 * fit.skew);
        bool told = !isnan(fit.level[(size_t)a * NODES + b]);
        measured += told;
        parts += !told;
    }
    assert_true(measured > 0 && parts > 0);
    free(block.data);
    dxt_window_free(window);
}

/* What node a waits for node b by all cells between those that stand for the two. */
static double level_of(const dxt_fit *fit, uint32_t a, uint32_t b)
{
    double waits[16];
    size_t used = 0;
    for (uint32_t i = 0; i < fit->count; i++)
        for (uint32_t j = 0; j < fit->count; j++)
            if (fit->node[i] == a && fit->node[j] == b && dxt_fit_stands_for_node(fit, i) &&
                dxt_fit_stands_for_node(fit, j))
                waits[used++] = dxt_fit_wait(fit, i, j);
    return dxt_median(waits, used);
}

/* By neighbours in the matrix, sixteen nodes at a time; a time-out is left out. */
static void levels_are_those_of_each_pair(void **state)
{
    (void)state;
    for (int counted = 0; counted < 2; counted++) {
        dxt_window *window = many_nodes();
        dxt_block block = {NULL, 0};
        dxt_fit fit;
        window->unit = DXT_UNIT_CYCLES;
        window->samples_each = counted ? 0 : 50;
        if (counted) window->samples = malloc((size_t)RANKS * RANKS * sizeof *window->samples);
        for (size_t c = 0; counted && c < (size_t)RANKS * RANKS; c++)
            window->samples[c] = (int64_t)(c % 50);
        window->wait[(size_t)60 * RANKS + 70] += DXT_TIMEOUT_CYCLES;
        fit_nodes(&block, window, &fit);
        assert_true(fit.linked || counted);
        dxt_take_levels(&fit);
        for (uint32_t a = 0; a < NODES; a++)
            for (uint32_t b = 0; b < NODES; b++)
                assert_true(a == b || fit.link[(size_t)a * NODES + b] == level_of(&fit, a, b));
        free(block.data);
        dxt_window_free(window);
    }
}

/* ---- what the check sees in passing ---- */

#define MANY 262u /* two rows more than are looked at together */

static double paths_of_many(uint32_t i, uint32_t j)
{
    if ((i == 200 && j == 3) || (i == 261 && j == 80) || (i == 9 && j == 10)) return 400 * US;
    if (i == 150 && j == 40) return 400 * US;
    return i / 6 == j / 6 ? 0 : 12 * US;
}

static dxt_window *many_ranks(uint32_t per_node)
{
    healthy(MANY, 4);
    job.ops = 20;
    job.late[33] = 140 * US;
    for (uint32_t r = 60; r < 66; r++) job.late[r] = 90 * US;
    job.path = paths_of_many;
    dxt_window *window = arrivals_window(&job, "dispatch");
    if (per_node > 0) give_nodes(window, per_node);
    return window;
}

/* Whether a list has the path of a rank that waits for another. */
static bool has_path(const dxt_fit *fit, const dxt_path_list *list, uint32_t i, uint32_t j)
{
    for (size_t p = 0; p < list->count; p++)
        if (fit->rank[list->items[p].i] == i && fit->rank[list->items[p].j] == j) return true;
    return false;
}

/* Without one of the rows, a member is no rank. */
static void a_path_is_found_wherever_it_is(void **state)
{
    (void)state;
    const dxt_glance none = {.peak = NULL};
    for (uint32_t gone = 0; gone < MANY; gone += 90) {
        dxt_window *window = many_ranks(0);
        dxt_block block = {NULL, 0};
        const dxt_known known = {.min_share = 0.01, .cell_spread = NAN};
        dxt_path_list list = {NULL};
        dxt_fit fit;
        window->missing = calloc(MANY, sizeof *window->missing);
        assert_non_null(window->missing);
        window->missing[gone] = gone > 0;
        if (gone > 0) memset(window->wait + (size_t)gone * MANY, 0, MANY * sizeof *window->wait);
        assert_int_equal(dxt_fit_window(&block, window, &known, &fit), DXT_OK);
        assert_int_equal(dxt_fit_paths(&fit, &none, &list), DXT_OK);
        assert_true(has_path(&fit, &list, 200, 3));
        assert_true(has_path(&fit, &list, 261, 80));
        assert_true(has_path(&fit, &list, 9, 10));
        assert_true(has_path(&fit, &list, 150, 40));
        assert_false(has_path(&fit, &list, 80, 261));
        free(list.items);
        free(block.data);
        dxt_window_free(window);
    }
}

static void a_glance_changes_no_path(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 4, 5, 6, 20};
    const dxt_glance none = {.peak = NULL};
    for (size_t t = 0; t < sizeof sizes / sizeof sizes[0]; t++) {
        dxt_window *window = many_ranks(sizes[t]);
        dxt_block block = {NULL, 0}, seen = {NULL, 0};
        const dxt_known known = {.nodes = window->nodes, .min_share = 0.01, .cell_spread = NAN};
        dxt_path_list with = {NULL}, without = {NULL};
        dxt_glance glance;
        const dxt_looking look = {.block = &seen, .glance = &glance};
        bool observed = false;
        dxt_fit fit;
        assert_int_equal(dxt_glance_over(window, &look, &observed), DXT_OK);
        assert_true(observed && glance.peak && glance.sum);
        assert_int_equal(dxt_fit_window(&block, window, &known, &fit), DXT_OK);
        assert_int_equal(dxt_fit_paths(&fit, &glance, &with), DXT_OK);
        /* From the beginning: the first search has settled rows. */
        assert_int_equal(dxt_fit_window(&block, window, &known, &fit), DXT_OK);
        assert_int_equal(dxt_fit_paths(&fit, &none, &without), DXT_OK);
        assert_true(with.count >= 2 && !with.misfit);
        assert_int_equal(with.count, without.count);
        assert_memory_equal(with.items, without.items, with.count * sizeof *with.items);
        assert_true(with.mean == without.mean && with.mean > 0);
        free(with.items);
        free(without.items);
        free(block.data);
        free(seen.data);
        dxt_window_free(window);
    }
}

static void a_glance_is_a_check(void **state)
{
    (void)state;
    dxt_window *window = many_ranks(0);
    dxt_block seen = {NULL, 0};
    dxt_glance glance;
    dxt_looking look = {.block = &seen, .glance = &glance};
    bool observed = true;
    int64_t *last = &window->wait[(size_t)MANY * MANY - 1], *first = window->wait;
    *last = INT64_C(1) << 45;
    assert_int_equal(dxt_glance_over(window, &look, &observed), DXT_OK);
    /* Sums of such are not the same in any order. */
    assert_true(glance.peak && !glance.sum && observed);
    *first = DXT_NOT_OBSERVED;
    assert_int_equal(dxt_glance_over(window, &look, &observed), DXT_OK);
    assert_true(!glance.peak && !glance.sum && !observed);
    *last = INT64_MAX;
    assert_int_equal(dxt_glance_over(window, &look, &observed), DXT_OK);
    assert_true(!glance.peak && !observed);
    *last = DXT_NOT_OBSERVED - 1;
    assert_int_equal(dxt_glance_over(window, &look, &observed), DXT_ERR_INVALID);
    assert_string_equal(dxt_error(), "wait: row 261, column 261: -2 is negative");
    *first = *last = 0;
    window->index = -2;
    assert_int_equal(dxt_glance_over(window, &look, &observed), DXT_ERR_INVALID);
    assert_string_equal(dxt_error(), "index: below -1");
    window->index = 0;
    dxt_block none = {NULL, 0};
    look.block = &none;
    alloc_fail_arm(1);
    dxt_status status = dxt_glance_over(window, &look, &observed);
    assert_true(alloc_fail_disarm());
    assert_int_equal(status, DXT_ERR_NO_MEMORY);
    /* All of an analysis. */
    dxt_findings *found = NULL;
    for (long k = 1;
         alloc_fail_arm(k), status = dxt_analyze(window, NULL, &found), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    dxt_findings_free(found);
    free(seen.data);
    dxt_window_free(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_of_counters_are_those_of_each),
        cmocka_unit_test(indices_in_turn_are_those_of_each),
        cmocka_unit_test(peaks_are_no_less_than_counters),
        cmocka_unit_test(classes_find_every_column),
        cmocka_unit_test(waits_within_nodes_are_those_of_the_window),
        cmocka_unit_test(floors_are_below_shifts),
        cmocka_unit_test(a_curve_is_the_same_however_far_it_reaches),
        cmocka_unit_test(paths_are_the_same_before_they_are_settled),
        cmocka_unit_test(levels_are_those_of_each_pair),
        cmocka_unit_test(a_path_is_found_wherever_it_is),
        cmocka_unit_test(a_glance_changes_no_path),
        cmocka_unit_test(a_glance_is_a_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
