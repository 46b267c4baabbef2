/* SPDX-License-Identifier: Apache-2.0 */
/* What the members of an object in JSON or Python say of what it holds. */
#ifndef DXT_MATRIX_MEMBERS_H
#define DXT_MATRIX_MEMBERS_H

#include "matrix/spot.h"

/** A line of a value in JSON or Python, as DXT_UNIT_LINE: what stands beside the matrices that
 *  follow and is not applied to them. */
#define DXT_BESIDE_LINE "#\003"

typedef struct dxt_members {
    bool recording, ranked;
    int64_t rank;           /**< of all lists in it; −1: none */
    const char *phase;      /**< "op": "combine" */
    uint32_t lists, phased; /**< of numbers; of these, called after an operator */
    uint32_t columns;       /**< numbers that are called 0, 1, 2 … in order */
    bool others;            /**< there is something else besides the rank */
    dxt_token cell[3];      /**< "row": 0, "col": 1, "value": 5 */
    dxt_token unit;         /**< of time, that a member "unit" or the name of a cell's value says */
    dxt_token beside; /**< the first member that changes what values say, and is not applied */
    dxt_token beside_value;
} dxt_members;

/** Look at the members of an object that begins at @p in. */
void dxt_members_look(dxt_spot in, dxt_members *all);

/** Whether lists of that name are places on a map or in a picture. */
bool dxt_names_places(const dxt_token *name);

#endif
