/* SPDX-License-Identifier: Apache-2.0 */
/* What transports tell a gather, and a gather its callers in the core, beyond the mails. */
#ifndef DXT_GATHER_GATHER_H
#define DXT_GATHER_GATHER_H

#include <deepxtrace/gather.h>

/** Note where this end stands. @param host  Copied. */
void dxt_gather_set_place(dxt_gather *gather, int32_t node, const char *host);

/** Index of this end's machine; −1 = its transport does not know. */
int32_t dxt_gather_node(const dxt_gather *gather);
/** Name of it; empty = not known. */
const char *dxt_gather_host(const dxt_gather *gather);

#endif
