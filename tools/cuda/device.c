/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of device.h on CUDA's runtime. */
#include <stdio.h>
#include <stdlib.h>

#include "kernels.h"
#include "system/cuda_words.h"

static _Thread_local char message[256];

static const char *last_error(void)
{
    return message;
}

static const char *in_words(cudaError_t error)
{
    const char *words = dxt_cuda_words_here(error);
    return words ? words : cudaGetErrorString(error);
}

/* The error is taken off the runtime, so that it is not told again by a later call. */
static int heed(cudaError_t error, const char *what)
{
    if (error == cudaSuccess) return 0;
    cudaGetLastError();
    snprintf(message, sizeof message, "%s: %s", what, in_words(error));
    return -1;
}

/* ---- devices ---- */

static uint32_t count(void)
{
    int devices = 0;
    if (heed(cudaGetDeviceCount(&devices), "no GPU") != 0) return 0;
    if (devices <= 0) snprintf(message, sizeof message, "no GPU");
    return devices > 0 ? (uint32_t)devices : 0;
}

static int use(uint32_t device)
{
    return heed(cudaSetDevice((int)device), "the GPU cannot be used");
}

static int describe(uint32_t device, char *text, size_t size)
{
    struct cudaDeviceProp properties;
    int driver = 0, runtime = 0;
    if (heed(cudaGetDeviceProperties(&properties, (int)device),
             "cannot read the properties of the GPU") != 0 ||
        heed(cudaDriverGetVersion(&driver), "cannot read the version of the driver") != 0 ||
        heed(cudaRuntimeGetVersion(&runtime), "cannot read the version of the runtime") != 0)
        return -1;
    snprintf(text, size, "%s, compute %d.%d, %d SMs, CUDA %d.%d, driver for %d.%d", properties.name,
             properties.major, properties.minor, properties.multiProcessorCount, runtime / 1000,
             runtime % 1000 / 10, driver / 1000, driver % 1000 / 10);
    return 0;
}

/* ---- memory ---- */

static void *allocate(size_t size)
{
    void *memory = NULL;
    if (heed(cudaMalloc(&memory, size ? size : 1), "cannot allocate device memory") != 0)
        return NULL;
    if (heed(cudaMemset(memory, 0, size ? size : 1), "cannot allocate device memory") == 0)
        return memory;
    cudaFree(memory);
    return NULL;
}

static void release(void *memory)
{
    cudaFree(memory);
}

static void *allocate_pinned(size_t size)
{
    void *memory = NULL;
    if (heed(cudaMallocHost(&memory, size), "cannot allocate pinned memory") != 0) return NULL;
    return memory;
}

static void release_pinned(void *memory)
{
    if (memory) cudaFreeHost(memory);
}

static void *map_host(void *memory, size_t size)
{
    void *address = NULL;
    if (heed(cudaHostRegister(memory, size, cudaHostRegisterMapped), "cannot map host memory") != 0)
        return NULL;
    if (heed(cudaHostGetDevicePointer(&address, memory, 0), "cannot map host memory") == 0)
        return address;
    cudaHostUnregister(memory);
    return NULL;
}

static void unmap_host(void *memory)
{
    cudaHostUnregister(memory);
}

static int copy(void *to, const void *from, size_t size)
{
    return heed(cudaMemcpy(to, from, size, cudaMemcpyDefault), "cannot copy");
}

static int copy_queued(void *to, const void *from, size_t size, void *stream)
{
    return heed(cudaMemcpyAsync(to, from, size, cudaMemcpyDefault, stream), "cannot copy");
}

DXT_STATIC_ASSERT(sizeof(cudaIpcMemHandle_t) == DEVICE_SHARED_BYTES, "handles are passed on");

static int share(void *memory, uint8_t shared[DEVICE_SHARED_BYTES])
{
    return heed(cudaIpcGetMemHandle((cudaIpcMemHandle_t *)(void *)shared, memory),
                "sharing memory");
}

static void *map_shared(const uint8_t shared[DEVICE_SHARED_BYTES])
{
    void *memory = NULL;
    cudaIpcMemHandle_t handle;
    for (size_t i = 0; i < sizeof handle.reserved; i++) handle.reserved[i] = (char)shared[i];
    cudaError_t error = cudaIpcOpenMemHandle(&memory, handle, cudaIpcMemLazyEnablePeerAccess);
    return heed(error, "cannot map another GPU's memory") == 0 ? memory : NULL;
}

static void unmap_shared(void *memory)
{
    cudaIpcCloseMemHandle(memory);
}

/* ---- streams and events ---- */

static void *stream_create(void)
{
    cudaStream_t stream = NULL;
    cudaError_t error = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    return heed(error, "cannot make a stream") == 0 ? stream : NULL;
}

static void stream_destroy(void *stream)
{
    if (stream) cudaStreamDestroy(stream);
}

static int synchronize(void *stream)
{
    return heed(cudaStreamSynchronize(stream), "device work failed");
}

static void *event_create(bool timed)
{
    cudaEvent_t event = NULL;
    unsigned int flags = timed ? cudaEventDefault : cudaEventDisableTiming;
    return heed(cudaEventCreateWithFlags(&event, flags), "cannot make an event") == 0 ? event
                                                                                      : NULL;
}

static void event_destroy(void *event)
{
    if (event) cudaEventDestroy(event);
}

static int event_record(void *event, void *stream)
{
    return heed(cudaEventRecord(event, stream), "cannot record an event");
}

static int event_query(void *event)
{
    cudaError_t error = cudaEventQuery(event);
    if (error == cudaErrorNotReady) {
        cudaGetLastError();
        return 0;
    }
    return heed(error, "device work failed") == 0 ? 1 : -1;
}

static int event_elapsed(void *from, void *to, double *ns)
{
    float ms = 0;
    if (heed(cudaEventElapsedTime(&ms, from, to), "cannot read the time between events") != 0)
        return -1;
    *ns = (double)ms * 1e6;
    return 0;
}

static int wait_event(void *stream, void *event)
{
    return heed(cudaStreamWaitEvent(stream, event, 0), "cannot wait for an event");
}

/* ---- graphs ---- */

static int capture_begin(void *stream)
{
    return heed(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
                "cannot record a graph");
}

static void *capture_end(void *stream)
{
    cudaGraph_t graph = NULL;
    cudaGraphExec_t ready = NULL;
    if (heed(cudaStreamEndCapture(stream, &graph), "cannot record a graph") != 0) return NULL;
    heed(cudaGraphInstantiate(&ready, graph, 0), "cannot make a graph");
    cudaGraphDestroy(graph);
    return ready;
}

static int graph_launch(void *graph, void *stream)
{
    return heed(cudaGraphLaunch(graph, stream), "cannot launch a graph");
}

static void graph_destroy(void *graph)
{
    if (graph) cudaGraphExecDestroy(graph);
}

static void tolerate_captures(void)
{
    enum cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
    cudaThreadExchangeStreamCaptureMode(&mode);
}

/* ---- kernels ---- */

static int compute(const device_compute *arguments, void *stream)
{
    return heed(cuda_compute(arguments, stream), "cannot launch the compute");
}

static int widen(const device_widen *arguments, void *stream)
{
    return heed(cuda_widen(arguments, stream), "cannot launch the experts");
}

static int gate(const uint32_t *word, uint32_t number, int64_t timeout_ns, void *stream)
{
    return heed(cuda_gate(word, number, timeout_ns, stream), "cannot launch the gate");
}

const device_table *dxt_device_part(uint32_t layout)
{
    static const device_table device = {
        .layout = DEVICE_LAYOUT,
        .error = last_error,
        .count = count,
        .use = use,
        .describe = describe,
        .allocate = allocate,
        .release = release,
        .allocate_pinned = allocate_pinned,
        .release_pinned = release_pinned,
        .map_host = map_host,
        .unmap_host = unmap_host,
        .copy = copy,
        .copy_queued = copy_queued,
        .share = share,
        .map_shared = map_shared,
        .unmap_shared = unmap_shared,
        .stream_create = stream_create,
        .stream_destroy = stream_destroy,
        .synchronize = synchronize,
        .event_create = event_create,
        .event_destroy = event_destroy,
        .event_record = event_record,
        .event_query = event_query,
        .event_elapsed = event_elapsed,
        .wait_event = wait_event,
        .capture_begin = capture_begin,
        .capture_end = capture_end,
        .graph_launch = graph_launch,
        .graph_destroy = graph_destroy,
        .tolerate_captures = tolerate_captures,
        .compute = compute,
        .widen = widen,
        .gate = gate,
    };
    return layout == DEVICE_LAYOUT ? &device : NULL;
}
