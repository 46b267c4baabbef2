/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_PROBE_PROBE_BLOCK_H
#define DXT_PROBE_PROBE_BLOCK_H

#include <deepxtrace/probe.h>

/** Alignment of a block: cells start on cache lines. Every block's size is a multiple of it. */
#define DXT_PROBE_ALIGN 64u

/** Whether a block can have these counts. @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT. */
dxt_status dxt_probe_check_counts(uint32_t operators, uint32_t sources);

#endif
