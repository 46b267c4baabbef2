# SPDX-License-Identifier: Apache-2.0
"""Modules that look like deep_ep did at several times, as far as attach() can tell them apart. They
record how they are called."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import NamedTuple


class Version(NamedTuple):
    """Arguments of the two methods behind self, and which of them take wait counters."""

    dispatch: str
    combine: str
    counts: tuple
    submodule: str = "buffer"


_DISPATCH = "x, topk_idx, num_max_dispatch_tokens_per_rank, num_experts, "
_COMBINE = "x, topk_idx, topk_weights, handle, "
_END = "async_finish=False, return_recv_hook=False"

VERSIONS = {
    "2025-02, nothing": Version(
        _DISPATCH + "use_fp8=True, " + _END, _COMBINE + "zero_copy=False, " + _END, ()
    ),
    "2025-06, counts of tokens only": Version(
        _DISPATCH + "cumulative_local_expert_recv_stats=None, use_fp8=True, round_scale=False, "
        "use_ue8m0=False, " + _END,
        _COMBINE + "use_logfmt=False, zero_copy=False, " + _END + ", out=None",
        (),
    ),
    "dispatch only": Version(
        _DISPATCH + "cumulative_local_expert_recv_stats=None, "
        "dispatch_wait_recv_cost_stats=None, use_fp8=True, " + _END,
        _COMBINE + "zero_copy=False, " + _END + ", out=None",
        (0,),
    ),
    "2025-07, both": Version(
        _DISPATCH + "cumulative_local_expert_recv_stats=None, "
        "dispatch_wait_recv_cost_stats=None, use_fp8=True, round_scale=False, use_ue8m0=False, "
        + _END,
        _COMBINE + "use_logfmt=False, zero_copy=False, " + _END + ", out=None, "
        "combine_wait_recv_cost_stats=None",
        (0, 1),
    ),
    "with arguments of a fork, by name only": Version(
        _DISPATCH + "cumulative_local_expert_recv_stats=None, use_fp8=True, round_scale=False, "
        "use_ue8m0=False, use_nvfp4=False, x_global_scale=None, " + _END + ", *, "
        "dispatch_wait_recv_cost_stats=None, **more",
        _COMBINE + "use_logfmt=False, zero_copy=False, overlap=False, packed_recv_count=None, "
        "comp_signal=None, block_m=64, threshold=0, num_sms=3, " + _END + ", out=None, "
        "combine_wait_recv_cost_stats=None",
        (0, 1),
    ),
    "version 2, in a deeper module": Version(
        _DISPATCH + "cumulative_local_expert_recv_stats=None, "
        "dispatch_wait_recv_cost_stats=None, use_fp8=True, round_scale=False, use_ue8m0=False, "
        + _END,
        _COMBINE + "use_logfmt=False, zero_copy=False, " + _END + ", out=None, "
        "combine_wait_recv_cost_stats=None",
        (0, 1),
        "buffers.legacy",
    ),
}

_SOURCE = '''
import torch
import torch.distributed as dist


class Buffer:
    """A stand-in."""

    num_sms = 20

    def __init__(self, group, num_nvl_bytes=0, num_rdma_bytes=0, low_latency_mode=False, **more):
        self.group = group
        self.group_size = group.size() if group is not None else 0
        self.low_latency_mode = low_latency_mode
        self.calls = []

    def low_latency_dispatch(self, {dispatch}):
        """Says how it was called."""
        self.calls.append({{k: v for k, v in locals().items() if k != "self"}})
        if num_experts == 13:
            raise ZeroDivisionError("thirteen")
        return ("dispatched", self.calls[-1])

    def low_latency_combine(self, {combine}):
        self.calls.append({{k: v for k, v in locals().items() if k != "self"}})
        return ("combined", self.calls[-1])


class Config:
    pass
'''


def write_deep_ep(folder: Path, version: Version, source: str = _SOURCE) -> None:
    """Make `folder`/deep_ep a package of that version."""
    package = folder / "deep_ep"
    module = package / (version.submodule.replace(".", "/") + ".py")
    module.parent.mkdir(parents=True, exist_ok=True)
    text = source.format(dispatch=version.dispatch, combine=version.combine)
    module.write_text(textwrap.dedent(text))
    if "." in version.submodule:
        (module.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text(
        f"from .{version.submodule} import Buffer, Config\n\n__version__ = '1.2.1'\n"
    )
