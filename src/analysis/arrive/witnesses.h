/* SPDX-License-Identifier: Apache-2.0 */
/* Large groups: take everybody's lateness from the pairs with the panel's ordinary members. */
#ifndef DXT_ARRIVE_WITNESSES_H
#define DXT_ARRIVE_WITNESSES_H

#include "analysis/arrive/panel.h"

/** Find the lateness of all members as a median over the witnesses. The witnesses' waits are read
 *  row by row, those of the members member by member. @param late  [in->count] Receives it. */
void dxt_ask_witnesses(const dxt_group_input *in, const dxt_panel *p, double *late);

#endif
