# SPDX-License-Identifier: Apache-2.0
"""One rank's end of libdeepxtrace-ep for one shape of operations, and what is under way in it."""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections import deque
from ctypes import byref, c_size_t, c_void_p
from typing import Any, Callable, Deque, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from numpy.typing import NDArray

from . import _ep_lib as c
from ._ep_memory import GroupMemory
from ._ep_tensors import require

# Layout of a dxt_probe (types.h): 64 bytes of head, 64 for each operator, then the cells.
_HEAD_WORDS = 8 + c.OPERATORS * 8
_CELL_WORDS = 24
#: The longest that a signal is left waiting.
_SLICE_NS = 50_000_000


class Shape(NamedTuple):
    """What an engine is made for."""

    max_tokens: int
    hidden: int
    experts: int


class Operation:
    """An operation that was sent. It keeps alive what the engine will write to, until it has."""

    def __init__(self, arguments: ctypes.Structure, tensors: Sequence[Any]) -> None:
        self.arguments = arguments
        self.tensors = tensors
        self.wait_stats: Optional[torch.Tensor] = None
        self.count_stats: Optional[Tuple[torch.Tensor, torch.Tensor]] = None
        self.received = False
        #: What the caller receives it with: gone if nobody can any more.
        self.hook: Optional["weakref.ref[Callable[[], None]]"] = None

    def is_held(self) -> bool:
        return self.hook is not None and self.hook() is not None


class Engine:
    """One rank's end of a dxt_ep, its probe, and what is under way. One thread at a time."""

    def __init__(self, rank: int, ranks: int, shape: Shape, timeout_ns: int, memory: GroupMemory):
        self._lock = threading.RLock()
        self._pending: List[Deque[Operation]] = [deque() for _ in range(c.OPERATORS)]
        self._segment: Any = None
        self._probe = c_void_p()
        self.ep = c_void_p()
        self.ranks = ranks
        self.slots = ranks * shape.max_tokens
        self.local_experts = shape.experts // ranks
        self.zero_copy_x: Optional[torch.Tensor] = None
        config = engine_config(ranks, shape)
        size = segment_size(config)
        try:
            c.core.dxt_probe_create(c.OPERATORS, ranks, byref(self._probe))
            self._segment = memory.next_part(size)
            config.rank = rank
            config.timeout_ns = timeout_ns
            config.probe = self._probe
            config.memory = self._segment.address
            c.lib.dxt_ep_create(byref(config), byref(self.ep))
        except BaseException:
            self.close()
            raise
        self.waits = _wait_sums(self._probe, ranks)
        self._counted = self.waits.copy()

    def close(self) -> None:
        with self._lock:
            if self.ep:
                # In place: whoever was interrupted with it in hand has nothing in hand then.
                ep, self.ep.value = c_void_p(self.ep.value), None
                c.lib.dxt_ep_destroy(ep)
            self.waits = np.empty((0, 0), np.int64)
            if self._probe:
                c.core.dxt_probe_destroy(self._probe)
                self._probe = c_void_p()
            if self._segment is not None:
                self._segment.close()
                self._segment = None

    def send(self, index: int, operation: Operation) -> None:
        call = (c.lib.dxt_ep_dispatch_send, c.lib.dxt_ep_combine_send)[index]
        with self._lock:
            require(bool(self.ep), "the Buffer was destroyed")
            pending = self._pending[index]
            # What was interrupted and nobody can receive any more takes no room for ever.
            while len(pending) == c.IN_FLIGHT and not pending[0].is_held():
                self._receive_oldest(index)
            self._wait_for_buffer(index, byref(operation.arguments))
            # First: a signal that comes while it is sent does not make it unsent.
            pending.append(operation)
            try:
                call(self.ep, byref(operation.arguments))
            except c.EpError:
                pending.remove(operation)
                raise

    def _wait_for_buffer(self, index: int, arguments: Any) -> None:
        """Wait until an operation, which is checked first, can be sent without waiting."""
        # Between slices Python looks after signals: Ctrl-C ends the wait, and nothing is sent.
        status = c.ERR_TIMEOUT
        while status == c.ERR_TIMEOUT:
            status = c.lib.dxt_ep_wait_buffer(self.ep, index, arguments, _SLICE_NS)
            require(bool(self.ep), "the Buffer was destroyed")

    def receive(self, index: int, operation: Operation) -> None:
        """Receive everything of a kind up to an operation: they come in the order of sending."""
        with self._lock:
            while not operation.received:
                self._receive_oldest(index)

    def _receive_oldest(self, index: int) -> None:
        """Receive the oldest of a kind, unless a signal handler does so meanwhile."""
        require(bool(self.ep), "the Buffer was destroyed")
        operation = self._pending[index][0]
        received = False
        try:
            if not self._wait(index, operation):
                return
            received = True
            (c.lib.dxt_ep_dispatch_recv, c.lib.dxt_ep_combine_recv)[index](self.ep)
        except c.EpError as error:
            # Whatever else went wrong, the operation is over.
            received = error.status != c.ERR_MASKED
            raise
        finally:
            if self.ep:
                self._count(index, operation)
            if received and not operation.received:
                operation.received = True
                operation.tensors = ()
                self._pending[index].remove(operation)
        if operation.count_stats is not None:
            total, counts = operation.count_stats
            total.numpy()[:] += counts.numpy()

    def _wait(self, index: int, operation: Operation) -> bool:
        """Wait for the oldest operation of a kind. False if a signal handler has received it."""
        # Between slices Python looks after signals: Ctrl-C ends the wait, not the operation. What
        # handles one may receive the operation itself, or destroy the Buffer.
        status = c.ERR_TIMEOUT
        while status == c.ERR_TIMEOUT:
            status = c.lib.dxt_ep_wait(self.ep, index, _SLICE_NS)
            if operation.received:
                return False
            require(bool(self.ep), "the Buffer was destroyed")
        return True

    def _count(self, index: int, operation: Operation) -> None:
        """Add to its counters what was waited since the last call, which no other has."""
        before, now = self._counted[index].copy(), self.waits[index].copy()
        self._counted[index] = now
        if operation.wait_stats is not None:
            # Through NumPy, for tensors that were made in inference mode.
            operation.wait_stats.numpy()[:] += now - before


def engine_config(ranks: int, shape: Shape) -> c.Config:
    """What an engine of that shape is created with, but for the rank and its memory."""
    # Room for as many routes as an engine can have: the ranks need not agree on theirs, and rows
    # that are never written take no memory.
    return c.Config(
        struct_size=ctypes.sizeof(c.Config),
        ranks=ranks,
        max_tokens=shape.max_tokens,
        hidden=shape.hidden,
        experts=shape.experts,
        max_topk=min(c.MAX_TOPK, shape.experts),
    )


def segment_size(config: c.Config) -> int:
    """Bytes that all ranks share."""
    size = c_size_t()
    c.lib.dxt_ep_buffer_size(byref(config), byref(size))
    return size.value


def _wait_sums(probe: c_void_p, ranks: int) -> NDArray[np.int64]:
    """wait_ticks_sum of a probe as [operator, source], in place."""
    words = _HEAD_WORDS + c.OPERATORS * ranks * _CELL_WORDS
    block = np.ctypeslib.as_array(ctypes.cast(probe, ctypes.POINTER(ctypes.c_int64)), (words,))
    return block[_HEAD_WORDS:].reshape(c.OPERATORS, ranks, _CELL_WORDS)[:, :, 0]
