# SPDX-License-Identifier: Apache-2.0
"""Counters in tensors. What a CUDA device does is played by a stand-in here, see tests/gpu."""
import contextlib
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from deepxtrace import _tensors  # noqa: E402
from deepxtrace._mode import Mode  # noqa: E402
from deepxtrace._session import Block  # noqa: E402


class Device:
    """A device whose copies land when it is told to let them."""

    def __init__(self, monkeypatch):
        self.done, self.calls, self.modes = True, [], []
        self.current, self.on = "the job's stream", 0
        copy = self.copy = _tensors._CudaCopy.__new__(_tensors._CudaCopy)
        self.block = copy._block = torch.zeros((2, 3), dtype=torch.int64)
        copy._pinned, copy._pending = torch.zeros_like(copy._block), False
        copy._stream, copy._event, copy._torch = self, self, self
        self.cuda = self
        monkeypatch.setattr(_tensors, "_exchange", self.exchange)

    # what the reader calls
    def exchange(self, mode):
        self.modes.append(mode._obj.value)
        mode._obj.value = 0
        return 0

    @contextlib.contextmanager
    def device(self, device):
        assert device == self.block.device
        self.on += 1
        yield
        self.on -= 1

    def current_stream(self, device):
        assert self.on == 1
        return self.current

    def wait_stream(self, stream):
        self.calls.append(("wait", stream))

    @contextlib.contextmanager
    def stream(self, stream):
        assert stream is self and self.modes[-1] == 2
        yield

    def record(self, stream):
        self.calls.append("record")

    def query(self):
        assert self.modes[-1] == 2 and self.on == 1
        return self.done


def test_a_copy_is_read_when_it_has_landed(monkeypatch):
    device = Device(monkeypatch)
    device.block += 5
    assert device.copy.read(1, ordered=False).tolist() == [[5] * 3] * 2
    assert device.calls == ["record"] and device.modes == [2, 0]


def test_in_order_it_waits_for_what_the_thread_has_launched(monkeypatch):
    device = Device(monkeypatch)
    assert device.copy.read(1, ordered=True) is not None
    assert device.calls == [("wait", "the job's stream"), "record"]


def test_it_is_known_when_a_copy_was_made(monkeypatch):
    device = Device(monkeypatch)
    now = [5_000_000_000]
    monkeypatch.setattr(_tensors.time, "monotonic_ns", lambda: now[0])
    # The device's queue is full: what is asked of it behind the copy takes 3 s.
    monkeypatch.setattr(device, "record", lambda _stream: now.__setitem__(0, now[0] + 3 * 10**9))
    device.copy.read(1, ordered=False)
    assert device.copy.read_ns == 5_000_000_000
    device.copy.read(1, ordered=True)  # behind the job's kernels: when it returns
    assert device.copy.read_ns == 0


def test_a_session_is_told_when_counters_were_read():
    counters = _tensors.Counters(2, "cpu")
    mode = Mode("ll", ("dispatch", "combine"), 2, "cpu")
    rows = np.zeros((2, 2), np.int64)
    out = Block(rows, rows.copy(), np.zeros(2, np.int64), np.full(1, 7, np.int64))
    assert mode.read(out, 1, False, 0, print) and out.time_ns[0] == 0  # now
    counters._cuda = SimpleNamespace(read_ns=42, read=lambda _seconds, _ordered:
                                     np.zeros(4 + _tensors.MAX_LOCAL_EXPERTS // 2, np.int64))
    counters._host, mode.counters = None, counters
    assert mode.read(out, 1, False, 0, print) and out.time_ns[0] == 42


def test_a_copy_that_does_not_land_is_given_up_and_not_overtaken(monkeypatch):
    device = Device(monkeypatch)
    device.done = False
    assert device.copy.read(0.001, ordered=False) is None
    device.block += 7
    assert device.copy.read(0.001, ordered=False) is None
    assert device.calls == ["record"]  # the buffer belongs to the first
    threading.Timer(0.05, lambda: setattr(device, "done", True)).start()
    assert (device.copy.read(60, ordered=False) == 7).all()
    assert device.calls == ["record"] * 2
    assert device.modes == [2, 0] * 3


def test_a_session_that_ends_waits_for_no_device(monkeypatch):
    device = Device(monkeypatch)
    counters = _tensors.Counters(2, "cpu")
    counters._cuda, counters._host, device.done = device.copy, None, False
    threading.Timer(0.05, counters.hurry, [True]).start()
    begin = time.monotonic()
    assert counters.read(np.zeros((2, 2), np.int64), 60, ordered=False) is False
    assert time.monotonic() - begin < 30
    # The next session waits for what is under way.
    counters.hurry(False)
    threading.Timer(0.05, lambda: setattr(device, "done", True)).start()
    assert device.copy.read(60, ordered=False) is not None


def test_a_driver_that_refuses_is_an_error(monkeypatch):
    device = Device(monkeypatch)
    monkeypatch.setattr(_tensors, "_exchange", lambda mode: 1)
    with pytest.raises(RuntimeError, match="capture mode"):
        device.copy.read(1, ordered=False)
    monkeypatch.setattr(_tensors, "_exchange", None)
    monkeypatch.setattr(_tensors, "_find_exchange", lambda: None)
    with pytest.raises(RuntimeError, match="beside a graph capture"):
        device.copy.read(1, ordered=False)


def test_on_the_cpu_the_tensors_are_read_as_they_lie():
    counters, out = _tensors.Counters(3, "cpu"), np.zeros((2, 3), np.int64)
    counters.dispatch[1] += 4
    counters.combine += 1
    assert counters.read(out, 0, True) and out.tolist() == [[0, 4, 0], [1, 1, 1]]


def test_tokens_are_added_up_beyond_32_bits():
    counters, out = _tensors.Counters(3, "cpu"), np.zeros((2, 3), np.int64)
    assert counters.tokens.tolist() == []
    tokens = counters.tokens_of(2)
    assert tokens.dtype == torch.int32 and counters.tokens_of(2) is tokens
    assert counters.tokens_of(3) is None
    for _ in range(3):
        tokens.add_(torch.tensor([2**31 - 1, 1], dtype=torch.int32))
        assert counters.read(out, 0, True)
    assert counters.tokens.tolist() == [3 * (2**31 - 1), 3] and out.sum() == 0
    assert _tensors.Counters(3, "cpu").tokens_of(_tensors.MAX_LOCAL_EXPERTS + 1) is None


def test_counters_made_in_inference_can_be_added_to_elsewhere():
    with torch.inference_mode():
        counters = _tensors.Counters(3, "cpu")
        counters.dispatch += 1
    counters.dispatch += 1
    assert counters.dispatch.tolist() == [2, 2, 2]


def test_where_counters_lie_by_default(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    backend = {"name": "nccl"}
    monkeypatch.setattr(torch.distributed, "get_backend", lambda group: backend["name"])
    assert _tensors.default_device(None) == "cuda"
    backend["name"] = "gloo"
    assert _tensors.default_device(None) == "cpu"
    backend["name"] = "cpu:gloo,cuda:nccl"
    assert _tensors.default_device(None) == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert _tensors.default_device(None) == "cpu"
