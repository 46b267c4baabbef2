/* SPDX-License-Identifier: Apache-2.0 */
#include "numeric/select.h"

#include <math.h>

#include "numeric/sort.h"
#include "numeric/spread.h"
#include "numeric/vectors.h"

static inline bool is_less(const double *a, const double *b)
{
    return *a < *b;
}

DXT_SORT(sort_doubles, double, is_less)

/* Move all values equal to the first, which is the smallest, to the front. NaN counts as equal to
 * NaN. @return How many they are, at least 1. */
static size_t gather_smallest(double *values, size_t n)
{
    double smallest = values[0];
    bool none = isnan(smallest);
    size_t equal = 0;
    for (size_t i = 0; i < n; i++) {
        double value = values[i];
        values[i] = values[equal];
        values[equal] = value;
        equal += (value == smallest) | (none & isnan(value));
    }
    return equal;
}

/* Quicksort's steps towards one place. Where nothing is smaller than the pivot, many may equal it.
 */
double dxt_select(double *values, size_t n, size_t k)
{
    while (n > DXT_SORT_FEW) {
        size_t before = sort_doubles_split(values, n);
        if (k < before) {
            n = before;
            continue;
        }
        before = before > 0 ? before + 1 : gather_smallest(values, n);
        if (k < before) return values[k];
        values += before;
        n -= before;
        k -= before;
    }
    sort_doubles_few(values, n);
    return values[k];
}

/* ---- medians ---- */

/* From this many values on, a sample finds roughly where the median is. */
#define MANY_VALUES 256u
#define SAMPLE 32u
/* The true median lies within this many places of the sample's median: 2.5 standard errors. */
#define SAMPLE_REACH 7u
/* The same for the values left between two bounds, times the root of their number. */
#define REACH 1.25
/* How often the bounds are drawn closer. */
#define TIGHTEN_ROUNDS 3
/* A pass over the values pays if it drops at least one in this many. */
#define LEAST_DROPPED 4u

/* Two bounds with the middle between them, and the number of values beyond each. */
struct bracket {
    double low, high;
    size_t below, above;
};

/* Choose two values that most likely have the middle between them. */
static void guess_middle(const double *values, size_t n, struct bracket *b)
{
    double sample[SAMPLE];
    size_t stride = n / SAMPLE;
    for (size_t k = 0; k < SAMPLE; k++) {
        /* The sample has no period, since the values may have one. */
        sample[k] = values[k * stride + dxt_scatter(k, stride)];
    }
    sort_doubles(sample, SAMPLE);
    b->low = sample[SAMPLE / 2 - SAMPLE_REACH];
    b->high = sample[SAMPLE / 2 + SAMPLE_REACH];
}

DXT_VECTORS static void count_values(const double *values, size_t n, struct bracket *b)
{
    int64_t under = 0, over = 0;
    double low = b->low, high = b->high;
    for (size_t i = 0; i < n; i++) {
        under += values[i] < low;
        over += values[i] > high;
    }
    b->below = (size_t)under;
    b->above = (size_t)over;
}

/* Draw the bounds closer around the places `first` and `second`, as if the values between them were
 * spread evenly. Only count, which is many times as fast as moving values. */
static void tighten(const double *values, size_t n, size_t first, size_t second, struct bracket *b)
{
    double between = (double)(n - b->below - b->above), width = b->high - b->low;
    double per_value = width / between, reach = REACH * width / sqrt(between);
    struct bracket closer = {.low = b->low + (double)(first - b->below) * per_value - reach,
                             .high = b->low + (double)(second + 1 - b->below) * per_value + reach};
    count_values(values, n, &closer);
    if (closer.low > b->low && closer.below <= first) {
        b->low = closer.low;
        b->below = closer.below;
    }
    if (closer.high < b->high && second < n - closer.above) {
        b->high = closer.high;
        b->above = closer.above;
    }
}

/* Values that are compared together. */
#define TOGETHER 16u

/* Move the values within the bounds, and NaN, to the front. If they are few, most blocks hold none.
 * @return How many. */
DXT_VECTORS static size_t keep_between(double *values, size_t n, double low, double high)
{
    size_t kept = 0;
    for (size_t first = 0; first < n; first += TOGETHER) {
        size_t count = n - first < TOGETHER ? n - first : TOGETHER;
        int64_t beyond = 0;
        for (size_t i = 0; i < TOGETHER && count == TOGETHER; i++)
            beyond += (values[first + i] < low) | (values[first + i] > high);
        if (beyond == TOGETHER) continue;
        for (size_t i = first; i < first + count; i++) {
            double value = values[i];
            values[kept] = value;
            kept += !(value < low) & !(value > high);
        }
    }
    return kept;
}

/* Drop values that are certainly not in the middle. The places `first` and `second` move by the
 * number that is dropped below them. @return How many values are left. */
static size_t narrow(double *values, size_t n, size_t *first, size_t *second)
{
    while (n >= MANY_VALUES) {
        struct bracket b;
        guess_middle(values, n, &b);
        count_values(values, n, &b);
        /* A wrong guess, or many equal values. */
        if (*first < b.below || *second >= n - b.above || (b.below + b.above) * LEAST_DROPPED < n)
            break;
        for (int round = 0; round < TIGHTEN_ROUNDS; round++)
            tighten(values, n, *first, *second, &b);
        n = keep_between(values, n, b.low, b.high);
        *first -= b.below;
        *second -= b.below;
    }
    return n;
}

/* The two values in the middle; the same one twice when n is odd. */
static void middle_pair(double *values, size_t n, double *low, double *high)
{
    size_t first = (n - 1) / 2, second = n / 2;
    if (n <= DXT_SORT_FEW) {
        sort_doubles_few(values, n);
        *low = values[first];
        *high = values[second];
        return;
    }
    n = narrow(values, n, &first, &second);
    *high = dxt_select(values, n, second);
    *low = *high;
    if (first == second) return;
    /* Selection has put the smaller values in front: the largest of these is the other one. */
    *low = values[0];
    for (size_t i = 1; i < second; i++)
        if (values[i] > *low) *low = values[i];
}

/* Put the smaller of two first. */
static inline void order(double *a, double *b)
{
    double less = *a < *b ? *a : *b;
    *b = *a > *b ? *a : *b;
    *a = less;
}

/* A node of four has this many pairs: a network finds their middle without a branch. */
#define SIX 6u

/* The middle two of that many values. */
static inline void middle_of_six(const double *v, double *low, double *high)
{
    double a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5];
    order(&a, &f);
    order(&b, &d);
    order(&c, &e);
    order(&b, &c);
    order(&d, &e);
    order(&a, &d);
    order(&c, &f);
    order(&a, &b);
    order(&c, &d);
    order(&e, &f);
    order(&b, &c);
    order(&d, &e);
    *low = c;
    *high = d;
}

double dxt_median(double *values, size_t n)
{
    if (n == 0) return 0;
    double low, high;
    if (n == SIX)
        middle_of_six(values, &low, &high);
    else
        middle_pair(values, n, &low, &high);
    return low + (high - low) / 2;
}

/* ---- sorting ---- */

void dxt_sort(double *values, size_t n)
{
    sort_doubles(values, n);
}
