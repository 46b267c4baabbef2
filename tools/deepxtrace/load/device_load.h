/* SPDX-License-Identifier: Apache-2.0 */
/* The load of a rank whose buffers are on a device: the same tokens, routes and checks as those of
 * load.h, of which it keeps copies there. */
#ifndef TOOLS_LOAD_DEVICE_LOAD_H
#define TOOLS_LOAD_DEVICE_LOAD_H

#include "device.h"
#include "load.h"

/** Routes that are kept on the device: step s has those of s % DEVICE_ROUTES. */
#define DEVICE_ROUTES 64u

typedef struct device_load device_load;

/**
 * @param device  In use by this thread; must outlive the load.
 * @return NULL, with the reason in device->error() or out of host memory.
 */
device_load *device_load_create(const device_table *device, const load_shape *shape, uint32_t rank);
void device_load_destroy(device_load *load);

/** Queue both halves of a dispatch with the routes of a step, and of the combine that answers. */
dxt_status device_load_dispatch(device_load *load, dxt_ep *ep, uint64_t step, void *stream);
dxt_status device_load_combine(device_load *load, dxt_ep *ep, uint64_t step, void *stream);

/** Queue what the experts do to the tokens: nothing, or FP8 to BF16. @return 0 or −1. */
int device_load_experts(device_load *load, void *stream);

/** What the experts of this rank would take for as many tokens as they received, @p usual_ns for
 *  as many as they receive on average. */
device_compute device_load_expert_time(const device_load *load, int64_t usual_ns);

/**
 * The check of an engine in four parts, between which all ranks meet: queue a dispatch of routes
 * that no step has; compare what came and make the outputs; queue the combine; compare the sums.
 * Those that compare wait for the stream. @return NULL, or what is wrong.
 */
dxt_status device_load_checked_dispatch(device_load *load, dxt_ep *ep, void *stream);
const char *device_load_check_dispatch(device_load *load, void *stream);
dxt_status device_load_checked_combine(device_load *load, dxt_ep *ep, void *stream);
const char *device_load_check_combine(device_load *load, void *stream);

/** Whether what an engine says lies where it can: looked at before anything is read there. */
bool device_load_possible(const load_shape *shape, const int32_t *counts,
                          const dxt_ep_handle *handle);

/** Tokens of this rank in a step, by the ranks that they go to, each counted once for a rank. */
void device_load_copies(const device_load *load, uint64_t step, uint64_t *to_rank);

#endif
