/* SPDX-License-Identifier: Apache-2.0 */
// Wait counters by source for the barriers of DeepEP V2, in room that its workspace leaves free at
// its end. Generated headers include this file: see _deepep_headers.py.
//
// A barrier over NVLink is one counter, of which nobody can tell who was last. The first SM waits
// for it, and all others for that SM. So the last SM watches: it writes how many barriers this rank
// has reached into a word of its own on each peer, and looks at the words of the others until all
// have come or the counter is complete. A rank whose kernels write no words delays nobody, and what
// the first SM does, which is what the others wait for, stays as the library has it.
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

using Word = unsigned long long;

struct Area {
    Word operations[kOperators]; // done, by operator; 0 for a transfer, which is its operator's
    Word barriers;               // that the last SM has seen
    Word reserved[3];
    unsigned reached[kMaxRanks];      // barriers that a rank has reached, written by that rank
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
    asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(value) : "l"(word) : "memory");
    return value;
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

// Look at the words of the peers until all have reached this barrier, it is complete, or kCycles
// are over; and add what was seen to the sums. signal: what is added up for this barrier; other:
// for the one before and the one behind, which a rank comes to only when this one is complete.
// (Only that is seen where this rank alone does not know of a barrier of another kernel.) By one
// warp.
template <int kOperator, int kRanks, int64_t kCycles>
__device__ __noinline__ void look(Area *area, int first, const int *signal, const int *other,
                                  unsigned number, int rank, int lane)
{
    const unsigned epoch = number + 1;
    // Lane 0 has the signal, each other one every 31st rank; in the place of this rank, `other`.
    constexpr int kEach = (kRanks + 30) / 31;
    static_assert(kEach <= 32, "a lane has a bit for each of its ranks");
    unsigned pending = 0, seen = 0, cycles[kEach];
#pragma unroll
    for (int k = 0; k < kEach; ++k) {
        const int source = lane - 1 + 31 * k;
        pending |= static_cast<unsigned>(lane > 0 && source < kRanks && source != rank) << k;
    }
    const unsigned *reached = area->reached;
    const long long begun = clock64();
    long long now;
    bool left, behind = false;
    do {
        unsigned words[kEach];
#pragma unroll
        for (int k = 0; k < kEach; ++k) {
            const bool has = pending >> k & 1, own = lane - 1 + 31 * k == rank;
            if (k == 0 || has || own)
                words[k] = load(has   ? static_cast<const void *>(reached + lane - 1 + 31 * k)
                                : own ? other
                                      : signal);
            behind = behind || (own && words[k] != complete_at<kRanks>(number - 1));
        }
        now = clock64();
        const bool complete = __any_sync(
            0xffffffff, behind || (lane == 0 && words[0] == complete_at<kRanks>(number)));
#pragma unroll
        for (int k = 0; k < kEach; ++k) {
            // The word of whoever came last may be a little behind its part of the signal.
            if ((pending >> k & 1) && words[k] != 0 &&
                (complete || static_cast<int>(words[k] - epoch) >= 0)) {
                const long long waited = now - begun;
                cycles[k] = waited < 0xffffffffll ? static_cast<unsigned>(waited) : ~0u;
                seen |= 1u << k;
                pending &= ~(1u << k);
            }
        }
        left = __any_sync(0xffffffff, pending != 0) && !complete;
    } while (left && now - begun < kCycles);
#pragma unroll
    for (int k = 0; k < kEach; ++k) {
        if (seen >> k & 1) {
            const int source = first + lane - 1 + 31 * k;
            add(&area->wait[kOperator][source], cycles[k]);
            add(&area->samples[kOperator][source], 1);
        }
    }
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

    // A barrier over NVLink, seen by one warp that nobody waits for before all have come: count it,
    // tell the peers that it is reached, and look for them. pointer(own word, peer) is that peer's
    // word; counter counts barriers, and signal(number & 1) points to what is added up for one.
    template <int64_t kCycles, typename pointer_t, typename signal_t>
    __device__ __forceinline__ void watch(const pointer_t &pointer, const Word *counter,
                                          const signal_t &signal, int rank, int lane) const
    {
        if (lane >= 32) return;
        const unsigned number = load(&area->barriers);
        // The first SM may have counted this one already. Where the counter says more, there was a
        // barrier of a kernel that does not come here, and nothing is watched any more. If it was a
        // single one, and the first SM is behind, settle() notices. One lane decides, and all have
        // the number before it is written.
        const bool known = __any_sync(0xffffffff, lane == 0 && load(counter) - number <= 1);
        __syncwarp();
        // Now: at the end the first lane waits until all that it has written is there.
        if (lane == 0) {
            if (known) store(reinterpret_cast<unsigned *>(&area->barriers), number + 1);
            if constexpr (counts(kTag)) add(&area->operations[operator_of(kTag) & ~1], 1);
        }
        if constexpr (kOn && kRanks > 1) {
            if (known) {
#pragma unroll 1
                for (int i = lane; i < kRanks; i += 32) {
                    if (i != rank) store(pointer(area->reached + rank, i), number + 1);
                    if constexpr (kRanks <= 32) break;
                }
                look<operator_of(kTag), kRanks, kCycles>(area, first, signal(number & 1),
                                                         signal(~number & 1), number, rank, lane);
                if (number % kSettled == kSettled - 1) settle(area, counter, number, lane);
            }
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
