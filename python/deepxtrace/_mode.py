# SPDX-License-Identifier: Apache-2.0
"""One kind of communication whose waits are counted."""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Set

import numpy as np

from . import _mailroom, _tensors
from ._graphs import Operations
from ._session import Block, Facts, Session


class Mode:
    """Low-latency, normal, or counters of a library's own: them, the operations, the session, the
    last window.

    ``counters`` of a library have read(), waits, samples, operations and strangers(), and may have
    an origin: see docs/adapters.md.
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
        self.ended = 0  # the call with which the last window ended
        self.results: List[Dict[str, Any]] = []
        self.waits = np.zeros((ranks, len(operators), ranks), np.int64)

    def read(self, out: Block, seconds: float, ordered: bool, rank: int,
             say: Callable[[str], Any]) -> bool:
        """Copy the counters; False if the device did not answer."""
        if not self.has_own:
            return bool(self.counters.read(out.waits, seconds, ordered))
        if not self.counters.read(seconds, ordered):
            return False
        own = self.counters
        out.waits[:], out.samples[:], out.ops[:] = own.waits, own.samples, own.operations
        for stranger in own.strangers(rank):
            if stranger not in self._strangers:
                self._strangers.add(stranger)
                say(f"rank {stranger} is not instrumented: its kernels announce nothing, and how "
                    "long it is waited for is not known")
        return True

    def facts(self, local_experts: Optional[int]) -> Facts:
        """What is known besides the waits. On the thread that reads them."""
        if self.has_own:
            return Facts()  # its counters say it
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
            session.destroy()
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
