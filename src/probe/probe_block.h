/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DXT_PROBE_PROBE_BLOCK_H
#define DXT_PROBE_PROBE_BLOCK_H

#include <deepxtrace/probe.h>

/** Alignment of a block: cells start on cache lines. Every block's size is a multiple of it. */
#define DXT_PROBE_ALIGN 64u

#endif
