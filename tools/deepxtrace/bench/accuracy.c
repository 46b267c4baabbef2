/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "progress.h"
#include "random.h"
#include "score.h"

/* Ranks of a node in the cases that have nodes. */
#define NODE 8u
/* Operations of a window where a case does not say: what `job` and a session have. */
#define WINDOW_OPS 100u
/* Windows that share a job: its ranks, its paths, what is wrong with it. What is said with the
 * windows before counts in the second half. */
#define JOB_WINDOWS 8u
/* Up to this many ranks the log-ratio gets its baseline; beyond, it would take too long. */
#define BASELINE_RANKS 64u

/* What is wrong in a case. */
enum fault_set {
    NOTHING,
    LATE,
    MINORITY,
    EARLY,
    HOT,
    PATH,
    LATE_AND_PATH,
    NODE_LATE,
    NIC_IN,
    NIC_OUT
};

static const struct test_case {
    const char *name;
    enum fault_set what;
    double size;          /* of the step */
    double jitter;        /* 0 = 5 % */
    uint32_t ops;         /* 0 = WINDOW_OPS */
    uint32_t least, most; /* number of ranks; 0 = any */
    uint32_t every;       /* 0 = always */
    double tail, cell_tail;
    bool nodes;
} cases[] = {
    {.name = "healthy, jitter 5%", .what = NOTHING},
    {.name = "healthy, jitter 25%", .what = NOTHING, .jitter = 0.25},
    {.name = "healthy, tail 0.8", .what = NOTHING, .tail = 0.8},
    {.name = "healthy, cell tail 0.8", .what = NOTHING, .cell_tail = 0.8},
    {.name = "late 5%, jitter 5%", .what = LATE, .size = 0.05},
    {.name = "late 5%, jitter 15%", .what = LATE, .size = 0.05, .jitter = 0.15},
    {.name = "late 5%, jitter 25%", .what = LATE, .size = 0.05, .jitter = 0.25},
    {.name = "late 5%, j25%, 200 ops",
     .what = LATE,
     .size = 0.05,
     .jitter = 0.25,
     .ops = 200,
     .most = 128},
    {.name = "late 2%, jitter 5%", .what = LATE, .size = 0.02},
    {.name = "late 2%, jitter 25%", .what = LATE, .size = 0.02, .jitter = 0.25},
    {.name = "late 2%, j25%, 800 ops",
     .what = LATE,
     .size = 0.02,
     .jitter = 0.25,
     .ops = 800,
     .most = 64},
    {.name = "almost half late 5%", .what = MINORITY, .size = 0.05, .least = 3},
    {.name = "late 25% in 1 op of 5", .what = LATE, .size = 0.25, .least = 3, .every = 5},
    {.name = "early 10%", .what = EARLY, .size = 0.10, .least = 3},
    {.name = "hot expert, 2 shares", .what = HOT, .least = 3},
    {.name = "path 10%", .what = PATH, .size = 0.10, .least = 3},
    {.name = "late 10% and path 10%", .what = LATE_AND_PATH, .size = 0.10, .least = 4},
    {.name = "slow receiving 10%", .what = NIC_IN, .size = 0.10, .least = 3},
    {.name = "slow sending 10%", .what = NIC_OUT, .size = 0.10, .least = 3},
    {.name = "nodes, healthy", .what = NOTHING, .least = 16, .nodes = true},
    {.name = "nodes, late 5%", .what = LATE, .size = 0.05, .least = 16, .nodes = true},
    {.name = "nodes, node late 10%", .what = NODE_LATE, .size = 0.10, .least = 16, .nodes = true},
    {.name = "nodes, path 10%", .what = PATH, .size = 0.10, .least = 16, .nodes = true},
    {.name = "nodes, hot expert", .what = HOT, .least = 16, .nodes = true},
};

static sim_fault faults[SIM_MAX_FAULTS];

static sim_fault *add(sim_config *config, sim_kind kind, int phase, double size)
{
    sim_fault *fault = &faults[config->fault_count++];
    *fault = (sim_fault){.kind = kind, .phase = phase, .size_ns = size * config->step_ns};
    return fault;
}

/* k of n ranks at random are late: each is taken with the chance that leaves k in all. */
static void add_minority(sim_config *config, int phase, double size, uint64_t *random)
{
    uint32_t n = config->ranks, left = (n - 1) / 2;
    for (uint32_t i = 0; i < n; i++)
        if (sim_unit(random) * (n - i) < left) {
            add(config, SIM_LATE, phase, size)->rank = i;
            left--;
        }
}

static void set_faults(const struct test_case *test, sim_config *config, uint64_t *random)
{
    static const sim_kind kinds[] = {
        [LATE] = SIM_LATE,          [EARLY] = SIM_EARLY,    [HOT] = SIM_HOT,
        [LATE_AND_PATH] = SIM_LATE, [NODE_LATE] = SIM_NODE, [NIC_IN] = SIM_NIC_IN,
        [NIC_OUT] = SIM_NIC_OUT,    [PATH] = SIM_PATH};
    uint32_t n = config->ranks;
    int phase = sim_unit(random) < 0.5 ? DXT_DISPATCH : DXT_COMBINE;
    uint32_t rank = (uint32_t)(sim_unit(random) * n);
    uint32_t other = (rank + 1 + (uint32_t)(sim_unit(random) * (n - 1))) % n;
    config->faults = faults;
    config->fault_count = 0;
    if (test->what == NOTHING) return;
    if (test->what == MINORITY) {
        add_minority(config, phase, test->size, random);
        return;
    }
    sim_fault *fault = add(config, kinds[test->what], phase, test->size);
    fault->rank = test->what == NODE_LATE ? rank / NODE : rank;
    fault->source = other;
    /* Twice an even share, whatever the number of ranks. */
    fault->factor = 2.0 * (n - 1) / (n - 2.0);
    if (test->what != LATE_AND_PATH) return;
    fault = add(config, SIM_PATH, phase, test->size);
    fault->rank = other;
    fault->source = (rank + other) % n == other ? (other + 1) % n : rank;
}

/* What one job is judged with. */
struct job {
    sim_config config;
    simulation *sim;
    logratio_rule *logratio[2];
    dxt_history *history;
    sim_truth truth;
};

static dxt_status judge_window(struct job *job, uint64_t number, score_sheet *scores)
{
    dxt_window *pair[2];
    dxt_status status = sim_next(job->sim, pair);
    if (status != DXT_OK) return status;
    for (int p = 0; p < 2 && status == DXT_OK; p++) {
        const score_window given = {.window = pair[p],
                                    .companion = pair[1 - p],
                                    .truth = &job->truth,
                                    .history = job->history,
                                    .settled = number >= job->config.from + JOB_WINDOWS / 2,
                                    .logratio = job->logratio[p]};
        if (number < job->config.from) {
            logratio_learn(job->logratio[p], pair[p]);
            status = score_learn(&given);
            continue;
        }
        sim_truth_of(&job->config, p, number, &job->truth);
        status = score_add(&given, scores);
    }
    dxt_window_free(pair[0]);
    dxt_window_free(pair[1]);
    return status;
}

static dxt_status judge_job(struct job *job, uint64_t windows, score_sheet *scores)
{
    char why[128];
    dxt_status status = sim_create(&job->config, &job->sim, why, sizeof why);
    if (status == DXT_OK) status = dxt_history_create(NULL, &job->history);
    if (status != DXT_OK) return status;
    for (int p = 0; p < 2; p++) job->logratio[p] = logratio_create(job->config.ranks);
    if (!job->logratio[0] || !job->logratio[1]) status = DXT_ERR_NO_MEMORY;
    for (uint64_t w = 0; w < job->config.from + windows && status == DXT_OK; w++)
        status = judge_window(job, w, scores);
    for (int p = 0; p < 2; p++) logratio_destroy(job->logratio[p]);
    dxt_history_destroy(job->history);
    sim_destroy(job->sim);
    return status;
}

static dxt_status judge_case(const struct test_case *test, uint32_t ranks, uint64_t windows,
                             score_sheet *scores)
{
    static struct job job;
    uint64_t random = sim_mix((uint64_t)ranks << 32 | (uint64_t)(test - cases));
    dxt_status status = DXT_OK;
    for (uint64_t done = 0; done < windows && status == DXT_OK; done += JOB_WINDOWS) {
        progress("deepxtrace bench: %s, %u ranks, %llu of %llu windows", test->name, ranks,
                 (unsigned long long)done, (unsigned long long)windows);
        sim_config_default(&job.config);
        job.config.ranks = ranks;
        job.config.ranks_per_node = test->nodes ? NODE : 0;
        if (test->jitter > 0) job.config.jitter = test->jitter;
        job.config.tail = test->tail;
        job.config.cell_tail = test->cell_tail;
        job.config.every = test->every ? test->every : 1;
        job.config.ops = test->ops ? test->ops : WINDOW_OPS;
        job.config.from = ranks <= BASELINE_RANKS ? LOGRATIO_BASELINE : 0;
        job.config.seed = sim_bits(&random);
        set_faults(test, &job.config, &random);
        uint64_t left = windows - done;
        status = judge_job(&job, left < JOB_WINDOWS ? left : JOB_WINDOWS, scores);
    }
    return status;
}

/* Pairs of windows that a default run takes a case from: as many as the time allows. */
static uint64_t window_count(const bench_options *bench, const struct test_case *test,
                             uint32_t ranks)
{
    static const struct {
        uint32_t ranks, windows;
    } most[] = {{16, 80}, {32, 40}, {64, 20}, {128, 16}, {256, 8}, {512, 4}, {1024, 2}, {2048, 1}};
    if (bench->repeat) return bench->repeat;
    if (bench->quick) return 8;
    size_t k = 0;
    while (most[k].ranks < ranks) k++;
    if (test->ops > WINDOW_OPS) return most[k].windows / 2;
    return test->what == NOTHING && ranks <= 16 ? 3 * most[k].windows : most[k].windows;
}

static outcome measure(const bench_options *bench, uint32_t ranks)
{
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        score_sheet scores[SCORE_METHODS] = {{0}};
        const struct test_case *test = &cases[c];
        if (ranks < test->least || (test->most && ranks > test->most)) continue;
        if (bench->quick && test->ops > WINDOW_OPS) continue;
        dxt_status status = judge_case(test, ranks, window_count(bench, test, ranks), scores);
        if (status != DXT_OK) {
            complain_status("bench", status);
            return EXIT_FAILED;
        }
        score_print(test->name, ranks, bench->json, scores);
    }
    return EXIT_DONE;
}

outcome bench_accuracy(const bench_options *bench)
{
    static const uint32_t all[] = {2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048};
    outcome result = EXIT_DONE;
    if (bench->ranks > SIM_MAX_RANKS)
        return complain("bench", "accuracy takes at most %u ranks", SIM_MAX_RANKS);
    if (!bench->json) score_print_head();
    for (int f = 0; f < bench->file_count && result == EXIT_DONE; f++)
        result = score_file(bench->files[f], bench->json);
    if (bench->file_count > 0) return result;
    if (bench->ranks) return measure(bench, (uint32_t)bench->ranks);
    for (size_t k = 0; k < sizeof all / sizeof all[0] && result == EXIT_DONE; k++)
        if (!bench->quick || all[k] == 4 || all[k] == 16) result = measure(bench, all[k]);
    return result;
}
