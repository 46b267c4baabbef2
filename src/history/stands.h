/* SPDX-License-Identifier: Apache-2.0 */
/* Compare the findings of one window with the windows before. */
#ifndef DXT_HISTORY_STANDS_H
#define DXT_HISTORY_STANDS_H

#include "history/weighing.h"

/** Put a finding into the draft unless the noise of the windows before explains it. They may also
 *  lower its confidence. With two ranks, "one is late" may become "the other one is early". */
void dxt_keep_finding(dxt_weighing *w, dxt_finding finding);

#endif
