/* SPDX-License-Identifier: Apache-2.0 */
/* What each rank is for the others: late or slow on its send side, early or slow on its receive
 * side, or ordinary. */
#ifndef DXT_ARRIVE_SIDES_H
#define DXT_ARRIVE_SIDES_H

#include "analysis/arrive/model.h"

/** Give each member its role, and take what its slow side adds out of its lateness. */
void dxt_give_roles(dxt_fit *fit);

#endif
