# SPDX-License-Identifier: Apache-2.0
"""A Diagnose that a program makes, as the established interface is used: the calls that carry its
counters tell how many experts there are and what was done. And NIXL EP, whose ranks come and go."""

from __future__ import annotations

import gc
import importlib
import logging
import sys
from pathlib import Path
from typing import Any, Iterator, List

import pytest

torch = pytest.importorskip("torch")

import deepxtrace  # noqa: E402
import fake_cuda  # noqa: E402
from deepxtrace import _attach, _graphs, _sessions  # noqa: E402
from standins import VERSIONS, write_deep_ep  # noqa: E402
from threads import Group, make_all, on_all  # noqa: E402

NIXL = '''
class Buffer:
    def __init__(self, rank=0, low_latency_mode=True, group=None, tcp_store_group=None):
        self.rank, self.group, self.tcp_store_group = rank, group, tcp_store_group
        self.group_size, self.low_latency_mode, self.calls = 0, low_latency_mode, []
        self.active = {rank}

    def update_memory_buffers(self, num_ranks, num_experts_per_rank, num_rdma_bytes):
        self.group_size = num_ranks

    def connect_ranks(self, remote_ranks, activate=True):
        self.active |= set(remote_ranks) if activate else set()

    def disconnect_ranks(self, remote_ranks):
        self.active -= set(remote_ranks)
        if len(remote_ranks) > 1:
            raise TimeoutError("on the way")

    def update_mask_buffer(self, rank_to_mask, mask=False):
        (self.active.discard if mask else self.active.add)(rank_to_mask)

    def check(self, counters):
        assert counters is None or len(counters) == max(self.active) + 1

    def dispatch(self, x, topk_idx, num_max_dispatch_tokens_per_rank, num_experts,
                 cumulative_local_expert_recv_stats=None, dispatch_wait_recv_cost_stats=None):
        self.check(dispatch_wait_recv_cost_stats)
        self.calls.append((dispatch_wait_recv_cost_stats, cumulative_local_expert_recv_stats))

    def combine(self, x, topk_idx, topk_weights, handle, combine_wait_recv_cost_stats=None):
        self.check(combine_wait_recv_cost_stats)
        self.calls.append((combine_wait_recv_cost_stats, None))


'''
#: Since April 2026, and the number of experts an option since June.
NIXL_2026 = NIXL.replace("def dispatch", "def low_latency_dispatch").replace(
    "def combine", "def low_latency_combine").replace("num_experts,", "num_experts=None,") + '''
    def dispatch(self, *args, **kwargs):
        return self.low_latency_dispatch(*args, **kwargs)

    def combine(self, *args, **kwargs):
        return self.low_latency_combine(*args, **kwargs)

    def ht_dispatch(self, x, handle=None, async_finish=False):
        return x

    def ht_combine(self, x, handle, async_finish=False):
        return x
'''
UNRELATED = '''


class Unrelated:
    def dispatch(self, event):
        return event
'''


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: Any) -> Iterator[Path]:
    names = ("deep_ep", "nixl_ep")
    for name in list(sys.modules):
        if name.split(".")[0] in names:
            del sys.modules[name]
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("DEEPEP_DIAGNOSE_LOG_PATH", str(tmp_path / "logs"))
    write_deep_ep(tmp_path, VERSIONS["2025-07, both"])
    importlib.invalidate_caches()
    yield tmp_path
    for running in list(_sessions.running):
        running.close()
    _attach.detach()
    assert _attach._layer is None or _attach._layer._watched
    for name in list(sys.modules):
        if name.split(".")[0] in names:
            del sys.modules[name]


def steps(buffer: Any, diagnosis: Any, count: int = 1, experts: int = 32) -> None:
    dispatch, combine = diagnosis.get_stats_ll_stats_tensor()
    for _ in range(count):
        buffer.low_latency_dispatch(torch.zeros(16, 8), "idx", 16, experts,
                                    dispatch_wait_recv_cost_stats=dispatch)
        buffer.low_latency_combine(torch.zeros(16, 8), "idx", "weights", ("s", "l", 16, 8, experts),
                                   combine_wait_recv_cost_stats=combine)


@pytest.mark.parametrize("first", [True, False])
def test_calls_that_carry_our_counters_are_watched(world: Path, first: bool) -> None:
    if first:
        importlib.import_module("deep_ep")
    made = make_all(2, ticks_per_second=10**9)
    import deep_ep

    plain = deep_ep.Buffer(Group(0, 2), low_latency_mode=True)
    for diagnosis in made:
        steps(plain, diagnosis, 3)
        tokens = plain.calls[-2]["cumulative_local_expert_recv_stats"]
        assert tokens.shape == (16,) and tokens.dtype == torch.int32
        tokens += 5
    plain.low_latency_dispatch(torch.zeros(1), "idx", 16, 32)  # nobody's
    assert plain.calls[-1]["dispatch_wait_recv_cost_stats"] is None
    own = torch.zeros(2, dtype=torch.int64)
    plain.low_latency_dispatch(torch.zeros(1), "idx", 16, 32, dispatch_wait_recv_cost_stats=own)
    assert plain.calls[-1]["cumulative_local_expert_recv_stats"] is None
    assert [d.operations.issued() for d in made] == [(3, 3)] * 2
    on_all(made, lambda diagnosis: diagnosis.diagnose_ll_sync(1))
    made[0].close()
    window = deepxtrace.Window.read(world / "logs" / "diagnose_rank0.jsonl")[0]
    assert window.ops == 3 and window.samples_each == 3 * 16
    log = (world / "logs" / "diagnose_rank0.log").read_text()
    assert "counting for deep_ep.buffer.Buffer: 32 experts, 16 waits for a source at a time" in log


def test_views_of_our_counters_are_ours(world: Path) -> None:
    import deep_ep

    diagnosis = make_all(2)[0]
    buffer = deep_ep.Buffer(Group(0, 2), low_latency_mode=True)
    buffer.low_latency_dispatch(
        torch.zeros(1), "idx", 16, 32,
        dispatch_wait_recv_cost_stats=diagnosis.get_stats_ll_stats_tensor()[0][:2].view(2))
    assert diagnosis.operations.issued() == (1, 0)


def test_nothing_stays_when_nobody_is_watched(world: Path) -> None:
    import deep_ep

    before = dict(vars(deep_ep.Buffer))
    first, second = make_all(2)
    assert vars(deep_ep.Buffer) != before
    first.close()
    buffer = deep_ep.Buffer(Group(1, 2), low_latency_mode=True)
    steps(buffer, second)
    assert second.operations.issued() == (1, 1)
    second.close()
    assert dict(vars(deep_ep.Buffer)) == before and _attach._layer is None


def test_attach_beside_a_diagnose_of_the_program(world: Path, monkeypatch: Any) -> None:
    import deep_ep

    own = make_all(2)[0]
    made: List[Any] = []

    def make(group: Any, device: Any, settings: Any, **more: Any) -> Any:
        made.append(make_all(2, enable_async=True, _attached=True)[0])
        return made[-1]

    monkeypatch.setattr(_attach, "_make_diagnose", make)
    monkeypatch.setattr("deepxtrace.adapters._counted._is_process_group", lambda group: True)
    _attach.attach()
    buffer = deep_ep.Buffer(Group(0, 2), low_latency_mode=True)
    steps(buffer, own, 2)
    buffer.low_latency_dispatch(torch.zeros(1), "idx", 16, 32)
    assert own.operations.issued() == (2, 2) and made[0].operations.issued() == (1, 0)
    _attach.detach()
    steps(buffer, own)
    buffer.low_latency_dispatch(torch.zeros(1), "idx", 16, 32)
    assert own.operations.issued() == (3, 3) and made[0].operations.issued() == (1, 0)
    own.close()


def test_graphs_of_the_program_are_counted(world: Path, monkeypatch: Any) -> None:
    import deep_ep

    device = fake_cuda.install(monkeypatch, torch, _graphs)
    diagnosis = make_all(2)[0]
    buffer = deep_ep.Buffer(Group(0, 2), low_latency_mode=True)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        steps(buffer, diagnosis, 5)
    for _ in range(4):
        graph.replay()
    steps(buffer, diagnosis)
    assert diagnosis.operations.issued() == (21, 21)
    assert not device.is_capturing()
    diagnosis.close()
    assert diagnosis.operations.issued() == (21, 21)


def test_a_program_that_counts_by_itself(world: Path) -> None:
    made = make_all(2, ticks_per_second=10**9, local_experts=4)
    for diagnosis in made:
        for _ in range(3):
            diagnosis.count_operations()
        diagnosis.count_operations(dispatch=0, combine=2)
        with pytest.raises(ValueError):
            diagnosis.count_operations(-1)
        diagnosis.get_stats_ll_stats_tensor()[0].add_(100)
    on_all(made, lambda diagnosis: diagnosis.diagnose_ll_sync(1))
    made[0].close()
    windows = deepxtrace.Window.read(world / "logs" / "diagnose_rank0.jsonl")
    assert [w.ops for w in windows[:2]] == [3, 5]
    assert [w.samples_each for w in windows[:2]] == [12, 20]


def test_switched_off_there_is_nothing_to_watch(world: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("DEEPEP_DIAGNOSE_ENABLE", "0")
    diagnosis = make_all(2)[0]
    diagnosis.count_operations()
    assert _attach._layer is None and diagnosis.operations.issued() == (0, 0)
    diagnosis.close()


@pytest.mark.parametrize("text", [NIXL, NIXL_2026], ids=["2025-12", "2026-08"])
def test_nixl(world: Path, monkeypatch: Any, caplog: Any, text: str) -> None:
    new = text == NIXL_2026
    experts = () if new else (16,)
    caplog.set_level(logging.INFO, "deepxtrace")
    (world / "nixl_ep").mkdir()
    (world / "nixl_ep" / "__init__.py").write_text("from .buffer import Buffer, Unrelated\n")
    (world / "nixl_ep" / "buffer.py").write_text(text.rstrip() + "\n" + UNRELATED)
    made: List[Any] = []

    class Made:
        def __init__(self, group: Any, more: Any) -> None:
            self.group, self.group_size, self.more = group, group.size(), more
            self.counters = [torch.zeros(group.size(), dtype=torch.int64) for _ in range(2)]
            self.operations, self.is_told = _graphs.Operations(), False
            self.tokens = torch.zeros(4, dtype=torch.int32)

        def get_stats_ll_stats_tensor(self) -> Any:
            return self.counters

        def tell(self, *what: Any) -> None:
            self.is_told, self.told = True, what

        def tokens_of(self, count: int) -> Any:
            return self.tokens if count == 4 else None

        def close(self) -> None:
            pass

    def make(group: Any, device: Any, settings: Any, **more: Any) -> Any:
        made.append(Made(group, more))
        return made[-1]

    notes: List[Any] = []
    monkeypatch.setattr(_attach._notes, "tell", lambda kind, **what: notes.append((kind, what)))
    monkeypatch.setattr(_attach, "_make_diagnose", make)
    monkeypatch.setattr(_attach, "_accelerator", lambda: "cpu")
    _attach.attach()
    import nixl_ep

    assert nixl_ep.Unrelated().dispatch("an event") == "an event"
    buffer = nixl_ep.Buffer(rank=1, tcp_store_group="the store")
    assert not made
    buffer.update_memory_buffers(4, 4, 0)
    buffer.connect_ranks([0, 1, 2, 3])
    assert (made[0].group.rank(), made[0].group.size()) == (1, 4)
    assert made[0].more == {"store": "the store"}
    x = torch.zeros(2, 8)
    buffer.dispatch(x, "idx", 16, *experts)
    buffer.combine(x, "idx", "weights", ("s", "l", 16, 8, *experts))
    assert buffer.calls[0][0] is made[0].counters[0] and buffer.calls[0][1] is made[0].tokens
    assert buffer.calls[1][0] is made[0].counters[1]
    assert made[0].told == ("nixl_ep.buffer.Buffer", 16, 4)
    assert made[0].operations.issued() == (1, 1) and len(made) == 1
    if new:  # the high-throughput kernels have no counters: durations
        assert hasattr(nixl_ep.Buffer.ht_dispatch, "__wrapped__")
        assert buffer.ht_combine(buffer.ht_dispatch(x), None) is x
    # Counters of four ranks are refused by an operation over fewer; it must not be given any.
    for name, told in (("disconnect_ranks", ([3],)), ("connect_ranks", ([3], False)),
                       ("update_mask_buffer", (3, False)), ("update_mask_buffer", (3, True))):
        getattr(buffer, name)(*told)
        buffer.dispatch(x, "idx", 16, *experts)
        buffer.combine(x, "idx", "weights", ("s", "l", 16, 8, *experts))
    assert [call[0] is None for call in buffer.calls[::2]] == [False, True, True, False, True]
    # Nor is any behind a call that failed half-way, until all are connected again.
    buffer.update_mask_buffer(3)
    with pytest.raises(TimeoutError, match="on the way"):
        buffer.disconnect_ranks([2, 3])
    for ranks in ([2], [0, 2, 3]):
        buffer.connect_ranks(ranks)
        buffer.dispatch(x, "idx", 16, *experts)
    assert [call[0] is None for call in buffer.calls[-2:]] == [True, False]
    # That it is not counted is said, and again behind what failed, but not in each operation.
    said = [what["why"] for kind, what in notes if kind == "nothing" and "NIXL EP" in what["why"]]
    assert len(said) == 2 and "was not seen to be connected" in said[0]
    del buffer
    gc.collect()
    # Without a store and a group nobody can be told anything.
    other = nixl_ep.Buffer(rank=0)
    other.update_memory_buffers(4, 4, 0)
    other.connect_ranks([0, 1, 2, 3])
    other.dispatch(x, "idx", 16, 16)
    assert other.calls == [(None, None)] and len(made) == 1
    assert not any("takes no wait counters" in r.getMessage() for r in caplog.records)
