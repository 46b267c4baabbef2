# SPDX-License-Identifier: Apache-2.0
"""DeepEP V2's headers with wait counters in them, made from those of the installed package.

The package is not changed: a copy of its include/ is, at places that are found by the code that
stands there. Each place must be found exactly as often as it is known to be there. Where one is
not, the version is not known, and nothing is made.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Tuple

#: What the copy gets in addition, next to this file and in the copy.
OWN_HEADER = ("deepep_v2.cuh", "deep_ep/deepxtrace.cuh")


class UnknownVersion(Exception):
    """The headers are not those that the edits were made for."""


@dataclass(frozen=True)
class Edit:
    """Replace ``old`` by ``new`` in one file: ``@`` in ``new`` is what was found.

    ``inside``: only from this code on to the next function template; ``times``: how often it must
    be there. White space stands for any.
    """

    old: str
    new: str
    inside: str = ""
    times: int = 1

    def apply(self, text: str, file: str) -> str:
        """The text with the edit. Raises UnknownVersion."""
        start, end = 0, len(text)
        if self.inside:
            start = text.find(self.inside)
            if start < 0 or text.find(self.inside, start + 1) >= 0:
                raise UnknownVersion(f"{file} has no single {self.inside!r}")
            following = text.find("\ntemplate", start)
            end = following if following >= 0 else end
        pattern = _spaced(self.old)
        part, times = re.subn(pattern, lambda found: self.new.replace("@", str(found[0])),
                              text[start:end])
        if times != self.times:
            raise UnknownVersion(f"{file} has {self.old!r} {times} times, not {self.times}")
        return text[:start] + part + text[end:]


def _spaced(code: str) -> str:
    return r"\s+".join(re.escape(word) for word in code.split())


@dataclass(frozen=True)
class Layout:
    """One generation of the headers."""

    name: str
    barrier: str  # file of the barriers
    edits: Dict[str, Tuple[Edit, ...]]
    size_header: str  # what to include for `used`
    used: str  # bytes of the workspace that the library uses, a constant expression
    folder: str  # of the kernels
    space: str  # their namespace
    kernels: Dict[str, str]  # by name, with template arguments for a trial


_INCLUDE = "\n#include <deep_ep/deepxtrace.cuh>\n"
_PARAMETER = "const int& sm_idx, const int& thread_idx) {"
_WITH_WATCH = "const int& sm_idx, const int& thread_idx, auto& dxt_watch) {"

_NVLINK = "void nvlink_barrier_wo_local_sync("
_GIN = "void gin_barrier_wo_local_sync("
_SCALEUP = "void scaleup_barrier_wo_local_sync("
_SCALEOUT = "void scaleout_barrier_wo_local_sync("
_BOTH = "void gpu_barrier("


def _barrier_edits(*, include: str, more: str = "", workspace: str, counter: str, signal: str,
                   base: str, used: str, gin: str,
                   gin_edits: Tuple[Edit, ...]) -> Tuple[Edit, ...]:
    """Edits of the file with the barriers; the two generations differ in names."""
    def passing(call: str) -> str:
        return call[:-2] + ", dxt_watch);"

    def watch(rank: str, lane: str) -> str:
        return ("dxt_watch.template watch<kNumTimeoutCycles>(\n"
                f"                {workspace}.get_nvl_barrier_counter_ptr(),\n"
                "                [&](int phase) {\n"
                f"                    return {workspace}.get_nvl_barrier_signal_ptr(phase);\n"
                f"                }}, {rank}, {lane});")

    rank = "rank_idx, sm_idx, thread_idx);"
    up = f"{workspace}, {rank}"
    up_both = f"{workspace}, scaleup_rank_idx, sm_idx, thread_idx);"
    world = f"{gin}, 1, {rank}"
    rail = f"{gin}, scaleout_rank_idx, scaleup_{rank}"
    first_sm = "gin, scaleout_rank_idx, scaleup_rank_idx, sm_idx, thread_idx);"
    other_sms = "gin, scaleout_rank_idx, scaleup_rank_idx, sm_idx - 1, thread_idx);"
    return (
        Edit(include, "@" + more + _INCLUDE),
        *(Edit(_PARAMETER, _WITH_WATCH, function)
          for function in (_NVLINK, _GIN, _SCALEUP, _SCALEOUT)),
        # Not read once more: what is behind a release is not there at once.
        Edit(f"const int status = static_cast<int>((*{counter}) & 3);",
             f"const auto dxt_number = *{counter};\n"
             "    const int status = static_cast<int>(dxt_number & 3);", _NVLINK),
        Edit("__syncthreads();", "@\n    dxt_watch.template tell<kNumThreads>([&](unsigned* word, "
             "int peer) {\n        return gin.template get_sym_ptr<ncclTeamTagLsa>(word, peer);\n"
             "    }, dxt_number, rank_idx, thread_idx);", _NVLINK),
        # By the last SM, which has nothing to do but to wait for the first.
        Edit("if (kNumSMs > 1 and sm_idx > 0) return;",
             "if (kNumSMs > 1 and sm_idx > 0) {\n        if (sm_idx == kNumSMs - 1)\n            "
             + watch("rank_idx", "thread_idx") + "\n        return;\n    }", _NVLINK),
        # Where there is no other one: by the second warp.
        Edit("const auto target = sign ? 0 : kNumRanks;",
             "@\n    if (kNumSMs == 1 and thread_idx >= 32)\n        "
             + watch("rank_idx", "thread_idx - 32")
             + "\n    dxt_watch.begin(dxt_number, thread_idx);", _NVLINK),
        Edit(f"const auto signal = ptx::ld_acquire_sys<int>({signal});",
             "dxt_watch.again(dxt_number);\n        @", _NVLINK),
        *gin_edits,
        Edit(f"gin, {up}", passing(f"gin, {up}"), _SCALEUP),
        Edit(world, passing(world), _SCALEUP),
        Edit(rail, passing(rail), _SCALEOUT),
        Edit("do_scaleup &= kNumScaleupRanks > 1;",
             "@\n    deepxtrace::Watch<kTag, kNumScaleupRanks, kIsScaleupNVLink, "
             f"{used}>\n        dxt_watch({base}, scaleout_rank_idx * kNumScaleupRanks);",
             _BOTH),
        Edit(f"gin, {up_both}", passing(f"gin, {up_both}"), _BOTH, 2),
        Edit(first_sm, passing(first_sm), _BOTH),
        Edit(other_sms, passing(other_sms) + "\n            if (kIsScaleupNVLink and sm_idx == "
             "kNumSMs - 1)\n                " + watch("scaleup_rank_idx", "thread_idx"), _BOTH),
        Edit("if constexpr (kSyncAtEnd) cooperative_groups::this_grid().sync();",
             "@\n    dxt_watch.finish(sm_idx, thread_idx);", _BOTH),
    )


_RAIL = "lane_idx * kNumScaleupRanks + scaleup_rank_idx"  # the rank that a lane waits for


def _hybrid_dispatch_edits(used: str) -> Tuple[Edit, ...]:
    """Each lane of a forwarding warp: until it saw that a node has sent all. The exit barrier is
    NVLink's alone."""
    return (
        Edit("if (warp_idx < kNumNotifyWarps) {", "unsigned dxt_waited = 0;\n    @"),
        Edit("int recv_scaleout_rank_idx = channel_idx % kNumScaleoutRanks;",
             "@\n        const auto dxt_begun = clock64();"),
        Edit("math::unpack2<int, int64_t>(signaled_tail, stored_finish_flag, "
             "stored_scaleout_tail_idx);",
             "@\n                    if (dxt_waited == 0 and stored_finish_flag > 0)\n"
             "                        dxt_waited = deepxtrace::since(dxt_begun);"),
        Edit("cudaTriggerProgrammaticLaunchCompletion();", f"""@
    if (sm_idx == 0 and warp_idx == kNumNotifyWarps + kNumScaleoutWarps and
        dxt_waited > 0 and lane_idx != scaleout_rank_idx)
        deepxtrace::forwarded<comm::kHybridDispatchTag1, {used}>(
            workspace, {_RAIL}, dxt_waited);"""),
    )


def _hybrid_combine_edits(used: str) -> Tuple[Edit, ...]:
    """Each lane of a forwarding warp: while it waited for data of an NVLink peer, and at the end
    for that of a node. There is no exit barrier."""
    count = f"deepxtrace::forwarded<9, {used}>(workspace, "
    return (
        Edit("stored_cached_scaleup_tail[kNumScaleupRanksPerLane] = {};",
             "@\n        unsigned long long dxt_waited[kNumScaleupRanksPerLane] = {};"),
        Edit("stored_is_scaleup_rank_needed[j] = (scaleup_mask >> (j * 32 + lane_idx)) & 1;",
             """@
            const auto dxt_begun = clock64();
            unsigned dxt_now[kNumScaleupRanksPerLane] = {};"""),
        Edit("stored_cached_scaleup_tail[j] = j <",
             """const bool dxt_pending = stored_is_scaleup_rank_needed[j] and
                        stored_num_tokens_recv[j] >= stored_cached_scaleup_tail[j];
                    @"""),
        Edit("workspace_layout.get_channel_scaleup_tail_ptr(channel_idx, k)) : -1;",
             "@\n                    if (dxt_pending) dxt_now[j] = deepxtrace::since(dxt_begun);"),
        Edit("stored_num_tokens_recv[j] += static_cast<int>(stored_is_scaleup_rank_needed[j]);",
             "dxt_waited[j] += dxt_now[j], @"),
        Edit("const auto expected_signal = math::pack2<int, int64_t>(1, 0);",
             "@\n        unsigned dxt_rail = 0;"),
        Edit("comm::timeout_while<kNumTimeoutCycles>([=]",
             "const auto dxt_begun = clock64();\n"
             "            comm::timeout_while<kNumTimeoutCycles>([=, &dxt_rail]"),
        # Here, since behind the wait the lanes of a warp wait for each other.
        Edit("*wait_ptr = 0;", "dxt_rail = deepxtrace::since(dxt_begun);\n                    @"),
        Edit("return false; }); } __syncwarp(); }",
             f"""return false;
            }});
        }}
        __syncwarp();
        if (channel_idx == 0) {{
            #pragma unroll
            for (int j = 0; j < kNumScaleupRanksPerLane; ++ j) {{
                if (stored_num_tokens_recv[j] > 0 and j * 32 + lane_idx != scaleup_rank_idx)
                    {count}scaleout_rank_idx * kNumScaleupRanks + j * 32 + lane_idx, dxt_waited[j]);
            }}
            if (dxt_rail > 0 and lane_idx != scaleout_rank_idx)
                {count}{_RAIL}, dxt_rail);
        }}
    }}"""),
    )


_WORLD_RANK = ("std::is_same_v<team_t, ncclTeamTagWorld> ? i : "
               "i * dxt_watch.kPeers + scaleup_rank_idx")

# The clock is read inside the loops: behind them the lanes of a warp wait for each other.
_GIN_2_1 = (
    Edit("const auto signal_idx = static_cast<ncclGinSignal_t>(i);",
         "const auto dxt_start = clock64();\n            @", _GIN),
    Edit("return true;", "{\n                    if (i != rank_idx)\n"
         f"                        dxt_watch.arrived({_WORLD_RANK}, clock64() - dxt_start);\n"
         "                    @\n                }", _GIN),
)
_GIN_2_5 = (
    Edit("barrier_gin.wait_signal<team_t, kNumTimeoutCycles>(i, rank_idx);",
         "{\n                const auto dxt_target = *barrier_gin.gin.getSignalShadowPtr(i) + 1;\n"
         "                if (i != rank_idx)\n"
         f"                    dxt_watch.template await<kNumTimeoutCycles>({_WORLD_RANK}, [&] {{\n"
         "                        return barrier_gin.gin.readSignal(i) >= dxt_target;\n"
         "                    });\n                @\n            }", _GIN),
)

_USED_2_1 = "layout::WorkspaceLayout::get_num_bytes()"
_USED_2_5 = "layout::EPWorkspaceLayout::get_num_bytes()"

#: 16 ranks and 4 x 8, 7168 bfloat16, 128 tokens, 256 experts, top-8.
_KERNELS = {
    "dispatch": "true, false, false, 24, 4, 12, 16, 14336, 0, 128, 256, 8, 1, 1, 200000000000",
    "combine": "true, false, true, 24, 15, 16, 7168, 128, 256, 8, 1, 200000000000",
    "hybrid_dispatch":
        "false, false, 24, 4, 4, 4, 4, 8, 14336, 0, 128, 256, 8, 1, 9, 200000000000",
    "hybrid_combine": "false, true, 24, 4, 4, 4, 8, 7168, 128, 256, 8, 9, 200000000000",
}

LAYOUTS = (
    Layout(
        name="2.1", barrier="deep_ep/common/comm.cuh",
        edits={
            "deep_ep/common/layout.cuh": (
                Edit("static int64_t get_num_bytes() {",
                     "static constexpr int64_t get_num_bytes() {"),
            ),
            "deep_ep/common/comm.cuh": _barrier_edits(
                include="#include <deep_ep/common/layout.cuh>", workspace="workspace",
                counter="workspace.get_nvl_barrier_counter_ptr()",
                signal="workspace.get_nvl_barrier_signal_ptr(phase)", base="workspace.workspace",
                used=_USED_2_1, gin="gin.nccl_dev_comm", gin_edits=_GIN_2_1),
            "deep_ep/impls/hybrid_dispatch.cuh": _hybrid_dispatch_edits(_USED_2_1),
            "deep_ep/impls/hybrid_combine.cuh": _hybrid_combine_edits(_USED_2_1),
        },
        size_header="deep_ep/common/layout.cuh", used="deep_ep::elastic::" + _USED_2_1,
        folder="deep_ep/impls/", space="deep_ep::elastic", kernels=_KERNELS),
    Layout(
        name="2.5", barrier="deep_ep/comm/barrier.cuh",
        edits={
            "deep_ep/comm/barrier.cuh": _barrier_edits(
                include="#include <deep_ep/layout/common/barrier.cuh>",
                more="\n#include <deep_ep/layout/ep/workspace.cuh>",
                workspace="signals", counter="counter_ptr", signal="signal_ptr", base="&signals",
                used=_USED_2_5, gin="gin", gin_edits=_GIN_2_5),
            "deep_ep/impls/ep/hybrid_dispatch.cuh": _hybrid_dispatch_edits(_USED_2_5),
            "deep_ep/impls/ep/hybrid_combine.cuh": _hybrid_combine_edits(_USED_2_5),
        },
        size_header="deep_ep/layout/ep/workspace.cuh", used="deep_ep::" + _USED_2_5,
        folder="deep_ep/impls/ep/", space="deep_ep::ep", kernels=_KERNELS),
)
