/* SPDX-License-Identifier: Apache-2.0 */
#include "numeric/screen.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "numeric/vectors.h"

#define LANES 8

static inline __attribute__((always_inline)) uint32_t
screen_row(const int64_t *wait, const int64_t *samples, double factor, double shift,
           const double *late, const double *least, uint32_t n)
{
    uint64_t above = 0;
    for (uint32_t j = 0; j < n; j++) {
        double bound = dxt_screen_bound(shift + late[j], least[j]);
        /* Multiplied out: a division would cost more than the rest. */
        if (samples) bound *= (double)samples[j];
        above += (double)wait[j] * factor > bound;
    }
    return (uint32_t)above;
}

DXT_VECTORS static uint32_t count_row(const int64_t *wait, const int64_t *samples, double factor,
                                      double shift, const double *late, const double *least,
                                      uint32_t n)
{
    if (samples) return screen_row(wait, samples, factor, shift, late, least, n);
    return screen_row(wait, NULL, factor, shift, late, least, n);
}

DXT_VECTORS static uint32_t count_rows(const int64_t *wait, size_t stride, const double *factor,
                                       const double *shift, const double *late, const double *least,
                                       uint32_t n)
{
    const int64_t *a = wait, *b = a + stride, *c = b + stride, *d = c + stride;
    uint64_t above = 0;
    for (uint32_t j = 0; j < n; j++) {
        double as = shift[0] + late[j], bs = shift[1] + late[j];
        double cs = shift[2] + late[j], ds = shift[3] + late[j];
        above += (double)a[j] * factor[0] > dxt_screen_bound(as, least[j]);
        above += (double)b[j] * factor[1] > dxt_screen_bound(bs, least[j]);
        above += (double)c[j] * factor[2] > dxt_screen_bound(cs, least[j]);
        above += (double)d[j] * factor[3] > dxt_screen_bound(ds, least[j]);
    }
    return (uint32_t)above;
}

DXT_VECTORS static uint32_t count_path(const int64_t *wait, double factor, double shift,
                                       double path, const double *late, const double *least,
                                       uint32_t n)
{
    uint64_t above = 0;
    for (uint32_t j = 0; j < n; j++) {
        double bound = dxt_screen_bound(shift + (late[j] + path), least[j]);
        above += (double)wait[j] * factor > bound;
    }
    return (uint32_t)above;
}

DXT_VECTORS static uint32_t count_peaks(const float *peak, double factor, double shift, double path,
                                        const double *late, const double *least, uint32_t n)
{
    uint64_t above = 0;
    for (uint32_t j = 0; j < n; j++) {
        double bound = dxt_screen_bound(shift + (late[j] + path), least[j]);
        above += (double)peak[j] * factor > bound;
    }
    return (uint32_t)above;
}

/* Makes up for the rounding of a float, and of this product. */
#define ROUNDED_UP (1 + FLT_EPSILON * 2)

DXT_VECTORS static uint64_t look(const int64_t *restrict wait, size_t stride, uint32_t n,
                                 float *restrict peak, uint64_t *restrict sum)
{
    const int64_t *a = wait, *b = a + stride, *c = b + stride, *d = c + stride;
    uint64_t bits = 0, as = 0, bs = 0, cs = 0, ds = 0;
    for (uint32_t j = 0; j < n; j++) {
        int64_t ab = a[j] > b[j] ? a[j] : b[j], cd = c[j] > d[j] ? c[j] : d[j];
        int64_t most = ab > cd ? ab : cd;
        peak[j] = (float)most * ROUNDED_UP;
        bits |= (uint64_t)a[j] | (uint64_t)b[j] | (uint64_t)c[j] | (uint64_t)d[j];
        as += (uint64_t)a[j];
        bs += (uint64_t)b[j];
        cs += (uint64_t)c[j];
        ds += (uint64_t)d[j];
    }
    sum[0] = as;
    sum[1] = bs;
    sum[2] = cs;
    sum[3] = ds;
    return bits;
}

/* Minima of so many parts are independent of each other: none waits for the one before. */
#define MINIMA (4 * LANES)

DXT_VECTORS static double least_of(const double *values, size_t except, size_t n)
{
    double least[MINIMA], without[MINIMA];
    size_t j = 0;
    for (size_t k = 0; k < MINIMA; k++) least[k] = INFINITY;
    for (; j + MINIMA <= n; j += MINIMA) {
        const double *from = values + j;
        if (except - j < MINIMA) {
            memcpy(without, from, sizeof without);
            without[except - j] = INFINITY;
            from = without;
        }
        for (size_t k = 0; k < MINIMA; k++) least[k] = from[k] < least[k] ? from[k] : least[k];
    }
    for (; j < n; j++)
        if (j != except) least[0] = values[j] < least[0] ? values[j] : least[0];
    for (size_t apart = MINIMA / 2; apart > 0; apart /= 2)
        for (size_t k = 0; k < apart; k++)
            least[k] = least[k + apart] < least[k] ? least[k + apart] : least[k];
    return least[0];
}

DXT_VECTORS static double sum_of(const int64_t *wait, size_t n)
{
    double part[LANES] = {0}, sum = 0;
    size_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (size_t k = 0; k < LANES; k++) part[k] += (double)wait[j + k];
    for (; j < n; j++) sum += (double)wait[j];
    for (size_t k = 0; k < LANES; k++) sum += part[k];
    return sum;
}

DXT_VECTORS static int64_t max_of(const int64_t *wait, size_t n)
{
    int64_t most[LANES] = {0};
    size_t j = 0;
    for (; j + LANES <= n; j += LANES)
        for (size_t k = 0; k < LANES; k++) most[k] = wait[j + k] > most[k] ? wait[j + k] : most[k];
    for (; j < n; j++) most[0] = wait[j] > most[0] ? wait[j] : most[0];
    for (size_t k = 1; k < LANES; k++) most[0] = most[k] > most[0] ? most[k] : most[0];
    return most[0];
}

DXT_VECTORS static void most_of_classes(const float *restrict values, size_t chunks,
                                        float *restrict most)
{
    for (; chunks > 0; chunks--, most += DXT_CHUNK_CLASSES) {
        float all[DXT_CHUNK_CLASSES] = {0};
        for (const float *end = values + DXT_CHUNK; values < end; values += DXT_CHUNK_CLASSES)
            for (size_t k = 0; k < DXT_CHUNK_CLASSES; k++)
                all[k] = values[k] > all[k] ? values[k] : all[k];
        memcpy(most, all, sizeof all);
    }
}

DXT_VECTORS static void least_of_classes(const double *restrict values, size_t chunks,
                                         double *restrict least)
{
    for (; chunks > 0; chunks--, least += DXT_CHUNK_CLASSES) {
        double all[DXT_CHUNK_CLASSES];
        for (size_t k = 0; k < DXT_CHUNK_CLASSES; k++) all[k] = INFINITY;
        for (const double *end = values + DXT_CHUNK; values < end; values += DXT_CHUNK_CLASSES)
            for (size_t k = 0; k < DXT_CHUNK_CLASSES; k++)
                all[k] = values[k] < all[k] ? values[k] : all[k];
        memcpy(least, all, sizeof all);
    }
}

DXT_VECTORS static size_t chunks_below(const float *peak, double factor, double shift, double path,
                                       const double *late, const double *least, size_t chunks)
{
    const size_t n = DXT_CHUNK_CLASSES;
    for (size_t chunk = 0; chunk < chunks; chunk++, peak += n, late += n, least += n) {
        uint64_t above = 0;
        for (size_t k = 0; k < n; k++) {
            double bound = dxt_screen_bound(shift + (late[k] + path), least[k]);
            above += (double)peak[k] * factor > bound;
        }
        if (above > 0) return chunk;
    }
    return chunks;
}

uint32_t dxt_screen_row(const int64_t *wait, const int64_t *samples, double factor, double shift,
                        const double *late, const double *least, uint32_t n)
{
    return count_row(wait, samples, factor, shift, late, least, n);
}

uint32_t dxt_screen_rows(const int64_t *wait, size_t stride, const double *factor,
                         const double *shift, const double *late, const double *least, uint32_t n)
{
    return count_rows(wait, stride, factor, shift, late, least, n);
}

uint32_t dxt_screen_path(const int64_t *wait, double factor, double shift, double path,
                         const double *late, const double *least, uint32_t n)
{
    return count_path(wait, factor, shift, path, late, least, n);
}

uint32_t dxt_screen_peaks(const float *peak, double factor, double shift, double path,
                          const double *late, const double *least, uint32_t n)
{
    return count_peaks(peak, factor, shift, path, late, least, n);
}

void dxt_screen_most_of_classes(const float *values, uint32_t chunks, float *most)
{
    most_of_classes(values, chunks, most);
}

void dxt_screen_least_of_classes(const double *values, uint32_t chunks, double *least)
{
    least_of_classes(values, chunks, least);
}

uint32_t dxt_screen_chunks(const float *most, double factor, double shift, double path,
                           const double *late, const double *least, uint32_t chunks)
{
    return (uint32_t)chunks_below(most, factor, shift, path, late, least, chunks);
}

uint64_t dxt_screen_look(const int64_t *wait, size_t stride, uint32_t n, float *peak, uint64_t *sum)
{
    return look(wait, stride, n, peak, sum);
}

double dxt_screen_least(const double *values, uint32_t except, uint32_t n)
{
    return least_of(values, except, n);
}

double dxt_screen_sum(const int64_t *wait, uint32_t n)
{
    return sum_of(wait, n);
}

int64_t dxt_screen_max(const int64_t *wait, uint32_t except, uint32_t n)
{
    if (except >= n) return max_of(wait, n);
    int64_t before = max_of(wait, except), after = max_of(wait + except + 1, n - except - 1);
    return before > after ? before : after;
}
