/* SPDX-License-Identifier: Apache-2.0 */
/* What each of two ranks spends beside waiting: who it was that changed, for whoever knows the
 * windows before. */
#ifndef DXT_EXPLAIN_WORK_H
#define DXT_EXPLAIN_WORK_H

#include "analysis/case.h"

/** Put it into the draft, where there are two ranks and step and operations are known. */
void dxt_take_work(const dxt_case *c);

#endif
