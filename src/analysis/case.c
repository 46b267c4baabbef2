/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/case.h"

#include <assert.h>
#include <math.h>

#include "analysis/raw.h"

const dxt_carried *dxt_case_carried(dxt_case *c)
{
    assert(c->companion);
    if (!c->carried.rank) dxt_carry_over(&c->fit, &c->other, &c->carried);
    return &c->carried;
}

double dxt_case_most_carried(dxt_case *c)
{
    double most = 0;
    if (!c->companion) return 0;
    const dxt_carried *carried = dxt_case_carried(c);
    for (uint32_t k = 0; k < c->fit.count; k++) most = fmax(most, fabs(carried->rank[k]));
    return most;
}

double dxt_case_mean(dxt_case *c)
{
    if (isnan(c->mean)) c->mean = dxt_raw_mean(c->window);
    return c->mean;
}

uint32_t dxt_case_list_column(dxt_case *c, uint32_t member)
{
    uint32_t rank = c->fit.rank[member];
    double mean = dxt_raw_mean_of_column(c->window, rank);
    dxt_draft_col(c->draft, rank, mean, dxt_normalise(mean, dxt_case_mean(c)));
    return rank;
}

uint32_t dxt_case_list_row(dxt_case *c, uint32_t member)
{
    uint32_t rank = c->fit.rank[member];
    double mean = dxt_raw_mean_of_row(c->window, rank);
    dxt_draft_row(c->draft, rank, mean, dxt_normalise(mean, dxt_case_mean(c)));
    return rank;
}
