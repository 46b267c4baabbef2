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

/* Put what equals the smallest value, which is first, in front; NaN, which is neither smaller nor
 * larger than anything, equals NaN. @return How many do, at least 1. */
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

/* Values from which on a sample of them finds where the median is. */
#define MANY_VALUES 256u
#define SAMPLE 64u
/* Places in the sorted sample around its median that hold the true one: 2.5 standard errors. */
#define SAMPLE_REACH 10u
/* A pass over the values is worth it if it drops one in so many. */
#define LEAST_DROPPED 4u

/* Two values that the middle of many is most likely between. */
static void guess_middle(const double *values, size_t n, double *low, double *high)
{
    double sample[SAMPLE];
    size_t stride = n / SAMPLE;
    for (size_t k = 0; k < SAMPLE; k++) {
        /* Without a period that could be one of the values' own. */
        sample[k] = values[k * stride + dxt_scatter(k, stride)];
    }
    sort_doubles(sample, SAMPLE);
    *low = sample[SAMPLE / 2 - SAMPLE_REACH];
    *high = sample[SAMPLE / 2 + SAMPLE_REACH];
}

DXT_VECTORS static void count_values(const double *values, size_t n, double low, double high,
                                     size_t *below, size_t *above)
{
    int64_t under = 0, over = 0;
    for (size_t i = 0; i < n; i++) {
        under += values[i] < low;
        over += values[i] > high;
    }
    *below = (size_t)under;
    *above = (size_t)over;
}

/* Drop what is certainly not in the middle, equally many on both sides but for the places `first`
 * and `second`, which are moved along. @return How many are left. */
static size_t narrow(double *values, size_t n, size_t *first, size_t *second)
{
    while (n >= MANY_VALUES) {
        double low, high;
        size_t below, above, kept = 0;
        guess_middle(values, n, &low, &high);
        count_values(values, n, low, high, &below, &above);
        /* A wrong guess, or many equal values. */
        if (*first < below || *second >= n - above || (below + above) * LEAST_DROPPED < n) break;
        for (size_t i = 0; i < n; i++) {
            double value = values[i];
            values[kept] = value;
            kept += !(value < low) & !(value > high);
        }
        *first -= below;
        *second -= below;
        n = kept;
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
    /* Selection left the smaller ones in front: their largest is the other one. */
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

/* So many are the pairs of a node of four: a network finds their middle without a branch. */
#define SIX 6u

/* The middle two of them. */
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
