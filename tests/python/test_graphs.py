# SPDX-License-Identifier: Apache-2.0
"""Operations are counted as kernels do them, whatever a program does with CUDA graphs."""

from __future__ import annotations

import gc
import random
import threading
from typing import Any, Iterator, List

import pytest

torch = pytest.importorskip("torch")

import fake_cuda  # noqa: E402
from deepxtrace import _graphs  # noqa: E402


class World:
    """A device, and Buffers whose kernels count themselves."""

    def __init__(self, device: fake_cuda.Device) -> None:
        self.device = device
        self.done: List[List[int]] = []
        self.operations: List[_graphs.Operations] = []
        self.lock = threading.Lock()
        for _ in range(2):
            self.add_buffer()

    def add_buffer(self) -> None:
        self.done.append([0, 0])
        self.operations.append(_graphs.Operations())

    def call(self, buffer: int, index: int, tokens: int = 16) -> None:
        """As a wrapped operator does."""

        def kernel() -> None:
            with self.lock:
                self.done[buffer][index] += 1

        self.device.launch(kernel)
        self.operations[buffer].add(index, f"call of {tokens}")

    def layers(self, buffer: int, count: int) -> None:
        for _ in range(count):
            self.call(buffer, 0)
            self.call(buffer, 1)

    def check(self) -> None:
        assert [o.issued() for o in self.operations] == [tuple(pair) for pair in self.done]

    def capture(self, body: Any, graph: Any = None) -> Any:
        graph = torch.cuda.CUDAGraph() if graph is None else graph
        with torch.cuda.graph(graph):
            body()
        return graph


@pytest.fixture
def world(monkeypatch: Any) -> Iterator[World]:
    device = fake_cuda.install(monkeypatch, torch, _graphs)
    watch = _graphs.GraphWatch()
    watch.install()
    yield World(device)
    watch.remove()


def test_eager_calls_count_once(world: World) -> None:
    world.layers(0, 3)
    world.call(1, 1)
    world.check()
    assert world.operations[0].issued() == (3, 3) and world.operations[1].issued() == (0, 1)


def test_a_capture_counts_nothing_and_each_replay_all_of_it(world: World) -> None:
    graphs = [world.capture(lambda n=n: world.layers(0, n)) for n in (1, 58)]
    world.check()
    assert world.operations[0].issued() == (0, 0)
    for _ in range(100):
        graphs[0].replay()
        world.call(0, 0)
        graphs[1].replay()
    world.check()
    assert world.operations[0].issued() == (100 * 60, 100 * 59)


def test_several_buffers_in_one_graph(world: World) -> None:
    graph = world.capture(lambda: (world.layers(0, 2), world.call(1, 1)))
    graph.replay()
    world.check()
    assert [o.issued() for o in world.operations] == [(2, 2), (0, 1)]


def test_begin_and_end_called_by_the_program_itself(world: World) -> None:
    graph, stream = torch.cuda.CUDAGraph(), fake_cuda.Stream()
    with world.device.stream(stream):
        graph.capture_begin()
        world.layers(0, 1)
        graph.capture_end()
    graph.replay()
    graph.replay()
    world.check()


def test_calls_in_other_threads_than_the_capturing_one(world: World) -> None:
    """As micro-batches do: each thread has a stream that has joined the capture; a thread whose
    stream has not, works on beside it."""
    graph, main = torch.cuda.CUDAGraph(), fake_cuda.Stream()

    def work(joins: bool) -> None:
        stream = fake_cuda.Stream()
        if joins:
            stream.wait_stream(main)
        with world.device.stream(stream):
            world.layers(0, 3)

    with world.device.stream(main):
        graph.capture_begin()
        threads = [threading.Thread(target=work, args=(joins,)) for joins in (True, True, False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        graph.capture_end()
    assert world.operations[0].issued() == (3, 3)
    graph.replay()
    world.check()
    assert world.operations[0].issued() == (9, 9)


def test_two_captures_at_a_time(world: World) -> None:
    graphs = [torch.cuda.CUDAGraph() for _ in range(2)]
    streams = [fake_cuda.Stream() for _ in range(2)]
    for graph, stream in zip(graphs, streams):
        with world.device.stream(stream):
            graph.capture_begin()
    for count in (1, 2):
        for buffer, stream in enumerate(streams):
            with world.device.stream(stream):
                world.layers(buffer, count)
    for graph, stream in zip(graphs, streams):
        with world.device.stream(stream):
            graph.capture_end()
    graphs[1].replay()
    world.check()
    assert [o.issued() for o in world.operations] == [(0, 0), (3, 3)]


def test_a_capture_that_fails_counts_nothing(world: World) -> None:
    graph = torch.cuda.CUDAGraph()
    with pytest.raises(RuntimeError, match="previous error"):
        with torch.cuda.graph(graph):
            world.layers(0, 2)
            world.device.current_stream().capture.valid = False
            world.operations[0].add(0)
    with pytest.raises(RuntimeError, match="without a preceding"):
        graph.replay()
    # One that nobody ends is not in the way, either.
    with pytest.raises(ZeroDivisionError):
        with world.device.stream(fake_cuda.Stream()):
            torch.cuda.CUDAGraph().capture_begin()
            world.layers(0, 2)
            raise ZeroDivisionError
    world.capture(lambda: world.layers(0, 1)).replay()
    world.check()
    assert world.operations[0].issued() == (1, 1)


def test_a_graph_is_captured_again_only_after_a_reset(world: World) -> None:
    graph = world.capture(lambda: world.layers(0, 2))
    with pytest.raises(RuntimeError, match="already owns"):
        with world.device.stream(fake_cuda.Stream()):
            graph.capture_begin()
    graph.replay()
    graph.reset()
    world.capture(lambda: world.layers(0, 5), graph)
    graph.replay()
    world.check()
    assert world.operations[0].issued() == (7, 7)


def test_what_destroyed_graphs_did_stays(world: World) -> None:
    for round_ in range(5):
        graph = world.capture(lambda: world.layers(0, 1 + round_ % 2))
        graph.replay()
        graph.replay()
        del graph
        gc.collect()
        world.check()
    assert world.operations[0].contents == {} and world.operations[0].issued() == (14, 14)


def test_a_graph_within_a_graph(world: World) -> None:
    inner = world.capture(lambda: world.layers(0, 2))
    outer = world.capture(lambda: (inner.replay(), world.call(1, 0), inner.replay()))
    assert world.operations[0].issued() == (0, 0)
    outer.replay()
    inner.replay()
    world.check()
    assert [o.issued() for o in world.operations] == [(6, 6), (1, 0)]


def test_replays_from_many_threads(world: World) -> None:
    graphs = [world.capture(lambda n=n: world.layers(n % 2, 1)) for n in range(4)]

    def work(seed: int) -> None:
        chooser = random.Random(seed)
        for _ in range(2500):
            chooser.choice(graphs).replay()
            if chooser.random() < 0.1:
                world.call(chooser.randrange(2), 1)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.check()


def test_a_graph_that_is_captured_elsewhere_makes_operations_unknown(world: World) -> None:
    """Through cuda-python or C++: it may be replayed unseen."""
    with world.device.stream(fake_cuda.Stream()):
        world.device.current_stream().capture = fake_cuda.Capture()
        world.call(0, 0)
    assert world.operations[0].issued() is None and world.operations[0].mix() == 0
    assert world.operations[1].issued() == (0, 0)


def test_a_handle_that_is_given_away_makes_operations_unknown(world: World) -> None:
    world.capture(lambda: None).raw_cuda_graph()
    graph = world.capture(lambda: world.layers(1, 1))
    assert world.operations[1].issued() == (0, 0)
    graph.raw_cuda_graph()
    assert [o.issued() for o in world.operations] == [(0, 0), None]


def test_without_the_drivers_help_the_one_capture_is_it(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(_graphs, "_query", None)
    world.capture(lambda: world.layers(0, 1)).replay()
    world.check()


def test_programs_that_count_by_themselves(world: World) -> None:
    operations = world.operations[0]
    world.layers(0, 1)
    operations.count((1, 1))
    world.layers(0, 7)  # no longer counted by itself
    assert operations.issued() == (1, 1)
    graph = world.capture(lambda: operations.count((2, 3)))
    graph.replay()
    operations.count((1, 0))
    assert operations.issued() == (4, 4)


def test_the_mix_is_of_what_was_done(world: World) -> None:
    operations = world.operations[0]
    small, large = (world.capture(lambda n=n: world.layers(0, n)) for n in (1, 2))
    assert operations.mix() == 0

    def mix(*graphs: Any) -> int:
        for graph in graphs:
            graph.replay()
        return operations.mix()

    first = mix(*[small] * 10)
    assert first != 0 and mix(*[small] * 7) == first
    second = mix(*[large] * 10)
    assert second not in (0, first)
    both = mix(*[small, large] * 10)
    assert both not in (0, first, second) and mix(*[large, small] * 12) == both
    assert mix(*[small] * 10) == first
    world.layers(0, 3)
    assert operations.mix() not in (0, first, second, both)


def test_all_is_as_before_when_it_is_removed(monkeypatch: Any) -> None:
    fake_cuda.install(monkeypatch, torch, _graphs)
    before = dict(vars(torch.cuda.CUDAGraph))
    watch = _graphs.GraphWatch()
    watch.install()
    watch.install()
    assert torch.cuda.CUDAGraph.replay.__wrapped__ is before["replay"]
    watch.remove()
    assert dict(vars(torch.cuda.CUDAGraph)) == before


def test_a_torch_without_cuda(monkeypatch: Any) -> None:
    operations = _graphs.Operations()
    operations.add(1)
    assert operations.issued() == (0, 1)
