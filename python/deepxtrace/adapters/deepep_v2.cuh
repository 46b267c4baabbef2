/* SPDX-License-Identifier: Apache-2.0 */
// Wait counters by source for the barriers of DeepEP V2, in room that its workspace leaves free at
// its end. Generated headers include this file: see _deepep_headers.py.
//
// A barrier over NVLink is one counter, of which nobody can tell who was last. So each rank also
// writes how many barriers it has reached into a word of its own on each peer, behind the release
// of the counter, and the last warp of SM 0 watches these words while thread 0 watches the counter.
// It leaves when the counter is complete: a rank whose kernels write no words delays nobody. What
// it saw stays in registers, and is added to the sums when nobody waits for this warp any more.
#pragma once

#include <cstdint>

namespace deepxtrace
{

constexpr int kMaxRanks = 1024;
// dispatch, dispatch transfer, combine, combine transfer
constexpr int kOperators = 4;

using Word = unsigned long long;

struct Area {
    Word operations[kOperators]; // done, by operator
    Word reserved[4];
    Word reached[kMaxRanks];          // barriers that a rank has reached, written by that rank
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

#ifdef __CUDACC__

__device__ __forceinline__ Word load(const Word *word)
{
    Word value;
    asm volatile("ld.relaxed.sys.global.u64 %0, [%1];" : "=l"(value) : "l"(word) : "memory");
    return value;
}

__device__ __forceinline__ int load(const int *word)
{
    int value;
    asm volatile("ld.relaxed.sys.global.s32 %0, [%1];" : "=r"(value) : "l"(word) : "memory");
    return value;
}

__device__ __forceinline__ void store(Word *word, Word value)
{
    asm volatile("st.relaxed.sys.global.u64 [%0], %1;" ::"l"(word), "l"(value) : "memory");
}

__device__ __forceinline__ void add(Word *word, Word value)
{
    asm volatile("red.relaxed.gpu.global.add.u64 [%0], %1;" ::"l"(word), "l"(value) : "memory");
}

// One barrier, as one thread sees it. kRanks are those that NVLink connects.
template <int kTag, int kRanks, int kThreads, int64_t kUsed> struct Watch {
    static constexpr bool kOn = is_operator(kTag);
    static constexpr int kPeers = kRanks;
    static constexpr bool kWatches = kOn && kThreads > 32 && kRanks > 1;
    static constexpr int kEach = kWatches ? (kRanks + 31) / 32 : 1;
    static constexpr int kFirst = kThreads - 32; // thread of the warp that watches

    Area *area;
    int first;              // rank in the whole group of NVLink's rank 0
    unsigned seen = 0;      // bit k: rank lane + 32 k was seen
    unsigned cycles[kEach]; // until then

    __device__ __forceinline__ Watch(void *workspace, int first_) : area(nullptr), first(first_)
    {
        if constexpr (kOn)
            area = reinterpret_cast<Area *>(static_cast<char *>(workspace) + area_offset<kUsed>());
    }

    // Tell the peers. pointer(own word, peer) is that peer's word; epoch counts barriers from 1.
    template <typename pointer_t>
    __device__ __forceinline__ void reach(const pointer_t &pointer, Word epoch, int rank,
                                          int thread) const
    {
        if constexpr (kWatches) {
            for (int i = thread; i < kRanks; i += kThreads) {
                if (i != rank) store(pointer(area->reached + rank, i), epoch);
            }
        }
    }

    // Watch the peers until the barrier's counter is what it is to become.
    __device__ __forceinline__ void watch(const int *counter, int target, Word epoch, int rank,
                                          int thread)
    {
        if constexpr (kWatches) {
            if (thread < kFirst) return;
            const long long start = clock64();
            const int lane = thread - kFirst;
            unsigned pending = 0;
#pragma unroll
            for (int k = 0; k < kEach; ++k) {
                const int source = lane + 32 * k;
                pending |= static_cast<unsigned>(source < kRanks && source != rank) << k;
            }
            bool complete = false;
            while (__any_sync(0xffffffff, pending != 0) && !complete) {
                // Before the words: what was written before the counter is then seen, or about to.
                complete = __any_sync(0xffffffff, load(counter) == target);
#pragma unroll
                for (int k = 0; k < kEach; ++k) {
                    if ((pending >> k & 1) == 0) continue;
                    const Word reached = load(area->reached + lane + 32 * k);
                    if (reached >= epoch || (complete && reached != 0)) {
                        const long long waited = clock64() - start;
                        cycles[k] = waited < 0xffffffffll ? static_cast<unsigned>(waited) : ~0u;
                        seen |= 1u << k;
                        pending &= ~(1u << k);
                    }
                }
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

    // Add to the sums, by all threads of all SMs. Call it where nobody waits for the caller.
    __device__ __forceinline__ void finish(int sm, int thread) const
    {
        if constexpr (kOn) {
            constexpr int kOperator = operator_of(kTag);
            constexpr int kCounts = kWatches ? kFirst : 0;
            if (sm != 0 || thread < kCounts) return;
            if (thread == kCounts) add(&area->operations[kOperator], 1);
            if constexpr (kWatches) {
#pragma unroll
                for (int k = 0; k < kEach; ++k) {
                    if (seen >> k & 1) {
                        const int source = first + thread - kFirst + 32 * k;
                        add(&area->wait[kOperator][source], cycles[k]);
                        add(&area->samples[kOperator][source], 1);
                    }
                }
            }
        }
    }
};

#endif // __CUDACC__

} // namespace deepxtrace
