/* SPDX-License-Identifier: Apache-2.0 */
#include "changes.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
}

static uint64_t subject_of(const dxt_finding *f)
{
    uint64_t subject = mix(mix((uint64_t)f->kind + 1, f->rank), f->source);
    subject = mix(mix(subject, (uint64_t)f->node), (uint64_t)f->source_node);
    if (f->kind == DXT_SLOW_PATH && f->rank_count > 0) subject = mix(subject, f->ranks[0]);
    return subject;
}

static bool anybody_waits(const dxt_window *window)
{
    size_t cells = (size_t)window->ranks * window->ranks;
    for (size_t i = 0; window->wait && i < cells; i++)
        if (window->wait[i] > 0) return true;
    return false;
}

/* The verdict, and what makes it uncertain: a server that hangs is not a noisy window. */
static uint32_t verdict_of(const dxt_window *window, const dxt_findings *findings)
{
    enum { STILL, DELAYED, LOST, NOISY, KINDS };
    uint32_t why;
    if (findings->verdict != DXT_VERDICT_INCONCLUSIVE) return (uint32_t)findings->verdict * KINDS;
    if (findings->still_windows > 0)
        why = STILL;
    else if (findings->delayed_ns > 0)
        why = DELAYED;
    else if (findings->lost_share > 0 || findings->apart_share > 0)
        why = LOST;
    else
        why = anybody_waits(window) ? NOISY : STILL;
    return (uint32_t)findings->verdict * KINDS + why;
}

/* Equal for windows in which the same ranks are silent; 0 = none. */
static uint64_t who_is_silent(const dxt_findings *findings)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < findings->finding_count; i++)
        if (findings->findings[i].kind == DXT_SILENT_RANK)
            sum += mix(subject_of(&findings->findings[i]), 1);
    return sum;
}

/* Equal for windows that name the same causes; their order does not count. */
static uint64_t what_it_says(const dxt_window *window, const dxt_findings *findings)
{
    uint64_t sum = verdict_of(window, findings);
    for (size_t i = 0; i < findings->finding_count; i++)
        sum += mix(subject_of(&findings->findings[i]), 1);
    for (size_t i = 0; i < findings->col_count; i++) sum += mix(101, findings->cols[i].rank);
    for (size_t i = 0; i < findings->row_count; i++) sum += mix(102, findings->rows[i].rank);
    for (size_t i = 0; i < findings->point_count; i++)
        sum += mix(mix(103, findings->points[i].row), findings->points[i].column);
    return sum;
}

static double cost_of(const dxt_finding *f)
{
    return isfinite(f->share) ? f->share : f->wait;
}

/* Whether a cause costs about as much as when it was told. A cost that varies about the limit of a
 * severity is no news. */
static bool costs_the_same(const change_state *state, const dxt_finding *f)
{
    uint64_t subject = subject_of(f);
    for (size_t i = 0; i < state->cost_count; i++) {
        const change_cost *was = &state->costs[i];
        if (was->subject != subject) continue;
        if (was->severity == (int)f->severity) return true;
        double cost = cost_of(f);
        return cost <= was->cost * CHANGES_FACTOR && was->cost <= cost * CHANGES_FACTOR;
    }
    return true; /* beyond those that are followed */
}

static bool says_the_same(const change_state *state, uint64_t says, const dxt_findings *findings)
{
    if (!state->begun || state->says != says) return false;
    for (size_t i = 0; i < findings->finding_count; i++)
        if (!costs_the_same(state, &findings->findings[i])) return false;
    return true;
}

static bool is_known(const change_state *state, uint64_t cause)
{
    for (size_t i = 0; i < state->known_count; i++)
        if (state->known[i] == cause) return true;
    return state->known_count == CHANGES_TOLD;
}

static uint64_t cause_of(const dxt_finding *f)
{
    return mix(subject_of(f), (uint64_t)f->severity);
}

/* Whether a change is one of too many, and says nothing that was not told. */
static bool comes_and_goes(const change_state *state, uint32_t verdict,
                           const dxt_findings *findings)
{
    if (!state->begun || !(state->verdicts >> verdict & 1)) return false;
    if (state->changes < CHANGES_FEW + state->windows / CHANGES_EVERY) return false;
    for (size_t i = 0; i < findings->finding_count; i++)
        if (!is_known(state, cause_of(&findings->findings[i]))) return false;
    return true;
}

static void remember(change_state *state, uint64_t says, uint32_t verdict,
                     const dxt_findings *findings)
{
    for (size_t i = 0; i < findings->finding_count; i++) {
        uint64_t cause = cause_of(&findings->findings[i]);
        if (!is_known(state, cause)) state->known[state->known_count++] = cause;
    }
    state->begun = true;
    state->verdicts |= UINT32_C(1) << verdict;
    state->says = says;
    state->cost_count = 0;
    for (size_t i = 0; i < findings->finding_count && i < CHANGES_COSTS; i++) {
        const dxt_finding *f = &findings->findings[i];
        state->costs[state->cost_count++] = (change_cost){
            .subject = subject_of(f), .severity = (int)f->severity, .cost = cost_of(f)};
    }
}

static change_state *find(changes *run, const char *phase)
{
    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->operators[i].phase, phase) == 0) return &run->operators[i];
    size_t length = strspn(phase, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "_-.:/+ ");
    /* Other names are not printed as they are. */
    if (phase[length] || length >= sizeof run->operators[0].phase) return NULL;
    if (run->count == DXT_HISTORY_OPERATORS) return NULL;
    change_state *state = &run->operators[run->count++];
    *state = (change_state){.says = 0};
    memcpy(state->phase, phase, length + 1);
    return state;
}

static void leave_out(change_state *state, const dxt_window *window, const dxt_findings *findings,
                      bool same)
{
    change_left *left = &state->left;
    state->before = *left;
    if (left->count++ == 0) left->first = window->index;
    left->last = window->index;
    left->slow += findings->verdict == DXT_VERDICT_SLOW;
    left->mixed |= !same;
    left->verdict = findings->verdict;
    changes_keep(state, NULL);
}

bool changes_look(changes *run, const dxt_window *window, const dxt_findings *findings,
                  change_state **state)
{
    uint64_t says = what_it_says(window, findings), silent = who_is_silent(findings);
    uint32_t verdict = verdict_of(window, findings);
    *state = window->index < 0 ? NULL : find(run, window->phase);
    run->windows++;
    change_state *of = *state;
    if (!of || of->closed) return true;
    bool silenced = silent != 0 && silent != of->silent;
    of->silent = silent;
    of->windows++;
    if (run->windows > CHANGES_FIRST) {
        bool same = says_the_same(of, says, findings);
        if (!silenced && (same || comes_and_goes(of, verdict, findings))) {
            leave_out(of, window, findings, same);
            return false;
        }
        of->changes++;
    }
    remember(of, says, verdict, findings);
    return true;
}

bool changes_wants(const change_state *state)
{
    return state && state->left.mixed;
}

void changes_keep(change_state *state, char *text)
{
    free(state->newest);
    state->newest = text;
}

static dxt_status say_left_out(const change_state *state, const change_left *left)
{
    const char *phase = state->phase;
    if (left->count == 0) return DXT_OK;
    if (left->mixed && left->count == 1)
        return stdout_printf("%s, window %" PRId64 ": %s, as told above (--all)\n", phase,
                             left->first, dxt_verdict_name(left->verdict));
    if (left->mixed && left->slow == 0)
        return stdout_printf("%s, windows %" PRId64 " to %" PRId64 ": none slow (--all)\n", phase,
                             left->first, left->last);
    if (left->mixed)
        return stdout_printf("%s, windows %" PRId64 " to %" PRId64 ": %" PRIu64 " of %" PRIu64
                             " slow, by causes told above (--all)\n",
                             phase, left->first, left->last, left->slow, left->count);
    if (left->count == 1)
        return stdout_printf("%s, window %" PRId64 ": the same as window %" PRId64 "\n", phase,
                             left->first, state->told);
    return stdout_printf("%s, windows %" PRId64 " to %" PRId64 ": the same as window %" PRId64 "\n",
                         phase, left->first, left->last, state->told);
}

static void forget_left_out(change_state *state)
{
    state->left = state->before = (change_left){.count = 0};
    changes_keep(state, NULL);
}

dxt_status changes_tell(change_state *state, const dxt_window *window)
{
    if (!state) return DXT_OK;
    dxt_status status = say_left_out(state, &state->left);
    forget_left_out(state);
    state->told = window->index;
    return status;
}

void changes_enough(changes *run)
{
    if (run->windows < CHANGES_FIRST) run->windows = CHANGES_FIRST;
}

dxt_status changes_close(change_state *state)
{
    if (!state || state->closed) return DXT_OK;
    state->closed = true;
    dxt_status status = say_left_out(state, &state->left);
    forget_left_out(state);
    return status;
}

bool changes_left(const changes *run)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->operators[i].left.count > 0) return true;
    return false;
}

static dxt_status end(const change_state *state)
{
    if (!state->newest) return say_left_out(state, &state->left);
    dxt_status status = say_left_out(state, &state->before);
    return status == DXT_OK ? stdout_text(NULL, state->newest, strlen(state->newest)) : status;
}

dxt_status changes_end(changes *run)
{
    dxt_status status = DXT_OK;
    for (size_t i = 0; i < run->count && status == DXT_OK; i++) status = end(&run->operators[i]);
    changes_free(run);
    return status;
}

void changes_free(changes *run)
{
    for (size_t i = 0; i < run->count; i++) free(run->operators[i].newest);
    *run = (changes){.count = 0};
}
