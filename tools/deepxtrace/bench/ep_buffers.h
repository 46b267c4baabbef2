/* SPDX-License-Identifier: Apache-2.0 */
/* What a rank of the benchmark sends, and where it receives. */
#ifndef TOOLS_BENCH_EP_BUFFERS_H
#define TOOLS_BENCH_EP_BUFFERS_H

#include "ep_bench.h"

/** Memory that is there: touched, with harmless values. NULL when it has run out. */
void *ep_buffers_filled(size_t count, size_t size);

/**
 * Make the buffers of one rank, touched, and choose its tokens and their experts at random, the
 * same in every run. They last as long as the process.
 *
 * @return 0; −1 when memory has run out.
 */
int ep_buffers_make(const struct ep_bench_config *c, uint32_t rank, dxt_ep_dispatch *dispatch,
                    dxt_ep_combine *combine);

#endif
