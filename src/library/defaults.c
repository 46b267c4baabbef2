/* SPDX-License-Identifier: Apache-2.0 */
/* The defaults of options, for the programs and languages that offer the same options. Each value
 * stands once: here, or where the library itself takes it. */
#include <math.h>
#include <string.h>

#include <deepxtrace/deepxtrace.h>

#include "analysis/tuning.h"
#include "session/defaults.h"

#define SECONDS(ns) ((double)(ns) / 1e9)

static const struct {
    const char *name;
    double value;
} table[] = {
    {"min_share", DXT_MIN_SHARE},
    /* Ranks that take turns on their processors are late by a time slice. */
    {"min_share_crowded", 0.1},
    {"threshold_col", DXT_RATIO_AXIS},
    {"threshold_row", DXT_RATIO_AXIS},
    {"threshold_point", DXT_RATIO_POINT},
    {"interval_s", SECONDS(DXT_DEFAULT_INTERVAL_NS)},
    {"interval_ops", DXT_DEFAULT_INTERVAL_OPS},
    {"deadline_s", SECONDS(DXT_DEFAULT_DEADLINE_NS)},
    {"deadline_sync_s", SECONDS(DXT_FIRST_BUDGET_NS)},
    /* Calls of the Python package's diagnose_*_sync() in a window, as DeepEP's users know it. */
    {"sync_step", 580},
};

double dxt_default(const char *name)
{
    for (size_t i = 0; name && i < sizeof table / sizeof table[0]; i++)
        if (strcmp(name, table[i].name) == 0) return table[i].value;
    return NAN;
}
