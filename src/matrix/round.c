/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals become counters. */
#include <math.h>

#include "matrix/reader.h"

/* The row behind cell `i` if that begins one which is missing; else `i`. */
static size_t skip_missing(const dxt_window *window, size_t i)
{
    size_t ranks = window->ranks;
    while (window->missing && i < ranks * ranks && i % ranks == 0 && window->missing[i / ranks])
        i += ranks;
    return i;
}

dxt_status dxt_round(dxt_reader *reader, uint64_t line, const double *reals, dxt_window *window)
{
    static const char *const parts[] = {"thousandths", "millionths", "billionths", "trillionths"};
    size_t count = (size_t)window->ranks * window->ranks;
    double most = 0, factor = 1;
    bool whole = true;
    int power = 0;
    for (size_t i = 0; (i = skip_missing(window, i)) < count; i++) {
        if (isnan(reals[i])) continue; /* not observed */
        if (reals[i] > most) most = reals[i];
        whole = whole && reals[i] == floor(reals[i]);
    }
    if (!(most < 9.2e18))
        return dxt_reader_lose(reader, DXT_REMARK_LOST, DXT_ERR_LIMIT, line, "%g is above 2^63 - 1",
                               most);
    /* Rounded to whole numbers small ones would lose what they tell. */
    for (; !whole && most > 0 && most * factor < 1000 && power < 4; power++) factor *= 1000;
    for (size_t i = 0; (i = skip_missing(window, i)) < count; i++)
        window->wait[i] = isnan(reals[i]) ? DXT_NOT_OBSERVED : (int64_t)llrint(reals[i] * factor);
    if (power == 0) return DXT_OK;
    return dxt_reader_lose(reader, DXT_REMARK_NOTE, DXT_OK, line,
                           "decimals below 1000 are counted in %s", parts[power - 1]);
}
