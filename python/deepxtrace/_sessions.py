# SPDX-License-Identifier: Apache-2.0
"""What of a diagnosis runs: the sessions of its modes, from their start to their end, and to the
end of the process."""
from __future__ import annotations

import math
import os
import socket
import threading
import uuid
from typing import Any, List, Optional, Set

from . import _lib, _mailroom, _threads
from ._durations import Durations
from ._lib import default
from ._mode import Mode
from ._report import Report
from ._session import Block, Session
from ._settings import Settings

#: How late the mails of a window may be in async mode, and how long a read may take, in seconds.
DEADLINE_SECONDS = default("deadline_s")
#: How long rank 0 waits for mails in sync mode at least; 0 = what the library thinks right, 1 ms.
PATIENCE_SECONDS = 0.0

#: Diagnoses that run.
running: Set["Sessions"] = set()


class Sessions:
    """The part of a Diagnose that starts and stops its sessions, and serves them."""

    rank: int
    group_size: int
    interval: float
    enable_async: bool
    instance_id: uuid.UUID
    _modes: List[Mode]
    _settings: Settings
    _report: Report
    _changing: threading.RLock  # held by whoever starts or stops sessions
    _closed: bool
    _attached: bool
    _note: str  # to be said with the next read
    _pid: int
    _store: Any
    _rate: int
    _method: int
    _local_experts: Optional[int]
    _min_share: float
    _place: Optional[_lib.Place]
    _group_name: str

    def _start_all(self) -> None:
        if self.group_size < 2:
            return  # a rank alone waits for nobody
        with self._changing:
            if self._closed:
                return
            for mode in self._modes:
                if mode.session is None:
                    self._start(mode)
            if self._modes:
                running.add(self)

    def _stop_all(self) -> None:
        if self._pid != os.getpid():
            running.discard(self)
            return
        with self._changing:  # whoever comes second returns when all has stopped, too
            for mode in self._modes:
                mode.stop()
            running.discard(self)

    def _prepare(self) -> None:
        """Whatever has to be loaded, allocated or connected, before the first operation."""
        if self.group_size < 2:
            return
        for mode in self._modes:
            mode.warm_up(DEADLINE_SECONDS)
            if self._attached:  # and closed for sure
                mode.open_mailroom(lambda: self._make_mailroom(mode))

    def _make_mailroom(self, mode: Mode) -> _mailroom.Mailroom:
        store = self._store
        return _mailroom.Mailroom(
            lambda: _mailroom.own_connection(store), f"deepxtrace/{self.instance_id}/{mode.name}",
            self.rank, self.group_size, self._say,
            *((self.interval,) if self.enable_async else ()))

    def _start(self, mode: Mode) -> None:
        mailroom = mode.open_mailroom(lambda: self._make_mailroom(mode))
        try:
            mode.session = Session(
                mailroom, self.rank, self.group_size, mode.operators,
                lambda out, ordered: self._read(mode, out, ordered),
                lambda diagnoses, count: self._diagnosed(mode, diagnoses, count), self._say,
                asynchronous=self.enable_async, interval=self.interval,
                deadline=DEADLINE_SECONDS if self.enable_async else 0,
                warmup_windows=(math.ceil(self._settings.warming_time / self.interval)
                                if self.enable_async else 0),
                ticks_per_second=lambda: self._rate,
                host=socket.gethostname(), instance=str(self.instance_id),
                source="deepxtrace.diagnose", method=self._method,
                facts=lambda: mode.facts(self._local_experts), min_share=self._min_share,
                device=self._place, group=self._group_name, patience=PATIENCE_SECONDS,
                probe=mode.counters.probe if isinstance(mode.counters, Durations) else None,
                origin=getattr(mode.counters, "origin", _lib.ORIGIN_UNKNOWN))
        except BaseException:
            mode.stop()
            raise

    def _read(self, mode: Mode, out: Block, ordered: bool) -> bool:
        note, self._note = self._note, ""
        if note:
            self._say(note)
        return mode.read(out, DEADLINE_SECONDS, ordered, self.rank, self._say)

    def _say(self, text: str) -> None:
        self._report.say(text)

    def _diagnosed(self, mode: Mode, diagnoses: Any, count: int) -> None:
        """On rank 0, once for each window that is complete."""
        results, matrices = self._report.diagnosed(mode.operators, diagnoses, count)
        for index, waits in enumerate(matrices):
            mode.waits[:, index, :] = waits
        if not self.enable_async:
            mode.results = results + mode.results


# ---- the end of the process, and the beginning of another

def _stop_all() -> None:
    """No thread of C may call into an interpreter that is going down."""
    for sessions in list(running):
        sessions._stop_all()


def _forget_all() -> None:
    """In a forked child: the threads stayed with the parent."""
    running.clear()
    _lib._sinks.clear()


_threads.at_end(_threads.DIAGNOSES, _stop_all)
os.register_at_fork(after_in_child=_forget_all)
