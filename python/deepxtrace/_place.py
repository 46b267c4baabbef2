# SPDX-License-Identifier: Apache-2.0
"""Where a rank is: host, GPU, process, and its rank in the whole job."""
from __future__ import annotations

import contextlib
import ctypes as c
import os
import socket
from typing import Any, Optional, Tuple

from . import _lib
from ._group import ranks_of

_UUID_BYTES = 16


def _text(value: str, room: int) -> bytes:
    return value.encode("utf-8", "replace")[:room - 1]


def place(device: Any, group: Any) -> _lib.Place:
    """The place of this rank, whose counters lie on `device`. What cannot be found out is not
    known; that is no fault."""
    found = _lib.Place(pid=os.getpid(), rank=_global_rank(group), gpu=-1,
                       host=_text(socket.gethostname(), 256))
    with contextlib.suppress(Exception):
        import torch
        kind = torch.device(device)
        if kind.type == "cuda" and torch.version.hip is None:
            ordinal = kind.index if kind.index is not None else torch.cuda.current_device()
            uuid, pci = _identity(ordinal)
            found.uuid, found.pci = _text(uuid, 64), _text(pci, 32)
            index = _index_on_host(pci)
            found.gpu = _listed(ordinal) if index is None else index
        elif kind.type != "cpu":
            found.gpu = kind.index if kind.index is not None else 0
    return found


def _global_rank(group: Any) -> int:
    with contextlib.suppress(Exception):
        import torch.distributed as dist
        if dist.is_initialized():
            return int(dist.get_rank())
    return int(os.environ.get("RANK", "-1")) if os.environ.get("RANK", "").isdigit() else -1


def _identity(ordinal: int) -> Tuple[str, str]:
    """UUID and PCI bus id of a device of this process, as nvidia-smi writes them."""
    cuda = c.CDLL("libcuda.so.1")
    device, raw, pci = c.c_int(), (c.c_ubyte * _UUID_BYTES)(), c.create_string_buffer(32)
    if cuda.cuDeviceGet(c.byref(device), ordinal) != 0:
        return "", ""
    text = ""
    if cuda.cuDeviceGetUuid(c.byref(raw), device) == 0:
        digits = bytes(raw).hex()
        text = "GPU-" + "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20],
                                  digits[20:]))
    if cuda.cuDeviceGetPCIBusId(pci, len(pci), device) != 0:
        return text, ""
    return text, pci.value.decode().lower()


def _index_on_host(pci: str) -> Optional[int]:
    """What `nvidia-smi -i` takes for the GPU on that bus id."""
    if not pci:
        return None
    try:
        nvml = c.CDLL("libnvidia-ml.so.1")
        if nvml.nvmlInit_v2() != 0:
            return None
        handle, index = c.c_void_p(), c.c_uint()
        failed = (nvml.nvmlDeviceGetHandleByPciBusId_v2(pci.encode(), c.byref(handle)) != 0
                  or nvml.nvmlDeviceGetIndex(handle, c.byref(index)) != 0)
        nvml.nvmlShutdown()
        return None if failed else index.value
    except (OSError, AttributeError):
        return None


def _listed(ordinal: int) -> int:
    """The same by what makes devices visible to this process."""
    visible = [word.strip() for word in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    if ordinal < len(visible) and visible[ordinal].isdigit():
        return int(visible[ordinal])
    return ordinal


def group_name(group: Any) -> str:
    """The ranks of a group, by which a person knows it, such as 0-7 or 0,8,16,24."""
    ranks = ranks_of(group)
    step = ranks[1] - ranks[0] if len(ranks) > 1 else 1
    if len(ranks) > 1 and step > 0 and all(b - a == step for a, b in zip(ranks, ranks[1:])):
        if step == 1:
            return f"{ranks[0]}-{ranks[-1]}"
        if len(ranks) > 4:
            return f"{ranks[0]}-{ranks[-1]}by{step}"
    if len(ranks) <= 4:
        return ",".join(map(str, ranks))
    return f"{ranks[0]}-{ranks[-1]}of{len(ranks)}"


def crowded(ranks: int, store: Any) -> Optional[Tuple[int, int]]:
    """How many ranks of a group without accelerators run here, and on how many processors, if that
    is fewer; None where each has its own, or it is not known."""
    root = store
    while hasattr(root, "underlying_store"):
        root = root.underlying_store
    local = os.environ.get("LOCAL_WORLD_SIZE", "")
    here = getattr(root, "host", os.environ.get("MASTER_ADDR", ""))
    if local.isdigit():
        count = min(int(local), ranks)
    elif here in ("localhost", "::1") or here.startswith("127."):
        count = ranks
    else:
        return None
    processors = len(os.sched_getaffinity(0))
    return (count, processors) if count > processors else None
