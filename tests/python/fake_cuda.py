# SPDX-License-Identifier: Apache-2.0
"""CUDA's streams and graphs where there is no GPU, as far as torch 2.11 shows them to a program:
captures belong to streams and spread along events, a capture that is invalidated fails at its end,
and graphs may be replayed anywhere, also into another capture. Kernels are functions, which run
when they are launched or replayed."""

from __future__ import annotations

import contextlib
import itertools
import threading
from typing import Any, Callable, Iterator, List, Optional


class Capture:
    """One capture under way."""

    _ids = itertools.count(7)

    def __init__(self) -> None:
        self.id = next(self._ids)
        self.nodes: List[Callable[[], None]] = []
        self.valid = True


class Stream:
    _handles = itertools.count(0x1000, 0x10)

    def __init__(self) -> None:
        self.cuda_stream = next(self._handles)
        self.capture: Optional[Capture] = None

    def wait_stream(self, other: "Stream") -> None:
        """What waits for captured work is captured, too."""
        if other.capture is not None:
            self.capture = other.capture


class Device:
    """What stands for the driver and for torch.cuda."""

    def __init__(self) -> None:
        self._local = threading.local()
        self.default = Stream()

    def current_stream(self, _device: Any = None) -> Stream:
        return getattr(self._local, "stream", self.default)

    @contextlib.contextmanager
    def stream(self, stream: Stream) -> Iterator[None]:
        before = self.current_stream()
        self._local.stream = stream
        try:
            yield
        finally:
            self._local.stream = before

    def is_capturing(self) -> bool:
        return self.current_stream().capture is not None

    def query(self, handle: int) -> Any:
        """As cuStreamGetCaptureInfo: state and id."""
        for stream in (self.current_stream(),):
            if stream.cuda_stream == handle and stream.capture is not None:
                return (1 if stream.capture.valid else 2), stream.capture.id
        return 0, 0

    def launch(self, kernel: Callable[[], None]) -> None:
        capture = self.current_stream().capture
        if capture is None:
            kernel()
        elif capture.valid:
            capture.nodes.append(kernel)
        else:
            raise RuntimeError("operation failed due to a previous error during capture")


def install(monkeypatch: Any, torch: Any, graphs: Any) -> Device:
    """Put a device under torch.cuda, and its driver under our `_graphs`."""
    device = Device()

    class Base:
        """As torch._C._CUDAGraph."""

        def __init__(self, keep_graph: bool = False) -> None:
            self._capture: Optional[Capture] = None
            self._nodes: Optional[List[Callable[[], None]]] = None
            self._stream: Optional[Stream] = None

        def capture_begin(self, pool: Any = None, capture_error_mode: str = "global") -> None:
            if self._nodes is not None:
                raise RuntimeError("This CUDAGraph instance already owns a captured graph.")
            stream = device.current_stream()
            if stream is device.default:
                raise RuntimeError("CUDA graphs must be captured on a non-default stream.")
            self._stream, self._capture = stream, Capture()
            stream.capture = self._capture

        def capture_end(self) -> None:
            if device.current_stream() is not self._stream:
                raise RuntimeError("Capture must end on the same stream it began on.")
            capture, self._capture = self._capture, None
            device.current_stream().capture = None
            if not capture.valid:
                raise RuntimeError("operation failed due to a previous error during capture")
            self._nodes = capture.nodes

        def replay(self) -> None:
            if self._nodes is None:
                raise RuntimeError("Called CUDAGraph::replay without a preceding successful"
                                   " capture.")
            nodes = list(self._nodes)
            device.launch(lambda: [node() for node in nodes] and None)

        def reset(self) -> None:
            self._nodes = None

        def raw_cuda_graph(self) -> int:
            return id(self)

    class CUDAGraph(Base):
        """As torch.cuda.CUDAGraph."""

        def __new__(cls, keep_graph: bool = False) -> Any:
            return super().__new__(cls)

        def capture_begin(self, pool: Any = None, capture_error_mode: str = "global") -> None:
            super().capture_begin(pool=pool, capture_error_mode=capture_error_mode)

        def capture_end(self) -> None:
            super().capture_end()

        def replay(self) -> None:
            super().replay()

        def reset(self) -> None:
            super().reset()

        def raw_cuda_graph(self) -> int:
            return super().raw_cuda_graph()

    class graph:
        """As torch.cuda.graph."""

        def __init__(self, cuda_graph: Any, pool: Any = None, stream: Any = None) -> None:
            self.cuda_graph, self.context = cuda_graph, device.stream(stream or Stream())

        def __enter__(self) -> None:
            self.context.__enter__()
            self.cuda_graph.capture_begin(pool=None, capture_error_mode="global")

        def __exit__(self, *args: Any) -> None:
            try:
                self.cuda_graph.capture_end()
            finally:
                self.context.__exit__(None, None, None)

    for name, value in (("CUDAGraph", CUDAGraph), ("graph", graph),
                        ("current_stream", device.current_stream),
                        ("is_current_stream_capturing", device.is_capturing),
                        ("is_initialized", lambda: True)):
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(graphs, "_query", device.query)
    monkeypatch.setattr(graphs, "_query_found", True)
    monkeypatch.setattr(graphs, "_open", {})
    return device
