/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Metrics Probe on the host. A communication library includes this header alone and puts five
 * lines around its wait loop:
 *
 *     dxt_probe_op op;
 *     dxt_probe_begin(&op, probe, DXT_DISPATCH);        // probe may be NULL
 *     for (each source, in the order in which they turn up)
 *         dxt_probe_wait(&op, source, ready_at_first_look ? 0 : dxt_probe_elapsed(&op), bytes);
 *     dxt_probe_end(&op);
 *
 * A library that does not know for whom it waits has one line instead, around any operation that no
 * rank leaves before all have entered it:
 *
 *     dxt_probe_duration(probe, DXT_DISPATCH, number, dxt_probe_clock() - begin);
 *
 * The counting functions are inline and need no library; they do not communicate, allocate, lock
 * or log.
 * Define DXT_PROBE_DISABLE before including it and they compile to nothing.
 */
#ifndef DEEPXTRACE_PROBE_H
#define DEEPXTRACE_PROBE_H

#include <deepxtrace/status.h>
#include <deepxtrace/types.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <time.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ layout of a block --- */

/**
 * Bytes of a block of counters; 0 when a count is 0 or above its maximum.
 *
 * Blocking: no. Threads: any.
 */
static inline size_t dxt_probe_size(uint32_t operators, uint32_t sources)
{
    if (operators == 0 || operators > DXT_MAX_OPERATORS || sources == 0 || sources > DXT_MAX_RANKS)
        return 0;
    return sizeof(dxt_probe) + operators * sizeof(dxt_operator_counters) +
           (size_t)operators * sources * sizeof(dxt_cell);
}

/**
 * The counters of operator @p index; it must be below probe->operators.
 *
 * Blocking: no. Threads: any. NULL: not allowed.
 */
static inline dxt_operator_counters *dxt_probe_operator(const dxt_probe *probe, uint32_t index)
{
    return (dxt_operator_counters *)((uintptr_t)probe + sizeof *probe) + index;
}

/**
 * The cell of (operator @p index, @p source); both must be in range.
 *
 * Blocking: no. Threads: any. NULL: not allowed.
 */
static inline dxt_cell *dxt_probe_cell(const dxt_probe *probe, uint32_t index, uint32_t source)
{
    return (dxt_cell *)(dxt_probe_operator(probe, probe->operators)) +
           (size_t)index * probe->sources + source;
}

/**
 * The ring of durations of operator @p index, probe->durations long; it must be below
 * probe->operators.
 *
 * Blocking: no. Threads: any. NULL: not allowed.
 */
static inline dxt_duration *dxt_probe_durations(const dxt_probe *probe, uint32_t index)
{
    return (dxt_duration *)(void *)dxt_probe_cell(probe, probe->operators, 0) +
           (size_t)index * probe->durations;
}

/**
 * Bytes of a probe, its rings included.
 *
 * Blocking: no. Threads: any. NULL: not allowed.
 */
static inline size_t dxt_probe_bytes(const dxt_probe *probe)
{
    return dxt_probe_size(probe->operators, probe->sources) +
           probe->operators * (size_t)probe->durations * sizeof(dxt_duration);
}

/* ------------------------------------------------------------------ counting --- */

/**
 * The clock of the host probe, in ticks: the time-stamp counter on x86-64, the virtual counter on
 * AArch64, otherwise CLOCK_MONOTONIC in ns. Common to all processes of one machine.
 * dxt_probe_clock_rate() gives its rate. Cost: 7–25 ns.
 *
 * Blocking: no. Threads: any.
 */
static inline uint64_t dxt_probe_clock(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

/**
 * One operation under way on one thread; lives on the caller's stack. It keeps track of who came
 * last, at the cost of two comparisons for each wait.
 *
 * Frozen.
 */
typedef struct dxt_probe_op {
    dxt_probe *probe;      /**< NULL: nothing is counted */
    uint64_t begin_ticks;  /**< when the wait loop was entered */
    uint64_t last_ticks;   /**< longest wait so far */
    uint64_t second_ticks; /**< longest wait so far for any other source than last_source */
    uint32_t last_source;  /**< whose wait was the longest; DXT_NO_RANK while none waited */
    uint32_t operator_index;
} dxt_probe_op;

#if !defined(DXT_PROBE_DISABLE)

/**
 * Add to a counter that only this thread writes; readers in other threads see whole values.
 *
 * Blocking: no. Threads: one writer. NULL: not allowed.
 */
static inline void dxt_counter_add(uint64_t *counter, uint64_t amount)
{
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + amount,
                     __ATOMIC_RELAXED);
}

/**
 * Bin of the histogram for a wait.
 *
 * Blocking: no. Threads: any.
 */
static inline uint32_t dxt_histogram_bin(uint64_t ticks)
{
    uint32_t bin = 63u - (uint32_t)__builtin_clzll(ticks | 1u);
    return bin < DXT_HISTOGRAM_BINS ? bin : DXT_HISTOGRAM_BINS - 1u;
}

/**
 * Enter the wait loop of one operation.
 *
 * @param op              Filled in; valid until dxt_probe_end().
 * @param probe           Counters, or NULL to count nothing.
 * @param operator_index  DXT_DISPATCH, DXT_COMBINE or the caller's own; below probe->operators.
 *
 * Blocking: no. Threads: one operation belongs to one thread. NULL: as said. Cost: one clock read.
 */
static inline void dxt_probe_begin(dxt_probe_op *op, dxt_probe *probe, uint32_t operator_index)
{
    op->probe = probe;
    op->last_ticks = 0;
    op->second_ticks = 0;
    op->last_source = DXT_NO_RANK;
    op->operator_index = operator_index;
    op->begin_ticks = probe ? dxt_probe_clock() : 0;
}

/**
 * Count an operation that this rank begins to take part in, before it sends anything or waits. If
 * operations are no longer completed, this count tells which rank stayed behind (`silent_rank`).
 *
 * @param probe  Counters, or NULL to count nothing.
 *
 * Blocking: no. Threads: one at a time per operator. NULL: counts nothing. Cost: one addition.
 */
static inline void dxt_probe_issue(dxt_probe *probe, uint32_t operator_index)
{
    if (probe) dxt_counter_add(&dxt_probe_operator(probe, operator_index)->issued, 1);
}

/**
 * Ticks from dxt_probe_begin() to an arrival stamped with dxt_probe_clock() by the sender on the
 * same machine; 0 if it was there before. Exact however late this thread was woken.
 *
 * Blocking: no. Threads: the one of the operation. NULL: not allowed; nothing is counted if
 * op->probe is NULL.
 */
static inline uint64_t dxt_probe_until(const dxt_probe_op *op, uint64_t stamp_ticks)
{
    return op->probe && stamp_ticks > op->begin_ticks ? stamp_ticks - op->begin_ticks : 0;
}

/**
 * Ticks since dxt_probe_begin(); 0 when nothing is counted.
 *
 * Blocking: no. Threads: the one of the operation. NULL: not allowed; nothing is counted if
 * op->probe is NULL. Cost: one clock read.
 */
static inline uint64_t dxt_probe_elapsed(const dxt_probe_op *op)
{
    /* A thread that moves to a core whose counter lags must not count 2^64 ticks. */
    return op->probe ? dxt_probe_until(op, dxt_probe_clock()) : 0;
}

/**
 * Keep the longest wait of the operation, and the longest for any other source. A source that is
 * waited for several times (once per local expert) does not count as the second.
 *
 * Blocking: no. Threads: the one of the operation. NULL: not allowed; nothing is counted if
 * op->probe is NULL.
 */
static inline void dxt_probe_note_last(dxt_probe_op *op, uint32_t source, uint64_t wait_ticks)
{
    if (wait_ticks > op->last_ticks) {
        if (source != op->last_source) op->second_ticks = op->last_ticks;
        op->last_ticks = wait_ticks;
        op->last_source = source;
    } else if (wait_ticks > op->second_ticks && source != op->last_source) {
        op->second_ticks = wait_ticks;
    }
}

/**
 * Count one wait, where this thread is the only writer of (operator, source).
 *
 * @param op          Operation under way.
 * @param source      Rank waited for; below probe->sources.
 * @param wait_ticks  From begin to arrival; exactly 0 if the data was there at the first look.
 * @param bytes       Payload received from the source in this wait.
 *
 * Blocking: no. Threads: the one of the operation. NULL: not allowed; nothing is counted if
 * op->probe is NULL. Cost: about 5 ns on a cached cell.
 */
static inline void dxt_probe_wait(dxt_probe_op *op, uint32_t source, uint64_t wait_ticks,
                                  uint64_t bytes)
{
    if (!op->probe) return;
    dxt_cell *cell = dxt_probe_cell(op->probe, op->operator_index, source);
    dxt_counter_add(&cell->wait_ticks_sum, wait_ticks);
    dxt_counter_add(&cell->bytes, bytes);
    if (wait_ticks > cell->wait_ticks_max)
        __atomic_store_n(&cell->wait_ticks_max, wait_ticks, __ATOMIC_RELAXED);
    uint32_t *bin = &cell->histogram[dxt_histogram_bin(wait_ticks)];
    __atomic_store_n(bin, __atomic_load_n(bin, __ATOMIC_RELAXED) + 1u, __ATOMIC_RELAXED);
    dxt_counter_add(&cell->samples, 1);
    dxt_probe_note_last(op, source, wait_ticks);
}

/**
 * Count one wait where several threads write (operator, source): the same with atomic additions.
 * Each thread has its own @p op; join them with dxt_probe_join() before one of them ends.
 *
 * Blocking: no. Threads: any number, each with its own @p op. NULL: as dxt_probe_wait().
 */
static inline void dxt_probe_wait_shared(dxt_probe_op *op, uint32_t source, uint64_t wait_ticks,
                                         uint64_t bytes)
{
    if (!op->probe) return;
    dxt_cell *cell = dxt_probe_cell(op->probe, op->operator_index, source);
    __atomic_fetch_add(&cell->wait_ticks_sum, wait_ticks, __ATOMIC_RELAXED);
    __atomic_fetch_add(&cell->bytes, bytes, __ATOMIC_RELAXED);
    uint64_t max = __atomic_load_n(&cell->wait_ticks_max, __ATOMIC_RELAXED);
    while (wait_ticks > max && !__atomic_compare_exchange_n(&cell->wait_ticks_max, &max, wait_ticks,
                                                            1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    __atomic_fetch_add(&cell->histogram[dxt_histogram_bin(wait_ticks)], 1u, __ATOMIC_RELAXED);
    __atomic_fetch_add(&cell->samples, 1u, __ATOMIC_RELAXED);
    dxt_probe_note_last(op, source, wait_ticks);
}

/**
 * Fold what another thread saw of the same operation into @p op.
 *
 * Blocking: no. Threads: none of the two may be in use. NULL: as dxt_probe_wait().
 */
static inline void dxt_probe_join(dxt_probe_op *op, const dxt_probe_op *other)
{
    if (!op->probe || !other->probe || other->last_source == DXT_NO_RANK) return;
    dxt_probe_note_last(op, other->last_source, other->last_ticks);
    if (other->second_ticks > op->second_ticks) op->second_ticks = other->second_ticks;
}

/**
 * Count a wait that was given up. Its duration is not added, since one time-out would hide all else
 * in a window.
 *
 * Blocking: no. Threads: any number, each with its own @p op. NULL: as dxt_probe_wait().
 */
static inline void dxt_probe_timeout(dxt_probe_op *op, uint32_t source)
{
    if (!op->probe) return;
    __atomic_fetch_add(&dxt_probe_cell(op->probe, op->operator_index, source)->timeouts, 1u,
                       __ATOMIC_RELAXED);
}

/**
 * Leave the wait loop: count the operation, and who came last by how much. In an operation without
 * a wait nobody is last.
 *
 * Blocking: no. Threads: the one of the operation. NULL: not allowed; nothing is counted if
 * op->probe is NULL. Cost: one clock read.
 */
static inline void dxt_probe_end(dxt_probe_op *op)
{
    if (!op->probe) return;
    if (op->last_source != DXT_NO_RANK) {
        dxt_cell *cell = dxt_probe_cell(op->probe, op->operator_index, op->last_source);
        dxt_counter_add(&cell->last_count, 1);
        dxt_counter_add(&cell->last_margin_ticks_sum, op->last_ticks - op->second_ticks);
    }
    dxt_operator_counters *counters = dxt_probe_operator(op->probe, op->operator_index);
    dxt_counter_add(&counters->inside_ticks_sum, dxt_probe_elapsed(op));
    __atomic_store_n(&counters->ops, __atomic_load_n(&counters->ops, __ATOMIC_RELAXED) + 1,
                     __ATOMIC_RELEASE);
}

/**
 * Note how long an operation took this rank, or kept it waiting, if it is not known for whom.
 * Together, the durations of all ranks say who came late: the rank that was in the operation for
 * the shortest time.
 *
 * @param probe   From dxt_probe_create_durations(), or NULL to note nothing.
 * @param number  Of the operation, from 0, growing, and the same on all ranks for the same
 * operation. Some may be left out, the same ones on all ranks.
 * @param ticks   From this rank's coming to its leaving. Ranks may only leave when all have come:
 *                true of barriers, all-reduce, all-to-all; not of a broadcast or a reduction.
 *
 * Counts number + 1 operations as completed.
 *
 * Blocking: no. Threads: one at a time per operator. NULL: as said. Cost: four stores.
 */
static inline void dxt_probe_duration(dxt_probe *probe, uint32_t operator_index, uint64_t number,
                                      uint64_t ticks)
{
    if (!probe) return;
    dxt_operator_counters *counters = dxt_probe_operator(probe, operator_index);
    uint64_t noted = __atomic_load_n(&counters->durations, __ATOMIC_RELAXED);
    if (probe->durations > 0) {
        dxt_duration *slot =
            dxt_probe_durations(probe, operator_index) + (noted & (probe->durations - 1));
        /* Released, so that whoever reads one of the two knows that the slot is in use again. */
        __atomic_store_n(&slot->number, number, __ATOMIC_RELEASE);
        __atomic_store_n(&slot->ticks, ticks, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&counters->durations, noted + 1, __ATOMIC_RELEASE);
    dxt_counter_add(&counters->inside_ticks_sum, ticks);
    __atomic_store_n(&counters->ops, number + 1, __ATOMIC_RELEASE);
}

#else /* DXT_PROBE_DISABLE */

static inline void dxt_probe_duration(dxt_probe *probe, uint32_t operator_index, uint64_t number,
                                      uint64_t ticks)
{
    (void)probe, (void)operator_index, (void)number, (void)ticks;
}
static inline void dxt_probe_begin(dxt_probe_op *op, dxt_probe *probe, uint32_t operator_index)
{
    (void)op, (void)probe, (void)operator_index;
}
static inline void dxt_probe_issue(dxt_probe *probe, uint32_t operator_index)
{
    (void)probe, (void)operator_index;
}
static inline uint64_t dxt_probe_elapsed(const dxt_probe_op *op)
{
    (void)op;
    return 0;
}
static inline uint64_t dxt_probe_until(const dxt_probe_op *op, uint64_t stamp_ticks)
{
    (void)op, (void)stamp_ticks;
    return 0;
}
static inline void dxt_probe_wait(dxt_probe_op *op, uint32_t source, uint64_t wait_ticks,
                                  uint64_t bytes)
{
    (void)op, (void)source, (void)wait_ticks, (void)bytes;
}
static inline void dxt_probe_wait_shared(dxt_probe_op *op, uint32_t source, uint64_t wait_ticks,
                                         uint64_t bytes)
{
    (void)op, (void)source, (void)wait_ticks, (void)bytes;
}
static inline void dxt_probe_join(dxt_probe_op *op, const dxt_probe_op *other)
{
    (void)op, (void)other;
}
static inline void dxt_probe_timeout(dxt_probe_op *op, uint32_t source)
{
    (void)op, (void)source;
}
static inline void dxt_probe_end(dxt_probe_op *op)
{
    (void)op;
}

#endif /* DXT_PROBE_DISABLE */

/* ------------------------------------------------------------------ life of the counters --- */

/**
 * Rate of dxt_probe_clock() on this machine.
 *
 * @return Ticks per second, > 0, right to 1e-4: what the hardware says if a measurement against
 *         CLOCK_MONOTONIC_RAW agrees, otherwise that measurement. The same in every call of a
 *         process; between processes it may differ by a few millionths.
 *
 * Blocking: up to 20 ms in the first call of the process. Threads: any.
 */
DXT_API uint64_t dxt_probe_clock_rate(void);

/**
 * Create zeroed counters in process memory.
 *
 * @param operators  Operators to count, 1 … DXT_MAX_OPERATORS.
 * @param sources    Ranks that can be waited for, 1 … DXT_MAX_RANKS.
 * @param probe      Receives the block, aligned to a cache line; release with dxt_probe_destroy()
 *                   after the last writer and reader. Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT; DXT_ERR_NO_MEMORY.
 *
 * Blocking: as dxt_probe_clock_rate(). Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_probe_create(uint32_t operators, uint32_t sources, dxt_probe **probe);

/**
 * As dxt_probe_create(), with a ring of durations for each operator, for dxt_probe_duration().
 *
 * @param durations  How many of the newest to keep of each operator: a power of two, 1 …
 * DXT_MAX_DURATIONS. Best those of two windows; up to 1024 of them go to rank 0.
 *
 * Blocking, threads, NULL: as dxt_probe_create().
 */
DXT_API dxt_status dxt_probe_create_durations(uint32_t operators, uint32_t sources,
                                              uint32_t durations, dxt_probe **probe);

/**
 * dxt_probe_duration() as a function, for programs that cannot include this header. Notes nothing
 * if the probe has no rings, or not this operator.
 *
 * Blocking, threads, NULL: as dxt_probe_duration().
 */
DXT_API void dxt_probe_note_duration(dxt_probe *probe, uint32_t operator_index, uint64_t number,
                                     uint64_t ticks);

/**
 * Copy the newest durations of an operator.
 *
 * @param probe      May be in use by its writer.
 * @param since      Only operations from this number on.
 * @param durations  Receives at most @p capacity, in the order in which they were noted.
 * @return How many; 0 if the probe keeps none, or has no such operator.
 *
 * Blocking: no, allocates nothing. Threads: any number at once. NULL: 0 for @p probe; @p durations,
 * if @p capacity is 0.
 */
DXT_API uint32_t dxt_probe_read_durations(const dxt_probe *probe, uint32_t operator_index,
                                          uint64_t since, dxt_duration *durations,
                                          uint32_t capacity);

/**
 * Lay out zeroed counters in memory of the caller (a shared segment, pinned memory).
 *
 * @param memory  At least @p size bytes, aligned to 64; stays the caller's.
 * @param size    At least dxt_probe_size(operators, sources).
 * @return DXT_OK; DXT_ERR_INVALID (too small, misaligned); DXT_ERR_LIMIT.
 *
 * Blocking: as dxt_probe_clock_rate(). Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_probe_init(void *memory, size_t size, uint32_t operators, uint32_t sources,
                                  dxt_probe **probe);

/**
 * Release what dxt_probe_create() made.
 *
 * Blocking: no. Threads: after the last writer and reader. NULL: does nothing.
 */
DXT_API void dxt_probe_destroy(dxt_probe *probe);

/** A copy of all counters of a probe at one time. Frozen. */
typedef struct dxt_snapshot {
    int64_t time_ns; /**< CLOCK_MONOTONIC when it was taken; in a difference, the length */
    dxt_probe *data; /**< a private block with the same counts of operators and sources */
    /* Told by those who read foreign counters (dxt_snapshot_fn); kept by no difference. */
    uint32_t local_experts; /**< waits for the same source that run side by side in an operation,
                                 and that the counters add up: experts of a rank; 0 = not known */
    uint32_t tokens_count;  /**< of `tokens` */
    const int64_t *tokens;  /**< tokens received so far, one total per local expert; the caller's.
                                 NULL = not counted */
    uint64_t mix; /**< which work was done since the snapshot before, such as a hash of the
                                 graphs that were replayed; 0 = not known */
} dxt_snapshot;

/**
 * Allocate an empty snapshot fit for a probe. Release with dxt_snapshot_destroy().
 *
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT; DXT_ERR_NO_MEMORY.
 *
 * Blocking: no. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_snapshot_create(uint32_t operators, uint32_t sources,
                                       dxt_snapshot **snapshot);

/**
 * Release a snapshot.
 *
 * Blocking: no. Threads: after the last use. NULL: does nothing.
 */
DXT_API void dxt_snapshot_destroy(dxt_snapshot *snapshot);

/**
 * Copy the counters without stopping their writers. Each counter is read whole; counters of one
 * cell may differ by the wait that is being added at that moment.
 *
 * @param probe     May be in use by its writers.
 * @param snapshot  From dxt_snapshot_create() with the same counts; overwritten.
 * @return DXT_OK; DXT_ERR_INVALID (counts differ).
 *
 * Blocking: no, allocates nothing. Threads: any number at once, with different snapshots. NULL:
 * DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_probe_snapshot(const dxt_probe *probe, dxt_snapshot *snapshot);

/**
 * What happened between two snapshots of the same probe.
 *
 * Sums, counts and histograms are subtracted. wait_ticks_max of the result is exact if the maximum
 * grew in between, and otherwise the upper edge of the highest histogram bin that grew, at most the
 * earlier maximum and the ticks waited in between.
 *
 * @param later, earlier  Snapshots with the same counts.
 * @param window          Receives the difference; may be @p earlier.
 * @return DXT_OK; DXT_ERR_INVALID (counts differ, or a counter ran backwards: different probes).
 *
 * Blocking: no, allocates nothing. Threads: reentrant. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_snapshot_difference(const dxt_snapshot *later, const dxt_snapshot *earlier,
                                           dxt_snapshot *window);

/** What counting costs on this machine, in ns per call; medians. */
typedef struct dxt_probe_cost {
    size_t struct_size;
    double clock_ns;       /**< one dxt_probe_clock() */
    double wait_ns;        /**< one dxt_probe_wait() with its clock read */
    double wait_shared_ns; /**< one dxt_probe_wait_shared() with its clock read, no contention */
    double null_wait_ns;   /**< one dxt_probe_wait() on a NULL probe */
    double operation_ns;   /**< one dxt_probe_begin() and dxt_probe_end() */
} dxt_probe_cost;

/**
 * Measure what counting costs here.
 *
 * @param sources  Ranks the measured probe has, 1 … DXT_MAX_RANKS.
 * @param cost     struct_size set; the figures are filled in. Untouched on error.
 * @return DXT_OK; DXT_ERR_INVALID; DXT_ERR_LIMIT; DXT_ERR_NO_MEMORY.
 *
 * Blocking: about 0.2 s of computing. Threads: any. NULL: DXT_ERR_INVALID.
 */
DXT_API dxt_status dxt_probe_calibrate(uint32_t sources, dxt_probe_cost *cost);

#ifdef __cplusplus
}
#endif

#endif
