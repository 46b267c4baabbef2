# SPDX-License-Identifier: Apache-2.0
"""Operators without any counters, of which only durations can be known: those of libraries in which
no rank leaves an operation before all have come. Some operations, the same ones on all ranks, get a
CUDA event before and one behind; on the CPU the clock is read.

Nothing is measured inside the capture of a CUDA graph: an event of a graph tells nothing of the
single replay. There, the log says so.
"""
from __future__ import annotations

import collections
import contextlib
import functools
import logging
import os
import queue
import threading
import time
import weakref
from typing import Any, Callable, ContextManager, Deque, Dict, List, Optional, Sequence, Tuple

from .. import _tensors, _threads
from .._durations import Sampler
from .._graphs import captured_into
from . import Adapter, Services
from ._arguments import find

#: What measuring costs a step, in seconds, before it is known: two events and their times. On H100
#: a step of 170 us took 2.5 us longer with one operation of 8 measured.
_COST_CUDA, _COST_CPU = 16e-6, 2e-6
#: Pairs of events under way at the most; with more, operations are left out.
_PENDING = 2048
_HARVEST_SECONDS = 0.1
#: An attribute of each object whose methods are timed.
_STATE = "_deepxtrace_timed"


class Timed:
    """The operations of one group: what is measured of them, and the diagnosis of that."""

    def __init__(self, services: Services, group: Any, operators: Sequence[str], what: str,
                 device: Any, options: Dict[str, Any]) -> None:
        self.services, self.what = services, what
        #: The GPU of the operations, with its index; None: the clock of the CPU tells.
        self.device, self.on_cuda = device, device is not None
        self.sampler = Sampler(len(operators), _COST_CUDA if self.on_cuda else _COST_CPU)
        self.inside = threading.local()
        self._operators, self._group, self._options = tuple(operators), group, options
        self._diagnose: Any = None
        self._pending: Deque[Tuple[int, int, Any, Any]] = collections.deque()
        self._spare: List[Any] = []
        self._said = ""
        _worker.begin(self)

    # ---- on the program's thread

    def measure(self, index: int, number: int, call: Callable[[], Any]) -> Any:
        """Make the call, and note how long it kept this rank."""
        if self._diagnose is None or len(self._pending) >= _PENDING:
            return call()
        if not self.on_cuda:
            begin = time.perf_counter()
            result = call()
            now = time.perf_counter()
            self._note(index, number, now - begin)
            self.sampler.spent(0.0, now)
            return result
        begin = time.perf_counter()
        start = self._record()
        spent = time.perf_counter() - begin
        result = call()
        if start is not None:
            begin = time.perf_counter()
            end = self._record()
            ahead = not self._reached(start)
            if end is not None:
                self._pending.append((index, number, start, end))
            now = time.perf_counter()
            # What keeps a thread that is ahead of its GPU costs the program nothing.
            self.sampler.spent(0.0 if ahead else spent + now - begin, now)
        return result

    def measure_until(self, index: int, number: int, call: Callable[[], Any], event_of: Any) -> Any:
        """The same where the operation ends when the program waits for what it has returned: the
        object that `event_of(result)` finds, through its `current_stream_wait`."""
        if self._diagnose is None or not self.on_cuda:
            return call()
        start = self._record()
        result = call()
        event = self.services.quietly("finding an event", event_of, result)
        wait: Any = getattr(event, "current_stream_wait", None)
        if start is None or wait is None:
            self.asynchronous()
            return result
        self.sampler.spent(0.0, time.perf_counter())

        def current_stream_wait(*args: Any, **kwargs: Any) -> Any:
            waited = wait(*args, **kwargs)
            if event.__dict__.pop("current_stream_wait", None) is not None:
                end = self._record()
                if end is not None:
                    self._pending.append((index, number, start, end))
            return waited

        try:
            event.current_stream_wait = current_stream_wait
        except Exception:  # an object that takes no attributes
            self.asynchronous()
        return result

    def captured(self) -> None:
        """An operation is inside the capture of a graph."""
        self._say_once("operations inside CUDA graphs are not measured")

    def asynchronous(self) -> None:
        """It is not known when the program waits for an operation."""
        self._say_once("operations that the program waits for later are not measured")

    def _record(self) -> Any:
        try:
            import torch

            event = self._spare.pop() if self._spare else torch.cuda.Event(enable_timing=True)
            event.record()
            return event
        except Exception as error:
            self.services.failed("measuring an operation", error)
            return None

    def _reached(self, event: Any) -> bool:
        """Whether the GPU has come to an event; True if that cannot be told."""
        try:
            with _tensors.capture_allowed():
                return bool(event.query())
        except Exception as error:
            self.services.failed("measuring an operation", error)
            return True

    def _note(self, index: int, number: int, seconds: float) -> None:
        try:
            self._diagnose.note_duration(index, number, seconds)
        except Exception as error:
            self.services.failed("noting a duration", error)

    def _say_once(self, text: str) -> None:
        self.services.once(logging.INFO, "%s: %s", self.what, text)
        self.services.nothing(f"{self.what}: {text}")

    # ---- on a thread of ours

    def start(self) -> None:
        """Begin the diagnosis. Ranks do so in the same order."""
        with self._on_device():
            self._diagnose = self.services.diagnose(
                self._group, self.device if self.on_cuda else "cpu", durations=self._operators,
                **self._options)
        self._tell()

    def _on_device(self) -> ContextManager[Any]:
        """A thread of ours begins on GPU 0, where most ranks have nothing to look for."""
        if not self.on_cuda:
            return contextlib.nullcontext()
        import torch

        there: ContextManager[Any] = torch.cuda.device(self.device)
        return there

    def _tell(self) -> None:
        how = "CUDA events" if self.on_cuda else "the clock"
        said = (f"attached to {self.what}: durations of {', '.join(self._operators)}, one operation"
                f" of {self.sampler.period} by {how}")
        if said != self._said:
            self._said = said
            self._diagnose.tell_timed(said)

    def harvest(self, groups: int) -> None:
        """Note what has been measured, and choose anew how often to measure."""
        if self._diagnose is None:
            return
        if self._pending:
            with self._on_device(), _tensors.capture_allowed():
                while self._pending and self._pending[0][3].query():
                    index, number, start, end = self._pending.popleft()
                    self._note(index, number, start.elapsed_time(end) / 1000)
                    self._spare += (start, end)
        if self.sampler.adapt(groups):
            self._tell()

    def end(self) -> None:
        """Stop the diagnosis."""
        diagnose, self._diagnose = self._diagnose, None
        if diagnose is not None:
            self.services.end(diagnose)


class _Worker:
    """One thread for all groups: starts diagnoses, in the order in which groups were met, and reads
    the events."""

    def __init__(self) -> None:
        self._new: "queue.SimpleQueue[Any]" = queue.SimpleQueue()
        self._all: List["weakref.ref[Timed]"] = []
        self._thread: Optional[threading.Thread] = None
        self._stopping = False

    def begin(self, timed: Timed) -> None:
        self._new.put(weakref.ref(timed))
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="deepxtrace-timed", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._stopping:
            try:
                found = self._new.get(timeout=_HARVEST_SECONDS)
                self._with(found, "starting the diagnosis", lambda timed: timed.start())
                self._all.append(found)
            except queue.Empty:
                pass
            self._all = [found for found in self._all if found() is not None]
            for found in self._all:
                self._with(found, "reading durations", lambda timed: timed.harvest(len(self._all)))

    def stop(self) -> None:
        """Before the interpreter goes down."""
        self._stopping = True
        if self._thread is not None:
            _threads.join([self._thread])

    @staticmethod
    def _with(found: Any, doing: str, call: Callable[[Timed], Any]) -> None:
        timed = found()
        if timed is not None and timed.services.active:
            timed.services.quietly(doing, call, timed)


_worker = _Worker()
_threads.at_end(_threads.BEGINNERS, lambda: _worker.stop())


def _after_fork() -> None:
    """In the child, which has no such thread, nor anything to diagnose."""
    global _worker
    _worker = _Worker()


os.register_at_fork(after_in_child=_after_fork)


def timed_call(original: Any, find_timed: Callable[..., Optional[Timed]], index: int,
               waits_later: Callable[..., bool], event_of: Any = None) -> Any:
    """A function or method whose operations are counted, and some of them measured.

    `find_timed(*args, **kwargs)` says whose operation a call is, `waits_later` whether its end is
    when the program waits for it, and `event_of(result)` for what then; without it such a call is
    not measured.
    """
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        timed = find_timed(*args, **kwargs)
        if timed is None or not timed.services.active:
            return original(*args, **kwargs)
        number = timed.sampler.next(index)
        if number < 0 or getattr(timed.inside, "now", False):
            return original(*args, **kwargs)
        timed.inside.now = True
        try:
            return _measured(timed, index, number, original, args, kwargs, waits_later, event_of)
        finally:
            timed.inside.now = False

    return wrapper


def _measured(timed: Timed, index: int, number: int, original: Any, args: Tuple[Any, ...],
              kwargs: Dict[str, Any], waits_later: Callable[..., bool], event_of: Any) -> Any:
    def call() -> Any:
        return original(*args, **kwargs)

    plain = later = False
    try:
        plain = timed.on_cuda and captured_into() is not None
        later = waits_later(*args, **kwargs)
    except Exception as error:
        timed.services.failed("looking at an operation", error)
        plain = True
    if plain:
        timed.captured()
        return call()
    if not later:
        return timed.measure(index, number, call)
    if event_of is None:
        timed.asynchronous()
        return call()
    return timed.measure_until(index, number, call, event_of)


class TimedBuffers(Adapter):
    """An adapter for classes with a dispatch and a combine. What differs between libraries is
    below."""

    #: Names of the operators in windows.
    operators: Tuple[str, ...] = ("dispatch", "combine")
    #: Methods, and which operator each is.
    methods: Dict[str, int] = {"dispatch": 0, "combine": 1}

    def concerns(self, cls: type, module: Any) -> bool:
        """Whether a class is one of these."""
        raise NotImplementedError

    def group(self, buffer: Any) -> Any:
        """Something with rank() and size(); None if there is none."""
        raise NotImplementedError

    def waits_later(self, *args: Any, **kwargs: Any) -> bool:
        """Whether a call returns before its operation is over for the current stream."""
        return False

    #: What such a call returns that the program waits with.
    event_of: Any = None

    def options(self, buffer: Any) -> Dict[str, Any]:
        """Arguments for Diagnose, besides those that all have."""
        return {}

    # ---- classes

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._seen: "weakref.WeakSet[type]" = weakref.WeakSet()

    def forget(self) -> None:
        self._seen.clear()

    def examine(self, module: Any) -> None:
        if not self.services.attaching:
            return
        for value in list(vars(module).values()):
            if isinstance(value, type) and value not in self._seen and self.concerns(value, module):
                self._seen.add(value)
                self._wrap_class(value)

    def _wrap_class(self, cls: type) -> None:
        wrapped = []
        for name, index in self.methods.items():
            method = find(cls, name)
            if method is None or method.arguments is None or method.foreign:
                continue
            self.services.replace(method.owner, name,
                                  timed_call(method.original, self._timed, index, self.waits_later,
                                             self.event_of))
            wrapped.append(name)
        if wrapped:
            logging.getLogger("deepxtrace").info(
                "DeepXTrace: %s.%s: durations of %s", cls.__module__, cls.__name__,
                ", ".join(wrapped))

    # ---- objects

    def _timed(self, buffer: Any, *_args: Any, **_kwargs: Any) -> Optional[Timed]:
        """What is known of an object; None if nothing is to be."""
        if not self.services.active:
            return None
        own = vars(buffer)
        if _STATE not in own:
            own[_STATE] = None  # one attempt
            own[_STATE] = self.services.quietly("looking at a Buffer", self._begin, buffer)
        found: Optional[Timed] = own[_STATE]
        if found is not None and found.services is not self.services:  # of an earlier attach()
            own[_STATE] = found = self._begin(buffer)
        return found

    def _begin(self, buffer: Any) -> Optional[Timed]:
        group = self.group(buffer)
        what = f"{type(buffer).__module__}.{type(buffer).__name__}"
        if group is None or group.size() < 2:
            self.services.nothing(f"{what}: no process group, or one rank")
            return None
        timed = Timed(self.services, group, self.operators, what, _current_gpu(),
                      self.options(buffer))
        weakref.finalize(buffer, timed.end).atexit = False
        return timed


def _current_gpu() -> Any:
    """The GPU of this thread; None if there is none."""
    import torch

    if not torch.cuda.is_available():
        return None
    return torch.device("cuda", torch.cuda.current_device())
