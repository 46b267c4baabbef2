# SPDX-License-Identifier: Apache-2.0
"""NIXL EP: the low-latency kernels of DeepEP, in methods of other names until April 2026. Ranks
come and go, and need not be a group of torch.distributed.

Its operations refuse counters of another number of ranks than they are over: from 0 to the last one
that is active. So a Buffer is counted while that is all of them.
"""
from __future__ import annotations

import functools
import logging
from typing import Any, Dict, Optional, Set, Tuple

from ._arguments import Arguments, find
from ._counted import CountedBuffers

#: An attribute of each Buffer.
_RANKS = "_deepxtrace_ranks"
#: Methods that tell of ranks, besides the one that begins a diagnosis.
_TELLING = ("update_memory_buffers", "disconnect_ranks", "update_mask_buffer", "clean_mask_buffer")
_COUNTERS = ("dispatch_wait_recv_cost_stats", "combine_wait_recv_cost_stats")


class _Ranks:
    """As much of a process group as is needed."""

    def __init__(self, rank: int, size: int) -> None:
        self._rank, self._size = rank, size

    def rank(self) -> int:
        return self._rank

    def size(self) -> int:
        return self._size


class _Known:
    """What the calls of a Buffer have told of its ranks."""

    def __init__(self, services: Any, rank: Any) -> None:
        self.services, self.own, self.experts_each = services, rank, 0
        self.connected: Set[int] = set()
        self.active: Set[int] = set()
        self.bound = 0  #: ranks that an operation is over
        self.said = False  #: that it is not counted

    def update_memory_buffers(self, num_ranks: int, num_experts_per_rank: int, *_: Any,
                              **__: Any) -> None:
        self.experts_each = num_experts_per_rank

    def connect_ranks(self, remote_ranks: Any, activate: bool = True) -> None:
        self.connected |= set(remote_ranks)
        if activate:
            self.active |= set(remote_ranks)

    def disconnect_ranks(self, remote_ranks: Any) -> None:
        self.connected -= set(remote_ranks)
        self.active -= set(remote_ranks)

    def update_mask_buffer(self, rank_to_mask: int, mask: bool = False) -> None:
        (self.active.discard if mask else self.active.add)(rank_to_mask)

    def clean_mask_buffer(self) -> None:
        self.active = set(self.connected)

    def settle(self) -> None:
        """Behind a call, and not in each operation."""
        self.bound = int(max({self.own, *self.active})) + 1


class NixlEP(CountedBuffers):
    """`nixl_ep.Buffer`."""

    operators = (("dispatch", _COUNTERS[0]), ("combine", _COUNTERS[1]))
    #: How many ranks there are is told by the first, who they are by the second.
    beginnings = ("connect_ranks",)

    def operators_of(self, cls: type) -> Tuple[Tuple[str, str], Tuple[str, str]]:
        if _has_counters(cls, "low_latency_dispatch"):
            return (("low_latency_dispatch", _COUNTERS[0]), ("low_latency_combine", _COUNTERS[1]))
        return self.operators

    def concerns(self, cls: type, module: Any) -> bool:
        """Many classes have methods of these names."""
        if module.__name__.split(".")[0] == "nixl_ep":
            return cls.__name__ == "Buffer"
        return _has_counters(cls, "dispatch") or (
            hasattr(cls, "connect_ranks") and _has_counters(cls, "low_latency_dispatch"))

    def _wrap_class(self, cls: type, module: Any) -> None:
        super()._wrap_class(cls, module)
        for name, tell in vars(_Known).items():
            method = find(cls, name)
            if name in _TELLING and method is not None and method.arguments is not None:
                self.services.replace(method.owner, name, self._telling(method.original, tell))

    def _beginning(self, original: Any) -> Any:
        return super()._beginning(self._telling(original, _Known.connect_ranks))

    def _telling(self, original: Any, tell: Any) -> Any:
        @functools.wraps(original)
        def wrapper(buffer: Any, *args: Any, **kwargs: Any) -> Any:
            if not self.services.active:
                return original(buffer, *args, **kwargs)
            # Not counted meanwhile, nor behind a call that fails: how far it came, nobody tells.
            known = self.services.quietly("following the ranks", self._take, buffer)
            result = original(buffer, *args, **kwargs)
            if known is not None:
                self.services.quietly("following the ranks", self._follow, buffer, known, tell,
                                      args, kwargs)
            return result

        return wrapper

    def _take(self, buffer: Any) -> _Known:
        """What is known of a Buffer, which forgets it."""
        known = self._known(buffer)
        vars(buffer).pop(_RANKS, None)
        return known

    @staticmethod
    def _follow(buffer: Any, known: _Known, tell: Any, args: Tuple[Any, ...],
                kwargs: Dict[str, Any]) -> None:
        tell(known, *args, **kwargs)
        known.settle()
        vars(buffer)[_RANKS] = known

    def _known(self, buffer: Any) -> _Known:
        known: Optional[_Known] = vars(buffer).get(_RANKS)
        if known is None or known.services is not self.services:
            # What another attach() has left may not be so any more.
            known = vars(buffer)[_RANKS] = _Known(self.services, getattr(buffer, "rank", 0))
        return known

    def takes(self, buffer: Any, diagnose: Any) -> bool:
        known, size = self._known(buffer), getattr(buffer, "group_size", 0)
        if known.bound == size == diagnose.group_size:
            return True
        if known.said:
            return False
        known.said = True
        self.services.once(logging.INFO, "a Buffer of NIXL EP is counted while all of its %d ranks"
                           " are seen to be connected", size)
        self.services.nothing("a Buffer of NIXL EP was not seen to be connected to all its ranks")
        return False

    def experts(self, buffer: Any, arguments: Arguments, args: Tuple[Any, ...],
                kwargs: Dict[str, Any]) -> Optional[int]:
        number, known = super().experts(buffer, arguments, args, kwargs), self._known(buffer)
        if number is None and known.experts_each > 0:
            return int(known.experts_each * buffer.group_size)
        return number

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


def _has_counters(cls: type, name: str) -> bool:
    method = find(cls, name)
    return bool(method and method.arguments and _COUNTERS[0] in method.arguments.names)


LIBRARY = NixlEP
