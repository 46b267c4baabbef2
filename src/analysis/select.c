/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/select.h"

#include <math.h>

static void swap(double *a, double *b)
{
    double keep = *a;
    *a = *b;
    *b = keep;
}

/* Hoare's selection with the middle of three as pivot. */
double dxt_select(double *values, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] < values[low]) swap(&values[middle], &values[low]);
        if (values[high] < values[low]) swap(&values[high], &values[low]);
        if (values[high] < values[middle]) swap(&values[high], &values[middle]);
        double pivot = values[middle];
        size_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot) i++;
            while (values[j] > pivot) j--;
            if (i > j) break;
            swap(&values[i++], &values[j]);
            if (j == 0) break;
            j--;
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            return values[k];
    }
    return values[k];
}

/* The two values in the middle; the same one twice when n is odd. */
static void middle_pair(double *values, size_t n, double *low, double *high)
{
    *high = dxt_select(values, n, n / 2);
    *low = *high;
    if (n % 2 != 0) return;
    /* Selection left the smaller half in front: its largest is the other one. */
    *low = values[0];
    for (size_t i = 1; i < n / 2; i++)
        if (values[i] > *low) *low = values[i];
}

double dxt_median(double *values, size_t n)
{
    if (n == 0) return 0;
    double low, high;
    middle_pair(values, n, &low, &high);
    return low + (high - low) / 2;
}

double dxt_cautious_median(double *values, size_t n)
{
    if (n == 0) return 0;
    double low, high;
    middle_pair(values, n, &low, &high);
    return fabs(low) < fabs(high) ? low : high;
}

static void sift_down(double *values, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && values[child] < values[child + 1]) child++;
        if (values[root] >= values[child]) return;
        swap(&values[root], &values[child]);
    }
}

/* Heapsort. */
void dxt_sort(double *values, size_t n)
{
    for (size_t root = n / 2; root-- > 0;) sift_down(values, root, n);
    for (size_t last = n; last-- > 1;) {
        swap(&values[0], &values[last]);
        sift_down(values, 0, last);
    }
}
