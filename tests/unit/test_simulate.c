/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers of the simulated job: what is put in comes out of the counters. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc_fail.h"
#include "faults.h"
#include "truth.h"

enum { N = 6, OPS = 20, TRANSFER = 10000 };

/* No randomness at all, dispatch without latency, counters in ns. */
static sim_config calm(const sim_fault *faults, size_t count)
{
    sim_config config;
    sim_config_default(&config);
    config.ranks = N;
    config.ops = OPS;
    config.jitter = config.wander = config.unevenness = config.weather = 0;
    config.spread = false;
    config.own_ns = 0;
    config.latency_ns[DXT_DISPATCH] = config.between_ns[DXT_DISPATCH] = 0;
    config.between_ns[DXT_COMBINE] = TRANSFER;
    config.ticks_per_second = 1e9;
    config.faults = faults;
    config.fault_count = count;
    return config;
}

static void run_window(const sim_config *config, dxt_window *pair[2])
{
    char why[128] = "";
    simulation *sim = NULL;
    dxt_status status = sim_create(config, &sim, why, sizeof why);
    assert_string_equal(why, "");
    assert_int_equal(status, DXT_OK);
    assert_int_equal(sim_next(sim, pair), DXT_OK);
    for (int p = 0; p < 2; p++) assert_int_equal(dxt_window_check(pair[p]), DXT_OK);
    sim_destroy(sim);
}

static void free_pair(dxt_window *pair[2])
{
    dxt_window_free(pair[0]);
    dxt_window_free(pair[1]);
}

static int64_t mean(const dxt_window *window, uint32_t i, uint32_t j)
{
    int64_t sum = window->wait[(size_t)i * window->ranks + j];
    assert_int_equal(sum % window->ops, 0);
    return sum / window->ops;
}

/* What one fault makes of every cell: @p row and @p column of the rank, its own cell apart. */
static void expect(const dxt_window *window, uint32_t rank, int64_t row, int64_t column,
                   int64_t others, int64_t own)
{
    for (uint32_t i = 0; i < window->ranks; i++)
        for (uint32_t j = 0; j < window->ranks; j++)
            assert_int_equal(mean(window, i, j), i == j      ? own
                                                 : i == rank ? row
                                                 : j == rank ? column
                                                             : others);
}

static void a_late_rank_is_waited_for_exactly_so_long(void **state)
{
    (void)state;
    const sim_fault late = {.kind = SIM_LATE, .phase = DXT_DISPATCH, .rank = 2, .size_ns = 23000};
    sim_config config = calm(&late, 1);
    dxt_window *pair[2];
    run_window(&config, pair);
    expect(pair[DXT_DISPATCH], 2, 0, 23000, 0, 0);
    expect(pair[DXT_COMBINE], 2, TRANSFER, TRANSFER, TRANSFER, 12000);
    /* A step, the lateness, and the transfer of combine. */
    assert_int_equal(pair[0]->elapsed_ns, OPS * (220000 + 23000 + TRANSFER));
    free_pair(pair);
}

static void late_in_combine_shows_above_the_transfer(void **state)
{
    (void)state;
    const sim_fault late = {.kind = SIM_LATE, .phase = DXT_COMBINE, .rank = 4, .size_ns = 4000};
    sim_config config = calm(&late, 1);
    dxt_window *pair[2];
    run_window(&config, pair);
    expect(pair[DXT_DISPATCH], 4, 0, 0, 0, 0);
    expect(pair[DXT_COMBINE], 4, TRANSFER - 4000, TRANSFER + 4000, TRANSFER, 12000);
    free_pair(pair);
}

static void an_early_rank_waits_and_costs_nothing(void **state)
{
    (void)state;
    const sim_fault early = {.kind = SIM_EARLY, .phase = DXT_DISPATCH, .rank = 0, .size_ns = 15000};
    sim_config config = calm(&early, 1);
    dxt_window *pair[2];
    run_window(&config, pair);
    expect(pair[DXT_DISPATCH], 0, 15000, 0, 0, 0);
    assert_int_equal(pair[0]->elapsed_ns, OPS * (220000 + TRANSFER));
    free_pair(pair);
}

static void a_slow_path_is_one_cell_and_its_victim_is_late_next(void **state)
{
    (void)state;
    const sim_fault path = {
        .kind = SIM_PATH, .phase = DXT_DISPATCH, .rank = 1, .source = 5, .size_ns = 7000};
    sim_config config = calm(&path, 1);
    dxt_window *pair[2];
    run_window(&config, pair);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < N; j++)
            assert_int_equal(mean(pair[DXT_DISPATCH], i, j), i == 1 && j == 5 ? 7000 : 0);
    expect(pair[DXT_COMBINE], 1, TRANSFER - 7000, TRANSFER + 7000, TRANSFER, 12000);
    free_pair(pair);
}

static void a_hot_rank_receives_long_and_answers_late(void **state)
{
    (void)state;
    /* 2 of 7 equal parts for one of six ranks: 12/7 of an even share; 6/7 for the others. */
    const sim_fault hot = {.kind = SIM_HOT, .rank = 3, .factor = 2};
    sim_config config = calm(&hot, 1);
    config.receive_ns = 35000;
    config.compute_ns = 70000;
    dxt_window *pair[2];
    run_window(&config, pair);
    expect(pair[DXT_DISPATCH], 3, 25000, 0, 0, 0);
    /* 25 µs of receiving, 50 µs more and 10 µs less of computing. */
    expect(pair[DXT_COMBINE], 3, 0, TRANSFER + 85000, TRANSFER, 12000);
    free_pair(pair);
}

static void network_cards_slow_a_row_or_a_column(void **state)
{
    (void)state;
    sim_fault nic = {.kind = SIM_NIC_IN, .phase = DXT_DISPATCH, .rank = 1, .size_ns = 6000};
    sim_config config = calm(&nic, 1);
    dxt_window *pair[2];
    run_window(&config, pair);
    expect(pair[DXT_DISPATCH], 1, 6000, 0, 0, 0);
    free_pair(pair);
    nic.kind = SIM_NIC_OUT;
    run_window(&config, pair);
    expect(pair[DXT_DISPATCH], 1, 0, 6000, 0, 0);
    free_pair(pair);
    /* With nodes only what comes from another one passes the card. */
    config.ranks_per_node = 3;
    run_window(&config, pair);
    for (uint32_t i = 0; i < N; i++)
        assert_int_equal(mean(pair[DXT_DISPATCH], i, 1), i >= 3 ? 6000 : 0);
    free_pair(pair);
}

static void nodes_are_late_as_a_whole(void **state)
{
    (void)state;
    sim_fault fault = {.kind = SIM_NODE, .phase = DXT_DISPATCH, .rank = 1, .size_ns = 9000};
    sim_config config = calm(&fault, 1);
    config.ranks_per_node = 3;
    dxt_window *pair[2];
    run_window(&config, pair);
    assert_non_null(pair[0]->nodes);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < N; j++)
            assert_int_equal(mean(pair[DXT_DISPATCH], i, j), i < 3 && j >= 3 ? 9000 : 0);
    free_pair(pair);
    fault.kind = SIM_NODE_PATH;
    fault.rank = 1;
    fault.source = 0;
    run_window(&config, pair);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < N; j++)
            assert_int_equal(mean(pair[DXT_DISPATCH], i, j), i >= 3 && j < 3 ? 9000 : 0);
    free_pair(pair);
}

static void faults_act_when_they_should(void **state)
{
    (void)state;
    const sim_fault late = {.kind = SIM_LATE, .phase = DXT_DISPATCH, .rank = 2, .size_ns = 20000};
    sim_config config = calm(&late, 1);
    char why[128];
    simulation *sim;
    config.every = 5;
    config.from = 2;
    assert_int_equal(sim_create(&config, &sim, why, sizeof why), DXT_OK);
    for (int64_t w = 0; w < 3; w++) {
        dxt_window *pair[2];
        assert_int_equal(sim_next(sim, pair), DXT_OK);
        assert_int_equal(pair[0]->index, w);
        expect(pair[DXT_DISPATCH], 2, 0, w < 2 ? 0 : 4000, 0, 0);
        free_pair(pair);
    }
    sim_destroy(sim);
    config.every = 1;
    config.from = 0;
    config.chance = 0.5;
    config.ops = 1000;
    dxt_window *pair[2];
    run_window(&config, pair);
    double part = (double)pair[DXT_DISPATCH]->wait[2] / 1000 / 20000;
    assert_true(part > 0.4 && part < 0.6);
    free_pair(pair);
}

static void counters_are_those_of_the_rank(void **state)
{
    (void)state;
    const sim_fault late = {.kind = SIM_LATE, .phase = DXT_DISPATCH, .rank = 2, .size_ns = 23000};
    sim_config config = calm(&late, 1);
    config.ticks_per_second = 2e9;
    config.clock_spread = 0.1;
    config.local_experts = 4;
    config.counter_floor_ns = 250;
    dxt_window *pair[2];
    run_window(&config, pair);
    const dxt_window *window = pair[DXT_DISPATCH];
    assert_int_equal(window->unit, DXT_UNIT_CYCLES);
    assert_int_equal(window->samples_each, 4 * OPS);
    assert_true(fabs(window->ticks_per_second[0] - window->ticks_per_second[1]) > 1e6);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < N; j++) {
            double ns = 250 + (i != 2 && j == 2 ? 23000 : 0);
            double cycles = ns * 4 * OPS * window->ticks_per_second[i] / 1e9;
            assert_true(fabs((double)window->wait[i * N + j] - cycles) <= 0.5);
            assert_true(fabs(dxt_window_value(window, i, j) - ns) < 0.1);
        }
    free_pair(pair);
}

static void the_seed_decides(void **state)
{
    (void)state;
    sim_config config;
    sim_config_default(&config);
    config.ranks = 300; /* more than the inner loop takes at once */
    config.ops = 5;
    config.tail = config.cell_tail = 0.5;
    dxt_window *first[2], *again[2], *other[2];
    run_window(&config, first);
    run_window(&config, again);
    config.seed++;
    run_window(&config, other);
    size_t size = (size_t)300 * 300 * sizeof(int64_t);
    for (int p = 0; p < 2; p++) {
        assert_memory_equal(first[p]->wait, again[p]->wait, size);
        assert_int_equal(first[p]->elapsed_ns, again[p]->elapsed_ns);
        assert_int_not_equal(memcmp(first[p]->wait, other[p]->wait, size), 0);
    }
    for (uint32_t i = 0; i < 300; i++) assert_int_equal(first[0]->wait[i * 301], 0);
    free_pair(first);
    free_pair(again);
    free_pair(other);
}

/* A rank that is late once in N operations is waited for by 1/N of its lateness on average; the
 * label has what that costs in each operation. */
static void lateness_goes_round(void **state)
{
    (void)state;
    const sim_fault turns = {.kind = SIM_ROTATING, .phase = DXT_COMBINE, .size_ns = 60000};
    sim_config config = calm(&turns, 1);
    config.latency_ns[DXT_COMBINE] = config.between_ns[DXT_COMBINE] = 0;
    config.ops = 3000;
    char why[128];
    simulation *sim;
    dxt_window *pair[2];
    assert_int_equal(sim_create(&config, &sim, why, sizeof why), DXT_OK);
    assert_int_equal(sim_next(sim, pair), DXT_OK);
    assert_true(sim_skew_ns(sim, DXT_DISPATCH) == 0);
    assert_true(fabs(sim_skew_ns(sim, DXT_COMBINE) - 60000.0 * (N - 1) / N) < 1e-6);
    int64_t column[N] = {0}, all = 0;
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < N; j++) {
            int64_t wait = pair[DXT_COMBINE]->wait[i * N + j];
            assert_true(i != j || wait == 0);
            assert_true(i == j || (wait > 420 * 60000 && wait < 580 * 60000));
            column[j] += wait;
            all += wait;
        }
    /* In every operation one rank is waited for by all others. */
    assert_int_equal(all, (int64_t)config.ops * (N - 1) * 60000);
    for (uint32_t j = 0; j < N; j++) assert_int_equal(column[j] % ((N - 1) * 60000), 0);
    free_pair(pair);
    sim_destroy(sim);
}

/* Each path stalls as often as the others, between nodes only; and whoever it holds up is late. */
static void paths_stall_between_nodes(void **state)
{
    (void)state;
    const sim_fault stalls = {
        .kind = SIM_STALLS, .phase = DXT_DISPATCH, .size_ns = 50000, .factor = 0.1};
    sim_config config = calm(&stalls, 1);
    config.ranks_per_node = 2;
    config.ops = 2000;
    dxt_window *pair[2];
    run_window(&config, pair);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < N; j++) {
            int64_t wait = pair[DXT_DISPATCH]->wait[i * N + j];
            assert_true(i / 2 != j / 2 || wait == 0);
            assert_true(i / 2 == j / 2 || llabs(wait - 2000 * 5000) < 2000 * 1000);
        }
    assert_true(pair[DXT_COMBINE]->elapsed_ns > 2000 * (220000 + TRANSFER + 10000));
    free_pair(pair);
    config.ranks_per_node = 0;
    run_window(&config, pair);
    assert_true(llabs(pair[DXT_DISPATCH]->wait[1] - 2000 * 5000) < 2000 * 1000);
    free_pair(pair);
}

/* Own node and own rail; what is slow elsewhere is a path that is not there. */
static void hybrid_windows_hold_node_and_rail(void **state)
{
    (void)state;
    const sim_fault nic = {.kind = SIM_NIC_IN, .phase = DXT_DISPATCH, .rank = 3, .size_ns = 9000};
    sim_config config = calm(&nic, 1);
    config.ranks_per_node = 2;
    config.hybrid = true;
    dxt_window *pair[2];
    run_window(&config, pair);
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < N; j++) {
            int64_t wait = pair[DXT_DISPATCH]->wait[i * N + j];
            bool node = i / 2 == j / 2, rail = i % 2 == j % 2;
            assert_int_equal(wait == DXT_NOT_OBSERVED, !node && !rail);
            if (node || rail) assert_int_equal(wait, i == 3 && !node ? OPS * 9000 : 0);
        }
    free_pair(pair);
    char why[128];
    simulation *sim;
    const sim_fault path = {.kind = SIM_PATH, .rank = 0, .source = 3, .size_ns = 1000};
    config.faults = &path;
    assert_int_equal(sim_create(&config, &sim, why, sizeof why), DXT_ERR_INVALID);
    config.fault_count = 0;
    config.ranks_per_node = 0;
    assert_int_equal(sim_create(&config, &sim, why, sizeof why), DXT_ERR_INVALID);
}

/* Normal lateness of standard deviation s: the mean wait is s ÷ √π. */
static void jitter_is_normal(void **state)
{
    (void)state;
    sim_config config = calm(NULL, 0);
    config.jitter = 0.10;
    config.ops = 5000;
    dxt_window *pair[2];
    run_window(&config, pair);
    double sum = 0;
    for (uint32_t i = 0; i < N; i++)
        for (uint32_t j = 0; j < N; j++) sum += (double)pair[0]->wait[i * N + j];
    double wait = sum / (N * (N - 1)) / config.ops;
    assert_true(fabs(wait / (6000 / sqrt(3.14159265)) - 1) < 0.03);
    free_pair(pair);
}

/* ---- the label ---- */

static void expect_label(const sim_config *config, int phase, uint64_t number, const char *expected)
{
    static sim_truth truth;
    dxt_window *window;
    assert_int_equal(dxt_window_create(2, "dispatch", &window), DXT_OK);
    sim_truth_of(config, phase, number, &truth);
    assert_int_equal(sim_label(&truth, window), DXT_OK);
    assert_string_equal(window->extra, expected);
    dxt_window_free(window);
}

static void labels_say_what_is_to_be_named(void **state)
{
    (void)state;
    const sim_fault faults[] = {
        {.kind = SIM_LATE, .phase = DXT_DISPATCH, .rank = 5},
        {.kind = SIM_LATE, .phase = DXT_DISPATCH, .rank = 2},
        {.kind = SIM_HOT, .rank = 4, .factor = 2},
        {.kind = SIM_EARLY, .phase = DXT_COMBINE, .rank = 1},
        {.kind = SIM_PATH, .phase = DXT_DISPATCH, .rank = 3, .source = 1},
        {.kind = SIM_PATH, .phase = DXT_DISPATCH, .rank = 0, .source = 2},
        {.kind = SIM_PATH, .phase = DXT_DISPATCH, .rank = 3, .source = 1},
        {.kind = SIM_NIC_IN, .phase = DXT_COMBINE, .rank = 0},
        {.kind = SIM_NIC_OUT, .phase = DXT_COMBINE, .rank = 0},
        {.kind = SIM_NODE, .phase = DXT_COMBINE, .rank = 1},
        {.kind = SIM_NODE_PATH, .phase = DXT_COMBINE, .rank = 0, .source = 1},
    };
    sim_config config = calm(faults, sizeof faults / sizeof faults[0]);
    config.from = 3;
    expect_label(&config, DXT_DISPATCH, 2, "{\"label\":{\"cols\":[],\"rows\":[],\"points\":[]}}");
    expect_label(&config, DXT_DISPATCH, 3,
                 "{\"label\":{\"cols\":[2,5],\"rows\":[4],\"points\":[[0,2],[3,1]]}}");
    expect_label(&config, DXT_COMBINE, 9,
                 "{\"label\":{\"cols\":[0,4],\"rows\":[0,1],\"points\":[],\"nodes\":[1],"
                 "\"node_points\":[[0,1]],\"links\":[[0,\"both\"]]}}");
}

/* Links to other nodes are links in any direction; all of a node are its uplink, or, of two nodes,
 * the path between them. */
static void labels_tell_links_from_ranks(void **state)
{
    (void)state;
    const sim_fault faults[] = {
        {.kind = SIM_NIC_IN, .phase = DXT_DISPATCH, .rank = 0},
        {.kind = SIM_NIC_OUT, .phase = DXT_DISPATCH, .rank = 0},
        {.kind = SIM_NIC_OUT, .phase = DXT_DISPATCH, .rank = 1},
        {.kind = SIM_NIC_IN, .phase = DXT_COMBINE, .rank = 5},
        {.kind = SIM_STALLS, .phase = DXT_COMBINE, .factor = 0.01},
        {.kind = SIM_ROTATING, .phase = DXT_COMBINE, .size_ns = 1000},
    };
    sim_config config = calm(faults, sizeof faults / sizeof faults[0]);
    config.ranks_per_node = 2;
    expect_label(&config, DXT_DISPATCH, 0,
                 "{\"label\":{\"cols\":[],\"rows\":[0],\"points\":[],"
                 "\"links\":[[0,\"in\"]],\"node_links\":[[0,\"out\"]]}}");
    expect_label(&config, DXT_COMBINE, 0,
                 "{\"label\":{\"cols\":[],\"rows\":[5],\"points\":[],"
                 "\"links\":[[5,\"in\"]],\"stalls\":true}}");
    config.ranks = 4;
    config.fault_count = 3;
    expect_label(&config, DXT_DISPATCH, 0,
                 "{\"label\":{\"cols\":[],\"rows\":[0],\"points\":[],"
                 "\"node_points\":[[1,0]],\"links\":[[0,\"in\"]]}}");
    /* Within one node a direction alone is a late rank or a slow receiver. */
    config.ranks_per_node = 0;
    expect_label(&config, DXT_DISPATCH, 0,
                 "{\"label\":{\"cols\":[0,1],\"rows\":[0],\"points\":[],"
                 "\"links\":[[0,\"both\"]]}}");
}

static void skew_is_part_of_a_label_where_it_is_known(void **state)
{
    (void)state;
    static sim_truth truth;
    sim_config config = calm(NULL, 0);
    dxt_window *window;
    assert_int_equal(dxt_window_create(2, "dispatch", &window), DXT_OK);
    sim_truth_of(&config, DXT_DISPATCH, 0, &truth);
    truth.skew_ns = 1234.4;
    assert_int_equal(sim_label(&truth, window), DXT_OK);
    assert_string_equal(window->extra, "{\"label\":{\"cols\":[],\"rows\":[],\"points\":[],"
                                       "\"skew_ns\":1234}}");
    dxt_window_free(window);
}

/* ---- the command line ---- */

static void faults_are_read(void **state)
{
    (void)state;
    static sim_faults faults;
    char why[256];
    sim_fault_option option = {&faults, SIM_LATE};
    assert_true(sim_parse_fault("combine:3-5:1.5us", &option, why, sizeof why));
    assert_int_equal(faults.count, 3);
    assert_int_equal(faults.items[2].rank, 5);
    assert_int_equal(faults.items[2].phase, DXT_COMBINE);
    assert_true(faults.items[2].size_ns == 1500);
    option.kind = SIM_PATH;
    assert_true(sim_parse_fault("dispatch:1<-7:2ms", &option, why, sizeof why));
    assert_int_equal(faults.items[3].rank, 1);
    assert_int_equal(faults.items[3].source, 7);
    option.kind = SIM_HOT;
    assert_true(sim_parse_fault("2:3.5", &option, why, sizeof why));
    assert_true(faults.items[4].factor == 3.5);
    option.kind = SIM_ROTATING;
    assert_true(sim_parse_fault("combine:2us", &option, why, sizeof why));
    assert_true(faults.items[5].phase == DXT_COMBINE && faults.items[5].size_ns == 2000);
    option.kind = SIM_STALLS;
    assert_true(sim_parse_fault("dispatch:0.3%:1ms", &option, why, sizeof why));
    assert_true(fabs(faults.items[6].factor - 0.003) < 1e-12 && faults.items[6].size_ns == 1e6);
    static const struct {
        sim_kind kind;
        const char *text;
    } bad[] = {{SIM_LATE, "dispatch:1"},          {SIM_LATE, "dispatch:5-3:1us"},
               {SIM_LATE, "gather:1:1us"},        {SIM_LATE, "dispatch:x:1us"},
               {SIM_LATE, "dispatch:1:2s"},       {SIM_PATH, "dispatch:1:1us"},
               {SIM_PATH, "dispatch:1-2<-3:1us"}, {SIM_HOT, "1:0"},
               {SIM_LATE, "dispatch:0-2047:1us"}, {SIM_LATE, ""},
               {SIM_ROTATING, "dispatch"},        {SIM_ROTATING, "dispatch:2:1us"},
               {SIM_STALLS, "dispatch:1us"},      {SIM_STALLS, "dispatch:60%:1us"},
               {SIM_STALLS, "combine:1%:2s"}};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        option.kind = bad[k].kind;
        why[0] = '\0';
        assert_false(sim_parse_fault(bad[k].text, &option, why, sizeof why));
        assert_true(strlen(why) > 5);
    }
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    sim_fault fault = {.kind = SIM_LATE, .rank = N};
    sim_config config = calm(&fault, 1);
    simulation *sim = NULL;
    char why[128];
    assert_int_equal(sim_create(&config, &sim, why, sizeof why), DXT_ERR_INVALID);
    fault = (sim_fault){.kind = SIM_NODE, .rank = 0};
    assert_int_equal(sim_create(&config, &sim, why, sizeof why), DXT_ERR_INVALID);
    fault = (sim_fault){.kind = SIM_PATH, .rank = 1, .source = 1};
    assert_int_equal(sim_create(&config, &sim, why, sizeof why), DXT_ERR_INVALID);
    config.fault_count = 0;
    config.compute_ns = config.step_ns;
    assert_int_equal(sim_create(&config, &sim, why, sizeof why), DXT_ERR_INVALID);
    assert_null(sim);
}

/* ---- memory ---- */

static dxt_status simulate(const sim_config *config)
{
    char why[128];
    simulation *sim;
    dxt_window *pair[2];
    dxt_status status = sim_create(config, &sim, why, sizeof why);
    if (status != DXT_OK) return status;
    status = sim_next(sim, pair);
    if (status == DXT_OK) free_pair(pair);
    sim_destroy(sim);
    return status;
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    const sim_fault path = {.kind = SIM_PATH, .rank = 1, .size_ns = 7000};
    sim_config config = calm(&path, 1);
    config.ranks_per_node = 3;
    dxt_status status;
    long k = 1;
    for (; alloc_fail_arm(k), status = simulate(&config), alloc_fail_disarm(); k++)
        assert_int_equal(status, DXT_ERR_NO_MEMORY);
    assert_int_equal(status, DXT_OK);
    assert_true(k > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_rank_is_waited_for_exactly_so_long),
        cmocka_unit_test(late_in_combine_shows_above_the_transfer),
        cmocka_unit_test(an_early_rank_waits_and_costs_nothing),
        cmocka_unit_test(a_slow_path_is_one_cell_and_its_victim_is_late_next),
        cmocka_unit_test(a_hot_rank_receives_long_and_answers_late),
        cmocka_unit_test(network_cards_slow_a_row_or_a_column),
        cmocka_unit_test(nodes_are_late_as_a_whole),
        cmocka_unit_test(faults_act_when_they_should),
        cmocka_unit_test(counters_are_those_of_the_rank),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(lateness_goes_round),
        cmocka_unit_test(paths_stall_between_nodes),
        cmocka_unit_test(hybrid_windows_hold_node_and_rail),
        cmocka_unit_test(jitter_is_normal),
        cmocka_unit_test(labels_say_what_is_to_be_named),
        cmocka_unit_test(labels_tell_links_from_ranks),
        cmocka_unit_test(skew_is_part_of_a_label_where_it_is_known),
        cmocka_unit_test(faults_are_read),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
