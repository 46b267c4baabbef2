# SPDX-License-Identifier: Apache-2.0
"""How many operations a process has issued, those in CUDA graphs included, with no work on the GPU.

A call of Python that is captured into a graph is made once, and what it launched is done each time
the graph is replayed. So a call that finds its stream in a capture goes into the list of that
graph, and a replay adds what the list holds. Which graph it is tells the capture id of the call's
stream: threads do not, since a program may dispatch in other threads than the one that captures.
"""
from __future__ import annotations

import contextlib
import ctypes
import functools
import itertools
import os
import threading
import weakref
import zlib
from typing import Any, Callable, Dict, Hashable, List, Optional, Sequence, Tuple

#: What a graph does, as an attribute of its object.
_CONTENT = "_deepxtrace_content"
#: CU_STREAM_CAPTURE_STATUS_ACTIVE.
_ACTIVE = 1
#: Shares of the work are told apart by this much.
_MIX_STEPS = 8

#: Of all numbers but that of replays, which come from any thread.
_lock = threading.Lock()
_numbers = itertools.count(1)


class _Content:
    """What a graph holds: how many operations of whom. A replay only moves one counter on, which is
    one step of the interpreter, so that nothing is locked."""

    __slots__ = ("number", "capture", "graph", "amounts", "replays", "tick", "__weakref__")

    def __init__(self, capture: int, graph: Any = None) -> None:
        self.number = next(_numbers)
        self.capture = capture
        self.graph = weakref.ref(graph) if graph is not None else None
        self.amounts: Dict[Tuple["Operations", int, bool], int] = {}
        self.replays = itertools.count()
        self.tick = self.replays.__next__

    def add(self, operations: "Operations", index: int, amount: int, by_hand: bool) -> None:
        """Under the lock."""
        key = (operations, index, by_hand)
        self.amounts[key] = self.amounts.get(key, 0) + amount
        operations.contents[self.number] = self

    def add_all(self, other: "_Content") -> None:
        """Another graph is launched within this one. Under the lock."""
        for (operations, index, by_hand), amount in other.amounts.items():
            self.add(operations, index, amount, by_hand)

    def count(self) -> int:
        """Replays so far, without another."""
        return int(repr(self.replays)[len("count("):-1])

    def is_gone(self) -> bool:
        """Whether its graph is no more, or has been captured anew."""
        graph = self.graph() if self.graph is not None else None
        return graph is None or graph.__dict__.get(_CONTENT) is not self


class Operations:
    """Operations that one rank has issued through one Buffer, one number for each operator; they
    only grow. Threads: any."""

    def __init__(self, operators: int = 2) -> None:
        self._automatic = [0] * operators
        self._by_hand = [0] * operators
        self._is_by_hand = False
        self._unseen = False
        #: Graphs that hold some, by their number.
        self.contents: Dict[int, _Content] = {}
        #: Operations by what they were part of: a graph's number, or what a call was told of.
        self._work: Dict[Hashable, int] = {}
        self._work_before: Dict[Hashable, int] = {}

    def add(self, index: int, about: Hashable = "call") -> Callable[[], None]:
        """A call of operator `index` is made by this thread, on its current stream. `about` tells
        apart calls that do different work. What is returned takes it back, for a call that
        failed."""
        content = self._book(((index, 1),), about, False)

        def take_back() -> None:
            self._book(((index, -1),), about, False, content)

        return take_back

    def count(self, amounts: Sequence[int]) -> None:
        """A program counts by itself, from now on: so many operations of each operator were issued,
        or are in the graph that this thread's current stream is captured into."""
        with _lock:
            if not self._is_by_hand:
                self._is_by_hand = True
                self._by_hand[:] = [max(have - more, 0)
                                    for have, more in zip(self._totals(False), amounts)]
        self._book([pair for pair in enumerate(amounts) if pair[1] > 0], "by hand", True)

    def _book(self, amounts: Sequence[Tuple[int, int]], about: Hashable, by_hand: bool,
              content: Optional[_Content] = None) -> Optional[_Content]:
        """Where it was booked: in a graph, or None."""
        if content is None and amounts and amounts[0][1] > 0:
            content = captured_into()
        with _lock:
            if content is None:
                numbers = self._by_hand if by_hand else self._automatic
                for index, amount in amounts:
                    numbers[index] += amount
                    if by_hand == self._is_by_hand:
                        self._work[about] = self._work.get(about, 0) + amount
            elif content is _UNSEEN:
                self._unseen = self._unseen or not by_hand
            else:
                for index, amount in amounts:
                    content.add(self, index, amount, by_hand)
        return content

    def lose(self) -> None:
        """Operations may be issued that nobody here sees."""
        self._unseen = True

    def issued(self) -> Optional[Tuple[int, ...]]:
        """How many so far; None if that is not known."""
        with _lock:
            self._forget_gone()
            if self._unseen and not self._is_by_hand:
                return None
            return tuple(self._totals(self._is_by_hand))

    def mix(self) -> int:
        """What the work issued since the last call of this consisted of: equal numbers for the same
        graphs and calls in about the same shares. 0 if there was none or it is not known. One
        thread at a time."""
        with _lock:
            work = dict(self._work)
            for number, content in self.contents.items():
                work[number] = content.count() * sum(
                    amount for (operations, _, by_hand), amount in content.amounts.items()
                    if operations is self and by_hand == self._is_by_hand)
            before, self._work_before = self._work_before, work
            known = self._is_by_hand or not self._unseen
        done = {what: count - before.get(what, 0) for what, count in work.items()}
        total = sum(done.values())
        if total <= 0 or not known:
            return 0
        shares = sorted((repr(what), round(_MIX_STEPS * count / total))
                        for what, count in done.items() if count > 0)
        return zlib.crc32(repr([share for share in shares if share[1] > 0]).encode()) or 1

    # ---- under the lock

    def _totals(self, by_hand: bool) -> List[int]:
        totals = list(self._by_hand if by_hand else self._automatic)
        for content in self.contents.values():
            replays = content.count()
            for (operations, index, hand), amount in content.amounts.items():
                if operations is self and hand == by_hand:
                    totals[index] += replays * amount
        return totals

    def _forget_gone(self) -> None:
        """What graphs that are no more have done stays."""
        for number, content in list(self.contents.items()):
            if not content.is_gone():
                continue
            replays = content.count()
            for (operations, index, by_hand), amount in content.amounts.items():
                if operations is self:
                    (self._by_hand if by_hand else self._automatic)[index] += replays * amount
            del self.contents[number]


#: Stands for a graph whose replays are not seen.
_UNSEEN = _Content(0)
#: The graphs that are being captured, by the id of the capture.
_open: Dict[int, "weakref.ref[_Content]"] = {}


def _find_capture_query() -> Optional[Callable[[int], Tuple[int, int]]]:
    """A function that tells for a stream's handle the state of its capture, and the capture's id;
    None where the driver has none."""
    for library, name in (("libcuda.so.1", "cuStreamGetCaptureInfo_v2"),
                          ("libamdhip64.so", "hipStreamGetCaptureInfo_v2")):
        with contextlib.suppress(OSError, AttributeError):
            function = getattr(ctypes.CDLL(library), name)
            function.restype = ctypes.c_int
            function.argtypes = (ctypes.c_void_p, ctypes.POINTER(ctypes.c_int),
                                 ctypes.POINTER(ctypes.c_uint64), ctypes.c_void_p,
                                 ctypes.c_void_p, ctypes.c_void_p)

            def query(stream: int, function: Any = function) -> Tuple[int, int]:
                status, number = ctypes.c_int(), ctypes.c_uint64()
                failed = function(stream, ctypes.byref(status), ctypes.byref(number), None, None,
                                  None)
                return (0, 0) if failed else (status.value, number.value)

            return query
    return None


_query: Optional[Callable[[int], Tuple[int, int]]] = None
_query_found = False


def _capture_id() -> Optional[int]:
    """Of this thread's current stream; None if it is not captured, 0 if the id is not known, and
    below 0 if the capture has failed already."""
    global _query, _query_found
    import torch
    if not (torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()):
        return None
    if not _query_found:
        _query, _query_found = _find_capture_query(), True
    if _query is None:
        return 0
    status, number = _query(torch.cuda.current_stream().cuda_stream)
    return number if status == _ACTIVE else -status


def captured_into() -> Optional[_Content]:
    """What the current stream of this thread is captured into; None if it is not."""
    number = _capture_id()
    if number is None:
        return None
    found = _open.get(number)
    if found is None and number == 0 and len(_open) == 1:
        # The driver does not tell: there is one that it can be.
        found = next(iter(_open.values()))
    if found is None and number >= 0:
        return _UNSEEN
    # What will never be replayed holds what nobody counts.
    return (found() if found is not None else None) or _Content(0)


class GraphWatch:
    """The methods of torch.cuda.CUDAGraph, with what has to be counted around them. Programs, and
    all that builds on that class, keep calling what they call."""

    def __init__(self) -> None:
        self._replaced: List[Tuple[type, str, Any, Any]] = []

    def install(self) -> None:
        """Begin. Does nothing if it is there already, or torch has no such class."""
        import torch
        cls = getattr(torch.cuda, "CUDAGraph", None)
        if self._replaced or not isinstance(cls, type):
            return
        for name, wrap in (("capture_begin", _capture_begin), ("capture_end", _capture_end),
                           ("replay", _replay), ("raw_cuda_graph", _raw),
                           ("raw_cuda_graph_exec", _raw)):
            original = getattr(cls, name, None)
            if original is None:
                continue
            own = cls.__dict__.get(name)
            wrapper = wrap(original)
            setattr(cls, name, wrapper)
            self._replaced.append((cls, name, wrapper, own))

    def remove(self) -> None:
        """End. Methods that somebody else has wrapped in turn stay."""
        replaced, self._replaced = self._replaced, []
        for cls, name, wrapper, own in replaced:
            if cls.__dict__.get(name) is wrapper:
                if own is None:
                    delattr(cls, name)
                else:
                    setattr(cls, name, own)


def _capture_begin(original: Any) -> Any:
    @functools.wraps(original)
    def capture_begin(graph: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(graph, *args, **kwargs)
        with contextlib.suppress(Exception):
            content = _Content(_capture_id() or 0, graph)
            graph.__dict__[_CONTENT] = content
            with _lock:
                for number in [n for n, found in _open.items() if found() is None]:
                    del _open[number]
                _open[content.capture] = weakref.ref(content)
        return result

    return capture_begin


def _capture_end(original: Any) -> Any:
    @functools.wraps(original)
    def capture_end(graph: Any, *args: Any, **kwargs: Any) -> Any:
        # A capture that fails is over, too: what it holds is never replayed.
        try:
            return original(graph, *args, **kwargs)
        finally:
            content = graph.__dict__.get(_CONTENT)
            if content is not None:
                _close(content)

    return capture_end


def _close(content: _Content) -> None:
    with _lock:
        found = _open.get(content.capture)
        if found is not None and found() is content:
            del _open[content.capture]


def _replay(original: Any) -> Any:
    @functools.wraps(original)
    def replay(graph: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(graph, *args, **kwargs)
        try:
            content = graph._deepxtrace_content
        except AttributeError:
            return result
        if not _open or not _replayed_within(content):
            content.tick()
        return result

    return replay


def _replayed_within(content: _Content) -> bool:
    """While some graph is captured: whether this replay was one more node of it."""
    _close(content)  # of a capture that nobody ended; whatever is replayed has ended
    if not _open:
        return False
    try:
        into = captured_into()
    except Exception:
        return False
    if into is None:
        return False
    with _lock:
        if into is _UNSEEN:
            for operations, _, _ in content.amounts:
                operations.lose()
        else:
            into.add_all(content)
    return True


def _raw(original: Any) -> Any:
    @functools.wraps(original)
    def raw(graph: Any, *args: Any, **kwargs: Any) -> Any:
        # Whoever has the handle may launch it, and that would not be seen.
        content = graph.__dict__.get(_CONTENT)
        if content is not None:
            with _lock:
                for operations, _, _ in content.amounts:
                    operations.lose()
        return original(graph, *args, **kwargs)

    return raw


def _after_fork() -> None:
    """In the child: the lock may have been another thread's."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
