/* SPDX-License-Identifier: Apache-2.0 */
/* One window's findings in the light of the windows before. */
#include <math.h>
#include <string.h>

#include "analysis/draft.h"
#include "analysis/phase.h"
#include "analysis/raw.h"
#include "analysis/tuning.h"
#include "analysis/weigh.h"
#include "base/base.h"
#include "history/history.h"

/* Part of the transfer time by which the mean over windows must exceed what pairs differ anyway.
 * For one window it is half; over the peers of a rank that averages out to about a quarter, which
 * the noise of one window hides. Two or three ranks have no peers to average over. */
#define UNEVENNESS 0.25
#define UNEVENNESS_OF_FEW 0.5
#define FEW_RANKS 3u
/* As for one window (judge.c): who is late in dispatch is found late in combine by up to this part
 * of the transfer time. */
#define ECHO 0.8
/* What a rank brings along from another operator is known to about half: unlike noise, that does
 * not average out. */
#define INHERITED_DOUBT 0.5
/* A rank's small lateness that is this many times larger in another operator spilled from there. */
#define SPILL 10.0
/* Windows before that tell noise and what is ordinary. */
#define ESTABLISHED 4u
/* Support: the window before, or this many of the last RECENT ones. */
#define RECENT 8u
#define STRIKES 2u
/* What a small finding can be worth as long as no other window bears it out. */
#define UNSUPPORTED 0.98
/* What a finding is worth that one window of few ranks was sure of, when others bear it out. */
#define BORNE_OUT 0.995
/* Fewest windows whose mean says anything. */
#define SHORTEST 3u
/* Severity, as for one window. */
#define MAJOR_SHARE 0.05
#define CRITICAL_SHARE 0.20
#define MAJOR_MULTIPLE 3.0
#define CRITICAL_MULTIPLE 10.0

/* What becomes of a rank's column or row in the lists. */
enum edit { ADD_COL = 1, DROP_COL = 2, ADD_ROW = 4, DROP_ROW = 8, NAMED = 16 };

struct weighing {
    dxt_history *history;
    dxt_track *track; /* NULL: copy */
    const dxt_window *window;
    const dxt_findings *found;
    const dxt_moment *now;
    uint32_t newest; /* position of the window */
    double noise[DXT_HISTORY_OPERATORS];
    double own_noise;
    uint8_t *edit; /* [ranks] */
    dxt_draft *draft;
};

static void weigh_finding(const struct weighing *w, dxt_finding *finding, double wait, double error,
                          double limit)
{
    double z = wait / fmax(fmax(error, limit / 4), 1e-9);
    double multiple = wait / fmax(w->found->ordinary, 1e-9);
    bool timed = !isnan(w->found->step);
    finding->wait = wait;
    finding->share = timed ? fmin(1, wait / w->found->step) : NAN;
    finding->confidence = fmin(0.999, 1 - exp(-z * z / 4));
    finding->severity = DXT_SEVERITY_MINOR;
    if (finding->kind == DXT_EARLY_RANK) {
        if (timed) finding->share = 0;
    } else if (timed ? finding->share >= CRITICAL_SHARE : multiple >= CRITICAL_MULTIPLE) {
        finding->severity = DXT_SEVERITY_CRITICAL;
    } else if (timed ? finding->share >= MAJOR_SHARE : multiple >= MAJOR_MULTIPLE) {
        finding->severity = DXT_SEVERITY_MAJOR;
    }
}

/* ---- lateness that stays ---- */

/* Whether three quarters of the newest windows, the last one included, show at least half of the
 * lateness that has to be shown (one long stall makes a mean, but not a late rank), and the last
 * few still half of the mean (it has not ended). */
static bool stays(const struct weighing *w, uint32_t rank, uint32_t length, double base,
                  double limit)
{
    uint32_t shown = 0, end = w->newest + 1;
    for (uint32_t p = end - length; p < end; p++)
        shown += dxt_track_late(w->track, p, rank) - base > limit / 2;
    if (4 * shown < 3 * length || !(dxt_track_late(w->track, w->newest, rank) - base > limit / 2))
        return false;
    double mean = dxt_track_mean(w->track, end, length, rank) - base;
    return dxt_track_mean(w->track, end, SHORTEST, rank) - base > mean / 2;
}

/* Beyond what a mean of `length` windows can be by chance, in an operator other than this one or in
 * this. */
static double chance(const dxt_track *track, const dxt_moment *moment, double noise,
                     uint32_t length)
{
    return dxt_track_significance(track, moment, noise, length) * noise / sqrt(length);
}

static double unevenness(const dxt_track *track, const dxt_moment *moment)
{
    double part = track->ranks <= FEW_RANKS ? UNEVENNESS_OF_FEW : UNEVENNESS;
    return part * moment->factor * moment->transfer;
}

/* What is left of a rank's lateness after what other operators account for: an echo of being late
 * there, or having been held up there through no fault of its own. */
static double own_part(const struct weighing *w, uint32_t rank, uint32_t length, double late)
{
    double most = 0;
    for (uint32_t t = 0; t < w->history->tracks; t++) {
        const dxt_track *other = &w->history->track[t];
        if (other == w->track || other->count == 0) continue;
        uint32_t end = other->count, there = length < end ? length : end;
        const dxt_moment *moment = dxt_track_moment(other, end - 1);
        double noise = isnan(w->noise[t]) ? moment->error : w->noise[t];
        double limit = fmax(moment->floor, chance(other, moment, noise, there));
        double level = dxt_track_mean(other, end, there, rank);
        bool late_there = level > fmax(limit, unevenness(other, moment));
        if (dxt_is_phase(other->phase, "dispatch") && late_there && late < ECHO * w->now->transfer)
            return 0;
        most = fmax(most, dxt_track_median_leaving(other, end, there, rank));
    }
    return late - most > INHERITED_DOUBT * most ? late - most : 0;
}

struct lateness {
    double wait, error, limit;
};

/* Against the ordinary ranks: the mean since it began must exceed the unevenness of the pairs. */
static bool late_by_mean(const struct weighing *w, uint32_t rank, uint32_t length,
                         struct lateness *late)
{
    double mean = dxt_track_mean(w->track, w->newest + 1, length, rank);
    double limit = fmax(fmax(w->now->floor, unevenness(w->track, w->now)),
                        chance(w->track, w->now, w->own_noise, length));
    if (!(mean > limit) || !stays(w, rank, length, 0, limit)) return false;
    *late = (struct lateness){own_part(w, rank, length, mean), w->own_noise / sqrt(length), limit};
    return late->wait > limit;
}

/* Against its own past: what is uneven between the pairs was so before and drops out. */
static bool late_by_change(const struct weighing *w, uint32_t rank, uint32_t length,
                           struct lateness *late)
{
    double base;
    uint32_t behind = dxt_track_base(w->track, w->newest + 1 - length, rank, &base);
    if (behind < DXT_BASE_WINDOWS) return false;
    double mean = dxt_track_mean(w->track, w->newest + 1, length, rank);
    double windows = 1 / (1.0 / length + 1.0 / behind);
    double error = w->own_noise / sqrt(windows);
    double limit =
        fmax(w->now->floor, dxt_track_significance(w->track, w->now, w->own_noise, length) * error);
    /* From early to ordinary is no lateness. */
    if (!(mean - base > limit) || mean < limit / 2) return false;
    if (!stays(w, rank, length, base, limit)) return false;
    *late = (struct lateness){own_part(w, rank, length, mean - base), error, limit};
    return late->wait > limit;
}

static bool stays_late(const struct weighing *w, uint32_t rank, struct lateness *late)
{
    static const uint32_t lengths[] = {SHORTEST, 4, 8, 16, 32, 64};
    if (isnan(w->own_noise) || isnan(dxt_track_late(w->track, w->newest, rank))) return false;
    for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
        if (lengths[k] > w->newest + 1) break;
        if (late_by_mean(w, rank, lengths[k], late)) return true;
        if (lengths[k] <= RECENT && late_by_change(w, rank, lengths[k], late)) return true;
    }
    return false;
}

/* A rank that is very late in another operator at this time. */
static bool spilled(const struct weighing *w, uint32_t rank, double wait)
{
    for (uint32_t t = 0; t < w->history->tracks; t++) {
        const dxt_track *other = &w->history->track[t];
        if (other == w->track || other->count == 0) continue;
        if (dxt_track_late(other, other->count - 1, rank) > SPILL * wait) return true;
    }
    return false;
}

static void add_late_ranks(struct weighing *w)
{
    for (uint32_t r = 0; r < w->track->ranks; r++) {
        struct lateness late;
        if ((w->edit[r] & NAMED) || !stays_late(w, r, &late)) continue;
        if (spilled(w, r, late.wait)) continue;
        dxt_finding *finding = dxt_draft_finding(w->draft, DXT_LATE_RANK);
        if (!finding) return;
        finding->rank = r;
        weigh_finding(w, finding, late.wait, late.error, late.limit);
        w->edit[r] |= ADD_COL;
    }
}

/* ---- what one window says alone ---- */

/* Whether the newest windows, two or more, show together what is beyond their noise. */
static bool beyond_noise(const struct weighing *w, const dxt_finding *finding)
{
    double sign = finding->kind == DXT_EARLY_RANK ? -1 : 1;
    for (uint32_t length = 2; length <= RECENT && length <= w->newest + 1; length++) {
        double mean = dxt_track_mean(w->track, w->newest + 1, length, finding->rank);
        if (sign * mean > finding->wait / 2 &&
            sign * mean > chance(w->track, w->now, w->own_noise, length))
            return true;
    }
    return false;
}

/* Whether windows before show a good part of a finding as well. */
static bool supported(const struct weighing *w, const dxt_finding *finding)
{
    double sign = finding->kind == DXT_EARLY_RANK ? -1 : 1;
    uint32_t strikes = 0;
    for (uint32_t back = 1; back <= RECENT && back <= w->newest; back++) {
        double late = dxt_track_late(w->track, w->newest - back, finding->rank);
        if (!(sign * late > finding->wait / 2)) continue;
        if (back == 1) return true;
        strikes++;
    }
    return strikes >= STRIKES;
}

/* Whether a finding stands; its confidence may suffer. */
static bool stands(const struct weighing *w, dxt_finding *finding)
{
    bool late = finding->kind == DXT_LATE_RANK;
    bool small = finding->severity == DXT_SEVERITY_MINOR;
    if (!late && finding->kind != DXT_EARLY_RANK) return true;
    if (w->newest == 0) return true;
    if (late && small && spilled(w, finding->rank, finding->wait)) return false;
    if (w->newest < ESTABLISHED) return true;
    bool borne_out = supported(w, finding);
    /* One window knows its own noise roughly, several know it better. */
    bool beyond = beyond_noise(w, finding);
    if (finding->wait < chance(w->track, w->now, w->own_noise, 1) && !beyond) return false;
    if (small && !borne_out) finding->confidence = fmin(finding->confidence, UNSUPPORTED);
    if (beyond && finding->confidence >= DXT_SURE_OF_FEW)
        finding->confidence = fmax(finding->confidence, BORNE_OUT);
    return true;
}

/* The step when nobody was named, and its standard deviation; NaN if too few windows tell. */
static double ordinary_step(const struct weighing *w, double *deviation)
{
    double sum = 0, squares = 0;
    uint32_t used = 0;
    for (uint32_t p = 0; p < w->newest; p++) {
        const dxt_moment *moment = dxt_track_moment(w->track, p);
        if (!moment->quiet || isnan(moment->step)) continue;
        double step = moment->step - w->now->step;
        sum += step;
        squares += step * step;
        used++;
    }
    if (used < ESTABLISHED) return NAN;
    double mean = sum / used;
    *deviation = sqrt(fmax(0, squares / used - mean * mean));
    return mean + w->now->step;
}

/* Of two ranks, the waits say only which is later. When one becomes late the step grows by as much;
 * when the other becomes early it does not. In doubt it is late. */
static bool other_is_early(const struct weighing *w, const dxt_finding *finding)
{
    double base, deviation = 0, step = ordinary_step(w, &deviation);
    if (w->track->ranks != 2 || finding->kind != DXT_LATE_RANK || isnan(step)) return false;
    if (dxt_track_base(w->track, w->newest, finding->rank, &base) == 0) base = 0;
    double later = dxt_track_late(w->track, w->newest, finding->rank) - base;
    return w->now->step - step + 2 * deviation < later / 2;
}

static void keep_finding(struct weighing *w, dxt_finding finding)
{
    bool kept = !w->track || stands(w, &finding);
    bool turned = kept && w->track && other_is_early(w, &finding);
    uint32_t rank = finding.rank;
    if (!kept || turned) w->edit[rank] |= finding.kind == DXT_EARLY_RANK ? DROP_ROW : DROP_COL;
    if (turned) {
        rank = 1 - rank;
        finding.kind = DXT_EARLY_RANK;
        finding.rank = rank;
        if (!isnan(finding.share)) finding.share = 0;
        finding.severity = DXT_SEVERITY_MINOR;
        w->edit[rank] |= ADD_ROW;
    }
    if (kept) dxt_draft_copy(w->draft, &finding);
}

/* ---- the lists, and the result ---- */

static double raw_mean(const dxt_window *window, uint32_t first, uint32_t stride)
{
    double sum = 0;
    for (uint32_t k = 0; k < window->ranks; k++)
        sum += (double)window->wait[(size_t)first + (size_t)k * stride];
    return sum / window->ranks;
}

static double mean_of_all(const dxt_window *window)
{
    double sum = 0;
    for (uint32_t r = 0; r < window->ranks; r++) sum += raw_mean(window, r, window->ranks);
    return sum / window->ranks;
}

static void copy_axes(struct weighing *w, bool rows)
{
    const dxt_abnormal_axis *axes = rows ? w->found->rows : w->found->cols;
    size_t count = rows ? w->found->row_count : w->found->col_count, next = 0;
    uint8_t add = rows ? ADD_ROW : ADD_COL, drop = rows ? DROP_ROW : DROP_COL;
    void (*put)(dxt_draft *, uint32_t, double, double) = rows ? dxt_draft_row : dxt_draft_col;
    uint32_t n = w->window->ranks;
    for (uint32_t r = 0; r < n; r++) {
        bool listed = next < count && axes[next].rank == r;
        if (listed && !(w->edit[r] & drop))
            put(w->draft, r, axes[next].mean, axes[next].normalised);
        else if (!listed && (w->edit[r] & add)) {
            double mean = rows ? raw_mean(w->window, r * n, 1) : raw_mean(w->window, r, n);
            put(w->draft, r, mean, dxt_normalise(mean, mean_of_all(w->window)));
        }
        next += listed;
    }
}

static dxt_status copy_lateness(struct weighing *w)
{
    size_t n = w->window->ranks;
    if (!w->found->lateness) return DXT_OK;
    double *lateness = dxt_draft_lateness(w->draft, w->window->ranks);
    if (!lateness) return DXT_ERR_NO_MEMORY;
    memcpy(lateness, w->found->lateness, n * sizeof *lateness);
    memcpy(lateness + n, w->found->lateness_error, n * sizeof *lateness);
    for (size_t r = 0; r < n; r++)
        lateness[2 * n + r] = w->found->lateness_of_node ? w->found->lateness_of_node[r] : 0;
    return DXT_OK;
}

static void give_verdict(struct weighing *w)
{
    w->draft->verdict = w->found->verdict;
    if (w->draft->verdict == DXT_VERDICT_SLOW && w->track) w->draft->verdict = DXT_VERDICT_HEALTHY;
    for (size_t f = 0; f < w->draft->finding_count; f++)
        if (w->draft->findings[f].kind != DXT_EARLY_RANK) w->draft->verdict = DXT_VERDICT_SLOW;
}

/* Nodes as far as findings need them. */
static void name_nodes(const struct weighing *w, int32_t *nodes)
{
    for (uint32_t r = 0; r < w->window->ranks; r++) nodes[r] = -1;
    for (size_t f = 0; f < w->found->finding_count; f++) {
        const dxt_finding *finding = &w->found->findings[f];
        if (finding->node < 0) continue;
        for (uint32_t k = 0; k < finding->rank_count; k++) nodes[finding->ranks[k]] = finding->node;
    }
}

static void look_around(struct weighing *w)
{
    for (uint32_t t = 0; t < w->history->tracks; t++) {
        dxt_track *track = &w->history->track[t];
        bool own = track == w->track;
        w->noise[t] = dxt_track_noise(track, track->count + own);
        if (own) w->own_noise = w->noise[t];
    }
    w->newest = w->track->count;
    w->now = dxt_track_moment(w->track, w->newest);
}

static void fill_draft(struct weighing *w)
{
    const dxt_findings *found = w->found;
    for (size_t f = 0; f < found->finding_count; f++) {
        for (uint32_t r = 0; r < found->ranks; r++)
            if (dxt_finding_names(&found->findings[f], r)) w->edit[r] |= NAMED;
        keep_finding(w, found->findings[f]);
    }
    if (w->track) add_late_ranks(w);
    copy_axes(w, false);
    copy_axes(w, true);
    for (size_t p = 0; p < found->point_count; p++)
        dxt_draft_point(w->draft, found->points[p].row, found->points[p].column,
                        found->points[p].value, found->points[p].normalised);
    give_verdict(w);
}

dxt_status dxt_history_weigh(dxt_history *history, dxt_track *track, const dxt_window *window,
                             const dxt_findings *findings, dxt_block *result)
{
    struct weighing w = {.history = history,
                         .track = track,
                         .window = window,
                         .found = findings,
                         .draft = &history->draft};
    int32_t *nodes = dxt_block_fit(&history->nodes, window->ranks * sizeof *nodes);
    w.edit = dxt_block_fit(&history->edits, window->ranks);
    if (!nodes || !w.edit) return DXT_ERR_NO_MEMORY;
    memset(w.edit, 0, window->ranks);
    dxt_draft_reset(w.draft, findings->method);
    w.draft->ordinary = findings->ordinary;
    w.draft->step = findings->step;
    w.draft->transfer = findings->transfer;
    w.draft->inherited = findings->inherited;
    w.draft->likely_node_size = findings->likely_node_size;
    if (track) look_around(&w);
    dxt_status status = copy_lateness(&w);
    if (status != DXT_OK) return status;
    fill_draft(&w);
    name_nodes(&w, nodes);
    return dxt_draft_pack(w.draft, window, nodes, result);
}
