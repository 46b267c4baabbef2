/* SPDX-License-Identifier: Apache-2.0 */
/* What one window says alone, in the light of those before. */
#ifndef DXT_HISTORY_STANDS_H
#define DXT_HISTORY_STANDS_H

#include "history/weighing.h"

/** Put a finding into the draft, with the confidence that the windows before leave it, unless their
 *  noise explains it. Of two ranks, one that is late may turn out to be one that the other waits
 * for since it is early. */
void dxt_keep_finding(dxt_weighing *w, dxt_finding finding);

#endif
