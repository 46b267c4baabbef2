# SPDX-License-Identifier: Apache-2.0
"""Durations of operations, in a ring of the C library, and which operations to measure.

Where no rank leaves an operation before all have come, how long each was in it says who came late,
without a counter in the library that communicates and without a clock that the ranks share.
"""
from __future__ import annotations

import collections
import ctypes as c
import time
import weakref
from typing import Any, Deque, List

from . import _lib
from ._lib import lib

#: Durations kept of each operator: those of two windows.
_KEPT = 8192
#: What measuring may cost: this part of the time that a process spends.
BUDGET = 0.002
#: The hash of a number, as in the library's mails (src/session/mail.c): multiplied, folded and
#: multiplied again, so that what is measured keeps no step with anything that comes every so many
#: operations. One product alone does: 27 of 30 stalls, one every 700 operations, were measured
#: where one operation of 32 was.
_FIRST, _FOLD, _SECOND, _BEHIND = 0x9E3779B1, 15, 0x85EBCA77, 20
_LEAST_SECONDS = 0.5
#: Measurements that are remembered, and how many say something.
_KEPT_COSTS, _LEAST_COSTS = 32, 8
#: A stretch over which the pace of operations is taken: longer than the bursts of a host that runs
#: ahead of its GPU.
_STRETCH_OPERATIONS, _STRETCH_SECONDS = 16, 0.04
_MOST_BITS = 16


class Durations:
    """The durations of one rank's operators. Threads: one at a time per operator notes."""

    def __init__(self, operators: int, ranks: int) -> None:
        self._probe = c.POINTER(_lib.Probe)()
        lib.dxt_probe_create_durations(operators, ranks, _KEPT, c.byref(self._probe))
        self._probe.contents.ticks_per_second = 1_000_000_000
        # Not at the end of the process: that comes before sessions that read it are stopped.
        weakref.finalize(self, lib.dxt_probe_destroy, self._probe).atexit = False

    @property
    def probe(self) -> Any:
        """For a session; valid as long as this object."""
        return self._probe

    def read(self, _seconds: float, _ordered: bool) -> bool:
        """Nothing has to be copied: a session reads the ring itself."""
        return True

    def note(self, index: int, number: int, nanoseconds: int) -> None:
        """How long operation ``number`` of an operator took this rank."""
        lib.dxt_probe_note_duration(self._probe, index, number, max(nanoseconds, 0))


class Sampler:
    """Which operations of a group are measured: one of ``period``, a power of two, chosen so that
    measuring costs at most BUDGET of the time. Ranks choose on their own: what one measures that
    takes every 32nd is measured by one that takes every 16th as well."""

    def __init__(self, operators: int, cost: float, period: int = 64) -> None:
        #: The number of the next operation of each operator.
        self.numbers: List[int] = [0] * operators
        #: Of the hash of a number; 0 = every operation.
        self.mask = period - 1
        self._cost = cost
        #: Of the last measurements: how long each kept the program, and seconds from one operation
        #: to the next, over a stretch.
        self._spent: Deque[float] = collections.deque(maxlen=_KEPT_COSTS)
        self._paces: Deque[float] = collections.deque(maxlen=_KEPT_COSTS)
        self._mark = (0.0, 0)  # when that was, and after how many operations; 0 = never
        self._since, self._before = time.monotonic(), 0

    @property
    def period(self) -> int:
        return self.mask + 1

    def next(self, index: int) -> int:
        """Count an operation of operator `index`: its number if it is to be measured, else −1."""
        number = self.numbers[index]
        self.numbers[index] = number + 1
        product = number * _FIRST
        return -1 if (product ^ product >> _FOLD) * _SECOND >> _BEHIND & self.mask else number

    def spent(self, seconds: float, now: float) -> None:
        """How long measuring one operation has kept the program, 0 where the GPU has work; and the
        time of that, in seconds of any clock."""
        self._spent.append(seconds)
        done = sum(self.numbers)
        since, before = self._mark
        if done - before >= _STRETCH_OPERATIONS and now - since >= _STRETCH_SECONDS:
            if before > 0:
                self._paces.append((now - since) / (done - before))
            self._mark = now, done

    def _cost_of_one(self) -> float:
        """The lower quartile of the last ones: what takes longer now and then waited for
        something else."""
        return max(self._cost, _lower_quartile(self._spent))

    def _pace(self, seconds: float, operations: int) -> float:
        """Seconds from one operation to the next while the program works: a program that pauses
        must not be measured more often because of that. Before that is known, as given."""
        return min(_lower_quartile(self._paces) or seconds, seconds / operations)

    def adapt(self, groups: int = 1) -> bool:
        """Choose anew by how often operations came since the last time, for one of so many groups
        that share the budget. True if that changed anything."""
        now, done = time.monotonic(), sum(self.numbers)
        seconds, operations = now - self._since, done - self._before
        if seconds < _LEAST_SECONDS or operations < 2:
            return False
        self._since, self._before = now, done
        wanted = self._cost_of_one() / self._pace(seconds, operations) * max(groups, 1) / BUDGET
        bits = min(max(int(wanted), 1).bit_length() - (wanted <= 1), _MOST_BITS)
        # A step back only where it is clear, so that ranks stay together.
        if bits == self.mask.bit_length() - 1 and wanted > 0.8 * (1 << bits):
            return False
        changed = self.mask != (1 << bits) - 1
        self.mask = (1 << bits) - 1
        return changed


def _lower_quartile(values: Deque[float]) -> float:
    """0 where there are too few to say something."""
    found = sorted(list(values))  # the other thread may be adding
    return found[len(found) // 4] if len(found) >= _LEAST_COSTS else 0.0
