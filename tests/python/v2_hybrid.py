# SPDX-License-Identifier: Apache-2.0
"""Kernels of hybrid mode of our own that have, of DeepEP V2's, the places where the adapter counts
waits of forwarding warps, and next to nothing else: a token or two, no data."""
from __future__ import annotations

_HEAD = """#pragma once
#include <{barrier}>

namespace {space} {{

template <int kNumSMs, {warps}, int kNumScaleoutRanks, int kNumScaleupRanks>
void {name}(const Gin& gin, void* workspace, int scaleout_rank_idx, int scaleup_rank_idx,
            int sm_idx, int thread_idx) {{
    {signals}
    constexpr int kNumThreads = 32 * ({sum}), kNumTimeoutCycles = 1000;
    const int warp_idx = thread_idx / 32, lane_idx = thread_idx % 32;
    const int rank_idx = scaleout_rank_idx * kNumScaleupRanks + scaleup_rank_idx;
    comm::gpu_barrier<true, kNumScaleoutRanks, kNumScaleupRanks, kNumSMs, kNumThreads, 1000,
                      {entry}>(
        gin, workspace_layout, scaleout_rank_idx, scaleup_rank_idx, sm_idx, thread_idx);
"""

#: A node's warps send to those of its rail that they have sent all. A forwarding warp waits for one
#: node after the other, and looks at all.
_DISPATCH = """
    if (warp_idx < kNumNotifyWarps) {
        test::pause(1);
    } else if (warp_idx < kNumNotifyWarps + kNumScaleoutWarps) {
        test::pause(test::data_late[rank_idx]);
        if (lane_idx < kNumScaleoutRanks)
            *gin.template get_sym_ptr<ncclTeamTagRail>(
                test::sent(workspace, sm_idx * kNumScaleoutWarps + warp_idx - kNumNotifyWarps,
                           scaleout_rank_idx),
                lane_idx) = math::pack2<int, int64_t>(1, 7);
    } else {
        const int channel_idx =
            sm_idx * kNumScaleoutWarps + warp_idx - (kNumNotifyWarps + kNumScaleoutWarps);
        int stored_finish_flag = lane_idx >= kNumScaleoutRanks, stored_scaleout_tail_idx = 0;
        int recv_scaleout_rank_idx = channel_idx % kNumScaleoutRanks;
        for (int left = kNumScaleoutRanks; left > 0; left--) {
            comm::timeout_while<1000>([&](bool) {
                if (test::of_lane(stored_finish_flag, recv_scaleout_rank_idx) > 0)
                    return true;
                if (lane_idx < kNumScaleoutRanks) {
                    const auto signaled_tail = *test::sent(workspace, channel_idx, lane_idx);
                    math::unpack2<int, int64_t>(signaled_tail, stored_finish_flag,
                                                stored_scaleout_tail_idx);
                }
                return false;
            });
            recv_scaleout_rank_idx = (recv_scaleout_rank_idx + 1) % kNumScaleoutRanks;
        }
        if (lane_idx < kNumScaleoutRanks)
            *test::sent(workspace, channel_idx, lane_idx) = 0;
    }
    comm::gpu_barrier<true, kNumScaleoutRanks, kNumScaleupRanks, kNumSMs, kNumThreads, 1000,
                      comm::kHybridDispatchTag1, true, true, false>(
        gin, workspace_layout, scaleout_rank_idx, scaleup_rank_idx, sm_idx, thread_idx, false);
    cudaTriggerProgrammaticLaunchCompletion();
}
"""

#: Two tokens from each NVLink peer; then a signal to the rail and one from each of it.
_COMBINE = """
    if (warp_idx < kNumScaleupWarps) {
        test::pause(test::tails_late[rank_idx]);
        if (lane_idx < kNumScaleupRanks)
            *gin.template get_sym_ptr<ncclTeamTagLsa>(
                workspace_layout.get_channel_scaleup_tail_ptr(sm_idx * kNumScaleupWarps + warp_idx,
                                                              scaleup_rank_idx),
                lane_idx) = 2;
    } else {
        const int channel_idx = sm_idx * kNumScaleupWarps + warp_idx - kNumScaleupWarps;
        constexpr int kNumScaleupRanksPerLane = (kNumScaleupRanks + 31) / 32;
        int stored_num_tokens_recv[kNumScaleupRanksPerLane] = {},
            stored_cached_scaleup_tail[kNumScaleupRanksPerLane] = {};
        for (int token = 0; token < 2; token++) {
            // The last rank of a node sends nothing to the first channels.
            const unsigned scaleup_mask = (1u << (kNumScaleupRanks - 1)) - 1;
            bool stored_is_scaleup_rank_needed[kNumScaleupRanksPerLane];
            for (int j = 0; j < kNumScaleupRanksPerLane; j++)
                stored_is_scaleup_rank_needed[j] = (scaleup_mask >> (j * 32 + lane_idx)) & 1;
            comm::timeout_while<kNumTimeoutCycles>([&](bool) {
                bool come = true;
                for (int j = 0; j < kNumScaleupRanksPerLane; j++)
                    come &= not stored_is_scaleup_rank_needed[j] or
                            stored_num_tokens_recv[j] < stored_cached_scaleup_tail[j];
                if (test::all_lanes(come))
                    return true;
                for (int j = 0; j < kNumScaleupRanksPerLane; j++) {
                    const int k = j * 32 + lane_idx;
                    stored_cached_scaleup_tail[j] = j < kNumScaleupRanks / 32 or
                        k < kNumScaleupRanks ?
                        ptx::ld_acquire_sys(
                            workspace_layout.get_channel_scaleup_tail_ptr(channel_idx, k)) : -1;
                }
                return false;
            });
            for (int j = 0; j < kNumScaleupRanksPerLane; j++)
                stored_num_tokens_recv[j] += static_cast<int>(stored_is_scaleup_rank_needed[j]);
        }
        if (lane_idx < kNumScaleupRanks)
            *workspace_layout.get_channel_scaleup_tail_ptr(channel_idx, lane_idx) = 0;

        test::pause(test::data_late[rank_idx]);
        const auto expected_signal = math::pack2<int, int64_t>(1, 0);
        if (lane_idx < kNumScaleoutRanks)
            *gin.template get_sym_ptr<ncclTeamTagRail>(
                test::sent(workspace, channel_idx, scaleout_rank_idx), lane_idx) = expected_signal;
        if (lane_idx < kNumScaleoutRanks) {
            const auto wait_ptr = test::sent(workspace, channel_idx, lane_idx);
            comm::timeout_while<kNumTimeoutCycles>([=](bool) {
                if (*wait_ptr == expected_signal) {
                    *wait_ptr = 0;
                    return true;
                }
                return false;
            });
        }
        __syncwarp();
    }
}
"""


def dispatch(barrier: str, space: str, signals: str) -> str:
    """The file of hybrid dispatch."""
    return _head(barrier, space, signals, "hybrid_dispatch", "6, false, false, true",
                 ("kNumNotifyWarps", "kNumScaleoutWarps", "kNumForwardWarps")) + _DISPATCH + _end(
                     space)


def combine(barrier: str, space: str, signals: str) -> str:
    """The file of hybrid combine."""
    return _head(barrier, space, signals, "hybrid_combine", "8, false, true, true",
                 ("kNumScaleupWarps", "kNumForwardWarps")) + _COMBINE + _end(space)


def _head(barrier: str, space: str, signals: str, name: str, entry: str, warps: "tuple[str, ...]"
          ) -> str:
    return _HEAD.format(barrier=barrier, space=space, signals=signals, name=name, entry=entry,
                        warps=", ".join("int " + one for one in warps), sum=" + ".join(warps))


def _end(space: str) -> str:
    return f"\n}}  // namespace {space}\n"
