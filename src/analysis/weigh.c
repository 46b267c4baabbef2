/* SPDX-License-Identifier: Apache-2.0 */
#include "analysis/weigh.h"

#include <assert.h>
#include <math.h>

#include "analysis/tuning.h"

static dxt_severity severity_of(double wait, double share, double ordinary)
{
    bool timed = !isnan(share);
    double much = timed ? share : wait / fmax(ordinary, DXT_TINY);
    if (much < (timed ? DXT_MAJOR_SHARE : DXT_MAJOR_MULTIPLE)) return DXT_SEVERITY_MINOR;
    if (much < (timed ? DXT_CRITICAL_SHARE : DXT_CRITICAL_MULTIPLE)) return DXT_SEVERITY_MAJOR;
    return DXT_SEVERITY_CRITICAL;
}

dxt_severity dxt_severity_of_share(double share)
{
    return severity_of(0, share, 0);
}

/* The probability that a finding of that many standard errors is true. */
static double confidence_of(const dxt_size *size)
{
    double z = size->wait / fmax(fmax(size->error, size->limit / DXT_LIMIT_ERRORS), DXT_TINY);
    return 1 - exp(-z * z / DXT_CONFIDENCE_WIDTH);
}

void dxt_weigh(dxt_finding *finding, const dxt_size *size, double step, double ordinary,
               double surest)
{
    if (isnan(size->wait)) { /* A rank that never comes is a fact. */
        finding->severity = DXT_SEVERITY_CRITICAL;
        finding->confidence = 1;
        return;
    }
    /* Rounding must not make it negative. */
    finding->wait = fmax(0, size->wait);
    finding->share = isnan(step) ? NAN : fmin(1, finding->wait / step);
    finding->severity = severity_of(size->wait, finding->share, ordinary);
    finding->confidence = fmin(confidence_of(size), surest);
    if (size->surest > 0) finding->confidence = fmin(finding->confidence, size->surest);
    assert(finding->confidence >= 0 && finding->confidence <= 1);
    if (finding->kind != DXT_EARLY_RANK) return;
    /* Nobody waits for it: it costs nothing. */
    if (!isnan(finding->share)) finding->share = 0;
    finding->severity = DXT_SEVERITY_MINOR;
}

void dxt_doubt_traces(dxt_draft *draft)
{
    double most = 0;
    for (size_t f = 0; f < draft->finding_count; f++) most = fmax(most, draft->findings[f].wait);
    for (size_t f = 0; f < draft->finding_count; f++) {
        dxt_finding *finding = &draft->findings[f];
        if (finding->wait < DXT_SMALL_NEXT_TO * most)
            finding->confidence = fmin(finding->confidence, DXT_DOUBTFUL);
    }
}
