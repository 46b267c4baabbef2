# SPDX-License-Identifier: Apache-2.0
"""A session of the C library: it owns the clock, the thread, the windows and the analysis. Python
reads the counters for it and carries its mails."""
from __future__ import annotations

import contextlib
import ctypes as c
import os
import threading
import time
from typing import Any, Callable, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from . import _lib
from ._lib import lib
from ._mailroom import Mailroom

_CELL_WORDS = c.sizeof(_lib.Cell) // 8
_HEAD_WORDS = c.sizeof(_lib.OperatorCounters) // 8
#: A status that costs one mail and no more: the session goes on with the next.
_TRY_AGAIN = _lib.ERR_IO


class Block(NamedTuple):
    """Counters of a rank as the library wants them; what is not known stays 0."""

    waits: np.ndarray  #: ticks, ``[operator, rank waited for]``
    samples: np.ndarray  #: waits in these sums
    ops: np.ndarray  #: operations completed, by operator
    time_ns: np.ndarray  #: of CLOCK_MONOTONIC, when they were so; one number, 0 = now


class Facts(NamedTuple):
    """What is known of the work besides the waits; zeros and None are not known."""

    #: Operations issued so far, calls and replays, per operator.
    issued: Optional[Sequence[int]] = None
    #: Waits for the same source side by side: experts of a rank.
    local_experts: int = 0
    #: Tokens received so far per local expert, int64.
    tokens: Optional[np.ndarray] = None
    #: Which work was done since the last read, such as a hash of the graphs replayed; 64 bits.
    mix: int = 0


class Session:
    """One session of one rank.

    ``read(out, ordered)`` copies the counters into a Block and says whether it could;
    ``on_diagnoses(diagnoses, count)`` is called on rank 0 with the C structs, on the session's
    thread in async mode. Both may raise: it is told through ``say``, once for each kind of
    exception, and the session goes on.

    ``facts()`` says what the tensors do not hold, at the time of a read; ``local_experts`` is for
    groups of which it never will. With ``device`` the place of this rank travels along. ``probe``
    is a dxt_probe with durations, which must outlive the session; ``read`` is not called then.
    ``origin`` says where waits that are read come from.
    """

    def __init__(self, mailroom: Mailroom, rank: int, ranks: int, operators: Sequence[str],
                 read: Callable[[Block, bool], bool],
                 on_diagnoses: Callable[[Any, int], None], say: Callable[[str], Any], *,
                 asynchronous: bool, interval: float, deadline: float, warmup_windows: int,
                 ticks_per_second: Callable[[], int], host: str, instance: str, source: str,
                 method: int, facts: Optional[Callable[[], Facts]] = None,
                 local_experts: int = 0, min_share: float = 0.0,
                 device: Optional[_lib.Place] = None, group: str = "",
                 patience: float = 0.0, probe: Any = None,
                 origin: int = _lib.ORIGIN_UNKNOWN) -> None:
        self._mailroom, self._read, self._on_diagnoses = mailroom, read, on_diagnoses
        self._say, self._asynchronous, self._rate = say, asynchronous, ticks_per_second
        self._facts = facts
        self._tokens: Optional[np.ndarray] = None  # as long as the library looks at them
        self._shape = (len(operators), ranks)
        self._block: Optional[Block] = None
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._told: Set[Tuple[str, type]] = set()
        self._interrupt: Optional[BaseException] = None
        self._ident = 0  # of the session's thread
        self._gather, self._session = c.c_void_p(), c.c_void_p()
        # The library keeps these pointers for as long as the session lives.
        self._callbacks = (_lib.PublishFn(self._publish), _lib.CollectFn(self._collect),
                           _lib.SnapshotFn(self._snapshot), _lib.DiagnosisFn(self._diagnosed))
        transport = _lib.GatherTransport(struct_size=c.sizeof(_lib.GatherTransport),
                                         publish=self._callbacks[0], collect=self._callbacks[1])
        lib.dxt_gather_create(rank, ranks, c.byref(transport), c.byref(self._gather))
        names = (c.c_char_p * len(operators))(*[name.encode() for name in operators])
        analysis = _lib.AnalysisOptions(struct_size=c.sizeof(_lib.AnalysisOptions), method=method)
        config = _lib.SessionConfig(
            struct_size=c.sizeof(_lib.SessionConfig),
            mode=_lib.SESSION_ASYNC if asynchronous else _lib.SESSION_SYNC, gather=self._gather,
            probe=c.cast(probe, c.c_void_p) if probe is not None else None,
            snapshot=self._callbacks[2] if probe is None else _lib.SnapshotFn(0),
            operators_count=len(operators), operators=names,
            interval_ops=1, interval_ns=max(int(interval * 1e9), 1_000_000),
            deadline_ns=int(deadline * 1e9), warmup_windows=warmup_windows, node=-1,
            host=host.encode("utf-8", "replace"), instance=instance.encode(),
            source=source.encode(), analysis=c.pointer(analysis), on_diagnosis=self._callbacks[3],
            min_share=min_share, local_experts=local_experts, group=group.encode() or None,
            patience_ns=int(patience * 1e9), origin=origin,
            device=c.pointer(device) if device is not None else None)
        try:
            self._call(lib.dxt_session_create, c.byref(config), c.byref(self._session))
        except Exception:
            lib.dxt_gather_destroy(self._gather)
            raise

    def step(self) -> None:
        """End a window of a session that is not asynchronous. On rank 0 this waits for the others,
        up to the deadline."""
        if self._session and self._pid == os.getpid():
            try:
                self._call(lib.dxt_session_step, self._session)
            except _lib.DeepXTraceError:
                pass  # the library has said in the log that it gives up, and why

    def first_step(self) -> None:
        """The first step after a window is done: what rank 0 was held up by the diagnosis is
        nobody's lateness."""
        if self._session and self._pid == os.getpid():
            self._call(lib.dxt_session_first_step, self._session)

    def destroy(self) -> None:
        """Stop and release. The second call, and one in a forked child, does nothing."""
        if self._pid != os.getpid():
            return
        with self._lock:
            session, self._session = self._session, c.c_void_p()
            gather, self._gather = self._gather, c.c_void_p()
        lib.dxt_session_destroy(session)
        lib.dxt_gather_destroy(gather)
        _lib.forget_listener(self._ident)
        self._mailroom.close()

    def _call(self, function: Any, *arguments: Any) -> None:
        """What the library says meanwhile goes to the log; a signal's exception to the caller."""
        _lib.listen(self._heard)
        try:
            function(*arguments)
        finally:
            _lib.listen(None)
            interrupt, self._interrupt = self._interrupt, None
            if interrupt is not None:
                raise interrupt

    def _heard(self, level: int, text: str) -> None:
        self._say(text)

    # ---- called by the library

    def _listen(self) -> None:
        """What the library says on the session's own thread goes to the log, too."""
        if self._asynchronous and self._ident != threading.get_ident():
            self._ident = threading.get_ident()
            _lib.listen(self._heard)

    def _failed(self, doing: str, error: BaseException) -> int:
        """Nothing may escape into C. Ctrl-C, and what else a signal raises, waits for _call()."""
        if not isinstance(error, Exception):
            self._interrupt = error
        elif (doing, type(error)) not in self._told:
            self._told.add((doing, type(error)))
            with contextlib.suppress(Exception):
                self._say(f"{doing} failed: {type(error).__name__}: {error}")
        return _TRY_AGAIN

    def _publish(self, _context: Any, sequence: int, mail: int, size: int) -> int:
        try:
            self._listen()
            self._mailroom.publish(sequence, c.string_at(mail, size))
            return _lib.OK
        except BaseException as error:
            return self._failed("publishing", error)

    def _collect(self, _context: Any, rank: int, wanted: int, mail: int, capacity: int, size: Any,
                 sequence: Any) -> int:
        try:
            found = self._mailroom.collect(rank, None if wanted == _lib.GATHER_NEWEST else wanted)
            if found is None:
                return _lib.AGAIN
            if len(found[1]) > capacity:
                return _lib.ERR_FORMAT
            c.memmove(mail, found[1], len(found[1]))
            size[0], sequence[0] = len(found[1]), found[0]
            return _lib.OK
        except BaseException as error:
            return self._failed("collecting", error)

    def _snapshot(self, _context: Any, out: Any) -> int:
        try:
            self._listen()
            if self._block is None:
                self._block = self._find_block(out.contents.data)
            out.contents.data.contents.ticks_per_second = self._rate()
            self._block.time_ns[0] = 0
            if not self._read(self._block, not self._asynchronous):
                return _TRY_AGAIN
            # A thread that has to wait for the interpreter, or for the GPU, reads later than it
            # is called.
            out.contents.time_ns = int(self._block.time_ns[0]) or time.monotonic_ns()
            if self._facts is not None:
                self._put_facts(out.contents, self._facts())
            return _lib.OK
        except BaseException as error:
            return self._failed("reading the counters", error)

    def _put_facts(self, out: Any, facts: Facts) -> None:
        base = c.addressof(out.data.contents) + c.sizeof(_lib.Probe)
        operators = (_lib.OperatorCounters * self._shape[0]).from_address(base)
        for operator, issued in zip(operators, facts.issued or (0,) * self._shape[0]):
            operator.issued = issued
        out.local_experts = facts.local_experts or out.local_experts
        out.mix = facts.mix
        self._tokens = facts.tokens
        if facts.tokens is not None:
            self._tokens = np.ascontiguousarray(facts.tokens, np.int64)
            out.tokens = self._tokens.ctypes.data_as(c.POINTER(c.c_int64))
            out.tokens_count = len(self._tokens)

    def _find_block(self, probe: Any) -> Block:
        """What is in the library's snapshot, which stays where it is."""
        operators, ranks = self._shape
        address = c.addressof(probe.contents) + c.sizeof(_lib.Probe)

        def words(count: int) -> np.ndarray:
            return np.ctypeslib.as_array((c.c_int64 * count).from_address(address))

        heads = words(operators * _HEAD_WORDS).reshape(operators, _HEAD_WORDS)
        address += operators * c.sizeof(_lib.OperatorCounters)
        cells = words(operators * ranks * _CELL_WORDS).reshape(operators, ranks, _CELL_WORDS)
        return Block(cells[:, :, 0], cells[:, :, 1], heads[:, 0], np.zeros(1, np.int64))

    def _diagnosed(self, _context: Any, diagnoses: Any, count: int) -> None:
        try:
            self._on_diagnoses(diagnoses, count)
        except BaseException as error:
            self._failed("handling a diagnosis", error)
