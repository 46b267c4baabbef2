/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of all values of a matrix, beside its shape: {"shape": [8, 8], "data": [5, 7, …]},
 * {"rows": 8, "cols": 8, "values": […]}, {"ranks": 8, "wait": […]}. */
#include <string.h>

#include "matrix/members.h"
#include "matrix/reader.h"
#include "matrix/scan.h"
#include "matrix/tagged.h"

/* Fewer values are no matrix. */
#define FEWEST 4

typedef struct dxt_axes {
    int64_t length[3];
    uint32_t count;
    int64_t rows, columns, ranks; /* where they are said apart */
} dxt_axes;

static bool is_one_of(const dxt_token *name, const char *const *words)
{
    for (; *words; words++)
        if (dxt_token_is(name, *words)) return true;
    return false;
}

/* "[8, 8]" at a place: the lengths of two or three axes. */
static void take_shape(dxt_axes *axes, dxt_spot in)
{
    const char *from, *to;
    uint32_t count;
    if (!dxt_spot_list(&in, &from, &to, &count) || count < 2 || count > 3) return;
    for (uint32_t i = 0; i < count; i++) {
        while (from < to && !dxt_is_digit(*from)) from++;
        from = dxt_scan_integer(from, to, &axes->length[i]);
        if (!from || axes->length[i] == 0 || axes->length[i] > INT32_MAX) return;
    }
    axes->count = count;
}

static void look_at(dxt_axes *axes, const dxt_token *name, const dxt_spot *value)
{
    static const char *const shapes[] = {"shape", "size", "dims", "dim", "dimensions", NULL};
    static const char *const rows[] = {"rows", "nrows", "n_rows", "num_rows", NULL};
    static const char *const columns[] = {"cols", "columns", "ncols", "n_cols", "num_cols", NULL};
    static const char *const ranks[] = {"ranks",   "n",          "num_ranks", "n_ranks", "nranks",
                                        "ep_size", "world_size", "size",      NULL};
    dxt_spot in = *value;
    if (is_one_of(name, shapes)) take_shape(axes, in);
    dxt_token word = dxt_spot_token(&in);
    int64_t number = 0;
    if (dxt_scan_integer(word.at, word.end, &number) != word.end || word.at == word.end) return;
    if (is_one_of(name, rows)) axes->rows = number;
    if (is_one_of(name, columns)) axes->columns = number;
    if (is_one_of(name, ranks)) axes->ranks = number;
}

/* What the members of an object say of the shape of its lists. */
static void find_shape(dxt_members *all, dxt_spot in)
{
    dxt_axes axes;
    memset(&axes, 0, sizeof axes);
    all->shape.known = true;
    in.at++;
    for (dxt_spot_blanks(&in); in.at < in.end && *in.at != '}'; dxt_spot_blanks(&in)) {
        const char *before = in.at;
        dxt_token name = dxt_spot_token(&in);
        while (in.at < in.end && (dxt_is_blank(*in.at) || *in.at == ':')) in.at++;
        look_at(&axes, &name, &in);
        dxt_spot_skip(&in);
        if (in.at == before) break;
    }
    all->shape.said = axes.count > 0 || (axes.rows > 0 && axes.columns > 0);
    if (axes.count == 0 && (axes.ranks > 1 || (axes.rows > 0 && axes.columns > 0))) {
        bool said = axes.rows > 0 && axes.columns > 0;
        axes.length[0] = said ? axes.rows : axes.ranks;
        axes.length[1] = said ? axes.columns : axes.ranks;
        axes.count = axes.length[0] > INT32_MAX || axes.length[1] > INT32_MAX ? 0 : 2;
    }
    all->shape.axes = axes.count;
    for (uint32_t i = 0; i < axes.count; i++) all->shape.length[i] = axes.length[i];
}

/* The numbers of a list as the rows of matrices. */
static void put_rows(const dxt_spot *in, const char *from, const char *to, uint32_t side)
{
    dxt_spot list = {.at = from, .end = to};
    uint64_t value = 0;
    for (dxt_spot_blanks(&list); list.at < to; dxt_spot_blanks(&list), value++) {
        int calls = dxt_spot_open_calls(&list);
        dxt_token number = dxt_spot_token(&list);
        if (number.at == number.end) return;
        dxt_spot_close_calls(&list, calls);
        uint64_t row = value / side;
        if (value % side == 0) {
            if (row > 0) dxt_text_puts(in->lines, row % side == 0 ? "]]\n" : "],\n");
            dxt_text_puts(in->lines, row % side == 0 ? "[[" : " [");
        }
        dxt_text_puts(in->lines, " ");
        dxt_text_append(in->lines, number.at, (size_t)(number.end - number.at));
    }
    dxt_text_puts(in->lines, "]]\n");
}

bool dxt_put_flat(const dxt_spot *in, dxt_members *all, dxt_spot object, const dxt_token *name,
                  const char *from, const char *to, uint32_t count)
{
    static const char *const lists[] = {"data",   "values", "flat", "storage",
                                        "buffer", "array",  "w",    NULL};
    if (!in->matrices || in->foreign || count < FEWEST) return false;
    if (!all->shape.known) find_shape(all, object);
    if (all->shape.axes == 0) return false;
    const int64_t *length = all->shape.length, side = length[all->shape.axes - 1];
    const int64_t rows = length[all->shape.axes - 2];
    const double product =
        (double)side * (double)rows * (all->shape.axes > 2 ? (double)length[0] : 1);
    const char *phase = dxt_token_phase(name, all->phase);
    const bool named = phase || is_one_of(name, lists) || dxt_names_waits(name->at, name->end);
    if (!named) return false;
    if (product != count) {
        /* A value or more for each rank is no matrix. */
        if (!all->shape.said || all->lists > 2) return false;
        dxt_text_printf(in->lines, DXT_SHAPE_LINE "the shape says %.0f values, and there are %u\n",
                        product, count);
        return true;
    }
    if (side != rows || side > DXT_MAX_RANKS) {
        dxt_text_printf(in->lines,
                        DXT_SHAPE_LINE "the matrix is not square: %lld rows of %lld "
                                       "values\n",
                        (long long)rows, (long long)side);
        return true;
    }
    if (phase) dxt_text_printf(in->lines, "# %s\n", phase);
    put_rows(in, from, to, (uint32_t)side);
    return true;
}
