/* SPDX-License-Identifier: Apache-2.0 */
/* What the members of an object in JSON or Python say of what it holds. */
#ifndef DXT_MATRIX_MEMBERS_H
#define DXT_MATRIX_MEMBERS_H

#include "matrix/reader.h"
#include "matrix/spot.h"

/** A line of a value in JSON or Python, as DXT_UNIT_LINE: what stands beside the matrices that
 *  follow and is not applied to them. */
#define DXT_BESIDE_LINE "#\003"

/** In the same way: lines of two ranks and a wait follow, in any order. */
#define DXT_PAIRS_LINE "#\004"
/** In the same way: the ranks that follow in front of rows are theirs, and no launcher's. */
#define DXT_RANKED_LINE "#\005"

/** In the same way: the name of what counts something else than waits and is left out; behind "?":
 *  of what may, and is read. */
#define DXT_COUNTS_LINE "#\006"
/** In the same way: the pairs of ranks that follow are written with arrows. */
#define DXT_ARROW_LINE "#\007"

/** marks.c: take such a line, which begins with "#". @return Whether it is one; @p status receives
 *  what came of it. */
bool dxt_take_mark(dxt_reader *reader, const char *at, const char *end, dxt_status *status);

/** In the same way: why a list of all values of a matrix is none. */
#define DXT_SHAPE_LINE "#\010"

typedef struct dxt_members {
    bool recording, ranked;
    int64_t rank;           /**< of all lists in it; −1: none */
    const char *phase;      /**< "op": "combine" */
    uint32_t lists, phased; /**< of numbers; of these, called after an operator */
    uint32_t columns;       /**< numbers that are called 0, 1, 2 … in order */
    dxt_token step;         /**< "step": 5; empty: none */
    uint32_t waits;         /**< numbers that are called after ranks, in any order */
    uint32_t pairs, count;  /**< members called after two ranks, "(0, 1)"; of all */
    bool others;            /**< there is something else besides the rank */
    dxt_token cell[3];      /**< "row": 0, "col": 1, "value": 5 */
    dxt_token unit;         /**< of time, that a member "unit" or the name of a cell's value says */
    struct {
        bool known;        /**< the members have been looked at for it */
        bool said;         /**< as a shape, or rows and columns, not only as a count of ranks */
        uint32_t axes;     /**< 0: none is said */
        int64_t length[3]; /**< of each axis */
    } shape;
    dxt_token beside; /**< the first member that changes what values say, and is not applied */
    dxt_token beside_value;
} dxt_members;

/** flat.c: a list of the values of whole matrices, one behind the other, in an object that begins
 *  at @p object and says their shape, {"shape": [8, 8], "data": […]}: write it. @return Whether it
 *  is one. */
bool dxt_put_flat(const dxt_spot *in, dxt_members *all, dxt_spot object, const dxt_token *name,
                  const char *from, const char *to, uint32_t count);

/** Look at the members of an object that begins at @p in. */
void dxt_members_look(dxt_spot in, dxt_members *all);

typedef enum dxt_counting {
    DXT_COUNTS_NONE,
    DXT_COUNTS_PERHAPS, /**< "dispatch_tokens": an operator is named as well */
    DXT_COUNTS_OTHERS
} dxt_counting;
/** counts.c: whether what is called so counts something else than waits: samples, bytes, tokens. */
dxt_counting dxt_names_counts(const dxt_token *name);
/** Say of an array, or of an object of ranks, that its name counts something else. @return Whether
 *  it is left out. */
bool dxt_put_counts(dxt_spot *in, const dxt_token *name);
/** Take the two ranks of "(0, 1)", "0,1" or "0->1". */
bool dxt_token_pair(const dxt_token *name, int64_t pair[2]);
/** Whether lists of that name are places on a map or in a picture. */
bool dxt_names_places(const dxt_token *name);

/* ---- literal_cells.c ---- */

/** The unit of time of the values below; none is said of them if it is empty. */
void dxt_put_unit(dxt_spot *in, const dxt_token *unit);
/** A line of row, column and value. */
void dxt_put_cell(dxt_spot *in, const dxt_members *all);
/** {"0": 5, "1": 7}: the values of a row. */
void dxt_put_columns(dxt_spot in);
/** The same in any order, {"1": 5, "10": 7, "2": 6}; of a rank, if the object around says one,
 *  which may leave itself out. @return Whether it is one, and @p in stands behind it. */
bool dxt_put_row(dxt_spot *in, const dxt_members *all);
/** What stands in front of a rank's row: what is known of it. */
void dxt_put_rank(dxt_text *lines, const dxt_members *all, int64_t rank);
/** {"0,1": 5, "(0, 2)": 7}: a line of row, column and value for each. */
void dxt_put_pairs(dxt_spot *in);
/** {"1": 5, "2": 7} of a rank that leaves itself out: the same. */
void dxt_put_waits(dxt_spot *in);

#endif
