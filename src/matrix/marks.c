/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that say something of what JSON or Python holds, and are none of a file. */
#include "matrix/around.h"
#include "matrix/members.h"
#include "matrix/shape.h"

/* The unit of the values of JSON or Python that follow; another one ends the table. */
static dxt_status take_unit(dxt_reader *reader, const char *at, const char *end)
{
    double ns;
    if (!dxt_changes_unit(reader, at, end, &ns)) return DXT_OK;
    dxt_status status = dxt_table_end(reader, false);
    dxt_say_unit(reader, ns);
    return status;
}

/* Lines of two ranks and a wait follow, in any order. */
static dxt_status begin_pairs(dxt_reader *reader)
{
    dxt_table *table = &reader->table;
    if (table->rows > 0 && dxt_shape_roles(table)) return DXT_OK;
    dxt_status status = dxt_table_end(reader, false);
    table->titles = (dxt_titles){.cells = 3, .roles = true};
    return status;
}

static dxt_status take_outer(dxt_reader *reader)
{
    bool pairs = dxt_shape_roles(&reader->table);
    dxt_status status = pairs ? DXT_OK : dxt_table_end(reader, false);
    return status == DXT_OK ? dxt_tell_outer(reader) : status;
}

bool dxt_take_mark(dxt_reader *reader, const char *at, const char *end, dxt_status *status)
{
    if (end - at < 2 || (unsigned char)at[1] >= ' ') return false;
    *status = DXT_OK;
    if (at[1] == DXT_UNIT_LINE[1])
        *status = take_unit(reader, at + 2, end);
    else if (at[1] == DXT_OUTER_LINE[1])
        *status = take_outer(reader);
    else if (at[1] == DXT_BESIDE_LINE[1])
        *status = dxt_tell_beside(reader, at + 2, end);
    else if (at[1] == DXT_PAIRS_LINE[1])
        *status = begin_pairs(reader);
    else if (at[1] == DXT_RANKED_LINE[1])
        reader->ranked = true;
    else
        return false;
    return true;
}
