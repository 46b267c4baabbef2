/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor, a part that is loaded when it is asked for. */
#ifndef TOOLS_SERVE_PART_H
#define TOOLS_SERVE_PART_H

#include "monitor.h"

/** Load it. @return NULL with the reason in @p why, which is static. */
const dxt_monitor_part *monitor_find(const char **why);

#endif
