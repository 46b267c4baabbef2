/* SPDX-License-Identifier: Apache-2.0 */
#include "session/durations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "numeric/select.h"

/* Steps over the operations of all pairs, where there are many ranks. */
#define MOST_STEPS ((size_t)1 << 27)
#define FEWEST_OPERATIONS 32u
/* No operation takes longer: 11 days. Sums stay far from overflow. */
#define LONGEST_NS 1e15
#define MOST_LONELY 6u
/* Without one operation in common, so many of each rank say that their numbers do not match. */
#define TELLING 8u
/* Where operations are measured now and then, one in which a rank stood still stands for all those
 * that were not. A stray operation is one of the few, at most one of so many, in which ranks come
 * so many times as far apart as in the ordinary one. Measured with NCCL on two GPUs: 10 µs, and
 * once in 400 operations 9 ms or 78 ms. */
#define STRAY_OF 128u
#define STRAY_TIMES 20.0
/* Measured operations, of all, from which on each counts for itself [part]. */
#define ALL_BUT_FEW 0.9

/* What a rank has told of an operator, and others have not: by growing numbers. */
struct list {
    dxt_duration *told; /* [DXT_DURATIONS_KEPT] */
    uint32_t count;
    bool ever;
    uint64_t next; /* the number behind the newest that was told, or dropped */
};

struct dxt_durations {
    uint32_t ranks, operators;
    struct list *lists;                   /* [operators][ranks] */
    dxt_duration *told;                   /* of all lists */
    uint32_t *at;                         /* [ranks] scratch */
    double *waits;                        /* [ranks][DXT_DURATIONS_KEPT] scratch */
    double apart[2 * DXT_DURATIONS_KEPT]; /* scratch */
};

dxt_status dxt_durations_create(uint32_t ranks, uint32_t operators, dxt_durations **durations)
{
    dxt_durations *made = calloc(1, sizeof *made);
    if (!made) return dxt_fail_memory(sizeof *made);
    size_t lists = (size_t)ranks * operators;
    made->ranks = ranks;
    made->operators = operators;
    made->lists = calloc(lists, sizeof *made->lists);
    made->told = malloc(lists * DXT_DURATIONS_KEPT * sizeof *made->told);
    made->at = malloc(ranks * sizeof *made->at);
    made->waits = malloc((size_t)ranks * DXT_DURATIONS_KEPT * sizeof *made->waits);
    if (!made->lists || !made->told || !made->at || !made->waits) {
        dxt_durations_destroy(made);
        return dxt_fail_memory(lists * DXT_DURATIONS_KEPT * sizeof(dxt_duration));
    }
    for (size_t l = 0; l < lists; l++) made->lists[l].told = made->told + l * DXT_DURATIONS_KEPT;
    *durations = made;
    return DXT_OK;
}

void dxt_durations_destroy(dxt_durations *durations)
{
    if (!durations) return;
    free(durations->lists);
    free(durations->told);
    free(durations->at);
    free(durations->waits);
    free(durations);
}

static struct list *list_of(const dxt_durations *d, uint32_t index, uint32_t rank)
{
    return &d->lists[(size_t)index * d->ranks + rank];
}

/* ---- what is told ---- */

/* The oldest make room. */
static void drop(struct list *list, uint32_t count)
{
    list->count -= count;
    memmove(list->told, list->told + count, list->count * sizeof *list->told);
}

static void append(struct list *list, const dxt_duration *told)
{
    if (list->count == DXT_DURATIONS_KEPT) drop(list, DXT_DURATIONS_KEPT / 4);
    list->told[list->count++] = *told;
    list->next = told->number + 1;
    list->ever = true;
}

/* Whether all of it is older than what was told before: another process, with other numbers. */
static bool began_anew(const struct list *list, const dxt_duration *told, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        if (told[k].number + 1 >= list->next) return false;
    return count > 0 && list->ever;
}

void dxt_durations_add(dxt_durations *d, uint32_t rank, uint32_t operator_index,
                       const dxt_duration *told, uint32_t count)
{
    struct list *list = list_of(d, operator_index, rank);
    if (began_anew(list, told, count)) {
        list->count = 0;
        list->next = 0;
    }
    for (uint32_t k = 0; k < count; k++)
        if (told[k].number >= list->next && told[k].number < UINT64_MAX) append(list, &told[k]);
}

bool dxt_durations_known(const dxt_durations *d, uint32_t operator_index)
{
    for (uint32_t r = 0; r < d->ranks; r++)
        if (list_of(d, operator_index, r)->ever) return true;
    return false;
}

/* ---- what is common ---- */

static bool takes_part(const dxt_durations *d, uint32_t index, const uint8_t *absent, uint32_t rank)
{
    return !absent[rank] && list_of(d, index, rank)->ever;
}

/* Those who take part in one operator. */
struct party {
    uint32_t count;
    uint32_t rank[DXT_MAX_RANKS];
};

static void call_party(const dxt_durations *d, uint32_t index, const uint8_t *absent,
                       struct party *party)
{
    party->count = 0;
    for (uint32_t r = 0; r < d->ranks; r++)
        if (takes_part(d, index, absent, r)) party->rank[party->count++] = r;
}

/* Go on in every list to the first number of at least @p number; false at the end of any. */
static bool go_to(dxt_durations *d, uint32_t index, const struct party *party, uint64_t *number)
{
    for (uint32_t p = 0; p < party->count;) {
        struct list *list = list_of(d, index, party->rank[p]);
        uint32_t *at = &d->at[party->rank[p]];
        while (*at < list->count && list->told[*at].number < *number) ++*at;
        if (*at == list->count) return false;
        if (list->told[*at].number == *number) {
            p++;
        } else {
            *number = list->told[*at].number;
            p = 0;
        }
    }
    return true;
}

/* Write the waits of the operations that all have. @return How many there are. Leaves in `at` how
 * many elements of each list are used up by that, in @p first the first number, and in @p part how
 * many of the numbers from there to the last are among them. */
static uint32_t take_common(dxt_durations *d, uint32_t index, const struct party *party,
                            const double *ns_per_tick, uint64_t *first, double *part)
{
    uint32_t count = 0;
    uint64_t number = 0, last = 0;
    for (uint32_t p = 0; p < party->count; p++) d->at[party->rank[p]] = 0;
    while (count < DXT_DURATIONS_KEPT && go_to(d, index, party, &number)) {
        if (count == 0) *first = number;
        for (uint32_t p = 0; p < party->count; p++) {
            uint32_t r = party->rank[p];
            double ticks = (double)list_of(d, index, r)->told[d->at[r]].ticks;
            d->waits[(size_t)r * DXT_DURATIONS_KEPT + count] =
                fmin(ns_per_tick ? ticks * ns_per_tick[r] : ticks, LONGEST_NS);
        }
        count++;
        last = number++;
    }
    *part = count > 1 ? (double)count / ((double)(last - *first) + 1) : 1;
    /* A list may have been searched beyond the last common number for one that was not there. */
    for (uint32_t p = 0; p < party->count; p++) {
        struct list *list = list_of(d, index, party->rank[p]);
        uint32_t used = 0;
        while (count > 0 && used < list->count && list->told[used].number < number) used++;
        d->at[party->rank[p]] = used;
    }
    return count;
}

/* Let stray operations count once, and not for those that were not measured: their waits become as
 * many times smaller as operations are not measured. @p part: of the operations, those that are. */
static void weigh_stray(dxt_durations *d, const struct party *party, uint32_t count, double part)
{
    double *apart = d->apart, *sorted = d->apart + DXT_DURATIONS_KEPT;
    if (part >= ALL_BUT_FEW || count < STRAY_OF) return;
    for (uint32_t k = 0; k < count; k++) {
        double least = INFINITY, most = 0;
        for (uint32_t p = 0; p < party->count; p++) {
            double wait = d->waits[(size_t)party->rank[p] * DXT_DURATIONS_KEPT + k];
            least = fmin(least, wait);
            most = fmax(most, wait);
        }
        apart[k] = sorted[k] = most - least;
    }
    double limit = STRAY_TIMES * dxt_median(sorted, count);
    uint32_t stray = 0;
    for (uint32_t k = 0; k < count; k++) stray += apart[k] > limit;
    if (stray > count / STRAY_OF) return;
    for (uint32_t k = 0; k < count && stray > 0; k++)
        for (uint32_t p = 0; p < party->count && apart[k] > limit; p++)
            d->waits[(size_t)party->rank[p] * DXT_DURATIONS_KEPT + k] *= part;
}

/* Σ max(0, a − b). */
static double above(const double *restrict a, const double *restrict b, uint32_t count,
                    uint32_t step)
{
    double sum = 0;
    if (step == 1) {
        /* Four sums side by side, which a compiler makes vectors of. */
        double part[4] = {0};
        uint32_t k = 0;
        for (; k + 4 <= count; k += 4)
            for (int l = 0; l < 4; l++) {
                double more = a[k + (uint32_t)l] - b[k + (uint32_t)l];
                part[l] += more > 0 ? more : 0;
            }
        for (; k < count; k++) sum += fmax(0, a[k] - b[k]);
        return sum + (part[0] + part[1]) + (part[2] + part[3]);
    }
    for (uint32_t k = 0; k < count; k += step) sum += fmax(0, a[k] - b[k]);
    return sum;
}

/* Where there are too many for the pairs of ranks, every so many-th operation is looked at. */
static uint32_t stride(uint32_t ranks, uint32_t count)
{
    size_t most = MOST_STEPS / ((size_t)ranks * ranks);
    if (most < FEWEST_OPERATIONS) most = FEWEST_OPERATIONS;
    return (uint32_t)((count + most - 1) / most);
}

static void fill(const dxt_durations *d, const struct party *party, uint32_t count, uint32_t step,
                 int64_t *wait)
{
    for (uint32_t p = 0; p < party->count; p++) {
        const double *own = d->waits + (size_t)party->rank[p] * DXT_DURATIONS_KEPT;
        int64_t *row = wait + (size_t)party->rank[p] * d->ranks;
        for (uint32_t q = 0; q < party->count; q++) {
            const double *other = d->waits + (size_t)party->rank[q] * DXT_DURATIONS_KEPT;
            row[party->rank[q]] = (int64_t)(above(own, other, count, step) + 0.5);
        }
    }
}

/* Numbers go together if no rank has told of many times as many operations as all have in common,
 * from the first to the last of these. Where some measure every eighth and others every sixteenth
 * operation, and mails leave some out, it is two or four times as many. */
static bool are_unequal(const dxt_durations *d, uint32_t index, const struct party *party,
                        uint32_t common, uint64_t first)
{
    uint32_t fewest = UINT32_MAX;
    bool lonely = false;
    for (uint32_t p = 0; p < party->count; p++) {
        const struct list *list = list_of(d, index, party->rank[p]);
        uint32_t from = 0, until = d->at[party->rank[p]];
        while (from < until && list->told[from].number < first) from++;
        if (list->count < fewest) fewest = list->count;
        lonely = lonely || until - from > MOST_LONELY * (common + 1);
    }
    return common == 0 ? party->count > 0 && fewest >= TELLING : lonely;
}

dxt_common dxt_durations_match(dxt_durations *d, uint32_t operator_index, const uint8_t *absent,
                               const double *ns_per_tick, int64_t *wait)
{
    struct party party;
    dxt_common common = {0};
    uint64_t first = 0;
    double part = 1;
    call_party(d, operator_index, absent, &party);
    if (party.count >= 2) {
        common.count = take_common(d, operator_index, &party, ns_per_tick, &first, &part);
        common.unequal = are_unequal(d, operator_index, &party, common.count, first);
        for (uint32_t p = 0; p < party.count; p++)
            drop(list_of(d, operator_index, party.rank[p]), d->at[party.rank[p]]);
    }
    if (common.unequal) common.count = 0;
    for (uint32_t i = 0; i < d->ranks; i++)
        for (uint32_t j = 0; j < d->ranks; j++) wait[(size_t)i * d->ranks + j] = DXT_NOT_OBSERVED;
    if (common.count == 0) return common;
    weigh_stray(d, &party, common.count, part);
    uint32_t step = stride(d->ranks, common.count);
    fill(d, &party, common.count, step, wait);
    common.count = (common.count + step - 1) / step;
    return common;
}
