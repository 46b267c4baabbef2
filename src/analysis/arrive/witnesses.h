/* SPDX-License-Identifier: Apache-2.0 */
/* Large groups: the panel's ordinary members say of everybody how late it is. */
#ifndef DXT_ARRIVE_WITNESSES_H
#define DXT_ARRIVE_WITNESSES_H

#include "analysis/arrive/panel.h"

/** Lateness of all members by the median over the witnesses: what these waited for them row by row,
 *  what they waited for these member by member. @param late  [in->count] Receives it. */
void dxt_ask_witnesses(const dxt_group_input *in, const dxt_panel *p, double *late);

#endif
