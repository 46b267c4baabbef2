# SPDX-License-Identifier: Apache-2.0
"""NIXL EP: the low-latency kernels of DeepEP, with methods of other names. Ranks come and go, and
need not be a group of torch.distributed."""
from __future__ import annotations

from typing import Any, Dict, Optional

from ._arguments import find
from ._counted import CountedBuffers


class _Ranks:
    """As much of a process group as is needed."""

    def __init__(self, rank: int, size: int) -> None:
        self._rank, self._size = rank, size

    def rank(self) -> int:
        return self._rank

    def size(self) -> int:
        return self._size


class NixlEP(CountedBuffers):
    """`nixl_ep.Buffer`."""

    operators = (("dispatch", "dispatch_wait_recv_cost_stats"),
                 ("combine", "combine_wait_recv_cost_stats"))
    #: How many ranks there are is told by the first, who they are by the second.
    beginnings = ("connect_ranks",)

    def concerns(self, cls: type, module: Any) -> bool:
        """Many classes have methods of these names."""
        if module.__name__.split(".")[0] == "nixl_ep":
            return cls.__name__ == "Buffer"
        method = find(cls, "dispatch")
        return bool(method and method.arguments
                    and "dispatch_wait_recv_cost_stats" in method.arguments.names)

    def ready(self, buffer: Any) -> bool:
        return bool(getattr(buffer, "group_size", 0)) and getattr(buffer, "low_latency_mode", True)

    def group(self, buffer: Any) -> Any:
        group = super().group(buffer)
        if group is not None:
            return group
        size, rank = getattr(buffer, "group_size", 0), getattr(buffer, "rank", None)
        if self._store(buffer) is None or not isinstance(rank, int) or not 0 <= rank < size:
            return None
        return _Ranks(rank, size)

    def options(self, buffer: Any) -> Dict[str, Any]:
        return {} if super().group(buffer) is not None else {"store": self._store(buffer)}

    @staticmethod
    def _store(buffer: Any) -> Optional[Any]:
        return getattr(buffer, "tcp_store_group", None)


LIBRARY = NixlEP
