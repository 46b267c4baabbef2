/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For libraries with a barrier at both ends of an operator. A rank that leaves a transfer late,
 * because its data comes slowly, enters the next operator late by as much.
 */
#ifndef DXT_EXPLAIN_ECHO_H
#define DXT_EXPLAIN_ECHO_H

#include "analysis/case.h"

/** Whether the transfer before the operator explains how late or early member k is, or how much
 *  it waits for all. False in a transfer, and if no transfer is known. Cost: O(ranks). */
bool dxt_is_echo(const dxt_case *c, uint32_t k);

/** In a transfer between two ranks: whether member k sends slowly. It does if the other rank then
 *  comes late to the next operator, and nothing else explains that. */
bool dxt_sends_slowly(const dxt_case *c, uint32_t k);

#endif
