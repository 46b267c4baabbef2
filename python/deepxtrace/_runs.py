# SPDX-License-Identifier: Apache-2.0
"""Windows of recordings judged as ``deepxtrace analyze`` does: those of an interval together, and
each with the windows of its run before it."""
from __future__ import annotations

import ctypes as c
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from . import _lib
from ._analysis import MEASURES, THRESHOLDS, Analysis, check_method
from ._findings import Findings
from ._lib import lib

if TYPE_CHECKING:
    from .window import Window
    Windows = List[Window]
else:
    Windows = list

#: Windows of an interval: two operators, and where a library has them their transfers.
_MOST_OPERATORS = 4


class Timeline(NamedTuple):
    """The lateness of all ranks in one operator over the newest windows of a run."""

    phase: str
    measure: str  #: unit of the lateness, as Window.measure
    windows: np.ndarray  #: their numbers
    lateness: np.ndarray  #: ``[rank, window]``; NaN where a rank sent nothing


class Run(NamedTuple):
    """What one run comes to: the windows of one job that continue each other."""

    summary: Dict[str, Any]  #: the diagnosis format, the line of ``analyze --json --summary``
    text: str  #: the same for people
    timelines: Tuple[Timeline, ...]

    def __str__(self) -> str:
        return self.text.rstrip("\n")


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)


class Judged(List[Findings]):
    """The findings of each window, in the order of the windows, and of each run what it comes to;
    of the ratio method there are no runs."""

    def __init__(self, findings: Sequence[Findings], runs: Sequence[Run]) -> None:
        super().__init__(findings)
        self.runs: Tuple[Run, ...] = tuple(runs)

    @property
    def summary(self) -> str:
        """Who, since when, how often and what it costs, for people; of several jobs, which."""
        names = [run.summary.get("instance") for run in self.runs]
        lines: List[str] = []
        for number, (name, run) in enumerate(zip(names, self.runs)):
            if len(set(names)) > 1 and names[number - 1:number] != [name]:
                lines.append(f"job {_printable(name or 'without a name')}:")
            lines.append(str(run))
        return "\n".join(lines)

    def timeline(self, phase: Optional[str] = None) -> Timeline:
        """That of an operator in the newest run; the first one by default. KeyError if there is
        none."""
        for timeline in self.runs[-1].timelines if self.runs else ():
            if phase in (None, timeline.phase):
                return timeline
        raise KeyError(phase)

    def __str__(self) -> str:
        return "\n".join([*map(str, self), *map(str, self.runs)])

    def __repr__(self) -> str:
        return f"<Judged: {len(self)} windows, {len(self.runs)} runs>"


class _History:
    """The memory of a job: dxt_history."""

    def __init__(self, min_share: float) -> None:
        self.handle = c.c_void_p()
        options = _lib.HistoryOptions(struct_size=c.sizeof(_lib.HistoryOptions),
                                      min_share=min_share)
        lib.dxt_history_create(c.byref(options), c.byref(self.handle))
        self._phases: List[str] = []

    def __enter__(self) -> "_History":
        return self

    def __exit__(self, *_unused: Any) -> None:
        lib.dxt_history_destroy(self.handle)

    def judge(self, struct: Any, found: Any, phase: str) -> Findings:
        judged = c.c_void_p()
        lib.dxt_history_judge(self.handle, struct, found, c.byref(judged))
        try:
            if phase not in self._phases:
                self._phases.append(phase)
            return Findings._from_c(struct, judged)
        finally:
            lib.dxt_findings_free(judged)

    def end(self) -> Iterator[Run]:
        """The run so far, if there is one: another one begins."""
        phases, self._phases = self._phases, []
        if lib.dxt_history_windows(self.handle) == 0:
            return
        line, text = _lib.Writer(), _lib.Writer()
        lib.dxt_report_summary_json(self.handle, line.function, None)
        lib.dxt_report_summary_text(self.handle, text.function, None)
        timelines = [found for phase in phases for found in self._timeline(phase)]
        yield Run(json.loads(line.bytes()), text.text(), tuple(timelines))

    def _timeline(self, phase: str) -> Iterator[Timeline]:
        made = c.POINTER(_lib.Timeline)()
        try:
            lib.dxt_history_timeline(self.handle, phase.encode(), c.byref(made))
        except _lib.DeepXTraceError as error:
            if error.status != _lib.ERR_INVALID:
                raise
            return  # an operator of which nothing is remembered
        try:
            raw = made.contents
            shape = (raw.ranks, raw.windows)
            yield Timeline(
                phase, MEASURES[raw.measure],
                np.array(raw.index[:raw.windows], np.int64),
                np.array(raw.lateness[:raw.ranks * raw.windows], np.float64).reshape(shape))
        finally:
            _lib.libc.free(made)


def _relation(first: Any, second: Any) -> int:
    return int(lib.dxt_window_relation(first, second))


def _intervals(structs: Sequence[Any]) -> Iterator[List[int]]:
    """Which windows belong to one interval, as input_each() of the command has it; those of jobs
    that write in turns into one file are told apart."""
    open_ones: Dict[Optional[bytes], List[int]] = {}
    for at, struct in enumerate(structs):
        own = open_ones.setdefault(struct.instance, [])
        others = [structs[index] for index in own]
        if own and (any(other.phase == struct.phase for other in others)
                    or not any(_relation(other, struct) for other in others)):
            yield own
            own = open_ones[struct.instance] = []
        own.append(at)
        if len(own) == _MOST_OPERATORS or (len(own) == 2 and _relation(
                structs[own[0]], structs[own[1]]) == _lib.RELATION_COMPANION):
            yield own
            del open_ones[struct.instance]
    yield from (own for own in open_ones.values() if own)


def _related(structs: Sequence[Any], own: List[int], at: int, wanted: int) -> Any:
    found = None
    for other in own:
        first, second = min(at, other), max(at, other)
        if first != second and _relation(structs[first], structs[second]) == wanted:
            found = structs[other]
    return found


class Recording(Windows):
    """Windows in the order of their recording, such as read() returns."""

    def analyze(self, method: str = "robust", *, min_share: float = 0, ranks_per_node: int = 0,
                threshold_col: float = THRESHOLDS[0], threshold_row: float = THRESHOLDS[1],
                threshold_point: float = THRESHOLDS[2], keep_points: bool = False,
                excluding_zeros: bool = False) -> Judged:
        """Judge all windows as ``deepxtrace analyze`` does: the operators of an interval together,
        each window with those of its run before it; with the ratio method each alone.

        ``min_share`` 0 is the one that a window was recorded with, else the library's default; the
        other arguments are those of :meth:`Window.analyze`.
        """
        check_method(method)
        thresholds = (threshold_col, threshold_row, threshold_point)
        structs = [window._struct() for window in self]
        findings: List[Any] = [None] * len(structs)
        runs: List[Run] = []
        with ExitStack() as held:
            histories: Dict[Optional[bytes], _History] = {}
            for own in _intervals(structs):
                for at in own:
                    struct, history = structs[at], None
                    if method != "ratio":
                        if struct.instance not in histories:
                            histories[struct.instance] = held.enter_context(_History(min_share))
                        history = histories[struct.instance]
                        if not lib.dxt_history_continues(history.handle, struct):
                            runs += history.end()
                    with Analysis(
                            struct, method, _related(structs, own, at, _lib.RELATION_COMPANION),
                            min_share, ranks_per_node, thresholds, keep_points, excluding_zeros,
                            _related(structs, own, at, _lib.RELATION_ADJACENT),
                            None if history is None else history.handle) as found:
                        findings[at] = (Findings._from_c(struct, found) if history is None
                                        else history.judge(struct, found, self[at].phase))
            for history in histories.values():
                runs += history.end()
        return Judged(findings, runs)
