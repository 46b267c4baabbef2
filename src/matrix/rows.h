/* SPDX-License-Identifier: Apache-2.0 */
/* The row under way and the window that it may be one of. */
#ifndef DXT_MATRIX_ROWS_H
#define DXT_MATRIX_ROWS_H

#include "matrix/reader.h"

uint64_t dxt_hash_row(const dxt_reader *reader);
/** Its rank; that of the next row if it carries none. */
uint32_t dxt_rank_of(const dxt_sheet *sheet, const dxt_row *row);
bool dxt_has_row(const dxt_sheet *sheet, uint32_t rank);
/** Whether it is the one that was added last, once more. */
bool dxt_row_repeats(const dxt_reader *reader, const dxt_sheet *sheet);
/** Add it to its window; of one that is lost it is only counted, if it can be one of its rows. */
dxt_status dxt_add_row(dxt_reader *reader, dxt_sheet *sheet);
/** Tell that a window cannot be read; what follows of it is passed over. */
dxt_status dxt_lose_sheet(dxt_reader *reader, dxt_sheet *sheet, dxt_status status, const char *why);
/** It is spoilt: its window is lost. */
dxt_status dxt_lose_row(dxt_reader *reader, dxt_sheet *sheet);
/** Tell what keeps a whole row from being one of the sheet's. */
dxt_status dxt_row_misfit(dxt_reader *reader, dxt_sheet *sheet);

/** Get it ready for its window. @return Whether it is the second copy of one, which is left out. */
bool dxt_row_prepare(dxt_reader *reader);
/** Put it where it belongs; there has been a header. */
dxt_status dxt_headed_row(dxt_reader *reader);

#endif
