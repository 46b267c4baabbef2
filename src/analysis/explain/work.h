/* SPDX-License-Identifier: Apache-2.0 */
/* The work of each of two ranks: the step less its waits. Compared with the windows before, it
 * shows which of the two has changed. */
#ifndef DXT_EXPLAIN_WORK_H
#define DXT_EXPLAIN_WORK_H

#include "analysis/case.h"

/** Write it into the draft if there are two ranks, and step and operations are known. */
void dxt_take_work(const dxt_case *c);

#endif
