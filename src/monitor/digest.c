/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Up to this many ranks a matrix is stored exactly, as float32. */
#define EXACT_RANKS 128u

void digest_free(digest *d)
{
    free(d->sums);
    free(d->cells);
    *d = (digest){0};
}

/* Logarithms of mantissas, by their first eight bits: more exact than the steps need. */
struct logarithms {
    float of[256];
};

static void make_logarithms(struct logarithms *table)
{
    for (int i = 0; i < 256; i++) table->of[i] = (float)log2(1 + (i + 0.5) / 256);
}

static unsigned char log_step(const struct logarithms *table, double value)
{
    float scaled = (float)(value * 16);
    uint32_t bits;
    if (isnan(value)) return 0;
    if (!(scaled > 0.5f)) return 1;
    memcpy(&bits, &scaled, sizeof bits);
    float log = (float)((int)(bits >> 23) - 127) + table->of[bits >> 15 & 0xff];
    float step = log * (float)LOG_STEPS + 2.5f;
    return step >= 255 ? 255 : step < 1 ? 1 : (unsigned char)step;
}

/* @param column  [2][ranks]: sums of the columns, and the number of cells in each. */
static void sum_row(uint32_t n, uint32_t i, const double *row, double *column, float *mean)
{
    double sum = 0;
    uint32_t seen = 0;
    for (uint32_t j = 0; j < n; j++) {
        if (i == j || isnan(row[j])) continue;
        sum += row[j];
        seen++;
        column[j] += row[j];
        column[n + j]++;
    }
    *mean = seen ? (float)(sum / seen) : NAN;
}

static void look_at_rows(const dxt_window *w, const dxt_findings *findings, digest *d, double *row,
                         double *column, unsigned char *raw)
{
    uint32_t n = w->ranks;
    struct logarithms table;
    make_logarithms(&table);
    for (uint32_t i = 0; i < n; i++) {
        dxt_window_row(w, i, row);
        d->sums[i] = findings->lateness ? (float)findings->lateness[i] : NAN;
        sum_row(n, i, row, column, &d->sums[n + i]);
        if (d->coding == CODING_LOG) {
            for (uint32_t j = 0; j < n; j++) raw[(size_t)i * n + j] = log_step(&table, row[j]);
            continue;
        }
        for (uint32_t j = 0; j < n; j++) {
            float value = (float)row[j];
            memcpy(raw + ((size_t)i * n + j) * sizeof value, &value, sizeof value);
        }
    }
    for (uint32_t j = 0; j < n; j++)
        d->sums[2 * n + j] = column[n + j] > 0 ? (float)(column[j] / column[n + j]) : NAN;
}

/* The steps hardly repeat: searching for earlier matches takes longer and saves nothing, except
 * where neighbouring cells are equal. */
static bool pack(digest *d, const unsigned char *raw, size_t size)
{
    z_stream stream = {.next_in = (z_const Bytef *)(uintptr_t)raw, .avail_in = (uInt)size};
    int strategy = d->coding == CODING_LOG ? Z_RLE : Z_DEFAULT_STRATEGY;
    if (deflateInit2(&stream, 1, Z_DEFLATED, MAX_WBITS, 9, strategy) != Z_OK) return false;
    uLong room = deflateBound(&stream, (uLong)size);
    d->cells = malloc(room);
    stream.next_out = d->cells;
    stream.avail_out = (uInt)room;
    bool well = d->cells && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    d->size = stream.total_out;
    deflateEnd(&stream);
    return well;
}

bool digest_make(digest *d, const dxt_window *w, const dxt_findings *findings)
{
    size_t n = w->ranks;
    *d = (digest){.coding = n <= EXACT_RANKS ? CODING_FLOAT : CODING_LOG};
    size_t size = n * n * (d->coding == CODING_FLOAT ? sizeof(float) : 1);
    double *row = malloc(n * sizeof *row), *column = calloc(2 * n, sizeof *column);
    unsigned char *raw = malloc(size);
    d->sums = malloc(3 * n * sizeof *d->sums);
    bool well = row && column && raw && d->sums;
    if (well) look_at_rows(w, findings, d, row, column, raw);
    well = well && pack(d, raw, size);
    free(row);
    free(column);
    free(raw);
    return well;
}
