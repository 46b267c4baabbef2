# SPDX-License-Identifier: Apache-2.0
"""Headers of our own that have, of DeepEP V2's, the places that the adapter edits, and next to
nothing else. test_v2_emulated.py compiles them for the CPU and runs them; what nvcc says to the
real ones, scripts/deepep-v25.sh tells."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Dict

import v2_hybrid

_STEP = "const int& sm_idx, const int& thread_idx) {"


def _barrier(*, generation: str) -> str:
    """The file of the barriers, of 2.1 or 2.5."""
    old = generation == "2.1"
    kind = "const layout::WorkspaceLayout& workspace" if old else "layout::BarrierSignals& signals"
    name = "workspace" if old else "signals"
    include = "common/layout.cuh" if old else "layout/common/barrier.cuh"
    counter = "workspace.get_nvl_barrier_counter_ptr()" if old else "counter_ptr"
    signal = "workspace.get_nvl_barrier_signal_ptr(phase)" if old else "signal_ptr"
    pointers = "" if old else """
    const auto counter_ptr = signals.get_nvl_barrier_counter_ptr();
    const auto signal_ptr = signals.get_nvl_barrier_signal_ptr((*counter_ptr) & 1);"""
    gin = "gin.nccl_dev_comm" if old else "gin"
    gin_type = "const DevComm& gin" if old else "const Gin& gin"
    wait = ("""const auto signal_idx = static_cast<ncclGinSignal_t>(i);
            const auto target = ++*barrier_gin.gin.getSignalShadowPtr(signal_idx);
            wait_for([=](const bool& last) {
                if (barrier_gin.gin.readSignal(signal_idx) >= target)
                    return true;
                (void)last;
                return false;
            });""" if old else
            """barrier_gin.wait_signal<team_t, kNumTimeoutCycles>(i, rank_idx);""")
    return f"""#pragma once
#include <deep_ep/test.cuh>
#include <deep_ep/{include}>

SPACE_BEGIN

using ::timeout_while;
static constexpr int kDispatchTag1 = 3;
static constexpr int kHybridDispatchTag1 = 7;

template <int kNumRanks, int kNumSMs, int kNumThreads, int64_t kNumTimeoutCycles, int kTag>
__forceinline__ __device__ void nvlink_barrier_wo_local_sync(
    const Gin& gin, {kind},
    const int& rank_idx, {_STEP}
    if (kNumSMs > 1 and sm_idx > 0)
        return;
    {pointers}
    const int status = static_cast<int>((*{counter}) & 3);
    const int phase = status & 1, sign = status >> 1;
    (void)phase;
    for (int i = thread_idx; i < kNumRanks; i += kNumThreads)
        test::release(gin.template get_sym_ptr<ncclTeamTagLsa>({signal}, i), sign ? -1 : 1);
    __syncthreads();
    if (thread_idx == 0)
        *{counter} += 1;
    const auto target = sign ? 0 : kNumRanks;
    timeout_while<kNumTimeoutCycles>(thread_idx == 0, [=](const bool& last) {{
        const auto signal = ptx::ld_acquire_sys<int>({signal});
        if (signal == target)
            return true;
        (void)last;
        return false;
    }});
}}

template <int kNumRanks, int kNumThreads, int64_t kNumTimeoutCycles, typename team_t, int kTag>
__forceinline__ __device__ void gin_barrier_wo_local_sync(
    {gin_type}, const int& scaleout_rank_idx, const int& scaleup_rank_idx,
    {_STEP}
    const int& rank_idx = std::is_same_v<team_t, ncclTeamTagWorld> ? scaleup_rank_idx
                                                                   : scaleout_rank_idx;
    if (sm_idx == 0) {{
        const test::BarrierGin barrier_gin;
        for (int i = thread_idx; i < kNumRanks; i += kNumThreads)
            barrier_gin.signal<team_t>(i, rank_idx);
        for (int i = thread_idx; i < kNumRanks; i += kNumThreads) {{
            {wait}
        }}
    }}
}}

template <bool kIsScaleupNVLink, int kNumRanks, int kNumSMs, int kNumThreads,
          int64_t kNumTimeoutCycles, int kTag>
__forceinline__ __device__ void scaleup_barrier_wo_local_sync(
    const Gin& gin, {kind},
    const int& rank_idx, {_STEP}
    if constexpr (kIsScaleupNVLink)
        nvlink_barrier_wo_local_sync<kNumRanks, kNumSMs, kNumThreads, kNumTimeoutCycles, kTag>(
            gin, {name}, rank_idx, sm_idx, thread_idx);
    else
        gin_barrier_wo_local_sync<kNumRanks, kNumThreads, kNumTimeoutCycles, ncclTeamTagWorld,
                                  kTag>(
            {gin}, 1, rank_idx, sm_idx, thread_idx);
}}

template <int kNumRanks, int kNumThreads, int64_t kNumTimeoutCycles, int kTag>
__forceinline__ __device__ void scaleout_barrier_wo_local_sync(
    const Gin& gin, const int& scaleout_rank_idx, const int& scaleup_rank_idx,
    {_STEP}
    gin_barrier_wo_local_sync<kNumRanks, kNumThreads, kNumTimeoutCycles, ncclTeamTagRail, kTag>(
        {gin}, scaleout_rank_idx, scaleup_rank_idx, sm_idx, thread_idx);
}}

template <bool kIsScaleupNVLink, int kNumScaleoutRanks, int kNumScaleupRanks, int kNumSMs,
          int kNumThreads, int64_t kNumTimeoutCycles, int kTag, bool kFlushStores,
          bool kSyncAtStart, bool kSyncAtEnd>
__forceinline__ __device__ void gpu_barrier(const Gin& gin, {kind},
                                            const int& scaleout_rank_idx,
                                            const int& scaleup_rank_idx,
                                            const int& sm_idx, const int& thread_idx,
                                            bool do_scaleout = true, bool do_scaleup = true) {{
    if constexpr (kSyncAtStart)
        cooperative_groups::this_grid().sync();
    do_scaleout &= kNumScaleoutRanks > 1;
    do_scaleup &= kNumScaleupRanks > 1;
    if (do_scaleup and do_scaleout) {{
        if (sm_idx == 0) {{
            scaleup_barrier_wo_local_sync<kIsScaleupNVLink, kNumScaleupRanks, kNumSMs, kNumThreads,
                                          kNumTimeoutCycles, kTag>(
                gin, {name}, scaleup_rank_idx, sm_idx, thread_idx);
        }} else {{
            scaleout_barrier_wo_local_sync<kNumScaleoutRanks, kNumThreads, kNumTimeoutCycles,
                                           kTag>(
                gin, scaleout_rank_idx, scaleup_rank_idx, sm_idx - 1, thread_idx);
        }}
    }} else if (do_scaleup) {{
        scaleup_barrier_wo_local_sync<kIsScaleupNVLink, kNumScaleupRanks, kNumSMs, kNumThreads,
                                      kNumTimeoutCycles, kTag>(
            gin, {name}, scaleup_rank_idx, sm_idx, thread_idx);
    }} else if (do_scaleout) {{
        scaleout_barrier_wo_local_sync<kNumScaleoutRanks, kNumThreads, kNumTimeoutCycles, kTag>(
            gin, scaleout_rank_idx, scaleup_rank_idx, sm_idx, thread_idx);
    }}

    if constexpr (kSyncAtEnd)
        cooperative_groups::this_grid().sync();
}}

SPACE_END
"""


def _layout(*, generation: str) -> Dict[str, str]:
    if generation == "2.1":
        return {"deep_ep/common/layout.cuh": """#pragma once
#include <deep_ep/test.cuh>

namespace deep_ep::elastic::layout {

struct WorkspaceLayout {
    void* workspace;

    static int64_t get_num_bytes() {
        int64_t num_bytes = 12820528;
        return num_bytes;
    }

    unsigned long long* get_nvl_barrier_counter_ptr() const {
        return static_cast<unsigned long long*>(workspace);
    }

    int* get_nvl_barrier_signal_ptr(int phase) const {
        return static_cast<int*>(workspace) + 2 + phase;
    }

    int* get_channel_scaleup_tail_ptr(int channel, int gpu) const {
        return test::tail(workspace, channel, gpu);
    }
};

}  // namespace deep_ep::elastic::layout
"""}
    return {
        "deep_ep/layout/common/barrier.cuh": """#pragma once
#include <deep_ep/test.cuh>

namespace deep_ep::layout {

struct BarrierSignals {
    unsigned long long counter;
    int signals[2];

    unsigned long long* get_nvl_barrier_counter_ptr() { return &counter; }
    int* get_nvl_barrier_signal_ptr(int phase) { return signals + phase; }
    int* get_channel_scaleup_tail_ptr(int channel, int gpu) {
        return test::tail(this, channel, gpu);
    }
};

}  // namespace deep_ep::layout
""",
        "deep_ep/layout/ep/workspace.cuh": """#pragma once
#include <deep_ep/layout/common/barrier.cuh>

namespace deep_ep::layout {

struct EPWorkspaceLayout {
    static constexpr int64_t get_num_bytes() { return 15831168; }
};

}  // namespace deep_ep::layout
"""}


def _dispatch(barrier: str, space: str, signals: str) -> str:
    """A dispatch: an entry, an exit, and the release of the epilogue."""
    return f"""#pragma once
#include <{barrier}>

namespace {space} {{

template <bool kNVLink, int kNumRanks, int kNumSMs, int kNumThreads>
void kernel(const Gin& gin, void* workspace, int rank_idx, int sm_idx, int thread_idx) {{
    {signals}
    comm::gpu_barrier<kNVLink, 1, kNumRanks, kNumSMs, kNumThreads, 1000, 2, false, false, true>(
        gin, workspace_layout, 0, rank_idx, sm_idx, thread_idx);
    test::work(rank_idx);
    comm::gpu_barrier<kNVLink, 1, kNumRanks, kNumSMs, kNumThreads, 1000, comm::kDispatchTag1, true,
                      true, false>(
        gin, workspace_layout, 0, rank_idx, sm_idx, thread_idx);
    cudaTriggerProgrammaticLaunchCompletion();
}}

}}  // namespace {space}
"""


def write_headers(package: Path, generation: str) -> Path:
    """Write them below a package's folder; returns that of the headers."""
    old = generation == "2.1"
    space = "deep_ep::elastic::comm" if old else "deep_ep::comm"
    barrier = "deep_ep/common/comm.cuh" if old else "deep_ep/comm/barrier.cuh"
    kernels = "deep_ep/impls/" if old else "deep_ep/impls/ep/"
    outer = "deep_ep::elastic" if old else "deep_ep::ep"
    signals = ("const layout::WorkspaceLayout workspace_layout{workspace};" if old else
               "auto& workspace_layout = *static_cast<layout::BarrierSignals*>(workspace);")
    text = _barrier(generation=generation)
    files = {
        "deep_ep/test.cuh": "#pragma once\n",
        barrier: text.replace("SPACE_BEGIN", f"namespace {space} {{").replace(
            "SPACE_END", f"}}  // namespace {space}"),
        kernels + "dispatch.cuh": _dispatch(barrier, outer, signals),
        kernels + "hybrid_dispatch.cuh": v2_hybrid.dispatch(barrier, outer, signals),
        kernels + "hybrid_combine.cuh": v2_hybrid.combine(barrier, outer, signals),
        **_layout(generation=generation)}
    for name, content in files.items():
        path = package / "include" / name
        os.makedirs(path.parent, exist_ok=True)
        path.write_text(content)
    return package / "include"
