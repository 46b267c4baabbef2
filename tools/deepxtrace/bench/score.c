/* SPDX-License-Identifier: Apache-2.0 */
#include "score.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <deepxtrace/analysis.h>

#include "names.h"
#include "output.h"

static const char *const score_names[SCORE_METHODS] = {"robust", "history", "ratio", "log-ratio"};

/* Everybody's skew is nobody's fault. */
static void count_sure(const dxt_findings *findings, const score_window *given, score_sheet *score)
{
    for (size_t k = 0; k < findings->finding_count; k++) {
        const dxt_finding *finding = &findings->findings[k];
        if (finding->kind == DXT_SYSTEMIC_SKEW || finding->confidence < 0.99) continue;
        score->sure++;
        score->sure_true += names_true(given->window, given->truth, finding);
    }
}

static dxt_status analyze(const score_window *given, int method, dxt_findings **findings)
{
    bool ratio = method == SCORE_RATIO;
    dxt_analysis_options options = {
        .struct_size = sizeof options,
        .method = ratio ? DXT_METHOD_RATIO : DXT_METHOD_ROBUST,
        .companion = ratio ? NULL : given->companion,
    };
    const dxt_history *history = method == SCORE_HISTORY ? given->history : NULL;
    dxt_status status = dxt_history_prior(history, given->window, &options);
    return status == DXT_OK ? dxt_analyze(given->window, &options, findings) : status;
}

/* What analyze() has made of a window, with those before. */
static dxt_status look_back(const score_window *given, dxt_findings **findings)
{
    dxt_findings *alone = *findings;
    dxt_status status = dxt_history_judge(given->history, given->window, alone, findings);
    if (status == DXT_OK) dxt_findings_free(alone);
    return status;
}

dxt_status score_learn(const score_window *given)
{
    dxt_findings *findings;
    dxt_status status = analyze(given, SCORE_HISTORY, &findings);
    if (status != DXT_OK) return status;
    status = look_back(given, &findings);
    dxt_findings_free(findings);
    return status;
}

static dxt_status judge(const score_window *given, int method, naming *said, score_sheet *score)
{
    dxt_findings *findings;
    memset(said, 0, sizeof *said);
    if (method == SCORE_LOGRATIO) {
        said->fits = logratio_judge(given->logratio, given->window, &said->found);
    } else {
        dxt_status status = analyze(given, method, &findings);
        if (status != DXT_OK) return status;
        if (method == SCORE_HISTORY) status = look_back(given, &findings);
        if (status == DXT_OK) names_of(findings, said);
        if (method != SCORE_HISTORY || given->settled) count_sure(findings, given, score);
        dxt_findings_free(findings);
        if (status != DXT_OK) return status;
    }
    if (method == SCORE_RATIO || method == SCORE_LOGRATIO)
        names_fold_nodes(given->window, given->truth, said);
    names_reword(given->window, given->truth, said);
    return DXT_OK;
}

/* ---- counting ---- */

struct tally {
    uint64_t found, truth, both;
};

static void tally_set(struct tally *tally, const uint8_t *found, const uint8_t *truth)
{
    for (uint32_t i = 0; i < SIM_MAX_RANKS; i++) {
        tally->found += found[i];
        tally->truth += truth[i];
        tally->both += found[i] && truth[i];
    }
}

static void tally_pairs(struct tally *tally, const sim_pairs *found, const sim_pairs *truth)
{
    size_t f = 0, t = 0;
    while (f < found->count && t < truth->count) {
        const uint32_t *a = found->items[f], *b = truth->items[t];
        bool same = a[0] == b[0] && a[1] == b[1];
        bool before = a[0] < b[0] || (a[0] == b[0] && a[1] < b[1]);
        tally->both += same;
        f += same || before;
        t += same || !before;
    }
    tally->found += found->count;
    tally->truth += truth->count;
}

/* Uplinks, of which the direction counts. */
static void tally_links(struct tally *tally, const uint8_t *found, const uint8_t *truth)
{
    for (uint32_t i = 0; i < SIM_MAX_RANKS; i++) {
        tally->found += found[i] != 0;
        tally->truth += truth[i] != 0;
        tally->both += found[i] && found[i] == truth[i];
    }
}

/* Skew is to be named where it loses much, and not where it loses little. Of many ranks cells alone
 * do not show it: there a window without a verdict is right, too. */
static void tally_skew(struct tally *tally, const score_window *given, const naming *said)
{
    double lost = names_lost(given->window, given->truth);
    bool many = given->window->ranks > NAMES_SKEW_RANKS;
    if (lost >= NAMES_SKEW && sim_truth_is_empty(given->truth)) {
        bool right = said->skew || (many && said->open);
        tally->found += right;
        tally->truth++;
        tally->both += right;
    } else if (lost < NAMES_NO_SKEW)
        tally->found += said->skew;
}

static struct tally tally_all(const score_window *given, const naming *said)
{
    const sim_truth *found = &said->found, *truth = given->truth;
    struct tally tally = {0};
    tally_set(&tally, found->cols, truth->cols);
    tally_set(&tally, found->rows, truth->rows);
    tally_set(&tally, found->nodes, truth->nodes);
    tally_links(&tally, found->node_links, truth->node_links);
    tally_pairs(&tally, &found->points, &truth->points);
    tally_pairs(&tally, &found->node_points, &truth->node_points);
    tally.found += found->stalls;
    tally.truth += truth->stalls;
    tally.both += found->stalls && truth->stalls;
    tally_skew(&tally, given, said);
    return tally;
}

dxt_status score_add(const score_window *given, score_sheet scores[SCORE_METHODS])
{
    static naming said;
    for (int m = 0; m < SCORE_METHODS; m++) {
        /* Its description knows no cells that nobody observed. */
        if (m == SCORE_LOGRATIO && names_sparse(given->window)) continue;
        dxt_status status = judge(given, m, &said, &scores[m]);
        if (status != DXT_OK) return status;
        if (m == SCORE_HISTORY && !given->settled) continue;
        if (given->without_nodes && !sim_truth_is_empty(given->truth)) {
            memset(said.found.nodes, 0, sizeof said.found.nodes);
            memset(said.found.node_links, 0, sizeof said.found.node_links);
            said.found.node_points.count = 0;
        }
        struct tally tally = tally_all(given, &said);
        if (tally.truth == 0) {
            scores[m].healthy++;
            scores[m].false_alarms += tally.found > 0;
            continue;
        }
        scores[m].faulted++;
        scores[m].exact += said.fits && tally.found == tally.truth && tally.both == tally.truth;
        scores[m].named += tally.found;
        scores[m].items += tally.truth;
        scores[m].true_names += tally.both;
    }
    return DXT_OK;
}

double score_rate(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

void score_interval(uint64_t hits, uint64_t count, double interval[2])
{
    const double z = 1.959963984540054;
    double n = (double)count, p = count ? (double)hits / n : 0.5;
    double middle = p + z * z / (2 * fmax(n, 1e-9));
    double half = z * sqrt(p * (1 - p) / fmax(n, 1e-9) + z * z / (4 * fmax(n * n, 1e-9)));
    double scale = 1 + z * z / fmax(n, 1e-9);
    interval[0] = count ? fmax(0, (middle - half) / scale) : 0;
    interval[1] = count ? fmin(1, (middle + half) / scale) : 1;
}

/* ---- printing ---- */

static void print_json(const char *name, uint32_t ranks, const char *method,
                       const score_sheet *score)
{
    double exact[2], alarms[2];
    score_interval(score->exact, score->faulted, exact);
    score_interval(score->false_alarms, score->healthy, alarms);
    stdout_printf("{\"v\": 1, \"bench\": \"accuracy\", \"ranks\": %u, \"case\": \"%s\", "
                  "\"method\": \"%s\", \"faulted\": %llu, \"exact\": %llu, "
                  "\"exact_low\": %.4f, \"exact_high\": %.4f, \"named\": %llu, "
                  "\"true_names\": %llu, \"items\": %llu, \"healthy\": %llu, "
                  "\"false_alarms\": %llu, \"false_alarms_low\": %.4f, "
                  "\"false_alarms_high\": %.4f, \"sure\": %llu, \"sure_true\": %llu}\n",
                  ranks, name, method, (unsigned long long)score->faulted,
                  (unsigned long long)score->exact, exact[0], exact[1],
                  (unsigned long long)score->named, (unsigned long long)score->true_names,
                  (unsigned long long)score->items, (unsigned long long)score->healthy,
                  (unsigned long long)score->false_alarms, alarms[0], alarms[1],
                  (unsigned long long)score->sure, (unsigned long long)score->sure_true);
}

/* A rate in percent, or a dash. */
static const char *percent(double rate, char text[8])
{
    if (isnan(rate))
        strcpy(text, "-");
    else
        snprintf(text, 8, "%.1f", 100 * rate);
    return text;
}

void score_print_head(void)
{
    stdout_printf("Windows in which exactly what is wrong is named, in %%: by this analysis, each\n"
                  "window alone with the 95 %% interval, and with the windows before it; by the\n"
                  "ratio to the mean; by the log-ratio. Findings of a confidence of 0.99 and more\n"
                  "that are true, in %%. False alarms per 1,000 windows of the operator with\n"
                  "nothing wrong, alone and with the windows before.\n\n"
                  "%4s %-22s%6s %-10s%6s%6s%6s%6s%6s%6s\n",
                  "", "case", "alone", "(95 %)", "run", "ratio", "log-r", "sure", "false", "run");
}

/* Where nothing is wrong, naming nothing is exact. */
static double exact_rate(const score_sheet *score, double interval[2])
{
    bool quiet = score->faulted == 0;
    uint64_t exact = quiet ? score->healthy - score->false_alarms : score->exact;
    uint64_t windows = quiet ? score->healthy : score->faulted;
    score_interval(exact, windows, interval);
    return score_rate(exact, windows);
}

static const char *alarms_of(const score_sheet *score, char text[8])
{
    double rate = 1000 * score_rate(score->false_alarms, score->healthy);
    snprintf(text, 8, isnan(rate) ? "-" : "%.0f", rate);
    return text;
}

void score_print(const char *name, uint32_t ranks, bool json,
                 const score_sheet scores[SCORE_METHODS])
{
    char text[SCORE_METHODS][8], sure[8], alarms[2][8], size[16] = "", range[32];
    double interval[2];
    for (int m = 0; json && m < SCORE_METHODS; m++)
        print_json(name, ranks, score_names[m], &scores[m]);
    if (json) return;
    for (int m = SCORE_METHODS - 1; m >= 0; m--) percent(exact_rate(&scores[m], interval), text[m]);
    const score_sheet *ours = &scores[SCORE_ROBUST], *run = &scores[SCORE_HISTORY];
    snprintf(range, sizeof range, "%.1f-%.1f", 100 * interval[0], 100 * interval[1]);
    if (ranks) snprintf(size, sizeof size, "%u", ranks);
    stdout_printf(
        "%4s %-22.22s%6s %-10s%6s%6s%6s%6s%6s%6s\n", size, name, text[SCORE_ROBUST], range,
        text[SCORE_HISTORY], text[SCORE_RATIO], text[SCORE_LOGRATIO],
        percent(score_rate(ours->sure_true + run->sure_true, ours->sure + run->sure), sure),
        alarms_of(ours, alarms[0]), alarms_of(run, alarms[1]));
    stdout_flush();
}
