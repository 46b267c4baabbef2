/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command does on a device: memory, streams, graphs and the stand-ins for compute. It is
 * in a part of its own, libdeepxtrace-run-NAME.so.0, which is loaded when it is asked for, so that
 * the command links nothing of a device. Streams, events, graphs and addresses are the device
 * library's own and go to the engine as they are.
 *
 * Functions return 0, or −1 with the reason in error() of the same thread, unless they say
 * otherwise. Work that takes a stream is queued; the rest blocks.
 */
#ifndef TOOLS_LOAD_DEVICE_H
#define TOOLS_LOAD_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <deepxtrace/status.h>
#include <deepxtrace/types.h>

/** Changes with anything in this file. */
#define DEVICE_LAYOUT 1u

/** What the links of a GPU are said to carry in one direction (NVLink 4: 18 of 25 GB/s). */
#define LINK_BYTES_PER_S 450e9

/** Size of what share() fills. */
#define DEVICE_SHARED_BYTES 64u

/** A time to compute: mean, plus or minus a random part, plus a delay. */
typedef struct device_compute {
    int64_t mean_ns;
    int64_t delay_ns;
    double swing;          /**< −1 … 1: part of the mean to add */
    const int32_t *counts; /**< NULL, or tokens of each local expert, on the device … */
    uint32_t count;        /**< … that many; the mean is for … */
    double usual;          /**< … that many tokens in all */
} device_compute;

/** Tokens as dispatch received them in FP8, to be made BF16; layout as in ep.h. */
typedef struct device_widen {
    const uint8_t *values;
    const float *scales;
    const int32_t *counts;
    uint16_t *output;
    uint32_t local_experts, slots, hidden;
} device_widen;

typedef struct device_table {
    uint32_t layout;
    const char *(*error)(void);

    /** Devices that can be used; 0 with a reason in error(). */
    uint32_t (*count)(void);
    /** Use a device in this thread from now on. */
    int (*use)(uint32_t device);
    /** Name and software, in one line. */
    int (*describe)(uint32_t device, char *text, size_t size);

    void *(*allocate)(size_t size); /**< zeroed device memory; NULL on failure */
    void (*release)(void *memory);
    void *(*allocate_pinned)(size_t size); /**< host memory that copies run beside */
    void (*release_pinned)(void *memory);
    /** Let the device see host memory. @return its address there, or NULL. */
    void *(*map_host)(void *memory, size_t size);
    void (*unmap_host)(void *memory);
    int (*copy)(void *to, const void *from, size_t size);
    int (*copy_queued)(void *to, const void *from, size_t size, void *stream);

    /** Let another process see device memory; map_shared() there. */
    int (*share)(void *memory, uint8_t shared[DEVICE_SHARED_BYTES]);
    void *(*map_shared)(const uint8_t shared[DEVICE_SHARED_BYTES]);
    void (*unmap_shared)(void *memory);

    void *(*stream_create)(void); /**< waits for no other stream */
    void (*stream_destroy)(void *stream);
    int (*synchronize)(void *stream);
    void *(*event_create)(bool timed);
    void (*event_destroy)(void *event);
    int (*event_record)(void *event, void *stream);
    int (*event_query)(void *event); /**< 1 = reached, 0 = not yet, −1 = failure */
    int (*event_elapsed)(void *from, void *to, double *ns);
    int (*wait_event)(void *stream, void *event);

    int (*capture_begin)(void *stream);
    void *(*capture_end)(void *stream); /**< a graph to launch; NULL on failure */
    int (*graph_launch)(void *graph, void *stream);
    void (*graph_destroy)(void *graph);
    /** This thread's calls do not disturb a capture under way in another. */
    void (*tolerate_captures)(void);

    /** Keep the stream busy for so long. */
    int (*compute)(const device_compute *compute, void *stream);
    int (*widen)(const device_widen *widen, void *stream);
    /** Hold the stream until the word, an address from map_host(), is at least @p number, but no
     *  longer than @p timeout_ns. */
    int (*gate)(const uint32_t *word, uint32_t number, int64_t timeout_ns, void *stream);
} device_table;

/** What a part exports. @return NULL if it was built for another layout. */
DXT_API const device_table *dxt_device_part(uint32_t layout);

/**
 * Find the functions for a kind of device, loading the part if need be.
 *
 * @param name  "cuda".
 * @param why   Receives the reason when NULL is returned; valid until the next call.
 * @return NULL when there is no such part.
 */
const device_table *device_find(const char *name, const char **why);

#endif
