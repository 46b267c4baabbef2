/* SPDX-License-Identifier: Apache-2.0 */
/* Operations, waits side by side, and what the diagnosis itself cost. */
#include "session/assembler.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

/* Part by which a rank's number of issued operations may differ from that of all. */
#define AHEAD 0.25
/* Part by which the time between a rank's mails may differ from that of the others. */
#define APART 0.05

bool dxt_assembler_find_experts(dxt_assembler *to, const dxt_assembly *a)
{
    bool known = false;
    for (uint32_t r = 0; r < a->ranks; r++) {
        to->experts[r] = 0;
        if (to->missing[r]) continue;
        dxt_mail_head from, until;
        dxt_mail_get_head(a->before[r], &from);
        dxt_mail_get_head(a->after[r], &until);
        /* At the beginning it may have been unknown, but not another. */
        if (until.local_experts == 0 ||
            (from.local_experts != 0 && from.local_experts != until.local_experts))
            return false;
        to->experts[r] = (int64_t)until.local_experts;
        known = true;
    }
    return known;
}

/* The upper median of values ≥ 0, by halving the range: qsort() may allocate. 0 of none. */
static int64_t middle(const int64_t *values, uint32_t count)
{
    int64_t low = 0, high = count > 0 ? INT64_MAX : 0;
    while (low < high) {
        int64_t guess = low + (high - low) / 2;
        uint32_t below = 0;
        for (uint32_t k = 0; k < count; k++) below += values[k] <= guess;
        if (below > count / 2)
            high = guess;
        else
            low = guess + 1;
    }
    return low;
}

/* Whether a rank had waited for anybody before the window. */
static bool has_waited(const dxt_assembly *a, uint32_t rank, uint32_t index)
{
    const uint64_t *waits = dxt_mail_plane(a->before[rank], a->ranks, index, DXT_MAIL_WAIT);
    uint64_t bits = 0;
    for (uint32_t c = 0; c < a->ranks; c++) bits |= waits[c];
    return bits > 0;
}

/* Operations of a rank between its mails: completed ones where it counts them, else those that were
 * issued. DXT_NOT_OBSERVED = it counts none. */
static int64_t operations_of(const dxt_assembly *a, uint32_t rank, uint32_t index)
{
    dxt_mail_counts from = dxt_mail_get_counts(a->before[rank], a->ranks, index);
    dxt_mail_counts until = dxt_mail_get_counts(a->after[rank], a->ranks, index);
    if (until.ops > 0) return (int64_t)(until.ops - from.ops);
    /* A rank that had waited, but knew of no operation, did not know their number then. */
    if (from.issued == 0 && has_waited(a, rank, index)) return DXT_NOT_OBSERVED;
    bool known =
        until.issued > 0 && until.issued >= from.issued && until.issued - from.issued <= INT64_MAX;
    return known ? (int64_t)(until.issued - from.issued) : DXT_NOT_OBSERVED;
}

/* Whether a rank's operations are those that were issued: it counts none that are completed. */
static bool counts_issued(const dxt_assembly *a, uint32_t rank, uint32_t index)
{
    return dxt_mail_get_counts(a->after[rank], a->ranks, index).ops == 0;
}

/* Operations that all ranks have issued between their mails, of those whose number is known: no
 * more can have been completed. */
static double issued_by_all(const dxt_assembly *a, const int64_t *ops, uint32_t index)
{
    double before = INFINITY, after = INFINITY;
    for (uint32_t r = 0; r < a->ranks; r++) {
        if (ops[r] < 0 || !counts_issued(a, r, index)) continue;
        dxt_mail_counts from = dxt_mail_get_counts(a->before[r], a->ranks, index);
        dxt_mail_counts until = dxt_mail_get_counts(a->after[r], a->ranks, index);
        before = fmin(before, (double)from.issued);
        after = fmin(after, (double)until.issued);
    }
    return after - before;
}

static bool has_waits(const dxt_assembler *to, const dxt_assembly *a, uint32_t rank, uint32_t index)
{
    const int64_t *wait = to->cells[index].plane[DXT_MAIL_WAIT] + (size_t)rank * a->ranks;
    for (uint32_t c = 0; c < a->ranks; c++)
        if (wait[c] > 0) return true;
    return false;
}

/* A host that runs ahead of its GPU issues operations in one window that are completed in the next:
 * at the beginning too many, at the end too few, or none while the waits go on. Such a number says
 * nothing of the waits. Mails of the ranks are not of quite the same time, so that less than a
 * quarter is no reason; nor is what would leave nobody's number. */
static void leave_out_ahead(const dxt_assembler *to, const dxt_assembly *a, uint32_t index,
                            int64_t *ops)
{
    double common = issued_by_all(a, ops, index), most = AHEAD * common;
    bool any = false;
    if (!(common > 0 && isfinite(common))) return;
    for (uint32_t r = 0; r < a->ranks; r++)
        any = any || (ops[r] >= 0 && fabs((double)ops[r] - common) <= most);
    for (uint32_t r = 0; any && r < a->ranks; r++)
        if (ops[r] >= 0 && fabs((double)ops[r] - common) > most && counts_issued(a, r, index) &&
            has_waits(to, a, r, index))
            ops[r] = DXT_NOT_OBSERVED;
}

/* Time between the mails of a rank. */
static int64_t time_between(const dxt_assembly *a, uint32_t rank)
{
    dxt_mail_head from, until;
    dxt_mail_get_head(a->before[rank], &from);
    dxt_mail_get_head(a->after[rank], &until);
    return until.time_ns - from.time_ns;
}

/* Of a rank whose operations are not known, and which read its counters at other times than those
 * who know theirs: as many of their @p usual number as the time between its mails has room for. A
 * thread of ours that starves beside a host which keeps the interpreter to itself reads late.
 * @return Whether there is such a rank. */
static bool estimate_by_time(dxt_assembler *to, const dxt_assembly *a, int64_t usual, int64_t *ops)
{
    uint32_t count = 0;
    bool any = false;
    for (uint32_t r = 0; r < a->ranks; r++)
        if (ops[r] >= 0) to->ops[count++] = time_between(a, r);
    int64_t time = middle(to->ops, count);
    for (uint32_t r = 0; r < a->ranks && time > 0; r++) {
        if (ops[r] >= 0 || to->missing[r]) continue;
        double part = (double)time_between(a, r) / (double)time;
        if (!(part > 0) || fabs(part - 1) <= APART || part * (double)usual > 1e15) continue;
        ops[r] = (int64_t)fmax(1, round(part * (double)usual)); /* there are waits of some */
        any = true;
    }
    return any;
}

/* Operations of all ranks into @p ops. @return Their upper median, 0 = not known; @p differ: not
 * all have as many. */
static int64_t find_operations(dxt_assembler *to, const dxt_assembly *a, uint32_t index,
                               int64_t *ops, bool *differ)
{
    uint32_t count = 0;
    *differ = false;
    to->cells[index].ops_known = false;
    for (uint32_t r = 0; r < a->ranks; r++)
        ops[r] = to->missing[r] ? DXT_NOT_OBSERVED : operations_of(a, r, index);
    leave_out_ahead(to, a, index, ops);
    for (uint32_t r = 0; r < a->ranks; r++)
        if (ops[r] >= 0) to->ops[count++] = ops[r];
    for (uint32_t k = 1; k < count; k++) *differ = *differ || to->ops[k] != to->ops[0];
    to->cells[index].ops_known = count > 0;
    int64_t usual = middle(to->ops, count);
    *differ = estimate_by_time(to, a, usual, ops) || *differ;
    return usual;
}

bool dxt_assembler_knows_ops(const dxt_assembler *assembler, uint32_t index)
{
    return assembler->cells[index].ops_known;
}

/* As many waits were added as there were operations with waits side by side. */
static void put_samples(dxt_assembler *to, const dxt_assembly *a, const int64_t *ops,
                        int64_t *samples, dxt_window *window)
{
    bool same = true;
    int64_t each = -1;
    for (uint32_t r = 0; r < a->ranks; r++) {
        int64_t all = 0, own = ops[r] >= 0 ? ops[r] : window->ops;
        if (!to->missing[r] && __builtin_mul_overflow(own, to->experts[r], &all)) return;
        for (uint32_t c = 0; c < a->ranks; c++) samples[(size_t)r * a->ranks + c] = all;
        if (to->missing[r]) continue;
        if (each < 0) each = all;
        same = same && all == each;
    }
    if (same)
        window->samples_each = each;
    else
        window->samples = samples;
}

void dxt_assembler_count(dxt_assembler *to, const dxt_assembly *a, uint32_t index, bool experts,
                         dxt_window *window)
{
    dxt_cells *cells = &to->cells[index];
    bool differ;
    window->ops = find_operations(to, a, index, cells->ops, &differ);
    if (window->samples || window->ops == 0) return;
    if (differ) window->rank_ops = cells->ops;
    if (experts) put_samples(to, a, cells->ops, cells->plane[DXT_MAIL_SAMPLES], window);
}

/* ---- durations ---- */

/* What the mails of this interval tell of an operator. */
static void take_durations(const dxt_assembly *a, uint32_t index)
{
    for (uint32_t r = 0; r < a->ranks; r++) {
        uint32_t count = 0;
        const dxt_duration *told = NULL;
        if (a->after[r]) told = dxt_mail_durations(a->after[r], index, &count);
        dxt_durations_add(a->durations, r, index, told, count);
    }
}

void dxt_assembler_use_durations(dxt_assembler *to, const dxt_assembly *a, uint32_t index,
                                 dxt_window *window)
{
    uint8_t absent[DXT_MAX_RANKS];
    int64_t *wait = to->cells[index].plane[DXT_MAIL_WAIT];
    if (!a->durations) return;
    take_durations(a, index);
    if (!dxt_durations_known(a->durations, index)) return;
    bool timed = window->ticks_per_second != NULL;
    for (uint32_t r = 0; r < a->ranks; r++) {
        absent[r] = !a->after[r];
        if (timed) to->tick_ns[r] = 1e9 / to->rates[r];
    }
    dxt_common common =
        dxt_durations_match(a->durations, index, absent, timed ? to->tick_ns : NULL, wait);
    for (uint32_t r = 0; r < a->ranks; r++)
        if (to->silent[r]) memset(wait + (size_t)r * a->ranks, 0, a->ranks * sizeof *wait);
    window->unit = timed ? DXT_UNIT_NS : DXT_UNIT_CYCLES;
    window->ticks_per_second = NULL;
    window->origin = DXT_ORIGIN_DURATION;
    window->samples_each = common.count;
    window->samples = window->bytes = window->last = NULL;
}

/* ---- what the diagnosis cost ---- */

/* By how much a rank waited longer for rank 0 in the first step of the window than in the others,
 * in ticks of all waits together; 0 where that is not known. @p beside: waits side by side. */
static double find_excess(const dxt_assembler *to, const dxt_assembly *a, uint32_t rank,
                          uint32_t index, double *beside)
{
    const dxt_cells *cells = &to->cells[index];
    size_t cell = (size_t)rank * a->ranks;
    dxt_mail_head from, until;
    dxt_mail_get_head(a->before[rank], &from);
    dxt_mail_get_head(a->after[rank], &until);
    dxt_mail_counts counts = dxt_mail_get_counts(a->after[rank], a->ranks, index);
    int64_t ops = operations_of(a, rank, index), wait = cells->plane[DXT_MAIL_WAIT][cell];
    if (until.sequence != from.sequence + 1 || counts.first_ops == 0 ||
        counts.first_wait > (uint64_t)wait || ops <= 0 || counts.first_ops >= (uint64_t)ops)
        return 0;
    double first = (double)counts.first_wait, first_ops = (double)counts.first_ops;
    double rest = ((double)wait - first) / ((double)ops - first_ops) * first_ops;
    *beside = to->experts[rank] > 0 ? (double)to->experts[rank] : 1;
    if (cells->counted[DXT_MAIL_SAMPLES])
        *beside = (double)cells->plane[DXT_MAIL_SAMPLES][cell] / (double)ops;
    return first > rest && *beside > 0 ? first - rest : 0;
}

int64_t dxt_assembler_take_out(dxt_assembler *to, const dxt_assembly *a, uint32_t index)
{
    double stood_ns = 0;
    if (a->busy_ns <= 0) return 0;
    for (uint32_t r = 1; r < a->ranks; r++) {
        double rate = (double)a->identities[r].ticks_per_second * 1e-9, beside = 1;
        if (to->missing[r] || rate <= 0) continue;
        double excess = find_excess(to, a, r, index, &beside);
        double most = (double)a->busy_ns * rate * beside;
        if (excess > most) excess = most;
        to->cells[index].plane[DXT_MAIL_WAIT][(size_t)r * a->ranks] -= (int64_t)excess;
        if (excess / (rate * beside) > stood_ns) stood_ns = excess / (rate * beside);
    }
    return (int64_t)stood_ns;
}
