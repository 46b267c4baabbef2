/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrivals in a group whose members all wait for each other: the ranks of one node, or the nodes of
 * a job. Finds from the waits alone how much later than the ordinary members each one arrives.
 */
#ifndef DXT_ARRIVE_GROUP_H
#define DXT_ARRIVE_GROUP_H

#include "analysis/arrive/group_data.h"

/**
 * Fit a group.
 *
 * The ordinary members are the earliest cluster that holds at least half of the group and is no
 * wider than the limit; if there is none, the densest half. So if a group falls into two halves,
 * the later half is called late, since early ranks would cost nothing.
 *
 * @param lateness  [count] Receives the lateness of each member; negative = early.
 * @param group     Receives the rest.
 *
 * Cost: O(count²) up to DXT_WITNESSES members, beyond that O(DXT_WITNESSES × count).
 */
void dxt_group_fit(const dxt_group_input *input, double *lateness, dxt_group *group);

/**
 * Fit several groups side by side, which gives the same as one by one, but sooner.
 *
 * @param input     [count] They differ in their members' waits only, not in their number.
 * @param count     1 … DXT_ABREAST; more than 1 only of groups of up to DXT_ABREAST_MEMBERS.
 * @param lateness  [count][members] As above.
 * @param groups    [count]
 */
void dxt_groups_fit(const dxt_group_input *input, uint32_t count, double *const *lateness,
                    dxt_group *groups);

#endif
