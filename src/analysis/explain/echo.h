/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a library has a barrier at either end of an operator: who leaves a transfer late, because
 * what it waits for comes slowly, enters the next operator late by as much.
 */
#ifndef DXT_EXPLAIN_ECHO_H
#define DXT_EXPLAIN_ECHO_H

#include "analysis/case.h"

/** Whether the transfer before the operator explains how late or early member k is, or how much
 *  it waits for all. False in a transfer, and where none is known. Cost: O(ranks). */
bool dxt_is_echo(const dxt_case *c, uint32_t k);

/** Of a transfer between two ranks: whether what member k sends is slow, since the other one, which
 *  is not late for another reason, comes late to the operator behind it. */
bool dxt_sends_slowly(const dxt_case *c, uint32_t k);

#endif
