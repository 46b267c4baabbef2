/* SPDX-License-Identifier: Apache-2.0 */
/* For callers that expect a transport to fail now and then: failures are not logged. */
#ifndef DXT_GATHER_ATTEMPT_H
#define DXT_GATHER_ATTEMPT_H

#include <deepxtrace/gather.h>

/** Largest mail_capacity. */
#define DXT_GATHER_MAX_CAPACITY ((size_t)1 << 30)

/** As dxt_gather_publish(), but what the transport fails with is not logged. */
dxt_status dxt_gather_try_publish(dxt_gather *gather, uint64_t sequence, const void *mail,
                                  size_t size);

/** As dxt_gather_collect(), but what the transport fails with is not logged. */
dxt_status dxt_gather_try_collect(dxt_gather *gather, uint32_t rank, uint64_t wanted, void *mail,
                                  size_t capacity, size_t *size, uint64_t *sequence);

#endif
