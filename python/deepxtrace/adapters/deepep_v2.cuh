/* SPDX-License-Identifier: Apache-2.0 */
// Wait counters by source for the barriers of DeepEP V2, in room that its workspace leaves free at
// its end. Generated headers include this file: see _deepep_headers.py.
//
// A barrier over NVLink is one counter, of which nobody can tell who was last. So each rank also
// writes how many barriers it has reached into a word of its own on each peer, behind the release
// of the counter. The other lanes of the warp whose first thread waits for the counter look at
// these words, with the same load. They leave with it, when the counter is complete: a rank whose
// kernels write no words delays nobody. What they saw stays in registers, and is added to the sums
// when nobody waits for this warp any more.
//
// That costs a little, so only one entry of kEntries is watched, and one exit of kExits: behind an
// exit the kernel ends, and its end waits for whatever is still to be written. They are the same
// ones on all ranks. In the others the library waits as it does without us, and nothing is written
// but, at the entries, how many operations were done.
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

using Word = unsigned long long;

struct Area {
    Word operations[kOperators]; // done, by operator
    Word reserved[4];
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

// How many operators an entry counts: its own, and that of the exit behind it. Hybrid combine has
// no exit, but waits for data: see forwarded().
constexpr int counted_by(int tag)
{
    return is_exit(tag) || !is_operator(tag) ? 0 : 2;
}

// Of so many entries and exits one is watched: powers of 2.
constexpr unsigned kEntries = 8, kExits = 16;

// A hash of a step's number: what is watched keeps no step with anything that comes every so many
// steps, such as a layer of a model.
constexpr unsigned hash_of(unsigned number)
{
    const unsigned product = number * 0x9e3779b1u;
    return (product ^ product >> 15) * 0x85ebca77u;
}

// Whether a barrier of this number is watched. A step has four of them.
constexpr bool is_watched(int tag, Word epoch)
{
    return hash_of(static_cast<unsigned>(epoch) >> 2) <=
           0xffffffffu / (is_exit(tag) ? kExits : kEntries);
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

// What one thread has seen of a barrier. Lane 0 has the counter, each other one every 31st rank.
template <int kEach> struct Seen {
    unsigned seen;          // bit k: rank lane − 1 + 31 k was seen
    unsigned cycles[kEach]; // until then
    bool complete;          // the counter is what it is to become
};

template <int kRanks> constexpr int kEachOf = kRanks > 1 ? (kRanks + 30) / 31 : 1;

// Watch counter and peers until the counter is complete, or for kCycles, by one warp. A function
// that is called: the barriers that are not watched, which are most, jump over the call alone.
template <int kRanks, int64_t kCycles>
__device__ __noinline__ Seen<kEachOf<kRanks>> look(const unsigned *reached, const int *counter,
                                                   int target, unsigned epoch, int rank, int lane)
{
    constexpr int kEach = kEachOf<kRanks>;
    Seen<kEach> found;
    found.seen = 0;
    unsigned pending = 0;
#pragma unroll
    for (int k = 0; k < kEach; ++k) {
        const int source = lane - 1 + 31 * k;
        pending |= static_cast<unsigned>(lane > 0 && source < kRanks && source != rank) << k;
    }
    const long long begun = clock64();
    long long now;
    do {
        unsigned words[kEach];
#pragma unroll
        for (int k = 0; k < kEach; ++k) {
            const bool has = pending >> k & 1;
            if (k == 0 || has)
                words[k] =
                    load(has ? static_cast<const void *>(reached + lane - 1 + 31 * k) : counter);
        }
        now = clock64();
        found.complete =
            __any_sync(0xffffffff, lane == 0 && words[0] == static_cast<unsigned>(target));
#pragma unroll
        for (int k = 0; k < kEach; ++k) {
            // The word of whoever came last may be a little behind its part of the counter.
            if ((pending >> k & 1) && words[k] != 0 &&
                (found.complete || static_cast<int>(words[k] - epoch) >= 0)) {
                const long long waited = now - begun;
                found.cycles[k] = waited < 0xffffffffll ? static_cast<unsigned>(waited) : ~0u;
                found.seen |= 1u << k;
                pending &= ~(1u << k);
            }
        }
    } while (!found.complete && now - begun < kCycles);
    return found;
}

// One barrier, as one thread sees it. kRanks are those that NVLink connects.
template <int kTag, int kRanks, int kThreads, int64_t kUsed> struct Watch {
    static constexpr bool kOn = is_operator(kTag);
    static constexpr int kPeers = kRanks;
    static constexpr bool kWatches = kOn && kRanks > 1;
    static constexpr int kWatched = kWatches ? kRanks : 1;
    static constexpr int kEach = kEachOf<kWatched>;

    Area *area;
    int first;         // rank in the whole group of NVLink's rank 0
    unsigned seen = 0; // as in Seen
    unsigned cycles[kEach];
    // From here on the library's timeout counts: 0 = when it looks; 1 = it is over.
    long long begun = 0;

    __device__ __forceinline__ Watch(void *workspace, int first_) : area(nullptr), first(first_)
    {
        if constexpr (kOn)
            area = reinterpret_cast<Area *>(static_cast<char *>(workspace) + area_offset<kUsed>());
    }

    // Where this barrier is watched: tell the peers that it is reached, by a warp that nobody waits
    // for, if there is one, and wait for the counter by the first warp. Call it after the release
    // and a __syncthreads(). pointer(own word, peer) is that peer's word; epoch counts barriers
    // from 1. Returns whether the counter is what it is to become; false in other warps than the
    // first, which do not wait, and where nothing is watched: the library waits then.
    template <int64_t kCycles, typename pointer_t>
    __device__ __forceinline__ bool watch(const pointer_t &pointer, const int *counter, int target,
                                          Word epoch, int rank, int thread)
    {
        if constexpr (kWatches) {
            if (is_watched(kTag, epoch)) {
                reach(pointer, static_cast<unsigned>(epoch), rank, thread);
                if (thread < 32) {
                    const Seen<kEach> found = look<kRanks, kCycles>(
                        area->reached, counter, target, static_cast<unsigned>(epoch), rank, thread);
                    seen = found.seen;
#pragma unroll
                    for (int k = 0; k < kEach; ++k) cycles[k] = found.cycles[k];
                    begun = !found.complete;
                    return found.complete;
                }
            }
        }
        return false;
    }

    template <typename pointer_t>
    __device__ __forceinline__ void reach(const pointer_t &pointer, unsigned epoch, int rank,
                                          int thread) const
    {
        constexpr int kFrom = kThreads >= 64 ? 32 : 0;
        const int lane = thread - kFrom;
        if (lane < 0 || lane >= 32) return;
#pragma unroll 1
        for (int i = lane; i < kRanks; i += 32) {
            if (i != rank) store(pointer(area->reached + rank, i), epoch);
            if constexpr (kRanks <= 32) break;
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

    // Add to the sums, by all threads of all SMs. Call it where nobody waits for the caller.
    __device__ __forceinline__ void finish(int sm, int thread) const
    {
        if constexpr (kOn) {
            constexpr int kOperator = operator_of(kTag), kCounted = counted_by(kTag);
            // By the last warp of the last SM: the first ones have more to do.
            if constexpr (kCounted > 0) {
                const int index = thread - (kThreads - kCounted);
                if (index >= 0 && sm == static_cast<int>(gridDim.x) - 1)
                    add(&area->operations[kOperator + index], 1);
            }
            if constexpr (kWatches) {
                if (seen != 0) {
#pragma unroll
                    for (int k = 0; k < kEach; ++k) {
                        if (seen >> k & 1) {
                            const int source = first + thread - 1 + 31 * k;
                            add(&area->wait[kOperator][source], cycles[k]);
                            add(&area->samples[kOperator][source], 1);
                        }
                    }
                }
            }
        }
    }
};

#endif // __CUDACC__

} // namespace deepxtrace
