# SPDX-License-Identifier: Apache-2.0
"""Durations instead of counters: which operations are measured, and how."""
from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from types import SimpleNamespace
from typing import Any, Iterator, List

import pytest

pytest.importorskip("torch")

from deepxtrace import _durations, adapters  # noqa: E402
from deepxtrace._durations import Sampler  # noqa: E402
from deepxtrace.adapters import _about, _timed  # noqa: E402


def measured(period: int, count: int = 1 << 16) -> List[int]:
    sampler = Sampler(1, 1e-6, period)
    return [number for number in (sampler.next(0) for _ in range(count)) if number >= 0]


def test_one_of_period_is_measured_and_periods_nest() -> None:
    before = set(range(1 << 16))
    for period in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        taken = measured(period)
        assert abs(len(taken) - (1 << 16) // period) < (1 << 16) // period / 8
        assert set(taken) <= before
        before = set(taken)
        # They do not keep step with the layers of a model.
        for layers in (2, 16, 58, 64):
            assert len({number % layers for number in taken}) > layers / 2


def test_what_comes_every_so_many_operations_is_measured_no_more_often() -> None:
    sampler = Sampler(1, 1e-6, 32)
    for stride in range(1, 2000):
        taken = 0
        for k in range(160):
            sampler.numbers[0] = 7 + stride * k
            taken += sampler.next(0) >= 0
        assert taken <= 20, stride  # 5, if it were by chance


def test_mails_keep_what_is_measured() -> None:
    # tests/unit/test_session_told.c has the same numbers.
    taken = measured(4, 4096)
    assert taken[:10] == [0, 2, 3, 4, 5, 9, 15, 21, 24, 25]
    assert len(taken) == 1013 and taken[-1] == 4094


def test_the_period_follows_the_time_between_operations(monkeypatch: Any) -> None:
    now = [100.0]
    monkeypatch.setattr(_durations, "time", SimpleNamespace(monotonic=lambda: now[0]))
    sampler = Sampler(2, 7e-6)
    assert sampler.period == 64 and not sampler.adapt()

    def operate(seconds: float, step: float) -> None:
        now[0] += seconds
        for index in range(2):
            sampler.numbers[index] += int(seconds / step) // 2

    operate(2, 170e-6)
    assert sampler.adapt() and sampler.period == 32
    operate(2, 2e-3)
    assert sampler.adapt() and sampler.period == 2
    operate(2, 2e-3)
    assert not sampler.adapt()
    operate(2, 2e-3)
    assert sampler.adapt(groups=2) and sampler.period == 4
    operate(2, 20e-3)
    assert sampler.adapt() and sampler.period == 1
    operate(2, 1e-6)
    assert sampler.adapt() and sampler.period == 4096
    operate(2, 20e-3)
    assert sampler.adapt() and sampler.period == 1
    for number in range(64):  # half of them wait for something else
        sampler.spent(5e-6 if number % 2 else 20e-3, now[0])
    operate(2, 20e-3)
    assert not sampler.adapt()
    for _ in range(32):
        sampler.spent(700e-6, now[0])  # it costs more than was thought
    operate(2, 20e-3)
    assert sampler.adapt() and sampler.period == 32
    for _ in range(32):
        sampler.spent(5e-6, now[0])  # and does so no longer
    operate(2, 20e-3)
    assert sampler.adapt() and sampler.period == 1


def test_a_program_that_pauses_is_not_measured_more_often(monkeypatch: Any) -> None:
    now, step = [100.0], 170e-6
    monkeypatch.setattr(_durations, "time", SimpleNamespace(monotonic=lambda: now[0]))
    sampler = Sampler(1, 16e-6)
    for pause in (0.0, 0.25, 1.0):
        for _ in range(40):  # a burst of the host, which then waits for its GPU
            for _ in range(15):
                for _ in range(100):
                    now[0] += step / 4
                    if sampler.next(0) >= 0:
                        sampler.spent(0.0, now[0])
                now[0] += 75 * step
            now[0] += pause
            sampler.adapt()
        assert sampler.period == 64
    for _ in range(4000):  # slower steps are
        now[0] += 2e-3
        if sampler.next(0) >= 0:
            sampler.spent(0.0, now[0])
        sampler.adapt()
    assert sampler.period == 4


@pytest.mark.parametrize("cost", [2e-6, 8e-6, 60e-6])
def test_measuring_stays_within_its_budget(cost: float, monkeypatch: Any) -> None:
    now = [100.0]
    monkeypatch.setattr(_durations, "time", SimpleNamespace(monotonic=lambda: now[0]))
    for groups in (1, 3):
        sampler = Sampler(1, cost)
        step = 9e-6
        while step < 0.1:  # shorter and shorter steps, and longer again
            for length in (step, step / 3, step):
                now[0] += 2
                sampler.numbers[0] += int(2 / length)
                sampler.adapt(groups)
                part = groups * cost / sampler.period / length
                assert part <= _durations.BUDGET * 1.001 and _durations.BUDGET == 0.002
                # Nor does it measure much less than it may.
                assert part > _durations.BUDGET / 5 or sampler.period == 1
            step *= 1.37


class Services:
    """What attach() does, on paper."""

    def __init__(self) -> None:
        self.active = self.attaching = True
        self.settings = SimpleNamespace(collectives=True)
        self.said: List[str] = []
        self.failures: List[str] = []
        self.notes: List[Any] = []
        self.told: List[str] = []
        self.current = "cuda:0"  # of a thread of ours

    def once(self, level: int, text: str, *arguments: Any, key: str = "") -> None:
        self.said.append(text % arguments)

    def nothing(self, why: str) -> None:
        pass

    def quietly(self, doing: str, call: Any, *args: Any) -> Any:
        try:
            return call(*args)
        except Exception as error:
            self.failed(doing, error)

    def failed(self, doing: str, error: Exception) -> None:
        self.failures.append(f"{doing}: {error}")

    @contextlib.contextmanager
    def on(self, device: Any) -> Iterator[None]:
        """torch.cuda.device()"""
        before, self.current = self.current, str(device)
        yield
        self.current = before

    def diagnose(self, group: Any, device: Any, **more: Any) -> Any:
        self.more, self.begun_on = more, (str(device), self.current)
        return SimpleNamespace(note_duration=lambda *note: self.notes.append(note),
                               tell_timed=self.told.append)

    def end(self, diagnose: Any) -> None:
        pass


class Event:
    """A CUDA event: its time is the number of the record."""

    count = 0

    def record(self) -> None:
        Event.count += 1
        self.time = Event.count

    def query(self) -> bool:
        return True

    def elapsed_time(self, end: "Event") -> float:
        return 1000.0 * (end.time - self.time)


@pytest.fixture
def services(monkeypatch: Any) -> Services:
    monkeypatch.setattr(_timed._worker, "begin", lambda timed: None)
    monkeypatch.setattr(_timed, "captured_into", lambda: None)
    monkeypatch.setattr(_timed._tensors, "capture_allowed", lambda: pytest.MonkeyPatch.context())
    return Services()


def new_timed(services: Services, monkeypatch: Any, on_cuda: bool) -> Any:
    import torch

    monkeypatch.setattr(torch.cuda, "Event", lambda enable_timing: Event())
    monkeypatch.setattr(torch.cuda, "device", services.on)
    device = torch.device("cuda", 3) if on_cuda else None
    timed = _timed.Timed(services, None, ("first", "second"), "thing", device, {})  # type: ignore
    timed.start()
    timed.sampler.mask = 0
    return timed


def wrap(timed: Any, call: Any, **more: Any) -> Any:
    later = more.pop("later", lambda *args, **kwargs: False)
    return _timed.timed_call(call, lambda *args, **kwargs: timed, 1, later, **more)


def test_events_are_read_when_they_are_there(services: Services, monkeypatch: Any) -> None:
    timed = new_timed(services, monkeypatch, True)
    assert services.more == {"durations": ("first", "second")}
    call = wrap(timed, lambda x: x + 1)
    assert [call(1), call(x=5)] == [2, 6]
    assert services.notes == []
    timed.harvest(1)
    assert services.notes == [(1, 0, 1.0), (1, 1, 1.0)] and not services.failures
    # What raises is the program's own, and measures nothing.
    with pytest.raises(TypeError):
        call(None)
    timed.harvest(1)
    assert len(services.notes) == 2 and timed.sampler.numbers == [0, 3]


def test_what_our_thread_does_is_done_on_the_gpu_of_the_program(services: Services,
                                                                monkeypatch: Any) -> None:
    timed = new_timed(services, monkeypatch, True)
    assert services.begun_on == ("cuda:3", "cuda:3") and services.current == "cuda:0"
    wrap(timed, lambda: None)()
    asked = []
    monkeypatch.setattr(Event, "query", lambda event: asked.append(services.current) or True)
    timed.harvest(1)
    assert asked == ["cuda:3"] and len(services.notes) == 1
    new_timed(services, monkeypatch, False)
    assert services.begun_on == ("cpu", "cuda:0")


def test_a_thread_ahead_of_its_gpu_costs_nothing(services: Services, monkeypatch: Any) -> None:
    timed = new_timed(services, monkeypatch, True)
    now, costs = [0.0], []

    def clock() -> float:
        now[0] += 1.0
        return now[0]

    monkeypatch.setattr(_timed, "time", SimpleNamespace(perf_counter=clock))
    monkeypatch.setattr(timed.sampler, "spent", lambda cost, _now: costs.append(cost))
    call = wrap(timed, lambda: None)
    call()  # the GPU has come to the first event by then: two records of a second each
    assert costs == [2.0]
    monkeypatch.setattr(Event, "query", lambda event: False)
    call()
    assert costs == [2.0, 0.0]
    monkeypatch.setattr(Event, "query", lambda event: 1 / 0)
    call()
    assert costs == [2.0, 0.0, 2.0] and services.failures == [
        "measuring an operation: division by zero"]


def test_what_is_captured_or_inside_is_left_alone(services: Services, monkeypatch: Any) -> None:
    timed = new_timed(services, monkeypatch, True)
    inner = wrap(timed, lambda: "inner")
    outer = wrap(timed, lambda: inner())
    # It has a number, as it has on a rank that does not measure the outer one.
    assert outer() == "inner" and timed.sampler.numbers == [0, 2]
    monkeypatch.setattr(_timed, "captured_into", lambda: object())
    timed.harvest(1)
    assert inner() == "inner"
    timed.harvest(1)
    assert len(services.notes) == 1 and timed.sampler.numbers == [0, 3]
    assert services.said == ["thing: operations inside CUDA graphs are not measured"]
    services.active = False
    assert inner() == "inner" and timed.sampler.numbers == [0, 3]


def test_the_end_is_where_the_program_waits(services: Services, monkeypatch: Any) -> None:
    timed = new_timed(services, monkeypatch, True)
    waits = []

    class Overlap:
        def current_stream_wait(self) -> str:
            waits.append(1)
            return "waited"

    overlap = Overlap()
    call = wrap(timed, lambda: ("x", overlap), later=lambda: True, event_of=lambda r: r[-1])
    assert call() == ("x", overlap)
    Event.count += 5
    assert overlap.current_stream_wait() == "waited" == overlap.current_stream_wait()
    timed.harvest(1)
    assert len(waits) == 2 and services.notes == [(1, 0, 6.0)]
    # Where that cannot be seen, nothing is measured, and the log says so.
    for event_of, result in ((None, "x"), (lambda r: r, "x"), (lambda r: r[7], "x")):
        services.said.clear()
        assert wrap(timed, lambda: "x", later=lambda: True, event_of=event_of)() == result
        assert services.said == ["thing: operations that the program waits for later are not"
                                 " measured"]
    timed.harvest(1)
    assert len(services.notes) == 1


def test_our_failures_are_ours(services: Services, monkeypatch: Any) -> None:
    timed = new_timed(services, monkeypatch, True)
    monkeypatch.setattr(Event, "record", lambda event: 1 / 0)
    assert wrap(timed, lambda: 7)() == 7
    assert wrap(timed, lambda: 7, later=lambda: 1 / 0)() == 7
    assert len(services.failures) == 2
    timed = new_timed(services, monkeypatch, False)
    timed._diagnose.note_duration = lambda *note: 1 / 0
    assert wrap(timed, lambda: 7)() == 7
    assert len(services.failures) == 3


def test_every_adapter_is_in_the_list() -> None:
    assert list(_about.ADAPTERS) == list(adapters._FILES)
    done = subprocess.run([sys.executable, "-m", "deepxtrace.run", "--list-adapters"],
                          capture_output=True, text=True, check=True)
    assert done.stdout.strip() == _about.adapters_table()
    assert "all_to_all_single" in done.stdout and "MPI_Alltoall" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_mapping_names_its_group(monkeypatch: Any) -> None:
    from deepxtrace.adapters import flashinfer

    def group(*ranks: int) -> Any:
        return SimpleNamespace(size=lambda: len(ranks), rank=lambda: ranks.index(4), members=ranks)

    known = [group(*range(8)), group(0, 4), group(4, 5, 6, 7)]
    monkeypatch.setattr(flashinfer, "_groups", lambda: known)
    monkeypatch.setattr(flashinfer, "ranks_of", lambda found: found.members)
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    adapter = flashinfer.FlashInfer(Services())  # type: ignore
    assert adapter.group(SimpleNamespace(ep_rank=1, ep_size=2)).members == (0, 4)
    assert adapter.group(SimpleNamespace(ep_rank=4, ep_size=8)).members == tuple(range(8))
    assert adapter.group(SimpleNamespace(ep_rank=3, ep_size=8)) is None
    assert adapter.group(SimpleNamespace()) is None
    known.append(group(2, 4))
    assert adapter.group(SimpleNamespace(ep_rank=1, ep_size=2)) is None


def test_only_those_that_ask_have_their_collectives_timed(caplog: Any) -> None:
    import torch.distributed as dist

    from deepxtrace.adapters import collectives

    services = Services()
    replaced = []
    services.replace = lambda owner, name, wrapper: replaced.append(name)  # type: ignore
    services.settings.collectives = False
    adapter = collectives.Collectives(services)  # type: ignore
    adapter.examine(dist)
    assert replaced == []
    services.settings.collectives = True
    with caplog.at_level(logging.INFO, "deepxtrace"):
        adapter.examine(dist)
    assert replaced == ["all_to_all_single"] * 2
