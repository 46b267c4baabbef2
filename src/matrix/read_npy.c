/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays as NumPy stores them (format versions 1 to 3): N×N, or several of these behind each other.
 * Only plain numbers are read; objects would have to be unpickled, which runs what the file says.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/members.h"
#include "matrix/reader.h"
#include "matrix/scan.h"
#include "system/text.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_SIZE 6
/* A head of a plain array has some hundred bytes. */
#define HEAD_MAX ((size_t)1 << 16)
/* Several matrices whose columns lie side by side are held as a whole. */
#define COLUMNS_MAX ((uint64_t)1 << 30)

bool dxt_is_npy(const char *bytes, size_t size)
{
    return size >= MAGIC_SIZE && memcmp(bytes, MAGIC, MAGIC_SIZE) == 0;
}

/* ---- the head ---- */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (dxt_is_blank(*at) || *at == ':')) at++;
    return at;
}

/* "'descr': '<i8'": order of bytes, kind and size of a value. @return NULL, or what is wrong. */
static const char *read_type(dxt_npy *npy, const char *at, const char *end)
{
    at = dxt_behind_text(at, end, "'descr'");
    if (!at) return "its header has no type";
    at = skip_blanks(at, end);
    if (at == end || *at != '\'') return "it has fields, but a matrix has numbers";
    if (end - at < 4) return "its header ends too early";
    int64_t size = 0;
    const char *next = dxt_scan_integer(at + 3, end, &size);
    npy->swapped = at[1] == '>';
    npy->kind = at[2];
    if (at[1] == '|' && at[2] == 'O') return "it holds Python objects, which are never unpickled";
    if (!next || next == end || *next != '\'' || !memchr("<>|=", at[1], 4))
        return "its type is not known";
    bool whole = (npy->kind == 'i' || npy->kind == 'u') &&
                 (size == 1 || size == 2 || size == 4 || size == 8);
    bool real = npy->kind == 'f' && (size == 2 || size == 4 || size == 8);
    if (!whole && !real) return "it holds neither integers nor real numbers";
    npy->size = (uint32_t)size;
    return NULL;
}

/* "'shape': (8, 8)" or more axes in front. @return NULL, or what is wrong. */
static const char *read_shape(dxt_npy *npy, const char *at, const char *end)
{
    int64_t axes[8];
    uint32_t count = 0;
    at = dxt_behind_text(at, end, "'shape'");
    at = at ? skip_blanks(at, end) : NULL;
    if (!at || at == end || *at++ != '(') return "its header has no shape";
    while (count < 8) {
        while (at < end && (dxt_is_blank(*at) || *at == ',')) at++;
        if (at == end || *at == ')') break;
        at = dxt_scan_integer(at, end, &axes[count]);
        if (!at) return "its shape is not known";
        count++;
    }
    if (count == 1 || (count == 2 && axes[0] != axes[1] && (axes[0] == 1 || axes[1] == 1))) {
        int64_t cells = axes[0] == 1 && count == 2 ? axes[1] : axes[0], root = 0;
        while (root * root < cells && root < DXT_MAX_RANKS) root++;
        if (root * root != cells)
            return "it has one axis, but the number of its values is no square";
        axes[0] = axes[1] = root;
        count = 2;
        npy->flat = true;
    }
    if (count < 2 || axes[count - 1] != axes[count - 2]) return "it is not a square matrix";
    if (axes[count - 1] < 2) return "a matrix has at least 2 ranks";
    if (axes[count - 1] > DXT_MAX_RANKS) return "it has more than 4096 ranks";
    npy->ranks = (uint32_t)axes[count - 1];
    npy->axes = count - 2;
    uint64_t windows = 1, bytes;
    for (uint32_t i = 0; i < npy->axes; i++) {
        npy->axis[i] = axes[i];
        if (axes[i] < 0 || __builtin_mul_overflow(windows, (uint64_t)axes[i], &windows))
            return "it has too many matrices";
    }
    npy->windows = npy->matrices = windows;
    uint64_t size = (uint64_t)npy->ranks * npy->ranks * npy->size;
    if (npy->fortran && npy->axes > 0 &&
        (__builtin_mul_overflow(windows, size, &bytes) || bytes > COLUMNS_MAX))
        return "several matrices column by column are read up to 1 GiB (numpy.ascontiguousarray())";
    return windows ? NULL : "it is empty";
}

/* A file of it cannot be read: the end, or of several only this one's. */
static dxt_status refuse(dxt_reader *reader, const char *why)
{
    reader->npy = (dxt_npy){0};
    reader->input.at = reader->input.size;
    reader->input.ended = true;
    if (!reader->input.source.next)
        return dxt_reader_fail(reader, DXT_ERR_FORMAT, "a NumPy array: %s", why);
    dxt_reader_hint(reader, "a NumPy array: %s", why);
    return DXT_OK;
}

/* The operator: what the array is called, as far as that names one. */
static void name_phase(dxt_reader *reader)
{
    const char *name = reader->input.name, *slash = strrchr(name, '/'), *colon;
    name = slash ? slash + 1 : name;
    colon = strrchr(name, ':');
    name = colon ? colon + 1 : name;
    strcpy(reader->phase, "dispatch");
    dxt_note_phase(reader, name, name + strlen(name));
}

/* Whether the file, or the member of an archive, is called after something other than waits. */
static dxt_counting names_counts(const char *name)
{
    for (const char *at = name; *at; at++)
        if (*at == '/' || *at == ':') name = at + 1;
    const dxt_token token = {name, name + strlen(name), 0};
    return dxt_names_counts(&token);
}

static dxt_status pass_over(dxt_reader *reader)
{
    reader->input.at = reader->input.size;
    reader->input.ended = true;
    dxt_reader_hint(reader, "the name of the array says that it counts something other than waits");
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, 1,
                           "the name of the array says that it counts something other than waits: "
                           "it is left out");
}

dxt_status dxt_npy_begin(dxt_reader *reader)
{
    const char *bytes;
    size_t got, from = 10, size;
    dxt_status status = dxt_input_peek(&reader->input, 12, &bytes, &got);
    if (status != DXT_OK) return status;
    if (got < 12) return refuse(reader, "the file ends too early");
    const unsigned char *b = (const unsigned char *)bytes;
    size = b[8] | (size_t)b[9] << 8;
    if (b[6] > 1) {
        from = 12;
        size |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    }
    if (b[6] < 1 || b[6] > 3) return refuse(reader, "its format version is not 1 to 3");
    if (size > HEAD_MAX) return refuse(reader, "its header is too long");
    status = dxt_input_peek(&reader->input, from + size, &bytes, &got);
    if (status != DXT_OK) return status;
    if (got < from + size) return refuse(reader, "the file ends too early");
    dxt_npy npy = {0};
    const char *at = bytes + from, *end = at + size;
    const char *order = dxt_behind_text(at, end, "'fortran_order'");
    npy.fortran = order && end - skip_blanks(order, end) >= 4 &&
                  memcmp(skip_blanks(order, end), "True", 4) == 0;
    const char *why = read_type(&npy, at, end);
    if (!why) why = read_shape(&npy, at, end);
    if (why) return refuse(reader, why);
    dxt_counting counting = names_counts(reader->input.name);
    if (counting == DXT_COUNTS_OTHERS) return pass_over(reader);
    dxt_input_skip(&reader->input, from + size);
    reader->npy = npy;
    name_phase(reader);
    if (counting == DXT_COUNTS_PERHAPS)
        status = dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, 1,
                                 "the name of the array may count something other than waits; the "
                                 "values are read as waits");
    if (status != DXT_OK) return status;
    if (!npy.flat) return DXT_OK;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, 1,
                           "an array of %u values with one axis is taken for %u rows of %u; if it "
                           "is the row of one rank, stack the rows of all ranks",
                           npy.ranks * npy.ranks, npy.ranks, npy.ranks);
}

/* ---- the values ---- */

static uint64_t load(const dxt_npy *npy, const unsigned char *at)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < npy->size; i++)
        bits |= (uint64_t)at[npy->swapped ? npy->size - 1 - i : i] << 8 * i;
    return bits;
}

/* Half precision. */
static double half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023), sign = bits >> 15 ? -1 : 1;
    if (exponent == 31) return fraction > 0 ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static double real_of(const dxt_npy *npy, uint64_t bits)
{
    if (npy->size == 2) return half(bits);
    if (npy->size == 8) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return (double)value;
}

/* One value. @return NULL, or what is wrong with it. */
static const char *take(const dxt_npy *npy, const unsigned char *at, int64_t *cell, double *real)
{
    uint64_t bits = load(npy, at);
    if (npy->kind == 'f') {
        *real = real_of(npy, bits);
        if (isnan(*real) || isinf(*real)) return "not a number";
        return *real < 0 ? "negative: the counter ran over" : NULL;
    }
    if (npy->kind == 'i' && npy->size < 8 && bits >> (8 * npy->size - 1))
        return "negative: the counter ran over";
    if (bits >> 63) return npy->kind == 'i' ? "negative: the counter ran over" : "above 2^63 - 1";
    *cell = (int64_t)bits;
    return NULL;
}

/* One value into its cell. */
static void take_cell(const dxt_npy *npy, const char *bytes, uint32_t row, uint32_t column,
                      dxt_window *window, double *reals, char *why, size_t why_size)
{
    size_t cell = (size_t)row * npy->ranks + column;
    const char *wrong =
        take(npy, (const unsigned char *)bytes, &window->wait[cell], reals ? &reals[cell] : NULL);
    /* NaN of a rank for itself: nobody observes that. */
    if (wrong && row == column && reals && isnan(reals[cell])) wrong = NULL;
    if (wrong && !*why) snprintf(why, why_size, "row %u, column %u: %s", row, column, wrong);
}

/* Where the matrix under way begins among those whose columns lie side by side. */
static size_t first_of(const dxt_npy *npy)
{
    uint64_t rest = npy->matrices - 1 - npy->windows, stride = npy->matrices, first = 0;
    for (uint32_t axis = npy->axes; axis-- > 0;) {
        uint64_t length = (uint64_t)npy->axis[axis];
        stride /= length;
        first += rest % length * stride;
        rest /= length;
    }
    return (size_t)first;
}

/* Read one of several matrices of an array that lies column by column: its first axis is the one
 * that changes fastest. */
static dxt_status take_spread(dxt_reader *reader, dxt_window *window, double *reals, char *why,
                              size_t why_size, bool *cut)
{
    const dxt_npy *npy = &reader->npy;
    size_t ranks = npy->ranks, step = (size_t)npy->matrices, got;
    size_t whole = step * ranks * ranks * npy->size, first = first_of(npy);
    const char *bytes;
    dxt_status status = dxt_input_peek(&reader->input, whole, &bytes, &got);
    if (status != DXT_OK) return status;
    if (got < whole) {
        *cut = true;
        snprintf(why, why_size, "the array ends after %zu of %zu bytes", got, whole);
        return DXT_OK;
    }
    for (size_t i = 0; i < ranks; i++)
        for (size_t j = 0; j < ranks; j++)
            take_cell(npy, bytes + (first + step * (i + ranks * j)) * npy->size, (uint32_t)i,
                      (uint32_t)j, window, reals, why, why_size);
    if (npy->windows == 0) dxt_input_skip(&reader->input, whole);
    return DXT_OK;
}

/* Read the lines of the array, rows or columns, into the window. */
static dxt_status take_all(dxt_reader *reader, dxt_window *window, double *reals, char *why,
                           size_t why_size, bool *cut)
{
    const dxt_npy *npy = &reader->npy;
    uint32_t ranks = npy->ranks;
    size_t line = (size_t)ranks * npy->size;
    for (uint32_t i = 0; i < ranks; i++) {
        const char *bytes;
        size_t got;
        dxt_status status = dxt_input_peek(&reader->input, line, &bytes, &got);
        if (status != DXT_OK) return status;
        if (got < line) {
            *cut = true;
            snprintf(why, why_size, "the array ends after %u of %u rows", i, ranks);
            return DXT_OK;
        }
        for (uint32_t j = 0; j < ranks; j++) {
            uint32_t row = npy->fortran ? j : i, column = npy->fortran ? i : j;
            take_cell(npy, bytes + (size_t)j * npy->size, row, column, window, reals, why,
                      why_size);
        }
        dxt_input_skip(&reader->input, line);
    }
    return DXT_OK;
}

dxt_status dxt_npy_next(dxt_reader *reader)
{
    uint32_t ranks = reader->npy.ranks;
    size_t cells = (size_t)ranks * ranks;
    dxt_window *window;
    double *reals = NULL;
    char why[96] = "";
    bool cut = false;
    dxt_status status = dxt_window_create(ranks, reader->phase, &window);
    if (status != DXT_OK) return status;
    if (reader->npy.kind == 'f' && !(reals = malloc(cells * sizeof *reals)))
        status = dxt_fail_memory(cells * sizeof *reals);
    reader->npy.windows--;
    uint64_t lost = reader->lost;
    bool spread = reader->npy.fortran && reader->npy.axes > 0;
    if (status == DXT_OK)
        status = (spread ? take_spread : take_all)(reader, window, reals, why, sizeof why, &cut);
    if (cut) reader->npy.windows = 0;
    if (status == DXT_OK && *why)
        status = dxt_reader_lose(reader, cut ? DXT_REMARK_CUT : DXT_REMARK_LOST, DXT_ERR_FORMAT, 1,
                                 "%s", why);
    else if (status == DXT_OK)
        status = dxt_take_said(reader, 1, reals, window);
    if (status == DXT_OK && reals && !*why) status = dxt_round(reader, 1, reals, window);
    free(reals);
    if (status == DXT_OK && lost == reader->lost) return dxt_give_text(reader, window, 1);
    dxt_window_free(window);
    return status;
}
