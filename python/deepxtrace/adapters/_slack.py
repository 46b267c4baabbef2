# SPDX-License-Identifier: Apache-2.0
"""Counters that kernels of DeepEP V2 keep in their workspace, and how they are read."""
from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from typing import Any, Callable, List, Optional

import numpy as np

from .. import _lib
from .._tensors import capture_allowed, landed

#: In the order in which the kernels have them.
OPERATORS = ("dispatch", "dispatch transfer", "combine", "combine transfer")
#: As struct Area of deepep_v2.cuh has it, in words of 8 bytes.
MAX_RANKS = 1024
_BEGUN = 22
_REACHED = _BEGUN + len(OPERATORS)
_WAIT = _REACHED + MAX_RANKS // 2  # of 4 bytes each
_SAMPLES = _WAIT + len(OPERATORS) * MAX_RANKS
AREA_WORDS = _SAMPLES + len(OPERATORS) * MAX_RANKS
#: Operations after which a rank that has announced none of them is known to announce none.
_SURE = 2


class SlackCounters:
    """The counters of one rank, at an address of the GPU. They are only read.

    The memory is the library's: close() must have returned before it is released. One thread reads;
    any may close.
    """

    def __init__(self, address: int, ranks: int, device: Any, one_node: bool) -> None:
        import torch
        self._torch, self._device, self._address = torch, device, address
        self._ranks, self._one_node = ranks, one_node
        self.operators = OPERATORS
        self.origin = _lib.ORIGIN_BARRIER
        self.closed = self._ended = False
        #: When the last copy was given to the device; 0 = behind the job's kernels.
        self.read_ns = 0
        self._lock = threading.Lock()
        self._area: np.ndarray = np.zeros(AREA_WORDS, np.int64)
        # All of it now: later there may be a step that must not be held up.
        self._pinned = torch.zeros(AREA_WORDS, dtype=torch.int64, device="cpu", pin_memory=True)
        self._event = torch.cuda.Event()
        self._stream = torch.cuda.Stream(device)
        self._copy: Callable[..., None] = _copier()
        self._pending = False

    def close(self) -> None:
        """Read no more. A copy that is under way ends before the library releases the memory: it
        waits for the whole device first."""
        # Not `with`: the garbage collector may call this in the thread that holds the lock.
        held = self._lock.acquire(timeout=0.1)
        self.closed = True
        if held:
            self._lock.release()

    def read(self, seconds: float, ordered: bool) -> bool:
        """Take the counters as they are; False if the device did not answer in that time, or they
        are closed. `ordered`: behind the kernels that this thread has launched."""
        deadline = time.monotonic() + seconds
        with capture_allowed(), self._torch.cuda.device(self._device):
            stream = self._stream
            if self._pending and not self._wait(deadline):
                return False
            if ordered:
                stream.wait_stream(self._torch.cuda.current_stream(self._device))
            with self._lock:
                if self.closed:
                    return False
                self._copy(self._pinned.data_ptr(), self._address, 8 * AREA_WORDS,
                           stream.cuda_stream)
                self.read_ns = 0 if ordered else time.monotonic_ns()
                self._event.record(stream)
                self._pending = True
            if not self._wait(deadline):
                return False
        self._area = self._pinned.numpy().copy()
        return True

    def _wait(self, deadline: float) -> bool:
        self._pending = not landed(self._event, deadline, lambda: self.closed or self._ended)
        return not self._pending

    def hurry(self, ended: bool) -> None:
        """Let a read() that waits for the device return at once; until it is called with False."""
        self._ended = ended

    # ---- as of the last read()

    @property
    def operations(self) -> np.ndarray:
        """How often this rank has done each operator: a transfer as often as what it belongs to."""
        return np.repeat(self._area[:len(OPERATORS):2], 2)

    @property
    def begun(self) -> Optional[np.ndarray]:
        """How often this rank has begun each operator: it has come to its barrier. None where it is
        not counted, without NVLink, and where a rank may wait for another before a barrier: for
        those of its rail, in hybrid mode."""
        begun = self._area[_BEGUN:_REACHED]
        if not self._one_node or begun[0] == 0:
            return None
        return np.maximum(begun, self.operations)  # which are read a moment apart

    @property
    def waits(self) -> np.ndarray:
        """Cycles waited, ``[operator, rank]``."""
        return self._table(_WAIT)

    @property
    def samples(self) -> np.ndarray:
        """Waits in these sums, ``[operator, rank]``."""
        return self._table(_SAMPLES)

    def _table(self, first: int) -> np.ndarray:
        table = self._area[first:first + len(OPERATORS) * MAX_RANKS]
        return table.reshape(len(OPERATORS), MAX_RANKS)[:, :self._ranks]

    def strangers(self, rank: int) -> List[int]:
        """Ranks whose kernels have no counters, as seen by this rank: they announce nothing. Known
        within one node only."""
        if not self._one_node or self.operations.max() < _SURE:
            return []
        reached = self._area[_REACHED:_WAIT].view(np.uint32)
        return [other for other in range(self._ranks) if other != rank and reached[other] == 0]


def _copier() -> Callable[..., None]:
    """The driver's function that copies to the host and does not care what kind of memory it is."""
    with contextlib.suppress(OSError, AttributeError):
        function = ctypes.CDLL("libcuda.so.1").cuMemcpyDtoHAsync_v2
        function.restype = ctypes.c_int
        function.argtypes = (ctypes.c_void_p, ctypes.c_uint64, ctypes.c_size_t, ctypes.c_void_p)

        def copy(target: int, source: int, size: int, stream: Optional[int]) -> None:
            error = function(target, source, size, stream)
            if error != 0:
                raise RuntimeError(f"the counters cannot be copied: CUDA error {error}")

        return copy
    raise RuntimeError("CUDA's driver is not there")
