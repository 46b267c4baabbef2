/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "cases.h"
#include "misses.h"
#include "options.h"
#include "outcome.h"
#include "output.h"
#include "progress.h"
#include "random.h"
#include "score.h"

/* Windows that share a job: its ranks, its paths, what is wrong with it. What is said with the
 * windows before counts from the fifth on. */
#define JOB_WINDOWS 12u
#define JOB_SETTLED 4u
/* Up to this many ranks the log-ratio gets its baseline; beyond, it would take too long. */
#define BASELINE_RANKS 64u

/* What one job is judged with. */
struct job {
    sim_config config;
    simulation *sim;
    logratio_rule *logratio[2];
    dxt_history *history;
    sim_truth truth;
    misses misses;
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
                                    .settled = number >= job->config.from + JOB_SETTLED,
                                    .logratio = job->logratio[p]};
        if (number < job->config.from) {
            logratio_learn(job->logratio[p], pair[p]);
            status = score_learn(&given);
            continue;
        }
        sim_truth_of(&job->config, p, number, &job->truth);
        job->truth.skew_ns = sim_skew_ns(job->sim, p);
        score_sheet before[SCORE_METHODS];
        memcpy(before, scores, sizeof before);
        status = score_add(&given, scores);
        misses_note(&job->misses, before, scores, p, number);
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

static dxt_status judge_case(const accuracy_case *test, uint32_t ranks, uint64_t windows,
                             const bench_options *bench, score_sheet *scores)
{
    static struct job job;
    uint64_t random = splitmix_mix((uint64_t)ranks << 32 | (uint64_t)(test - accuracy_cases));
    dxt_status status = DXT_OK;
    /* Jobs that are skipped are drawn all the same, so that the others stay the same. */
    for (uint64_t skipped = 0; skipped < bench->skip; skipped += JOB_WINDOWS)
        case_set_up(test, ranks, &random, &job.config);
    for (uint64_t done = 0; done < windows && status == DXT_OK; done += JOB_WINDOWS) {
        progress("deepxtrace bench: %s, %u ranks, %llu of %llu windows", test->name, ranks,
                 (unsigned long long)done, (unsigned long long)windows);
        case_set_up(test, ranks, &random, &job.config);
        job.config.from = ranks <= BASELINE_RANKS ? LOGRATIO_BASELINE : 0;
        uint64_t left = windows - done, part = left < JOB_WINDOWS ? left : JOB_WINDOWS;
        memset(&job.misses, 0, sizeof job.misses);
        status = judge_job(&job, part, scores);
        if (bench->misses) misses_print(&job.misses, &job.config, job.config.from + part);
    }
    return status;
}

/* Pairs of windows that a default run takes a case from: as many as the time allows. */
static uint64_t window_count(const bench_options *bench, const accuracy_case *test, uint32_t ranks)
{
    static const struct {
        uint32_t ranks, windows;
    } most[] = {{16, 80}, {32, 40}, {64, 20}, {128, 16}, {256, 8}, {512, 4}, {1024, 2}, {2048, 1}};
    if (bench->repeat) return bench->repeat;
    if (bench->quick) return 8;
    size_t k = 0;
    while (most[k].ranks < ranks) k++;
    if (test->ops > CASE_OPS) return most[k].windows / 2;
    return test->what == NOTHING && ranks <= 16 ? 3 * most[k].windows : most[k].windows;
}

/* A name that is a part of others ("path 10%") means itself. */
static bool is_wanted(const bench_options *bench, const accuracy_case *test)
{
    if (!bench->name) return true;
    for (size_t c = 0; c < accuracy_case_count; c++)
        if (strcmp(accuracy_cases[c].name, bench->name) == 0) return test == &accuracy_cases[c];
    return strstr(test->name, bench->name);
}

static bool takes(const accuracy_case *test, uint32_t ranks)
{
    return ranks >= test->least && (!test->most || ranks <= test->most);
}

static outcome list_cases(const bench_options *bench)
{
    for (size_t c = 0; c < accuracy_case_count; c++) {
        const accuracy_case *test = &accuracy_cases[c];
        if (!is_wanted(bench, test)) continue;
        if (!bench->ranks || takes(test, (uint32_t)bench->ranks)) stdout_printf("%s\n", test->name);
    }
    return EXIT_DONE;
}

static outcome measure(const bench_options *bench, uint32_t ranks)
{
    for (size_t c = 0; c < accuracy_case_count; c++) {
        score_sheet scores[SCORE_METHODS] = {{0}};
        const accuracy_case *test = &accuracy_cases[c];
        if (!is_wanted(bench, test) || !takes(test, ranks)) continue;
        if (bench->quick && test->ops > CASE_OPS) continue;
        dxt_status status =
            judge_case(test, ranks, window_count(bench, test, ranks), bench, scores);
        if (status != DXT_OK) {
            complain_status("bench", status);
            return EXIT_FAILED;
        }
        if (!bench->misses) score_print(test->name, ranks, bench->json, scores);
    }
    return EXIT_DONE;
}

outcome bench_accuracy(const bench_options *bench)
{
    static const uint32_t all[] = {2, 3, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048};
    outcome result = EXIT_DONE;
    if (bench->ranks > SIM_MAX_RANKS)
        return complain("bench", "accuracy takes at most %u ranks", SIM_MAX_RANKS);
    if (bench->skip % JOB_WINDOWS != 0)
        return complain("bench", "--skip: %llu is not a multiple of %u",
                        (unsigned long long)bench->skip, JOB_WINDOWS);
    if (bench->list) return list_cases(bench);
    if (!bench->json && !bench->misses) score_print_head();
    for (int f = 0; f < bench->file_count && result == EXIT_DONE; f++)
        result = score_file(bench->files[f], bench->json);
    if (bench->file_count > 0) return result;
    if (bench->ranks) return measure(bench, (uint32_t)bench->ranks);
    for (size_t k = 0; k < sizeof all / sizeof all[0] && result == EXIT_DONE; k++)
        if (!bench->quick || all[k] == 4 || all[k] == 16) result = measure(bench, all[k]);
    return result;
}
