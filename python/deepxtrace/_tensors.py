# SPDX-License-Identifier: Apache-2.0
"""Wait counters in torch tensors, and how they are read while kernels go on counting.

They are never zeroed: whoever has two copies has a window. Tensors on the CPU are read as they lie.
On a CUDA device one asynchronous copy goes to pinned memory on a stream of its own, so that it is
ordered behind nothing that the job does, and its event is polled.
"""
from __future__ import annotations

import contextlib
import ctypes
import time
from typing import Any, Callable, Iterator, Optional

import numpy as np

_POLL_SECONDS = 0.0002
#: Experts of one rank whose tokens are counted, at most.
MAX_LOCAL_EXPERTS = 1024
#: CU_STREAM_CAPTURE_MODE_RELAXED.
_RELAXED = 2


def landed(event: Any, deadline: float, ended: Callable[[], bool]) -> bool:
    """Wait for an event of the device. False at the deadline, and as soon as the session ends."""
    while not event.query():
        if ended() or time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


class Counters:
    """Dispatch and combine of one mode: two int64 ``[N]`` tensors; behind them, in the same block,
    room for tokens received by local expert.

    ``device`` is anything torch.device() takes.
    """

    def __init__(self, ranks: int, device: Any) -> None:
        import torch
        self._ranks = ranks
        self._local_experts = 0  # whose tokens are counted
        self._tokens = np.zeros(MAX_LOCAL_EXPERTS, np.int64)
        self._tokens_before = np.zeros(MAX_LOCAL_EXPERTS, np.uint32)
        # Plain tensors even if inference constructs them: its own may not be changed elsewhere.
        with torch.inference_mode(False):
            self._block = torch.zeros(2 * ranks + MAX_LOCAL_EXPERTS // 2, dtype=torch.int64,
                                      device=device)
            self.dispatch, self.combine = self._block[:ranks], self._block[ranks:2 * ranks]
            self._received = self._block[2 * ranks:].view(torch.int32)
        kind = self._block.device.type
        self._host = self._block.numpy() if kind == "cpu" else None
        self._cuda = _CudaCopy(self._block) if kind == "cuda" else None

    @property
    def read_ns(self) -> int:
        """When the last read() copied, as time.monotonic_ns(); 0 = as it returned. Before and
        behind the copy a thread may wait for seconds, where the host of the job keeps the device's
        queue full."""
        return self._cuda.read_ns if self._cuda is not None else 0

    def read(self, out: np.ndarray, seconds: float, ordered: bool) -> bool:
        """Copy both rows into ``out[2, N]``, and see which tokens have come.

        ``ordered``: behind the kernels that this thread has launched. False if the device did not
        answer within ``seconds``. One thread at a time.
        """
        if self._host is not None:
            block = self._host
        elif self._cuda is not None:
            copied = self._cuda.read(seconds, ordered)
            if copied is None:
                return False
            block = copied
        else:
            block = self._block.cpu().numpy()
        out[:] = block[:2 * self._ranks].reshape(2, -1)
        # What kernels count in 32 bits goes round; less than that comes between two readings.
        received = block[2 * self._ranks:].view(np.uint32).copy()
        self._tokens += received - self._tokens_before
        self._tokens_before = received
        return True

    def hurry(self, ended: bool) -> None:
        """Let a read() that waits for the device return at once; until it is called with False."""
        if self._cuda is not None:
            self._cuda.ended = ended

    def tokens_of(self, local_experts: int) -> Any:
        """Where the tokens of as many local experts are counted: an int32 tensor, the same one
        every time; None if there are too many, or it was asked for another number before."""
        if not 1 <= local_experts <= MAX_LOCAL_EXPERTS:
            return None
        if self._local_experts == 0:
            self._received, self._local_experts = self._received[:local_experts], local_experts
        return self._received if self._local_experts == local_experts else None

    @property
    def tokens(self) -> np.ndarray:
        """Tokens received so far by local expert, as of the last read(); empty if not counted."""
        return self._tokens[:self._local_experts]


class _CudaCopy:
    ended = False
    #: When the last copy was given to the device, which nothing keeps waiting but `ordered`.
    read_ns = 0

    def __init__(self, block: Any) -> None:
        import torch
        self._torch = torch
        self._block = block
        self._pinned = torch.zeros(block.shape, dtype=torch.int64, device="cpu",
                                   pin_memory=True)
        self._stream = torch.cuda.Stream(block.device)
        self._event = torch.cuda.Event()
        self._pending = False
        # The zeros are there before anybody looks from another stream.
        torch.cuda.current_stream(block.device).synchronize()

    def read(self, seconds: float, ordered: bool) -> Optional[np.ndarray]:
        """The block as it is on the device; None if it did not answer. Until the next call."""
        deadline = time.monotonic() + seconds
        # A thread of ours begins on GPU 0. To ask for an event from there would make a context on
        # it, of each rank of the host.
        with capture_allowed(), self._torch.cuda.device(self._block.device):
            # What an earlier call gave up on must land first: there is one buffer.
            if self._pending and not self._wait(deadline):
                return None
            if ordered:
                self._stream.wait_stream(self._torch.cuda.current_stream(self._block.device))
            with self._torch.cuda.stream(self._stream):
                self._pinned.copy_(self._block, non_blocking=True)
                self.read_ns = 0 if ordered else time.monotonic_ns()
                self._event.record(self._stream)
            self._pending = True
            if not self._wait(deadline):
                return None
        block: np.ndarray = self._pinned.numpy()
        return block

    def _wait(self, deadline: float) -> bool:
        self._pending = not landed(self._event, deadline, lambda: self.ended)
        return not self._pending


def _find_exchange() -> Optional[Any]:
    """The driver's function that sets how strict this thread is about captures of others."""
    for library, name in (("libcuda.so.1", "cuThreadExchangeStreamCaptureMode"),
                          ("libamdhip64.so", "hipThreadExchangeStreamCaptureMode")):
        with contextlib.suppress(OSError, AttributeError):
            function = getattr(ctypes.CDLL(library), name)
            function.restype, function.argtypes = ctypes.c_int, (ctypes.POINTER(ctypes.c_int),)
            return function
    return None


_exchange: Optional[Any] = None


@contextlib.contextmanager
def capture_allowed() -> Iterator[None]:
    """While another thread captures a graph in the global mode, copies and event queries of this
    one would make that capture fail. They are not part of it, and inside here the driver is told
    so, for this thread alone."""
    global _exchange
    if _exchange is None:
        _exchange = _find_exchange()
    if _exchange is None:
        raise RuntimeError("neither CUDA's nor HIP's library lets counters be read beside a graph "
                           "capture")
    mode = ctypes.c_int(_RELAXED)
    if _exchange(ctypes.byref(mode)) != 0:
        raise RuntimeError("the driver refuses to change this thread's capture mode")
    try:
        yield
    finally:
        _exchange(ctypes.byref(mode))


def default_device(group: Any) -> str:
    """Where the counters of a group belong: with the accelerator, unless the group knows only the
    CPU."""
    import torch
    import torch.distributed as dist
    try:
        backend = str(dist.get_backend(group)).lower()
    except (RuntimeError, ValueError, TypeError, AttributeError):
        backend = ""  # a stand-in for a group
    if backend in ("gloo", "mpi"):
        return "cpu"
    for kind in ("cuda", "npu", "xpu"):
        module = getattr(torch, kind, None)
        if module is not None and module.is_available():
            return kind
    return "cpu"


def is_capturing() -> bool:
    """Whether this thread is capturing a CUDA graph."""
    import torch
    return bool(torch.cuda.is_current_stream_capturing())


def clock_rate(device: Any) -> int:
    """Ticks per second of what kernels on ``device`` count with: on the CPU the clock of our probe,
    on CUDA the SM clock at its fullest; 0 = not known."""
    import torch
    kind = torch.device(device).type
    if kind == "cpu":
        from ._lib import lib
        return int(lib.dxt_probe_clock_rate())
    if kind != "cuda":
        return 0
    properties = torch.cuda.get_device_properties(device)
    khz = getattr(properties, "clock_rate", 0)
    if khz:
        return int(khz) * 1000
    try:
        import pynvml
        handle = torch.cuda._get_pynvml_handler(torch.device(device))
        return int(pynvml.nvmlDeviceGetMaxClockInfo(handle, pynvml.NVML_CLOCK_SM)) * 1_000_000
    except Exception:  # whatever of this is missing: the rate is not known, and that is no fault
        return 0
