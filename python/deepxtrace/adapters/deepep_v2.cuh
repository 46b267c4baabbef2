/* SPDX-License-Identifier: Apache-2.0 */
// Wait counters by source for the barriers of DeepEP V2, in room that its workspace leaves free at
// its end. Generated headers include this file: see _deepep_headers.py.
//
// A barrier over NVLink is one counter, of which nobody can tell who was last. The first SM waits
// for it, and all others for that SM. So each rank also writes, behind its part of the counter, how
// many barriers it has reached into a word of its own on each peer. The last SM, which has nothing
// to do, looks at the words until all ranks but one have come: whoever looks until the end is in
// the way of the first SM. The first SM says at each of its looks when that was: behind its wait,
// where all SMs wait for it, no instruction is added. Who was last and how long the first SM waited
// are put together at the next entry. A rank whose kernels write no words delays nobody.
//
// In hybrid mode data of other nodes is waited for by the warps that forward it, and no barrier
// follows. These waits have a source: each lane looks at words of a rank of its own.
#pragma once

#include <cstdint>

namespace deepxtrace
{

constexpr int kMaxRanks = 1024;
// dispatch, dispatch transfer, combine, combine transfer
constexpr int kOperators = 4;

// One barrier of so many may take so much longer, about 2 us.
constexpr unsigned kSettled = 1024;
constexpr long long kSettleCycles = 4096;

// Of so many looks at the words of the peers, one is at the signal as well.
constexpr unsigned kRarely = 8;

// Where all have come before, no barrier takes longer, about 4 us: whoever did stood still.
constexpr unsigned kMostIdle = 8192;

using Word = unsigned long long;

// The wait of the first SM at one barrier, for whoever came last.
struct Wait {
    Word awaited; // who was: see awaited_of(), written by the last SM; 0 = added to the sums
    Word number;  // of the barrier, as are begun and ended by the first SM
    Word begun;   // clock when it began to look
    Word ended;   // and when it looked last
};

constexpr unsigned kWaits = 4; // more than two: the last two are read while the next is written

struct Area {
    Word operations[kOperators]; // done, by operator; 0 for a transfer, which is its operator's
    Word barriers;               // that the last SM has seen
    Word idle;                   // cycles that it waits where all others have come before
    Wait last[kWaits];           // by number of the barrier
    Word begun[kOperators];      // barriers that this rank has come to
    unsigned reached[kMaxRanks]; // barriers that a rank has reached, written by that rank
    Word wait[kOperators][kMaxRanks]; // cycles waited for a rank, in all
    Word samples[kOperators][kMaxRanks];
};

// Where the area is in a workspace whose layout uses `used` bytes of pages of 2 MiB.
constexpr int64_t kPage = 2097152;

template <int64_t kUsed> constexpr int64_t area_offset()
{
    constexpr int64_t end = (kUsed + kPage - 1) / kPage * kPage;
    constexpr int64_t offset = (end - static_cast<int64_t>(sizeof(Area))) / 128 * 128;
    static_assert(offset >= kUsed, "the workspace has no room for wait counters");
    return offset;
}

// Barriers 2 to 5 are entry and exit of dispatch and combine, 6 to 9 the same of hybrid mode.
constexpr bool is_operator(int tag)
{
    return tag >= 2 && tag <= 9;
}

constexpr int operator_of(int tag)
{
    return (tag - 2) & 3;
}

constexpr bool is_exit(int tag)
{
    return is_operator(tag) && tag % 2 != 0;
}

// An operation is counted when it has come to its exit: one whose entry waits for a rank that does
// not come is not done. Hybrid combine has no exit, but waits for data (see forwarded()): it is
// counted at its entry.
constexpr bool counts(int tag)
{
    return is_exit(tag) || tag == 8;
}

#ifdef __CUDACC__

__device__ __forceinline__ unsigned load(const void *word)
{
    unsigned value;
    asm volatile("ld.relaxed.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(word) : "memory");
    return value;
}

__device__ __forceinline__ Word load_long(const void *word)
{
    Word value;
    asm volatile("ld.relaxed.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(word) : "memory");
    return value;
}

__device__ __forceinline__ void store_long(Word *word, Word value)
{
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(word), "l"(value) : "memory");
}

__device__ __forceinline__ void store(unsigned *word, unsigned value)
{
    asm volatile("st.relaxed.sys.global.u32 [%0], %1;" ::"l"(word), "r"(value) : "memory");
}

__device__ __forceinline__ void add(Word *word, Word value)
{
    asm volatile("red.relaxed.gpu.global.add.u64 [%0], %1;" ::"l"(word), "l"(value) : "memory");
}

// Cycles since then; never 0, which says that nothing was waited for.
__device__ __forceinline__ unsigned since(long long begun)
{
    const long long waited = clock64() - begun;
    return waited < 1 ? 1 : waited < 0xffffffffll ? static_cast<unsigned>(waited) : ~0u;
}

// A forwarding warp of hybrid mode waits for data of ranks that it knows, a lane for each. Those of
// the first channel, which all ranks have, are counted as waits at the exit of that tag: once an
// operation and source. Call it where nobody waits for the caller.
template <int kTag, int64_t kUsed>
__device__ __forceinline__ void forwarded(void *workspace, int source, Word waited)
{
    static_assert(is_exit(kTag));
    Area *area = reinterpret_cast<Area *>(static_cast<char *>(workspace) + area_offset<kUsed>());
    add(&area->wait[operator_of(kTag)][source], waited);
    add(&area->samples[operator_of(kTag)][source], 1);
}

// What is added up for a barrier when all ranks have come to it.
template <int kRanks> __device__ __forceinline__ unsigned complete_at(unsigned number)
{
    return number & 2 ? 0 : kRanks;
}

// Whom the first SM waits for alone: the number of the barrier << 32 | operator + 1 << 16 | the
// rank in the whole group, or kNobody where all had come.
constexpr unsigned kNobody = 0xffff;

constexpr Word awaited_of(unsigned number, int kind, unsigned source)
{
    return static_cast<Word>(number) << 32 | static_cast<Word>(kind + 1) << 16 | source;
}

// Add a wait to the sums, less what it takes where all have come: once, when all of it is known.
__device__ __forceinline__ void account(Area *area, unsigned number, const Wait &wait, Word idle)
{
    const int kind = static_cast<int>(wait.awaited >> 16 & 0xffff) - 1;
    if (kind < 0 || wait.awaited >> 32 != number || wait.number != number) return;
    store_long(&area->last[number % kWaits].awaited, 0);
    const unsigned source = wait.awaited & 0xffff;
    const Word cycles = wait.ended - wait.begun;
    if (source != kNobody) {
        add(&area->wait[kind][source], cycles > idle ? cycles - idle : 0);
        add(&area->samples[kind][source], 1);
    } else if (cycles < kMostIdle) {
        // A mean of the last ones; what is far above it counts as half and 16 above it.
        const Word most = idle + idle / 2 + 16, now = idle == 0 || cycles < most ? cycles : most;
        store_long(&area->idle, idle == 0 ? now : idle - idle / 8 + now / 8);
    }
}

// Ranks of a lane: every 32nd.
constexpr int each_of(int ranks)
{
    return (ranks + 31) / 32;
}

// Look at the words of the peers until all but one have reached this barrier, and add to the sums
// when they came, from the first look on. Returns what to put into `awaited`; 0 = nothing. Where a
// rank has never told a word, it may be the last: look until all others have come or the signal is
// complete. By one warp, for kCycles at most. signal: what is added up for this barrier; other: for
// the one before and the one behind, which a rank comes to only when this one is complete. (Only
// that is seen where this rank alone does not know of a barrier of another kernel.) words: what was
// read for the lane's ranks, 0 for none.
template <int kRanks, int64_t kCycles>
__device__ __forceinline__ Word look(Area *area, int kind, int first, const int *signal,
                                     const int *other, unsigned number, int rank, int lane,
                                     unsigned (&words)[each_of(kRanks)])
{
    constexpr int kEach = each_of(kRanks);
    static_assert(kEach <= 32, "a lane has a bit for each of its ranks");
    const unsigned *reached = area->reached;
    unsigned pending = 0;
#pragma unroll
    for (int k = 0; k < kEach; ++k) pending |= static_cast<unsigned>(words[k] != 0) << k;
    const bool all_tell = __reduce_add_sync(0xffffffff, __popc(pending)) == kRanks - 1;
    const long long begun = clock64();
    long long waited = 0;
    unsigned left;
    bool over = false;
#pragma unroll 1
    for (unsigned turn = 1;; ++turn) {
        // Rarely: the first SM looks there, too, and the peers write to it.
        if (turn % kRarely == 0) {
            const unsigned word = load(lane == 0 ? signal : other);
            const unsigned complete = complete_at<kRanks>(number - (lane != 0));
            over = __any_sync(0xffffffff, lane < 2 && (word == complete) == (lane == 0));
        }
#pragma unroll
        for (int k = 0; k < kEach; ++k) {
            if ((pending >> k & 1) && (over || static_cast<int>(words[k] - number) > 0)) {
                pending &= ~(1u << k);
                add(&area->wait[kind][first + lane + 32 * k], static_cast<Word>(waited));
                add(&area->samples[kind][first + lane + 32 * k], 1);
            }
        }
        left = __reduce_add_sync(0xffffffff, __popc(pending));
        if (left <= all_tell || over || waited >= kCycles) break;
#pragma unroll
        for (int k = 0; k < kEach; ++k)
            if (pending >> k & 1) words[k] = load(reached + lane + 32 * k);
        waited = clock64() - begun;
    }
    if (!all_tell || left > 1 || over || (left == 0 && waited > 0)) return 0;
    unsigned last = 0; // and 1 more
#pragma unroll
    for (int k = 0; k < kEach; ++k)
        if (pending >> k & 1) last = first + lane + 32 * k + 1;
    last = __reduce_add_sync(0xffffffff, last);
    return awaited_of(number, kind, last == 0 ? kNobody : last - 1);
}

// Once in a while: give the first SM the time to count this barrier, and see whether there was one
// of another kernel. Then nothing is watched any more: the next barrier finds a number too small.
__device__ __noinline__ inline void settle(Area *area, const Word *counter, unsigned number,
                                           int lane)
{
    const long long begun = clock64();
    bool other;
    do {
        other = __any_sync(0xffffffff, lane == 0 && load(counter) - number > 1);
    } while (!other && clock64() - begun < kSettleCycles);
    if (other && lane == 0) store(reinterpret_cast<unsigned *>(&area->barriers), number - 1);
}

// A barrier over NVLink, seen by one warp: count it, and look for the peers. counter counts
// barriers; even, odd: what is added up for those of even and odd numbers. Not a part of the
// kernel's own code, which other SMs run.
template <int kRanks, int64_t kCycles>
__device__ __noinline__ void watch_barrier(Area *area, const Word *counter, const int *even,
                                           const int *odd, int tag, int first, int rank, int lane)
{
    // All at once.
    constexpr int kFirst = 2, kWords = 1 + sizeof area->last / sizeof(Word); // and idle before
    static_assert(kFirst + kWords <= 32);
    const Word word = load_long(lane == 0   ? &area->barriers
                                : lane == 1 ? counter
                                            : &area->idle + (lane - kFirst) % kWords);
    unsigned words[each_of(kRanks)];
#pragma unroll
    for (int k = 0; k < each_of(kRanks); ++k) {
        const int source = lane + 32 * k;
        words[k] = source < kRanks && source != rank ? load(area->reached + source) : 0;
    }
    const unsigned number = static_cast<unsigned>(__shfl_sync(0xffffffff, word, 0));
    // The first SM may have counted this one already. Where the counter says more, there was a
    // barrier of a kernel that does not come here, and nothing is watched any more. If it was a
    // single one, and the first SM is behind, settle() notices.
    const unsigned counted = static_cast<unsigned>(__shfl_sync(0xffffffff, word, 1));
    if (lane == 0 && counts(tag)) add(&area->operations[operator_of(tag) & ~1], 1);
    if (counted - number > 1) return;
    if (lane == 0) store(reinterpret_cast<unsigned *>(&area->barriers), number + 1);
    // The kernel may end with an exit: what can be done later is left to the next entry. The first
    // lane has the barrier before, the second one that before it.
    if (!is_exit(tag)) {
        const unsigned of = number - 1 - (lane & 1);
        const int from = kFirst + 1 + static_cast<int>(of % kWaits) * 4;
        const Word idle = __shfl_sync(0xffffffff, word, kFirst);
        const Wait wait = {
            __shfl_sync(0xffffffff, word, from), __shfl_sync(0xffffffff, word, from + 1),
            __shfl_sync(0xffffffff, word, from + 2), __shfl_sync(0xffffffff, word, from + 3)};
        if (lane < 2) account(area, of, wait, idle);
    }
    const int *signal = number & 1 ? odd : even, *other = number & 1 ? even : odd;
    const Word next = look<kRanks, kCycles>(area, operator_of(tag), first, signal, other, number,
                                            rank, lane, words);
    if (lane == 0 && next != 0) store_long(&area->last[number % kWaits].awaited, next);
    if (!is_exit(tag) && number % kSettled >= kSettled - 2) settle(area, counter, number, lane);
}

// One barrier, as one thread sees it. kRanks are those that NVLink connects, if kNvlink.
template <int kTag, int kRanks, bool kNvlink, int64_t kUsed> struct Watch {
    static constexpr bool kOn = is_operator(kTag);
    static constexpr int kPeers = kRanks;

    Area *area;
    int first; // rank in the whole group of NVLink's rank 0

    __device__ __forceinline__ Watch(void *workspace, int first_)
        : area(reinterpret_cast<Area *>(static_cast<char *>(workspace) + area_offset<kUsed>())),
          first(first_)
    {
    }

    // Tell the peers that this rank has reached a barrier, of which so many were before: by the
    // first SM, behind what it adds to their signals. pointer(own word, peer) is that peer's word.
    // And count it: when nothing moves any more, it is this that differs.
    template <int kThreads, typename pointer_t>
    __device__ __forceinline__ void tell(const pointer_t &pointer, Word number, int rank,
                                         int thread) const
    {
        if constexpr (kOn && kRanks > 1) {
            // By the second warp: the first one has more to do.
            const int peer = thread - (kThreads >= kRanks + 32 ? 32 : 0);
            if (peer == rank)
                add(&area->begun[operator_of(kTag)], 1);
            else if (peer >= 0 && peer < kRanks)
                store(pointer(area->reached + rank, peer), static_cast<unsigned>(number) + 1);
        }
    }

    // The first SM begins to look whether the barrier of this number is complete.
    __device__ __forceinline__ void begin(Word number, int thread) const
    {
        if constexpr (kOn && kRanks > 1) {
            if (thread == 0) {
                Wait *wait = &area->last[number % kWaits];
                store_long(&wait->number, static_cast<unsigned>(number));
                store_long(&wait->begun, clock64());
            }
        }
    }

    // It looks once more. What it waited is there when it is done, without an instruction behind
    // the wait, where each one is in the way of all.
    __device__ __forceinline__ void again(Word number) const
    {
        if constexpr (kOn && kRanks > 1) store_long(&area->last[number % kWaits].ended, clock64());
    }

    // A barrier over NVLink: see watch_barrier(). By one warp that nobody waits for before all have
    // come. signal(phase) points to what is added up for every other barrier.
    template <int64_t kCycles, typename signal_t>
    __device__ __forceinline__ void watch(const Word *counter, const signal_t &signal, int rank,
                                          int lane) const
    {
        if (lane >= 32) return;
        if constexpr (kOn && kRanks > 1)
            watch_barrier<kRanks, kCycles>(area, counter, signal(0), signal(1), kTag, first, rank,
                                           lane);
        else if (lane == 0) { // no operator's: only its number is kept
            unsigned *barriers = reinterpret_cast<unsigned *>(&area->barriers);
            const unsigned number = load(barriers);
            if (load(counter) - number <= 1) store(barriers, number + 1);
        }
    }

    // A source that a network barrier has waited for, by its rank in the whole group.
    __device__ __forceinline__ void arrived(int source, long long waited) const
    {
        if constexpr (kOn) {
            add(&area->wait[operator_of(kTag)][source], static_cast<Word>(waited));
            add(&area->samples[operator_of(kTag)][source], 1);
        }
    }

    // The same where the library's loop is out of reach: wait until there() says so, for kCycles at
    // most, and count. The library looks once more itself.
    template <int64_t kCycles, typename there_t>
    __device__ __forceinline__ void await(int source, const there_t &there) const
    {
        if constexpr (kOn) {
            const long long begun = clock64();
            long long waited;
            bool come;
            do {
                come = there();
                waited = clock64() - begun;
            } while (!come && waited < kCycles);
            if (come) arrived(source, waited);
        }
    }

    // Count an operation of which no barrier over NVLink does.
    __device__ __forceinline__ void finish(int sm, int thread) const
    {
        if constexpr (counts(kTag) && !(kNvlink && kRanks > 1)) {
            if (sm == 0 && thread == 0) add(&area->operations[operator_of(kTag) & ~1], 1);
        }
    }
};

#endif // __CUDACC__

} // namespace deepxtrace
