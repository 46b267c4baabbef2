/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the enums, as recordings and diagnoses have them. */
#include <deepxtrace/analysis.h>

const char *dxt_finding_kind_name(dxt_finding_kind kind)
{
    switch (kind) {
    case DXT_LATE_RANK: return "late_rank";
    case DXT_EARLY_RANK: return "early_rank";
    case DXT_SLOW_RECEIVER: return "slow_receiver";
    case DXT_HOT_EXPERT: return "hot_expert";
    case DXT_SLOW_PATH: return "slow_path";
    case DXT_LATE_NODE: return "late_node";
    case DXT_SLOW_NODE_PATH: return "slow_node_path";
    case DXT_SYSTEMIC_SKEW: return "systemic_skew";
    case DXT_SILENT_RANK: return "silent_rank";
    case DXT_SLOW_LINK: return "slow_link";
    case DXT_PATH_STALLS: return "path_stalls";
    case DXT_SLOW_NODE_LINK: return "slow_node_link";
    }
    return "unknown";
}

const char *dxt_direction_name(dxt_direction direction)
{
    switch (direction) {
    case DXT_DIRECTION_NONE: break;
    case DXT_DIRECTION_IN: return "in";
    case DXT_DIRECTION_OUT: return "out";
    case DXT_DIRECTION_BOTH: return "both";
    }
    return "none";
}

const char *dxt_silence_name(dxt_silence silence)
{
    switch (silence) {
    case DXT_SILENCE_NO_COUNTERS: return "no counters";
    case DXT_SILENCE_NO_PART: return "takes no part";
    case DXT_SILENCE_TIMED_OUT: return "timed out";
    }
    return "unknown";
}

const char *dxt_severity_name(dxt_severity severity)
{
    switch (severity) {
    case DXT_SEVERITY_MINOR: return "minor";
    case DXT_SEVERITY_MAJOR: return "major";
    case DXT_SEVERITY_CRITICAL: return "critical";
    }
    return "unknown";
}

const char *dxt_verdict_name(dxt_verdict verdict)
{
    switch (verdict) {
    case DXT_VERDICT_HEALTHY: return "healthy";
    case DXT_VERDICT_SLOW: return "slow";
    case DXT_VERDICT_INCONCLUSIVE: return "inconclusive";
    }
    return "unknown";
}

const char *dxt_method_name(dxt_method method)
{
    switch (method) {
    case DXT_METHOD_ROBUST: return "robust";
    case DXT_METHOD_RATIO: return "ratio";
    }
    return "unknown";
}
