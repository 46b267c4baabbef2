/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines that need more than libc live in libraries of their own, which are loaded when asked for.
 * Such a part links libdeepxtrace-ep, of which it sees what exports.map lists as private, and
 * exports one function, dxt_ep_part_engine().
 */
#ifndef DXT_EP_COMMON_PART_H
#define DXT_EP_COMMON_PART_H

#include "common/engine.h"

/** Changes with the layout of dxt_ep_engine, dxt_ep or anything they contain. */
#define DXT_EP_PART_LAYOUT 4u

/**
 * The engine of a part. Every part defines it.
 *
 * @param layout  DXT_EP_PART_LAYOUT of the caller.
 * @return NULL if the part was built for another layout.
 */
DXT_API const dxt_ep_engine *dxt_ep_part_engine(uint32_t layout);

/**
 * Find an engine that is a part, loading it if need be.
 *
 * @param name    Of the engine.
 * @param engine  Receives it; stays loaded. Untouched on error.
 * @return DXT_OK; DXT_ERR_UNSUPPORTED, with the reason in dxt_ep_error().
 *
 * Blocking: while a library is loaded. Threads: any.
 */
dxt_status dxt_ep_part_find(const char *name, const dxt_ep_engine **engine);

#endif
