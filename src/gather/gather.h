/* SPDX-License-Identifier: Apache-2.0 */
/* What transports tell a gather, and a gather its callers in the core, beyond the mails. */
#ifndef DXT_GATHER_GATHER_H
#define DXT_GATHER_GATHER_H

#include <deepxtrace/gather.h>

/**
 * Make a gather that has no transport yet: all that may fail of it.
 *
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT; DXT_ERR_NO_MEMORY. @p gather is untouched then.
 */
dxt_status dxt_gather_prepare(uint32_t rank, uint32_t ranks, dxt_gather **gather);

/** Give it the one that it is to use. @param transport  All of it filled in; copied. */
void dxt_gather_use(dxt_gather *gather, const dxt_gather_transport *transport);

/** Note where this end stands. @param host  Copied. */
void dxt_gather_set_place(dxt_gather *gather, int32_t node, const char *host);

/** Index of this end's machine; −1 = its transport does not know. */
int32_t dxt_gather_node(const dxt_gather *gather);
/** Name of it; empty = not known. */
const char *dxt_gather_host(const dxt_gather *gather);

#endif
