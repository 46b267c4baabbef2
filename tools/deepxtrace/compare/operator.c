/* SPDX-License-Identifier: Apache-2.0 */
#include "operator.h"

#include <math.h>
#include <stdlib.h>

#include "paths.h"

/* Where nothing says what is worth telling: this part of the mean wait. */
#define CONCERN 0.1

static double concern_of(const side_operator *before, const side_operator *after)
{
    double floor = fmax(before->floor, after->floor);
    double mean = fmax(before->mean.mean[0], after->mean.mean[0]);
    return floor > 0 ? floor : CONCERN * mean;
}

dxt_status compare_operator(const side_operator *before, const side_operator *after, uint32_t ranks,
                            const int32_t *nodes, comparison *made)
{
    *made = (comparison){.before = before, .after = after, .ranks = ranks, .nodes = nodes};
    made->late = calloc(ranks, sizeof *made->late);
    if (!made->late) return DXT_ERR_NO_MEMORY;
    made->floor = concern_of(before, after);
    made->mean = series_compare(&before->mean, &after->mean, 0, 0);
    series_part(&before->mean, &after->mean, 0, 0, &made->mean);
    made->step = series_compare(&before->step, &after->step, 0, 0);
    series_part(&before->step, &after->step, 0, 0, &made->step);
    made->slower = is_changed(made, &made->mean, 2) && made->mean.by > 0;
    made->slower |= is_changed(made, &made->step, 2) && made->step.by > 0;
    dxt_status status = compare_ranks(made) ? compare_paths(made) : DXT_ERR_NO_MEMORY;
    if (status != DXT_OK) comparison_free(made);
    return status;
}
