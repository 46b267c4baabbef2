/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/arrive/witnesses.h"

#include <math.h>
#include <string.h>

#include "analysis/tuning.h"
#include "numeric/columns.h"

/* Members that are judged together. */
#define TILE (2 * 2 * DXT_LANES)

/* The witnesses in use: one more than each member needs, since none counts for itself. */
struct heard {
    uint32_t count;
    uint32_t member[DXT_HEARD + 1];
    double late[DXT_HEARD + 1];
};

static void choose_heard(const dxt_panel *p, struct heard *heard)
{
    heard->count = p->ordinary_count < DXT_HEARD + 1 ? p->ordinary_count : DXT_HEARD + 1;
    for (uint32_t k = 0; k < heard->count; k++) {
        heard->member[k] = p->member[p->ordinary[k]];
        heard->late[k] = p->late[p->ordinary[k]];
    }
}

/* The lateness of one member by each witness, in one column. */
static void hear(const dxt_panel *p, const struct heard *heard, uint32_t member,
                 const double *for_it, size_t stride, const double *of_it,
                 double (*said)[DXT_LANES], uint32_t column)
{
    uint32_t used = 0;
    for (uint32_t k = 0; k < heard->count && used < DXT_HEARD; k++)
        if (heard->member[k] != member)
            said[used++][column] =
                dxt_lateness_read(&p->scale, for_it[k * stride] - of_it[k]) + heard->late[k];
    while (used < DXT_HEARD) said[used++][column] = INFINITY;
}

void dxt_ask_witnesses(const dxt_group_input *in, const dxt_panel *p, double *late)
{
    struct heard heard;
    double for_it[DXT_HEARD + 1][TILE], of_it[DXT_HEARD + 1], said[DXT_HEARD][DXT_LANES],
        median[DXT_LANES];
    choose_heard(p, &heard);
    for (uint32_t first = 0; first < in->count; first += TILE) {
        uint32_t member[TILE], count = in->count - first < TILE ? in->count - first : TILE;
        for (uint32_t c = 0; c < count; c++) member[c] = first + c;
        for (uint32_t k = 0; k < heard.count; k++)
            in->waits(in->context, heard.member[k], member, count, for_it[k]);
        for (uint32_t c = 0; c < count; c++) {
            uint32_t column = c % DXT_LANES;
            in->waits(in->context, member[c], heard.member, heard.count, of_it);
            hear(p, &heard, member[c], for_it[0] + c, TILE, of_it, said, column);
            if (column + 1 < DXT_LANES && c + 1 < count) continue;
            /* Columns behind the last member still hold old values. */
            for (uint32_t k = 0; k < DXT_HEARD; k++)
                for (uint32_t rest = column + 1; rest < DXT_LANES; rest++) said[k][rest] = INFINITY;
            dxt_cautious_medians(said, DXT_HEARD, DXT_LANES, median);
            memcpy(late + member[c] - column, median, (column + 1) * sizeof *late);
        }
    }
}
