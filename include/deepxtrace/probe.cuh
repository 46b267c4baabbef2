/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Metrics Probe inside GPU kernels. A CUDA communication library includes this header alone and
 * puts three lines around the loop in which one thread waits for one source:
 *
 *     dxt_gpu_wait wait;
 *     dxt_gpu_begin(&wait, probe, DXT_DISPATCH);      // probe: device memory, or NULL
 *     while (!arrived(source)) dxt_gpu_poll(&wait);
 *     uint64_t ticks = dxt_gpu_end(&wait, source, 1, bytes);
 *
 * and, where the waits of one operation come together, says who came last: dxt_gpu_warp_finish()
 * when one warp sees all sources, dxt_gpu_note_shared() and dxt_gpu_close_shared() when many
 * blocks do. docs/probe-cuda.md has three worked examples.
 *
 * A kernel that does not know for whom it waits has dxt_gpu_duration() instead.
 *
 * Counters are added with `red`, which no thread waits for. The block of counters has the layout of
 * types.h: make it with dxt_probe_create(), set ticks_per_second to DXT_GPU_TICKS_PER_SECOND (or to
 * the rate of the SM clock), and copy its dxt_probe_size() bytes to the device.
 *
 * Of all functions here: Blocking: no. Threads: any, at once, but for those whose comment says that
 * one thread calls. NULL: a probe that is NULL counts nothing; no other pointer may be.
 *
 * With DXT_PROBE_DISABLE all of it compiles to nothing. By a host compiler, C or C++, the same
 * arithmetic is compiled with the host's atomics and clock, for tests.
 */
#ifndef DEEPXTRACE_PROBE_CUH
#define DEEPXTRACE_PROBE_CUH

#include <deepxtrace/types.h>

#if defined(__CUDACC__)
#define DXT_GPU_FN static __device__ __forceinline__
#else
#include <deepxtrace/probe.h>
#define DXT_GPU_FN static inline
#endif

/** Rate of the clock that waits are counted with: nanoseconds, unless DXT_GPU_CLOCK64 is defined,
 *  which counts cycles of the SM; their rate is the device's and differs between devices. */
#if !defined(DXT_GPU_CLOCK64)
#define DXT_GPU_TICKS_PER_SECOND UINT64_C(1000000000)
#endif

/** One wait of one thread for one source. */
typedef struct dxt_gpu_wait {
    dxt_probe *probe;     /**< NULL: nothing is counted */
    dxt_cell *cells;      /**< the operator's, by source: found before the wait, not behind it */
    uint64_t begin_ticks; /**< when the wait began */
    uint32_t operator_index;
    uint32_t waited; /**< 0 while no look has failed */
} dxt_gpu_wait;

/** The longest waits of an operation: for whom the longest was, and the longest for any other. */
typedef struct dxt_gpu_longest {
    uint64_t last_ticks;
    uint64_t second_ticks;
    uint32_t last_source; /**< DXT_NO_RANK while nobody was waited for */
} dxt_gpu_longest;

/* ------------------------------------------------------------------ the machine --- */

/** The clock of the GPU probe, in ticks. */
DXT_GPU_FN uint64_t dxt_gpu_clock(void)
{
#if !defined(__CUDACC__)
#if defined(DXT_GPU_HOST_CLOCK)
    return DXT_GPU_HOST_CLOCK;
#else
    return dxt_probe_clock();
#endif
#elif defined(DXT_GPU_CLOCK64)
    return (uint64_t)clock64();
#else
    uint64_t ticks;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ticks));
    return ticks;
#endif
}

#if !defined(DXT_PROBE_DISABLE)

DXT_GPU_FN void dxt_gpu_add64(uint64_t *counter, uint64_t amount)
{
#if defined(__CUDACC__)
    asm volatile("red.relaxed.gpu.global.add.u64 [%0], %1;" ::"l"(counter), "l"(amount) : "memory");
#else
    __atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
#endif
}

DXT_GPU_FN void dxt_gpu_add32(uint32_t *counter, uint32_t amount)
{
#if defined(__CUDACC__)
    asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;" ::"l"(counter), "r"(amount) : "memory");
#else
    __atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
#endif
}

DXT_GPU_FN void dxt_gpu_max64(uint64_t *counter, uint64_t value)
{
#if defined(__CUDACC__)
    asm volatile("red.relaxed.gpu.global.max.u64 [%0], %1;" ::"l"(counter), "l"(value) : "memory");
#else
    uint64_t max = __atomic_load_n(counter, __ATOMIC_RELAXED);
    while (value > max && !__atomic_compare_exchange_n(counter, &max, value, 1, __ATOMIC_RELAXED,
                                                       __ATOMIC_RELAXED))
        ;
#endif
}

/** Read a word that other threads add to, and put 0 into it. */
DXT_GPU_FN uint64_t dxt_gpu_take64(uint64_t *counter)
{
#if defined(__CUDACC__)
    return atomicExch((unsigned long long *)counter, 0ull);
#else
    return __atomic_exchange_n(counter, 0, __ATOMIC_RELAXED);
#endif
}

/** Bin of the histogram for a wait. */
DXT_GPU_FN uint32_t dxt_gpu_bin(uint64_t ticks)
{
#if defined(__CUDACC__)
    uint32_t bin = 63u - (uint32_t)__clzll((long long)(ticks | 1u));
#else
    uint32_t bin = 63u - (uint32_t)__builtin_clzll(ticks | 1u);
#endif
    return bin < DXT_HISTOGRAM_BINS ? bin : DXT_HISTOGRAM_BINS - 1u;
}

DXT_GPU_FN dxt_operator_counters *dxt_gpu_operator(const dxt_probe *probe, uint32_t index)
{
    return (dxt_operator_counters *)((uintptr_t)probe + sizeof *probe) + index;
}

DXT_GPU_FN dxt_cell *dxt_gpu_cell(const dxt_probe *probe, uint32_t index, uint32_t source)
{
    return (dxt_cell *)dxt_gpu_operator(probe, probe->operators) + (size_t)index * probe->sources +
           source;
}

/* ------------------------------------------------------------------ one wait --- */

/**
 * Count an operation that this rank begins to take part in, before anything is sent or waited for:
 * as dxt_probe_issue() does. One thread of the operation calls it; replays of a graph count.
 *
 * @param probe           Counters in device memory, or NULL to count nothing.
 * @param operator_index  Below probe->operators.
 *
 * Cost: one branch and one `red`.
 */
DXT_GPU_FN void dxt_gpu_issue(dxt_probe *probe, uint32_t operator_index)
{
    if (probe) dxt_gpu_add64(&dxt_gpu_operator(probe, operator_index)->issued, 1);
}

/**
 * Begin to wait.
 *
 * @param wait            Filled in; lives in registers of the thread.
 * @param probe           Counters in device memory, or NULL to count nothing.
 * @param operator_index  Below probe->operators.
 *
 * Cost: one branch and, with a probe, one read of the clock and two loads that nobody waits for
 * before the end.
 */
DXT_GPU_FN void dxt_gpu_begin(dxt_gpu_wait *wait, dxt_probe *probe, uint32_t operator_index)
{
    wait->probe = probe;
    wait->cells = probe ? dxt_gpu_cell(probe, operator_index, 0) : NULL;
    wait->operator_index = operator_index;
    wait->waited = 0;
    wait->begin_ticks = probe ? dxt_gpu_clock() : 0;
}

/** Note that a look found nothing: from here on the wait is not 0. Cost: a register. */
DXT_GPU_FN void dxt_gpu_poll(dxt_gpu_wait *wait)
{
    wait->waited = 1;
}

/** Ticks waited up to now: exactly 0 if the first look found the data. */
DXT_GPU_FN uint64_t dxt_gpu_elapsed(const dxt_gpu_wait *wait)
{
    if (!wait->probe || !wait->waited) return 0;
    uint64_t now = dxt_gpu_clock();
    return now > wait->begin_ticks ? now - wait->begin_ticks : 0;
}

/** Ticks since the begin, waited or not; 0 when nothing is counted. */
DXT_GPU_FN uint64_t dxt_gpu_inside(const dxt_gpu_wait *wait)
{
    if (!wait->probe) return 0;
    uint64_t now = dxt_gpu_clock();
    return now > wait->begin_ticks ? now - wait->begin_ticks : 0;
}

/**
 * Count a wait of known length.
 *
 * @param source   Rank waited for; below probe->sources.
 * @param samples  Waits that ended together, each as long; usually 1.
 * @param bytes    Payload received from the source, in all.
 *
 * Any number of threads may count for one source. Cost: four or five `red`.
 */
DXT_GPU_FN void dxt_gpu_count(const dxt_gpu_wait *wait, uint32_t source, uint64_t ticks,
                              uint32_t samples, uint64_t bytes)
{
    if (!wait->probe) return;
    dxt_cell *cell = wait->cells + source;
    if (ticks > 0) {
        dxt_gpu_add64(&cell->wait_ticks_sum, ticks * samples);
        dxt_gpu_max64(&cell->wait_ticks_max, ticks);
    }
    dxt_gpu_add64(&cell->samples, samples);
    dxt_gpu_add64(&cell->bytes, bytes);
    dxt_gpu_add32(&cell->histogram[dxt_gpu_bin(ticks)], samples);
}

/** The data is there: count the wait. @return Its ticks, for who came last. Cost: a read of the
 *  clock (if it waited) and four or five `red`. */
DXT_GPU_FN uint64_t dxt_gpu_end(const dxt_gpu_wait *wait, uint32_t source, uint32_t samples,
                                uint64_t bytes)
{
    uint64_t ticks = dxt_gpu_elapsed(wait);
    dxt_gpu_count(wait, source, ticks, samples, bytes);
    return ticks;
}

/** Count a wait that was given up; its length is not added. */
DXT_GPU_FN void dxt_gpu_timeout(const dxt_gpu_wait *wait, uint32_t source)
{
    if (!wait->probe) return;
    dxt_gpu_add64(&wait->cells[source].timeouts, 1);
}

/* ------------------------------------------------------------------ who came last --- */

DXT_GPU_FN dxt_gpu_longest dxt_gpu_nobody(void)
{
    dxt_gpu_longest none = {0, 0, DXT_NO_RANK};
    return none;
}

/** Take note of one wait; a source waited for several times is not its own second. */
DXT_GPU_FN void dxt_gpu_note(dxt_gpu_longest *longest, uint32_t source, uint64_t ticks)
{
    if (ticks > longest->last_ticks) {
        if (source != longest->last_source) longest->second_ticks = longest->last_ticks;
        longest->last_ticks = ticks;
        longest->last_source = source;
    } else if (ticks > longest->second_ticks && source != longest->last_source) {
        longest->second_ticks = ticks;
    }
}

/** Fold in what another thread noted of the same operation. */
DXT_GPU_FN void dxt_gpu_join(dxt_gpu_longest *longest, const dxt_gpu_longest *other)
{
    if (other->last_source == DXT_NO_RANK) return;
    dxt_gpu_note(longest, other->last_source, other->last_ticks);
    if (other->second_ticks > longest->second_ticks) longest->second_ticks = other->second_ticks;
}

/**
 * Count one operation, and who came last by how much. One thread does it, once.
 *
 * @param inside_ticks  From the begin to the end of the wait loop.
 */
DXT_GPU_FN void dxt_gpu_finish(dxt_probe *probe, uint32_t operator_index,
                               const dxt_gpu_longest *longest, uint64_t inside_ticks)
{
    if (!probe) return;
    if (longest->last_source != DXT_NO_RANK) {
        dxt_cell *cell = dxt_gpu_cell(probe, operator_index, longest->last_source);
        dxt_gpu_add64(&cell->last_count, 1);
        dxt_gpu_add64(&cell->last_margin_ticks_sum, longest->last_ticks - longest->second_ticks);
    }
    dxt_operator_counters *counters = dxt_gpu_operator(probe, operator_index);
    dxt_gpu_add64(&counters->inside_ticks_sum, inside_ticks);
    dxt_gpu_add64(&counters->ops, 1);
}

#if defined(__CUDACC__)
/**
 * Count one operation whose waits one warp has seen, each lane another source: all 32 lanes call.
 *
 * @param wait          Of this lane, begun on all lanes with the same probe and operator.
 * @param source        Of this lane.
 * @param ticks         That it waited; 0 also for a lane that waited for nobody. Taken as at most
 *                      2^32 - 1.
 * @param inside_ticks  Of lane 0.
 *
 * Cost: two reductions and up to four `red`.
 */
DXT_GPU_FN void dxt_gpu_warp_finish(const dxt_gpu_wait *wait, uint32_t source, uint64_t ticks,
                                    uint64_t inside_ticks)
{
    if (!wait->probe) return;
    const uint32_t all = 0xffffffffu;
    uint32_t mine = ticks < all ? (uint32_t)ticks : all;
    uint32_t last = __reduce_max_sync(all, mine);
    uint32_t who = (uint32_t)__ffs((int)__ballot_sync(all, mine == last)) - 1u;
    bool it = threadIdx.x % 32u == who;
    uint32_t second = __reduce_max_sync(all, it ? 0u : mine);
    if (it && last > 0) {
        dxt_gpu_add64(&wait->cells[source].last_count, 1);
        dxt_gpu_add64(&wait->cells[source].last_margin_ticks_sum, last - second);
    }
    if (threadIdx.x % 32u != 0) return;
    dxt_operator_counters *counters = dxt_gpu_operator(wait->probe, wait->operator_index);
    dxt_gpu_add64(&counters->inside_ticks_sum, inside_ticks);
    dxt_gpu_add64(&counters->ops, 1);
}
#endif

/**
 * Note a wait of an operation that many blocks take part in.
 *
 * @param shared  The library's: one word per source in device memory, zeroed once.
 *
 * Cost: one `red`.
 */
DXT_GPU_FN void dxt_gpu_note_shared(uint64_t *shared, uint32_t source, uint64_t ticks)
{
    if (ticks > 0) dxt_gpu_max64(shared + source, ticks);
}

/**
 * Count such an operation, and make @p shared ready for the next. One thread calls, of the block
 * that the library's own counter finds to be the last, after a fence.
 */
DXT_GPU_FN void dxt_gpu_close_shared(uint64_t *shared, uint32_t sources, dxt_probe *probe,
                                     uint32_t operator_index, uint64_t inside_ticks)
{
    if (!probe) return;
    dxt_gpu_longest longest = dxt_gpu_nobody();
    for (uint32_t source = 0; source < sources; source++)
        dxt_gpu_note(&longest, source, dxt_gpu_take64(shared + source));
    dxt_gpu_finish(probe, operator_index, &longest, inside_ticks);
}

/**
 * Note how long an operation took this rank, or kept it waiting: as dxt_probe_duration(), in whose
 * words the meaning of @p number is. One thread calls, once per operation, when all of it is over.
 *
 * @param probe  Device memory, or NULL: a copy of what dxt_probe_create_durations() made,
 *               dxt_probe_bytes() long.
 * @param ticks  Of dxt_gpu_clock(), from this rank's coming to its leaving.
 *
 * Cost: four stores and two fences of one thread.
 */
DXT_GPU_FN void dxt_gpu_duration(dxt_probe *probe, uint32_t operator_index, uint64_t number,
                                 uint64_t ticks)
{
    if (!probe) return;
#if defined(__CUDACC__)
    volatile dxt_operator_counters *counters = dxt_gpu_operator(probe, operator_index);
    uint64_t noted = counters->durations;
    if (probe->durations > 0) {
        volatile dxt_duration *slot = (dxt_duration *)dxt_gpu_cell(probe, probe->operators, 0) +
                                      operator_index * probe->durations +
                                      (noted & (probe->durations - 1));
        slot->number = number;
        slot->ticks = ticks;
        __threadfence();
    }
    counters->durations = noted + 1;
    counters->inside_ticks_sum += ticks;
    __threadfence();
    counters->ops = number + 1;
#else
    dxt_probe_duration(probe, operator_index, number, ticks);
#endif
}

#else /* DXT_PROBE_DISABLE */

DXT_GPU_FN void dxt_gpu_duration(dxt_probe *probe, uint32_t operator_index, uint64_t number,
                                 uint64_t ticks)
{
    (void)probe, (void)operator_index, (void)number, (void)ticks;
}
DXT_GPU_FN void dxt_gpu_issue(dxt_probe *probe, uint32_t operator_index)
{
    (void)probe, (void)operator_index;
}
DXT_GPU_FN void dxt_gpu_begin(dxt_gpu_wait *wait, dxt_probe *probe, uint32_t operator_index)
{
    (void)wait, (void)probe, (void)operator_index;
}
DXT_GPU_FN void dxt_gpu_poll(dxt_gpu_wait *wait)
{
    (void)wait;
}
DXT_GPU_FN uint64_t dxt_gpu_elapsed(const dxt_gpu_wait *wait)
{
    (void)wait;
    return 0;
}
DXT_GPU_FN uint64_t dxt_gpu_inside(const dxt_gpu_wait *wait)
{
    (void)wait;
    return 0;
}
DXT_GPU_FN void dxt_gpu_count(const dxt_gpu_wait *wait, uint32_t source, uint64_t ticks,
                              uint32_t samples, uint64_t bytes)
{
    (void)wait, (void)source, (void)ticks, (void)samples, (void)bytes;
}
DXT_GPU_FN uint64_t dxt_gpu_end(const dxt_gpu_wait *wait, uint32_t source, uint32_t samples,
                                uint64_t bytes)
{
    (void)wait, (void)source, (void)samples, (void)bytes;
    return 0;
}
DXT_GPU_FN void dxt_gpu_timeout(const dxt_gpu_wait *wait, uint32_t source)
{
    (void)wait, (void)source;
}
DXT_GPU_FN dxt_gpu_longest dxt_gpu_nobody(void)
{
    dxt_gpu_longest none = {0, 0, DXT_NO_RANK};
    return none;
}
DXT_GPU_FN void dxt_gpu_note(dxt_gpu_longest *longest, uint32_t source, uint64_t ticks)
{
    (void)longest, (void)source, (void)ticks;
}
DXT_GPU_FN void dxt_gpu_join(dxt_gpu_longest *longest, const dxt_gpu_longest *other)
{
    (void)longest, (void)other;
}
DXT_GPU_FN void dxt_gpu_finish(dxt_probe *probe, uint32_t operator_index,
                               const dxt_gpu_longest *longest, uint64_t inside_ticks)
{
    (void)probe, (void)operator_index, (void)longest, (void)inside_ticks;
}
#if defined(__CUDACC__)
DXT_GPU_FN void dxt_gpu_warp_finish(const dxt_gpu_wait *wait, uint32_t source, uint64_t ticks,
                                    uint64_t inside_ticks)
{
    (void)wait, (void)source, (void)ticks, (void)inside_ticks;
}
#endif
DXT_GPU_FN void dxt_gpu_note_shared(uint64_t *shared, uint32_t source, uint64_t ticks)
{
    (void)shared, (void)source, (void)ticks;
}
DXT_GPU_FN void dxt_gpu_close_shared(uint64_t *shared, uint32_t sources, dxt_probe *probe,
                                     uint32_t operator_index, uint64_t inside_ticks)
{
    (void)shared, (void)sources, (void)probe, (void)operator_index, (void)inside_ticks;
}

#endif /* DXT_PROBE_DISABLE */

#endif
