/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lateness in turns in a window of few operations: another rank is late in each operation, so some
 * of many ranks were late once or twice, and look like ranks that are always late. Their waits for
 * each other show the difference: two ranks that are always late together do not wait for each
 * other; two ranks that were late at different times do.
 */
#ifndef DXT_EXPLAIN_TURNS_H
#define DXT_EXPLAIN_TURNS_H

#include "analysis/case.h"

/** Whether member k, which is late, was so in turn with others, so few times that it was chance. */
bool dxt_late_in_turn(dxt_case *c, uint32_t k);

/** The lateness of all members that were late in turn: so much each operation took longer. */
double dxt_lost_in_turns(dxt_case *c);

#endif
