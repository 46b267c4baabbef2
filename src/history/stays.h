/* SPDX-License-Identifier: Apache-2.0 */
/* Lateness that is too small for any single window, but stays. */
#ifndef DXT_HISTORY_STAYS_H
#define DXT_HISTORY_STAYS_H

#include "history/weighing.h"

/** Add a finding for each rank that no finding names yet and that is late over the newest windows,
 *  against the ordinary ranks or against its own past. */
void dxt_add_late_ranks(dxt_weighing *w);

#endif
