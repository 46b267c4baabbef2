/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The teller, the last warp of a block that sends rows: it sends what comes behind a row, and
 * announces it when it is stored, while the others store the next one. They leave it notes, in
 * slots.
 */
#ifndef DXT_EP_CUDA_TELL_CUH
#define DXT_EP_CUDA_TELL_CUH

#include "cuda/access.cuh"

#define TELL_SLOTS 4u

/* Barriers in shared memory (mbarrier of PTX), which count arrivals in phases. */
struct tell_slots {
    uint64_t noted[TELL_SLOTS];  /* all storing warps have left their notes */
    uint64_t stored[TELL_SLOTS]; /* all storing warps have stored the row */
    uint64_t told[TELL_SLOTS];   /* the slot is free again */
};

/* Threads of a block that store: all but the teller. */
DEVICE uint32_t storing()
{
    return blockDim.x - WARP;
}

/* One thread calls, before a barrier of the block. */
DEVICE void init_slots(tell_slots *slots)
{
    for (uint32_t i = 0; i < TELL_SLOTS; i++) {
        barrier_init(&slots->noted[i], storing() / WARP);
        barrier_init(&slots->stored[i], storing() / WARP);
        barrier_init(&slots->told[i], 1u);
    }
}

/* A storing warp, before it uses the slot of row number @p n of the block. */
DEVICE void wait_for_slot(tell_slots *slots, uint32_t n)
{
    barrier_wait(&slots->told[n % TELL_SLOTS], ~(n / TELL_SLOTS) & 1u);
}

/* A storing warp has left its notes for the teller, where it needs them before the row is stored.
 */
DEVICE void hand_notes(tell_slots *slots, uint32_t n)
{
    __syncwarp();
    if (threadIdx.x % WARP == 0) barrier_arrive(&slots->noted[n % TELL_SLOTS]);
}

/* A storing warp has stored its part. */
DEVICE void hand_over(tell_slots *slots, uint32_t n)
{
    __syncwarp();
    if (threadIdx.x % WARP == 0) barrier_arrive(&slots->stored[n % TELL_SLOTS]);
}

/* The teller: all have left their notes. */
DEVICE void wait_for_notes(tell_slots *slots, uint32_t n)
{
    barrier_wait(&slots->noted[n % TELL_SLOTS], n / TELL_SLOTS & 1u);
}

/* The teller: all have stored their parts. */
DEVICE void wait_for_stores(tell_slots *slots, uint32_t n)
{
    barrier_wait(&slots->stored[n % TELL_SLOTS], n / TELL_SLOTS & 1u);
}

/* The teller needs nothing of the slot any more. */
DEVICE void free_slot(tell_slots *slots, uint32_t n)
{
    __syncwarp();
    if (threadIdx.x % WARP == 0) barrier_arrive(&slots->told[n % TELL_SLOTS]);
}

#endif
