/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What v2_headers.py needs to run on a CPU: threads of a few GPUs take turns, one round after the
 * other, so that everything happens in the same order each time. The clock counts rounds.
 */
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#define __CUDACC__
#define __device__
#define __forceinline__ inline
#define __noinline__

namespace emulator
{

constexpr int kWarp = 32;

/* A meeting of `size` threads: nobody leaves before all have come. */
struct Meeting {
    int come = 0;
    unsigned turn = 0;
    bool any = false, result = false;
};

/* A loop that threads of a warp leave one by one: behind it each waits for the others. */
struct Loop {
    int inside = 0, done = 0;
    unsigned turn = 0;
};

struct Warp {
    Meeting meeting;
    Loop loop;
    long long values[kWarp];
};

struct Gpu {
    Meeting grid;
    std::vector<Meeting> blocks; /* one for each SM */
    std::vector<Warp> warps;
};

struct Thread {
    ucontext_t context; /* to begin with */
    jmp_buf jump;       /* to go on: unlike swapcontext() it asks the kernel for nothing */
    bool begun = false;
    std::unique_ptr<char[]> stack;
    std::function<void()> body;
    int gpu, sm, thread;
    bool done = false;
};

inline std::vector<std::unique_ptr<Thread>> threads;
inline std::vector<Gpu> gpus;
inline std::vector<char *> workspaces;
inline jmp_buf scheduler;
inline Thread *current;
inline long long rounds;
inline int block_size, sm_count;
inline int node_size; /* GPUs that NVLink connects */
inline int mute = -1; /* a GPU whose kernels have no counters, and tell nobody */
inline Meeting everybody;
inline bool backwards;             /* the last SM has its turn first */
inline long long most_rounds = -1; /* behind these somebody is left waiting; -1 = nobody may be */

/* A line for each rank and operator: operations, those begun, then waits and samples by rank. */
template <typename area_t> inline void print_counters(int ranks, int operators, long offset)
{
    for (int r = 0; r < ranks; r++) {
        const auto &area = *reinterpret_cast<area_t *>(workspaces[r] + offset);
        for (int o = 0; o < operators; o++) {
            printf("%d %d %llu %llu", r, o, area.operations[o], area.begun[o]);
            for (int s = 0; s < ranks; s++) printf(" %llu", area.wait[o][s]);
            for (int s = 0; s < ranks; s++) printf(" %llu", area.samples[o][s]);
            printf("\n");
        }
    }
}

inline void yield()
{
    if (_setjmp(current->jump) == 0) _longjmp(scheduler, 1);
}

/* Let the current thread run until it yields. Nothing of the caller's is kept in a register. */
__attribute__((noinline)) inline void resume()
{
    if (_setjmp(scheduler) != 0) return;
    if (current->begun) _longjmp(current->jump, 1);
    current->begun = true;
    setcontext(&current->context);
}

inline bool meet(Meeting &meeting, int size, bool says)
{
    meeting.any = meeting.any || says;
    if (++meeting.come == size) {
        meeting.result = meeting.any;
        meeting.any = false;
        meeting.come = 0;
        meeting.turn++;
        return meeting.result;
    }
    for (unsigned turn = meeting.turn; meeting.turn == turn;) yield();
    return meeting.result;
}

inline Warp &own_warp()
{
    return gpus[current->gpu].warps[(current->sm * block_size + current->thread) / kWarp];
}

inline void leave_together(const std::function<void()> &turns)
{
    Loop &loop = own_warp().loop;
    loop.inside++;
    for (int k = 0; k < 2; k++) yield(); /* until the others are inside, too */
    turns();
    if (++loop.done == loop.inside) {
        loop.inside = loop.done = 0;
        loop.turn++;
        return;
    }
    for (unsigned turn = loop.turn; loop.turn == turn;) yield();
}

inline void enter()
{
    current->body();
    current->done = true;
    yield();
}

/* Run body(gpu, sm, thread) on all threads of all SMs of all GPUs to its end. */
inline void run(int gpu_count, int sms, int threads_each,
                const std::function<void(int, int, int)> &body)
{
    constexpr size_t kStack = 1 << 16;
    block_size = threads_each;
    sm_count = sms;
    if (node_size == 0) node_size = gpu_count;
    gpus.assign(gpu_count,
                Gpu{{}, std::vector<Meeting>(sms), std::vector<Warp>(sms * threads_each / kWarp)});
    threads.clear();
    for (int k = 0; k < gpu_count * sms * threads_each; k++) {
        const int g = k / threads_each / sms, m = k / threads_each % sms, t = k % threads_each;
        auto thread = std::make_unique<Thread>();
        thread->stack = std::make_unique<char[]>(kStack);
        thread->gpu = g;
        thread->sm = m;
        thread->thread = t;
        thread->body = [=] { body(g, m, t); };
        getcontext(&thread->context);
        thread->context.uc_stack.ss_sp = thread->stack.get();
        thread->context.uc_stack.ss_size = kStack;
        thread->context.uc_link = nullptr; /* enter() does not return */
        makecontext(&thread->context, enter, 0);
        threads.push_back(std::move(thread));
    }
    for (bool left = true; left; rounds++) {
        left = false;
        for (size_t k = 0; k < threads.size(); k++) {
            current = threads[backwards ? threads.size() - 1 - k : k].get();
            if (current->done) continue;
            left = true;
            resume();
        }
        if (most_rounds >= 0 && rounds > most_rounds) return;
        if (rounds > 1000000) abort(); /* somebody waits for ever */
    }
}

} // namespace emulator

inline long long clock64()
{
    return emulator::rounds;
}

inline void __syncthreads()
{
    auto &gpu = emulator::gpus[emulator::current->gpu];
    emulator::meet(gpu.blocks[emulator::current->sm], emulator::block_size, false);
}

inline void __syncwarp()
{
    emulator::meet(emulator::own_warp().meeting, emulator::kWarp, false);
}

inline bool __any_sync(unsigned, bool says)
{
    return emulator::meet(emulator::own_warp().meeting, emulator::kWarp, says);
}

/* What a lane of the warp has. */
template <typename T> inline T __shfl_sync(unsigned, T own, int lane)
{
    emulator::Warp &warp = emulator::own_warp();
    warp.values[emulator::current->thread % emulator::kWarp] = static_cast<long long>(own);
    __syncwarp();
    const long long found = warp.values[lane];
    __syncwarp();
    return static_cast<T>(found);
}

inline unsigned __reduce_add_sync(unsigned, unsigned own)
{
    emulator::Warp &warp = emulator::own_warp();
    warp.values[emulator::current->thread % emulator::kWarp] = own;
    __syncwarp();
    unsigned sum = 0;
    for (long long one : warp.values) sum += static_cast<unsigned>(one);
    __syncwarp();
    return sum;
}

inline int __popc(unsigned bits)
{
    return __builtin_popcount(bits);
}

inline void cudaTriggerProgrammaticLaunchCompletion()
{
}

namespace cooperative_groups
{
struct Grid {
    void sync() const
    {
        emulator::meet(emulator::gpus[emulator::current->gpu].grid,
                       emulator::sm_count * emulator::block_size, false);
    }
};
inline Grid this_grid()
{
    return {};
}
} // namespace cooperative_groups

struct ncclTeamTagLsa {
};
struct ncclTeamTagWorld {
};
struct ncclTeamTagRail {
};
using ncclGinSignal_t = int;

template <typename team_t> inline int gpu_of(int self, int peer)
{
    const int size = emulator::node_size;
    if (std::is_same_v<team_t, ncclTeamTagWorld>) return peer;
    return std::is_same_v<team_t, ncclTeamTagRail> ? peer * size + self % size
                                                   : self / size * size + peer;
}

struct DevComm {
};
struct Gin {
    DevComm nccl_dev_comm;

    /* The same place in another GPU's workspace. */
    template <typename team_t, typename T> T *get_sym_ptr(T *own, int peer) const
    {
        const int self = emulator::current->gpu;
        return reinterpret_cast<T *>(emulator::workspaces[gpu_of<team_t>(self, peer)] +
                                     (reinterpret_cast<char *>(own) - emulator::workspaces[self]));
    }
};

template <int64_t kCycles, typename function_t>
inline void timeout_while(bool condition, const function_t &done, long long begun = 0)
{
    (void)begun;
    while (condition && !done(false)) emulator::yield();
}

template <int64_t kCycles, typename function_t> inline void timeout_while(const function_t &done)
{
    emulator::leave_together([&] { timeout_while<kCycles>(true, done); });
}

template <typename function_t> inline void wait_for(const function_t &done)
{
    timeout_while<1>(done);
}

namespace test
{
/* What was added up for a barrier is seen that many rounds later. */
inline int travel_rounds = 0;
/* The values that a word has had, and since when. */
inline std::map<const int *, std::vector<std::pair<long long, int>>> history;
inline void release(int *word, int value)
{
    *word += value;
    history[word].emplace_back(emulator::rounds, *word);
}
inline int seen(const int *word)
{
    const auto &values = history[word];
    if (values.empty() || values.back().second != *word) return *word;
    for (auto one = values.rbegin(); one != values.rend(); ++one)
        if (one->first <= emulator::rounds - travel_rounds) return one->second;
    return 0;
}

/* Signals of a network: how often each rank has sent one, and how often it was waited for. */
struct Signals {
    static uint64_t *word(int gpu, int index)
    {
        return reinterpret_cast<uint64_t *>(emulator::workspaces[gpu]) + 4096 + index;
    }
    uint64_t *getSignalShadowPtr(int rank) const
    {
        return word(emulator::current->gpu, 64 + rank);
    }
    uint64_t readSignal(int rank) const
    {
        emulator::yield(); /* whoever looks again and again lets the others work */
        return *word(emulator::current->gpu, rank);
    }
};
struct BarrierGin {
    Signals gin;

    template <typename team_t> void signal(int peer, int own) const
    {
        ++*Signals::word(gpu_of<team_t>(emulator::current->gpu, peer), own);
    }
    template <typename team_t, int64_t kCycles> void wait_signal(int rank, int) const
    {
        const auto target = ++*gin.getSignalShadowPtr(rank);
        wait_for([=, this](bool) { return gin.readSignal(rank) >= target; });
    }
};
/* How long a GPU works between entry and exit, in rounds. */
inline std::vector<int> work_of;
inline void work(int rank)
{
    for (int k = 0; k < work_of[rank]; k++) emulator::yield();
}

/* How much later than the others a rank sends to other nodes, and to its own. */
inline std::vector<int> data_late, tails_late;
inline void pause(int rounds)
{
    for (int k = 0; k < rounds; k++) emulator::yield();
}

/* Words of a channel that a node writes, and that a GPU of the same node writes. */
inline int64_t *sent(void *workspace, int channel, int node)
{
    return static_cast<int64_t *>(workspace) + 512 + 32 * channel + node;
}
inline int *tail(void *workspace, int channel, int gpu)
{
    return static_cast<int *>(workspace) + 2048 + 32 * channel + gpu;
}

inline long long of_lane(long long own, int lane)
{
    return __shfl_sync(0xffffffff, own, lane);
}
inline bool all_lanes(bool own)
{
    return !emulator::meet(emulator::own_warp().meeting, emulator::kWarp, !own);
}
} // namespace test

/* Of the library's helpers, those that are named at the places of hybrid forwarding. */
namespace deep_ep::ptx
{
template <typename T> inline T ld_acquire_sys(const T *word)
{
    if constexpr (std::is_same_v<T, int>) return test::seen(word);
    return *word;
}
} // namespace deep_ep::ptx
namespace deep_ep::math
{
template <typename half_t, typename whole_t> inline whole_t pack2(half_t first, half_t second)
{
    return static_cast<whole_t>(static_cast<uint64_t>(static_cast<uint32_t>(second)) << 32 |
                                static_cast<uint32_t>(first));
}
template <typename half_t, typename whole_t>
inline void unpack2(whole_t whole, half_t &first, half_t &second)
{
    first = static_cast<half_t>(whole);
    second = static_cast<half_t>(whole >> 32);
}
} // namespace deep_ep::math
