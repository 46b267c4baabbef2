# SPDX-License-Identifier: Apache-2.0
"""One kind of communication whose waits are counted."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Set

import numpy as np

from . import _mailroom, _tensors
from ._graphs import Operations
from ._session import Block, Facts, Session


class Stillness:
    """Finds, of calls at about regular times, those before which there was none for long."""

    SECONDS, TIMES, NEWS_SECONDS = 10.0, 10.0, 600.0

    def __init__(self) -> None:
        self._last: Optional[float] = None
        self._usual = 0.0
        self._told: Optional[float] = None

    def call(self, now: float) -> float:
        """Seconds since the call before, if these are many more than usual; else 0. Not again for
        ten minutes."""
        last, self._last = self._last, now
        if last is None:
            return 0.0
        gap = now - last
        many = gap > max(self.SECONDS, self.TIMES * self._usual)
        self._usual += (gap - self._usual) / 16
        if not many or (self._told is not None and now - self._told < self.NEWS_SECONDS):
            return 0.0
        self._told = now
        return gap


class Mode:
    """Low-latency, normal, or counters of a library's own: them, the operations, the session, the
    last window.

    ``counters`` of a library have read(), waits, samples, operations and strangers(), and may have
    begun and an origin: see docs/adapters.md.
    """

    def __init__(self, name: str, operators: Sequence[str], ranks: int, device: Any,
                 counters: Any = None) -> None:
        self.name, self.operators = name, operators
        self.has_own = counters is not None
        self.counters = counters if self.has_own else _tensors.Counters(ranks, device)
        self._strangers: Set[int] = set()
        self.operations = Operations(len(operators))
        self.session: Optional[Session] = None
        self.mailroom: Optional[_mailroom.Mailroom] = None
        self.calls = 0
        self.stillness = Stillness()
        self.ended = 0  # the call with which the last window ended
        self.results: List[Dict[str, Any]] = []
        self.waits = np.zeros((ranks, len(operators), ranks), np.int64)

    def read(self, out: Block, seconds: float, ordered: bool, rank: int,
             say: Callable[[str], Any]) -> bool:
        """Copy the counters; False if the device did not answer."""
        own = self.counters
        if not self.has_own:
            done = bool(own.read(out.waits, seconds, ordered))
            out.time_ns[0] = own.read_ns
            return done
        if not own.read(seconds, ordered):
            return False
        out.time_ns[0] = getattr(own, "read_ns", 0)
        out.waits[:], out.samples[:], out.ops[:] = own.waits, own.samples, own.operations
        for stranger in own.strangers(rank):
            if stranger not in self._strangers:
                self._strangers.add(stranger)
                say(f"rank {stranger} is not instrumented: its kernels announce nothing, so "
                    "waits for it are not known")
        return True

    def facts(self, local_experts: Optional[int]) -> Facts:
        """What is known besides the waits. On the thread that reads them."""
        if self.has_own:
            begun = getattr(self.counters, "begun", None)
            return Facts() if begun is None else Facts([int(count) for count in begun])
        tokens = getattr(self.counters, "tokens", None)
        return Facts(self.operations.issued(), local_experts or 0,
                     tokens if tokens is not None and len(tokens) else None, self.operations.mix())

    def open_mailroom(self, make: Callable[[], _mailroom.Mailroom]) -> _mailroom.Mailroom:
        """Its mailbox, made before the session where there is time."""
        if self.mailroom is None:
            self.mailroom = make()
        return self.mailroom

    def stop(self) -> None:
        """End the session; windows that are complete may still be told."""
        session, self.session = self.session, None
        mailroom, self.mailroom = self.mailroom, None
        if session is not None:
            # Its thread may wait for a device that hangs.
            hurry = getattr(self.counters, "hurry", lambda _ended: None)
            hurry(True)
            try:
                session.destroy()
            finally:
                hurry(False)
        elif mailroom is not None:
            mailroom.close()

    def warm_up(self, seconds: float) -> None:
        """Have everything loaded that a read needs, before the job is in a hurry."""
        ranks = self.waits.shape[0]
        if self.has_own:
            self.counters.read(seconds, False)
        else:
            self.counters.read(np.zeros((len(self.operators), ranks), np.int64), seconds, False)
        self.operations.issued()
