/* SPDX-License-Identifier: Apache-2.0 */
/* Give each rank its role: late or slow to send, early or slow to receive, or ordinary. */
#ifndef DXT_ARRIVE_SIDES_H
#define DXT_ARRIVE_SIDES_H

#include "analysis/arrive/model.h"

/** Give each member its role, and take the part of a slow side out of its lateness. */
void dxt_give_roles(dxt_fit *fit);

#endif
