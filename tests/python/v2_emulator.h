/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What v2_headers.py needs to run on a CPU: threads of a few GPUs take turns, one round after the
 * other, so that everything happens in the same order each time. The clock counts rounds.
 */
#pragma once

#include <ucontext.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <type_traits>
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

struct Gpu {
    Meeting block;
    std::vector<Meeting> warps;
};

struct Thread {
    ucontext_t context;
    std::unique_ptr<char[]> stack;
    std::function<void()> body;
    int gpu, thread;
    bool done = false;
};

inline std::vector<std::unique_ptr<Thread>> threads;
inline std::vector<Gpu> gpus;
inline std::vector<char *> workspaces;
inline ucontext_t scheduler;
inline Thread *current;
inline long long rounds;
inline int block_size;

inline void yield()
{
    swapcontext(&current->context, &scheduler);
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

inline void enter()
{
    current->body();
    current->done = true;
    yield();
}

/* Run body(gpu, thread) on all threads of all GPUs to its end. */
inline void run(int gpu_count, int threads_each, const std::function<void(int, int)> &body)
{
    constexpr size_t kStack = 1 << 16;
    block_size = threads_each;
    gpus.assign(gpu_count, Gpu{{}, std::vector<Meeting>(threads_each / kWarp)});
    threads.clear();
    for (int g = 0; g < gpu_count; g++)
        for (int t = 0; t < threads_each; t++) {
            auto thread = std::make_unique<Thread>();
            thread->stack = std::make_unique<char[]>(kStack);
            thread->gpu = g;
            thread->thread = t;
            thread->body = [=] { body(g, t); };
            getcontext(&thread->context);
            thread->context.uc_stack.ss_sp = thread->stack.get();
            thread->context.uc_stack.ss_size = kStack;
            thread->context.uc_link = &scheduler;
            makecontext(&thread->context, enter, 0);
            threads.push_back(std::move(thread));
        }
    for (bool left = true; left; rounds++) {
        left = false;
        for (auto &thread : threads) {
            if (thread->done) continue;
            left = true;
            current = thread.get();
            swapcontext(&scheduler, &current->context);
        }
        if (rounds > 10000000) abort(); /* somebody waits for ever */
    }
}

} // namespace emulator

inline struct {
    unsigned x = 1;
} gridDim;

inline long long clock64()
{
    return emulator::rounds;
}

inline void __syncthreads()
{
    auto &gpu = emulator::gpus[emulator::current->gpu];
    emulator::meet(gpu.block, emulator::block_size, false);
}

inline bool __any_sync(unsigned, bool says)
{
    auto &gpu = emulator::gpus[emulator::current->gpu];
    return emulator::meet(gpu.warps[emulator::current->thread / emulator::kWarp], emulator::kWarp,
                          says);
}

inline void cudaTriggerProgrammaticLaunchCompletion()
{
}

namespace cooperative_groups
{
struct Grid {
    void sync() const
    {
        __syncthreads();
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

struct DevComm {
};
struct Gin {
    DevComm nccl_dev_comm;

    /* The same place in another GPU's workspace. */
    template <typename team_t, typename T> T *get_sym_ptr(T *own, int peer) const
    {
        char *base = emulator::workspaces[emulator::current->gpu];
        return reinterpret_cast<T *>(emulator::workspaces[peer] +
                                     (reinterpret_cast<char *>(own) - base));
    }
};

template <int64_t kCycles, typename function_t>
inline void timeout_while(bool condition, const function_t &done, long long begun = 0)
{
    (void)begun;
    while (condition && !done(false)) emulator::yield();
}

template <int64_t kCycles, typename function_t> inline void wait_for(const function_t &done)
{
    timeout_while<kCycles>(true, done);
}
template <typename function_t> inline void wait_for(const function_t &done)
{
    timeout_while<1>(true, done);
}

namespace test
{
inline void release(int *word, int value)
{
    *word += value;
}
inline bool is(const int *word, int value)
{
    return *word == value;
}
inline bool network_arrived(int)
{
    return true;
}
struct BarrierGin {
    template <typename team_t, int64_t kCycles> void wait_signal(int, int) const
    {
    }
};
/* How long a GPU works between entry and exit, in rounds. */
inline std::vector<int> work_of;
inline void work(int rank)
{
    for (int k = 0; k < work_of[rank]; k++) emulator::yield();
}
} // namespace test
