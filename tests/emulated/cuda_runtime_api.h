/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of CUDA as the kernels of ep/cuda need to run on a CPU, in the place of NVIDIA's header
 * of this name. A block is a thread of the operating system, so blocks really run at the same time;
 * its CUDA threads take turns, and give their turn away where they look at memory that others write
 * or meet. Shared memory is thread_local, and begins as zeros. Stores of 16 bytes as one may
 * come late; the order of all others is not told here: docs/ep.md and a real GPU are for that.
 */
#ifndef TESTS_EMULATED_CUDA_RUNTIME_API_H
#define TESTS_EMULATED_CUDA_RUNTIME_API_H

#include <stddef.h>
#include <stdint.h>

typedef enum cudaError { cudaSuccess = 0 } cudaError_t;
typedef struct CUstream_st *cudaStream_t;

#ifdef __cplusplus

#include <sched.h>
#include <setjmp.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#define __device__
#define __global__
#define __forceinline__ inline
#define __grid_constant__
#define __launch_bounds__(...)
#define __shared__ static thread_local

struct dim3 {
    unsigned x;
    dim3(unsigned x_ = 1) : x(x_)
    {
    }
};

/* ---- blocks and their threads ---- */

namespace emulated
{

constexpr unsigned kWarp = 32;
constexpr size_t kStack = 1 << 16;

/* Threads that meet: nobody leaves before all have come. */
struct meeting {
    unsigned come = 0, turn = 0;
};

struct warp {
    meeting all;
    uint64_t values[kWarp];
};

struct cuda_thread {
    ucontext_t context; /* to begin with */
    jmp_buf jump;       /* to go on: unlike swapcontext() it asks the kernel for nothing */
    std::unique_ptr<char[]> stack;
    bool begun = false, done = false;
    dim3 index;
};

/* A launched kernel. What was launched before it in its stream may still run. */
struct kernel {
    std::function<void()> body;
    dim3 grid, size;
    std::atomic<unsigned> left;
    const kernel *before;
    std::list<std::thread> blocks;

    bool ended() const
    {
        return left == 0 && (!before || before->ended());
    }
};

struct late_store {
    void *at;
    char bytes[16];
};

struct block {
    const kernel *of;
    std::vector<late_store> stores;
    dim3 index;
    std::vector<cuda_thread> threads;
    std::vector<warp> warps;
    meeting named[16];
    unsigned arrivals = 0;
    jmp_buf scheduler;
    cuda_thread *current = nullptr;
};

inline thread_local block *own;

/* So many rounds of turns a warp in three stands still, another one after that; 0 = none does. */
inline std::atomic<unsigned> uneven;

inline bool stands_still(unsigned round, unsigned warp)
{
    if (uneven == 0) return false;
    unsigned mixed = (round / uneven * 64 + warp) * 0x9e3779b1u;
    return (mixed >> 16) % 3 == 0;
}

inline void give_turn()
{
    if (_setjmp(own->current->jump) == 0) _longjmp(own->scheduler, 1);
}

/* So many turns a thread in three gives away when it has arrived at a barrier; 0 = none. */
inline std::atomic<unsigned> behind;

inline void fall_behind()
{
    unsigned mixed = own->arrivals++ * 0x9e3779b1u;
    if ((mixed >> 16) % 3 != 0) return;
    for (unsigned turns = behind; turns > 0; turns--) give_turn();
}

/* 16 bytes that are stored as one: of each block's some stay on their way until its end. */
inline std::mutex whole;
inline std::atomic<bool> late;

inline void perform(const late_store &store)
{
    std::lock_guard<std::mutex> hold(whole);
    memcpy(store.at, store.bytes, sizeof store.bytes);
}

/* The last one a while after the others, so that it is seen who does not wait for it: what is
 * behind a row is stored last. */
inline void perform_all()
{
    for (const late_store &store : own->stores) {
        if (&store == &own->stores.back()) usleep(1000);
        perform(store);
    }
    own->stores.clear();
}

template <typename T> void store_late(void *at, T value)
{
    static_assert(sizeof(T) == sizeof(late_store::bytes), "16 bytes");
    late_store store;
    store.at = at;
    memcpy(store.bytes, &value, sizeof value);
    if (late && own->arrivals++ * 0x9e3779b1u >> 16 & 1u)
        own->stores.push_back(store);
    else
        perform(store);
}

inline void meet(meeting &where, unsigned size)
{
    if (++where.come == size) {
        where.come = 0;
        where.turn++;
        return;
    }
    for (unsigned turn = where.turn; where.turn == turn;) give_turn();
}

inline warp &own_warp()
{
    return own->warps[own->current->index.x / kWarp];
}

/* All lanes of a warp show a value, and each takes what it needs of them. */
template <typename T, typename Take> auto exchange(T value, Take take)
{
    warp &w = own_warp();
    uint64_t &mine = w.values[own->current->index.x % kWarp];
    mine = 0;
    memcpy(&mine, &value, sizeof value);
    meet(w.all, kWarp);
    auto result = take([&w](unsigned lane) {
        T shown;
        memcpy(&shown, &w.values[lane % kWarp], sizeof shown);
        return shown;
    });
    meet(w.all, kWarp);
    return result;
}

inline void enter()
{
    own->of->body();
    own->current->done = true;
    for (;;) give_turn();
}

/* Let a thread go on until it gives its turn away. Nothing of the caller's is kept in a register.
 */
__attribute__((noinline)) inline void go_on(cuda_thread *thread)
{
    own->current = thread;
    if (_setjmp(own->scheduler) != 0) return;
    if (thread->begun) _longjmp(thread->jump, 1);
    thread->begun = true;
    setcontext(&thread->context);
}

inline void run_block(kernel *of, unsigned index)
{
    block b;
    b.of = of;
    b.index = dim3(index);
    b.threads = std::vector<cuda_thread>(of->size.x);
    b.warps = std::vector<warp>(of->size.x / kWarp);
    own = &b;
    for (unsigned t = 0; t < of->size.x; t++) {
        cuda_thread &thread = b.threads[t];
        thread.index = dim3(t);
        thread.stack = std::make_unique<char[]>(kStack);
        getcontext(&thread.context);
        thread.context.uc_stack.ss_sp = thread.stack.get();
        thread.context.uc_stack.ss_size = kStack;
        thread.context.uc_link = nullptr; /* enter() does not return */
        makecontext(&thread.context, enter, 0);
    }
    unsigned round = 0;
    for (bool left = true; left; sched_yield(), round++) {
        left = false;
        for (cuda_thread &thread : b.threads) {
            if (thread.done) continue;
            left = true;
            if (stands_still(round, thread.index.x / kWarp)) continue;
            go_on(&thread);
        }
    }
    perform_all();
    own = nullptr;
    of->left--;
}

} // namespace emulated

struct CUstream_st {
    std::list<emulated::kernel> launched;
};

/* All that was launched has ended. */
inline void cudaStreamSynchronize(cudaStream_t stream)
{
    for (emulated::kernel &k : stream->launched)
        for (std::thread &b : k.blocks)
            if (b.joinable()) b.join();
    stream->launched.clear();
}

/* What a kernel calls threadIdx and so on: looked up each time. */
template <unsigned (*lookup)()> struct index_of_kernel {
    struct {
        operator unsigned() const
        {
            return lookup();
        }
    } x;
};

inline unsigned own_thread()
{
    return emulated::own->current->index.x;
}
inline unsigned own_block()
{
    return emulated::own->index.x;
}
inline unsigned block_size()
{
    return emulated::own->of->size.x;
}
inline unsigned grid_size()
{
    return emulated::own->of->grid.x;
}

inline const index_of_kernel<own_thread> threadIdx = {};
inline const index_of_kernel<own_block> blockIdx = {};
inline const index_of_kernel<block_size> blockDim = {};
inline const index_of_kernel<grid_size> gridDim = {};

/* ---- launching ---- */

enum { cudaLaunchAttributeProgrammaticStreamSerialization = 1 };

struct cudaLaunchAttribute {
    int id;
    struct {
        int programmaticStreamSerializationAllowed;
    } val;
};

struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    cudaStream_t stream;
    cudaLaunchAttribute *attrs;
    unsigned numAttrs;
};

struct cudaFuncAttributes {
};

template <typename Kernel> cudaError_t cudaFuncGetAttributes(cudaFuncAttributes *, Kernel)
{
    return cudaSuccess;
}

/* A kernel that may not begin before those launched before it have ended is launched then. */
template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t *config, void (*function)(Parameters...),
                               Arguments... arguments)
{
    CUstream_st *stream = config->stream;
    if (!config->attrs->val.programmaticStreamSerializationAllowed) cudaStreamSynchronize(stream);
    const emulated::kernel *before = stream->launched.empty() ? nullptr : &stream->launched.back();
    emulated::kernel &k = stream->launched.emplace_back();
    k.body = [=] { function(arguments...); };
    k.grid = config->gridDim;
    k.size = config->blockDim;
    k.left = k.grid.x;
    k.before = before;
    for (unsigned i = 0; i < k.grid.x; i++) k.blocks.emplace_back(emulated::run_block, &k, i);
    return cudaSuccess;
}

/* ---- what nvcc knows ---- */

struct alignas(16) uint4 {
    uint32_t x, y, z, w;
};

struct alignas(8) float2 {
    float x, y;
};

inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w)
{
    return {x, y, z, w};
}
inline float2 make_float2(float x, float y)
{
    return {x, y};
}
inline uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}
inline uint32_t max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}
inline int __popc(uint32_t bits)
{
    return __builtin_popcount(bits);
}
inline int __ffs(uint32_t bits)
{
    return __builtin_ffs((int)bits);
}
template <typename T> T __ldg(const T *at)
{
    return *at;
}

template <typename To, typename From> To bits_as(From from)
{
    static_assert(sizeof(To) == sizeof(From), "bits of one number");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

inline float __uint_as_float(uint32_t bits)
{
    return bits_as<float>(bits);
}
inline float __int_as_float(int32_t bits)
{
    return bits_as<float>(bits);
}
inline uint32_t __float_as_uint(float value)
{
    return bits_as<uint32_t>(value);
}
inline float __fmul_rn(float a, float b)
{
    return a * b;
}
inline float __fdiv_rn(float a, float b)
{
    return a / b;
}

template <typename T> T atomicAdd(T *at, T value)
{
    return __atomic_fetch_add(at, value, __ATOMIC_SEQ_CST);
}
template <typename T> T atomicOr(T *at, T value)
{
    return __atomic_fetch_or(at, value, __ATOMIC_SEQ_CST);
}
template <typename T> T atomicXor(T *at, T value)
{
    return __atomic_fetch_xor(at, value, __ATOMIC_SEQ_CST);
}
template <typename T> T atomicExch(T *at, T value)
{
    return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);
}
#define atomicAdd_system atomicAdd
#define atomicOr_system atomicOr
inline void __threadfence()
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

inline void __syncthreads()
{
    emulated::meet(emulated::own->named[0], blockDim.x);
}
inline void __syncwarp()
{
    emulated::meet(emulated::own_warp().all, emulated::kWarp);
}

inline uint32_t __ballot_sync(uint32_t, bool says)
{
    return emulated::exchange(says, [](auto of) {
        uint32_t bits = 0;
        for (unsigned lane = 0; lane < emulated::kWarp; lane++) bits |= (uint32_t)of(lane) << lane;
        return bits;
    });
}

inline bool __any_sync(uint32_t all, bool says)
{
    return __ballot_sync(all, says) != 0;
}

template <typename T> T __shfl_sync(uint32_t, T value, unsigned lane)
{
    return emulated::exchange(value, [=](auto of) { return of(lane); });
}

template <typename T> T __shfl_xor_sync(uint32_t, T value, unsigned mask)
{
    unsigned lane = threadIdx.x % emulated::kWarp ^ mask;
    return emulated::exchange(value, [=](auto of) { return of(lane); });
}

inline uint32_t __reduce_or_sync(uint32_t, uint32_t value)
{
    return emulated::exchange(value, [](auto of) {
        uint32_t bits = 0;
        for (unsigned lane = 0; lane < emulated::kWarp; lane++) bits |= of(lane);
        return bits;
    });
}

#endif
#endif
