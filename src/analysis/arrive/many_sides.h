/* SPDX-License-Identifier: Apache-2.0 */
/* Slow sides of half of a small group or more: the slow waits are then the typical ones, and the
 * healthy ranks look late or early. */
#ifndef DXT_ARRIVE_MANY_SIDES_H
#define DXT_ARRIVE_MANY_SIDES_H

#include "analysis/arrive/model.h"

/**
 * Look for them in a group without nodes.
 *
 * Who is late or early has short waits somewhere: for those that came as early, or its own. A slow
 * side adds to all waits of a rank. At least two ranks must be without one, and wait alike for all.
 *
 * @return Whether there are; fit->receive or fit->send then holds what they add to each wait.
 */
bool dxt_many_sides(dxt_fit *fit);

#endif
