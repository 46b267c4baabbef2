# SPDX-License-Identifier: Apache-2.0
"""Durations of operations, in a ring of the C library, and which operations to measure.

Where no rank leaves an operation before all have come, how long each was in it says who came late,
without a counter in the library that communicates and without a clock that the ranks share.
"""
from __future__ import annotations

import ctypes as c
import time
import weakref
from typing import Any, List

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
#: Measurements whose cost is remembered, and how many say something.
_COSTS, _LEAST_COSTS = 32, 8
_MOST_BITS = 16


class Durations:
    """The durations of one rank's operators. Threads: one at a time per operator notes."""

    def __init__(self, operators: int, ranks: int) -> None:
        self._probe = c.POINTER(_lib.Probe)()
        lib.dxt_probe_create_durations(operators, ranks, _KEPT, c.byref(self._probe))
        self._probe.contents.ticks_per_second = 1_000_000_000
        weakref.finalize(self, lib.dxt_probe_destroy, self._probe)

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
        self._spent: List[float] = []
        self._measured = 0
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

    def spent(self, seconds: float) -> None:
        """How long measuring one operation has kept the program; 0 where the GPU has work."""
        if len(self._spent) < _COSTS:
            self._spent.append(seconds)
        else:
            self._spent[self._measured % _COSTS] = seconds
        self._measured += 1

    def _cost_of_one(self) -> float:
        """The lower quartile of the last ones: what takes longer now and then waited for
        something else."""
        spent = sorted(self._spent)
        return max(self._cost, spent[len(spent) // 4]) if len(spent) >= _LEAST_COSTS else self._cost

    def adapt(self, groups: int = 1) -> bool:
        """Choose anew by how often operations came since the last time, for one of so many groups
        that share the budget. True if that changed anything."""
        now, done = time.monotonic(), sum(self.numbers)
        seconds, operations = now - self._since, done - self._before
        if seconds < _LEAST_SECONDS or operations < 2:
            return False
        self._since, self._before = now, done
        wanted = self._cost_of_one() * operations / seconds * max(groups, 1) / BUDGET
        bits = min(max(int(wanted), 1).bit_length() - (wanted <= 1), _MOST_BITS)
        # A step back only where it is clear, so that ranks stay together.
        if bits == self.mask.bit_length() - 1 and wanted > 0.8 * (1 << bits):
            return False
        changed = self.mask != (1 << bits) - 1
        self.mask = (1 << bits) - 1
        return changed
