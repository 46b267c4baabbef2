/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents: findings that stay for some windows, from their beginning to their end. */
#ifndef DXT_MONITOR_INCIDENT_H
#define DXT_MONITOR_INCIDENT_H

#include "judge.h"
#include "recorder.h"

enum { INCIDENT_PENDING = 0, INCIDENT_OPEN = 1, INCIDENT_CLOSED = 2 };

/**
 * Count a window that was just stored. An incident is pending after the first window that names it,
 * opens when open_count of open_windows windows of its operator name it, and closes when as many do
 * not. Alerts are queued in the same transaction.
 *
 * @return false with store.why.
 */
bool incident_count(recorder *r, const judged_window *w, const dxt_findings *findings,
                    int64_t begin_ns);

#endif
