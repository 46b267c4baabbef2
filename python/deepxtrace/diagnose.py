# SPDX-License-Identifier: Apache-2.0
"""The diagnosis of a torch program that communicates with DeepEP, or with anything that counts
waits into int64 tensors.

    from deepxtrace import diagnose as ds

    diagnosis = ds.Diagnose(group)
    dispatch, combine = diagnosis.get_stats_ll_stats_tensor()
    # pass them as dispatch_wait_recv_cost_stats= and combine_wait_recv_cost_stats=, then
    result = diagnosis.diagnose_ll_sync(diagnose_step=100)

docs/python.md is the manual.
"""
from __future__ import annotations

import atexit
import ctypes
import math
import os
import socket
import threading
import uuid
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

import numpy as np

from . import _attach, _group, _lib, _mailroom, _ratio, _tensors
from ._graphs import Operations
from ._lib import lib
from ._log import LineFile, TextLog
from ._session import Block, Session
from ._settings import Settings
from .window import _METHODS, Findings, _Analysis

__all__ = ["Diagnose"]

#: How long rank 0 waits for the mails of one window, in seconds.
DEADLINE_SECONDS = 2.0
#: How long it waits for them at least; 0 = what the library thinks right, 1 ms.
PATIENCE_SECONDS = 0.0
#: A recording is rotated above this many bytes, and at midnight.
_RECORDING_LIMIT = 1 << 28

_running: Set["Diagnose"] = set()


class _Mode:
    """Low-latency, normal, or counters of a library's own: them, their session, their last
    window."""

    def __init__(self, name: str, operators: Sequence[str], ranks: int, device: Any,
                 counters: Any = None) -> None:
        self.name, self.operators = name, operators
        self.counters = counters or _tensors.Counters(ranks, device)
        self.operations = Operations(len(operators))
        self.session: Optional[Session] = None
        self.calls = 0
        self.results: Optional[List[Dict[str, Any]]] = None
        self.waits = np.zeros((ranks, len(operators), ranks), np.int64)


class Diagnose:
    """Collects the wait counters of a group on its rank 0 and names what is slow.

    Parameters
    ----------
    group:
        The expert-parallel process group. Every rank of it constructs its Diagnose, in the same
        order.
    interval:
        Length of a window in seconds in async mode; ``DEEPEP_DIAGNOSE_INTERVAL`` overrides it.
    enable_ll_diagnose, enable_normal_diagnose:
        Which counters there are. ``DEEPEP_DIAGNOSE_ENABLE=0`` switches both off.
    enable_async:
        Diagnose on a thread, between :meth:`start_async_diagnose` and :meth:`stop_async_diagnose`;
        otherwise in :meth:`diagnose_ll_sync` and :meth:`diagnose_normal_sync`.
    device:
        Where the counters lie; the accelerator by default, the CPU for groups that only know that.
    ticks_per_second:
        Clock rate of the counters; found out by default, 0 = unknown.
    local_experts:
        Waits that one rank has at a time for the same source, which low-latency kernels add up:
        experts ÷ ranks. Learnt from the calls that carry the counters, where these can be watched.
    store:
        The key-value store that carries the counters; torch.distributed's own by default.
    log_path:
        Folder of the log and the recording; by default what ``DEEPEP_DIAGNOSE_LOG_PATH`` names.
    method:
        How findings are made, "robust" or "ratio". The three lists are always the ratio rule's.

    Raises ValueError for settings that make no sense, and OSError where the log cannot be written.
    """

    def __init__(self, group: Any, interval: float = 20, enable_ll_diagnose: bool = True,
                 enable_normal_diagnose: bool = False, enable_async: bool = False, *,
                 device: Any = None, ticks_per_second: Optional[int] = None,
                 local_experts: Optional[int] = None, store: Any = None,
                 log_path: Optional[str] = None, method: str = "robust",
                 _attached: bool = False, _counters: Any = None) -> None:
        settings = Settings.read(interval)
        self.group = group
        self.rank = int(group.rank())
        self.group_size = int(group.size())
        if not 1 <= self.group_size <= _lib.MAX_RANKS:
            raise ValueError(f"a group of {self.group_size}: the diagnosis is for 1 to "
                             f"{_lib.MAX_RANKS} ranks")
        if local_experts is not None and local_experts < 1:
            raise ValueError(f"local_experts={local_experts} is not at least 1")
        if method not in _METHODS:
            raise ValueError(f"method={method!r} is not one of {', '.join(_METHODS)}")
        self.interval = settings.interval
        self.sync_step = settings.sync_step
        self.enable_ll_diagnose = bool(enable_ll_diagnose and settings.enable
                                       and _counters is None)
        self.enable_normal_diagnose = bool(enable_normal_diagnose and settings.enable)
        self.enable_async = bool(enable_async)
        self.instance_id = uuid.uuid4()
        self._settings = settings
        self._method = _METHODS[method]
        self._local_experts = None if local_experts is None else int(local_experts)
        self._attached = _attached
        self._pid = os.getpid()
        self._ll: Optional[_Mode] = None
        self._normal: Optional[_Mode] = None
        self._modes: List[_Mode] = []
        self._strangers: Set[int] = set()
        self._telling, self._told, self._note = threading.Lock(), False, ""
        has_own = _counters is not None and settings.enable
        if not (self.enable_ll_diagnose or self.enable_normal_diagnose or has_own):
            return
        folder = settings.log_path if log_path is None else log_path
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"diagnose_rank{self.rank}")
        self._log = TextLog(path + ".log")
        self._recording = (LineFile(path + ".jsonl", _RECORDING_LIMIT) if self.rank == 0 else None)
        self._device = device if device is not None else _tensors.default_device(group)
        self._rate = (_tensors.clock_rate(self._device) if ticks_per_second is None
                      else int(ticks_per_second))
        if self.enable_ll_diagnose:
            self._ll = _Mode("ll", ("dispatch", "combine"), self.group_size, self._device)
            self._modes.append(self._ll)
        if self.enable_normal_diagnose:
            self._normal = _Mode("normal", ("normal dispatch", "normal combine"), self.group_size,
                                 self._device)
            self._modes.append(self._normal)
        if has_own:
            # A library's: operators, read(), waits, samples, operations, strangers().
            self._modes.append(_Mode("own", _counters.operators, self.group_size, self._device,
                                     _counters))
        self._store = _group.default_store() if store is None else store
        self.instance_id = _group.common_id(self._store, group, self.rank)
        self._on_cuda = str(self._device).startswith("cuda")
        self._unrecorded = False
        if self._ll is not None and not _attached:
            _attach.watch(self, list(self.get_stats_ll_stats_tensor()))
        if not self.enable_async:
            self._start_all()

    # ---- counters

    def get_stats_ll_stats_tensor(self) -> Tuple[Any, Any]:
        """The counters of low-latency dispatch and combine: int64 ``[N]`` tensors, the same ones
        every time; (None, None) if that mode is not enabled. They only grow: never zero them."""
        return _tensors_of(self._ll)

    def get_stats_normal_stats_tensor(self) -> Tuple[Any, Any]:
        """The counters of normal dispatch and combine, as :meth:`get_stats_ll_stats_tensor`."""
        return _tensors_of(self._normal)

    def get_all_stats_tensor(self) -> Optional[np.ndarray]:
        """On rank 0 the waits of the newest window, int64 ``[waiting rank, dispatch and combine,
        awaited rank]``, zeros before the first; of normal mode if low-latency is not enabled. None
        on the others."""
        if self.rank != 0 or not self._modes:
            return None
        return self._modes[0].waits.copy()

    def get_instance_id(self) -> uuid.UUID:
        """The id that the group's log lines carry."""
        return self.instance_id

    def set_local_experts(self, count: int) -> None:
        """Tell how many experts wait side by side on a rank, where that was not known at
        construction. Only before :meth:`start_async_diagnose`, and alike on all ranks."""
        if any(mode.session is not None for mode in self._modes):
            raise RuntimeError("the diagnosis has begun: local_experts cannot change any more")
        if count < 1:
            raise ValueError(f"{count} local experts")
        self._local_experts = int(count)

    # ---- operations

    def count_operations(self, dispatch: int = 1, combine: int = 1) -> None:
        """Tell that this rank has issued so many operations since the last call of this; from the
        first one on, only these are counted. Calls of a Buffer that deepxtrace knows and that carry
        the counters, and replays of graphs that hold such calls, are counted without it. While the
        current stream is captured into a CUDA graph, they are counted at each replay of that."""
        if dispatch < 0 or combine < 0:
            raise ValueError(f"dispatch={dispatch}, combine={combine}: operations are not undone")
        if self._modes:
            self._modes[0].operations.count((dispatch, combine))

    @property
    def operations(self) -> Operations:
        """What this rank has issued in low-latency mode."""
        return self._ll.operations if self._ll is not None else Operations()

    @property
    def is_told(self) -> bool:
        """Whether a call of the Buffer has told what tell() takes."""
        return self._told

    def tell(self, buffer: str, experts: Optional[int], waits: Optional[int]) -> None:
        """What the first call of a Buffer tells: the name of its class, how many experts all ranks
        have, and how many waits for a source are added up at a time. Threads: any."""
        with self._telling:
            if self._told:
                return
            self._told = True
        if waits is not None and self._local_experts is None:
            self._local_experts = int(waits)
        doing = "attached to" if self._attached else "counting for"
        device = self._ll.counters.dispatch.device if self._ll else self._device
        self._note = (f"{doing} {buffer}: {experts or None} experts, {waits} waits for a"
                      f" source at a time, counters on {device}")
        if self._attached:
            # Not in this call, which may be inside the capture of a graph, and is somebody's step.
            threading.Thread(target=self._start_attached, name="deepxtrace-start",
                             daemon=True).start()

    def _start_attached(self) -> None:
        try:
            self.start_async_diagnose()
        except Exception as error:
            self._say(f"starting the diagnosis failed: {type(error).__name__}: {error}")

    def tokens_of(self, local_experts: int) -> Any:
        """An int32 tensor for as many local experts, to count tokens received in; None if there is
        none of that size."""
        return self._ll.counters.tokens_of(local_experts) if self._ll is not None else None

    # ---- sync

    def diagnose_ll_sync(self, diagnose_step: int = 0) -> Optional[List[Dict[str, Any]]]:
        """Call this once per step, on all ranks. Every ``diagnose_step`` calls (0 =
        ``DEEPEP_DIAGNOSE_SYNC_STEP``) rank 0 gets a list of two dicts, for dispatch and combine, as
        :meth:`diagnose_matrix` has them, with the key ``findings`` added. Everybody else, and every
        other call, gets None.

        Rank 0 waits for the others up to 2 s; a rank that stays silent is among the findings, and
        not waited for again until it has made as many calls as the others. Other ranks never wait.
        While a CUDA graph is captured in this thread the call does nothing.
        """
        return self._step(self._ll, diagnose_step, "diagnose_ll_sync")

    def diagnose_normal_sync(self, diagnose_step: int = 0) -> Optional[List[Dict[str, Any]]]:
        """As :meth:`diagnose_ll_sync`, for normal mode."""
        return self._step(self._normal, diagnose_step, "diagnose_normal_sync")

    def _step(self, mode: Optional[_Mode], step: int, name: str) -> Optional[List[Dict[str, Any]]]:
        if self.enable_async:
            raise RuntimeError(f"{name}() is for synchronous diagnosis, and this one was made with "
                               "enable_async=True")
        if step < 0:
            raise ValueError(f"diagnose_step={step} is negative")
        if (mode is None or mode.session is None or self._pid != os.getpid() or
                (self._on_cuda and _tensors.is_capturing())):
            return None
        mode.calls += 1
        if mode.calls % (step or self.sync_step) != 0:
            return None
        mode.results = None
        mode.session.step()
        results, mode.results = mode.results, None
        return results

    # ---- async

    def start_async_diagnose(self) -> None:
        """Start diagnosing every ``interval`` seconds on a thread, after
        ``DEEPEP_DIAGNOSE_WARMING_TIME`` seconds. Does nothing if it runs already."""
        if not self.enable_async:
            raise RuntimeError("start_async_diagnose() needs enable_async=True")
        if self._pid != os.getpid():
            return
        self._start_all()

    def stop_async_diagnose(self) -> None:
        """Stop the thread; it is gone within a second. The window under way is not diagnosed."""
        if self.enable_async:
            self._stop_all()

    def close(self) -> None:
        """End the diagnosis, synchronous or not, and close its files. The counters stay valid."""
        self._stop_all()
        if not self._attached:
            _attach.unwatch(self)
        if self._modes and self._pid == os.getpid():
            self._log.close()
            if self._recording is not None:
                self._recording.close()

    def _start_all(self) -> None:
        if self.group_size < 2:
            return  # a rank alone waits for nobody
        for mode in self._modes:
            if mode.session is None:
                self._start(mode)
        if self._modes:
            _running.add(self)

    def _stop_all(self) -> None:
        _running.discard(self)
        if self._pid != os.getpid():
            return
        for mode in self._modes:
            session, mode.session = mode.session, None
            if session is not None:
                session.destroy()

    def _start(self, mode: _Mode) -> None:
        store = self._store
        mailroom = _mailroom.Mailroom(
            lambda: _mailroom.own_connection(store), f"deepxtrace/{self.instance_id}/{mode.name}",
            self.rank, self.group_size, self._say,
            *((self.interval,) if self.enable_async else ()))
        try:
            mode.session = Session(
                mailroom, self.rank, self.group_size, mode.operators,
                lambda out, ordered: self._read(mode, out, ordered),
                lambda diagnoses, count: self._diagnosed(mode, diagnoses, count), self._say,
                asynchronous=self.enable_async, interval=self.interval, deadline=DEADLINE_SECONDS,
                warmup_windows=(math.ceil(self._settings.warming_time / self.interval)
                                if self.enable_async else 0),
                ticks_per_second=lambda: self._rate * (self._local_experts or 1),
                host=socket.gethostname(), instance=str(self.instance_id),
                patience=PATIENCE_SECONDS,
                source="deepxtrace.diagnose", method=self._method)
        except BaseException:
            mailroom.close()
            raise

    def _read(self, mode: _Mode, out: Block, ordered: bool) -> bool:
        note, self._note = self._note, ""
        if note:
            self._say(note)
        own: Any = mode.counters
        if mode.name != "own":
            return bool(own.read(out.waits, DEADLINE_SECONDS, ordered))
        if not own.read(DEADLINE_SECONDS, ordered):
            return False
        out.waits[:], out.samples[:], out.ops[:] = own.waits, own.samples, own.operations
        for rank in own.strangers(self.rank):
            if rank not in self._strangers:
                self._strangers.add(rank)
                self._say(f"rank {rank} is not instrumented: its kernels announce nothing, and how "
                          "long it is waited for is not known")
        return True

    # ---- what rank 0 does with a window

    def _say(self, text: str) -> None:
        self._log.say(f"[Diagnose] InstanceID: {self.instance_id} EPSize: {self.group_size} "
                      f"Rank: {self.rank}: {text}")

    def _diagnosed(self, mode: _Mode, diagnoses: Any, count: int) -> None:
        results, lines, records = [], [], []
        for index in range(count):
            window, found = diagnoses[index].window, diagnoses[index].findings
            findings = Findings._from_c(window, found)
            result, waits = self._judge(window)
            mode.waits[:, index, :] = waits
            result["findings"] = findings.to_dict()["findings"]
            results.append(result)
            lines += self._lines(mode.operators[index], window, result, waits)
            writer = _lib.Writer()
            lib.dxt_window_write(window, writer.function, None)
            records.append(writer.text().rstrip("\n"))
        mode.results = results
        self._log.say(*lines)
        self._record(records)

    def _record(self, records: List[str]) -> None:
        if self._recording is None:
            return
        before, self._unrecorded = self._unrecorded, not self._recording.write(records)
        if self._unrecorded and not before:
            self._say(f"{self._recording.path} cannot be written: {self._recording.reason}; "
                      "trying again, windows are missing there")
        elif before and not self._unrecorded:
            self._say(f"{self._recording.path} is written again")

    def _judge(self, window: Any) -> Tuple[Dict[str, Any], np.ndarray]:
        """The established rule on a window, and its waits."""
        s = self._settings
        with _Analysis(window, "ratio", thresholds=(s.threshold_col, s.threshold_row,
                                                    s.threshold_point),
                       excluding_zeros=s.excluding_zeros) as found:
            findings = Findings._from_c(window, found)
        raw = window.contents
        waits = np.ctypeslib.as_array(
            (ctypes.c_int64 * raw.ranks**2).from_address(raw.wait)).reshape(raw.ranks, -1).copy()
        return ({"abnormal_cols": findings.abnormal_cols, "abnormal_rows": findings.abnormal_rows,
                 "abnormal_points": findings.abnormal_points}, waits)

    def _lines(self, operator: str, window: Any, result: Dict[str, Any],
               waits: np.ndarray) -> List[str]:
        head = f"[Diagnose] InstanceID: {self.instance_id} EPSize: {self.group_size}"
        three = {key: value for key, value in result.items() if key != "findings"}
        lines = [f"{head}, diagnose: {three}, {operator.title()} Wait Recv Cost Per Token "
                 "Matrix[src_rank, dst_rank]"]
        if self._settings.log_details:
            address = window.contents.missing
            missing = (bytes(len(waits)) if not address
                       else ctypes.string_at(address, len(waits)))
            lines += [f"rank={rank} [{' '.join(f'{value:8d}' for value in row)}]"
                      for rank, row in enumerate(waits.tolist()) if not missing[rank]]
        lines += [f"{head}, finding: {finding['text']}" for finding in result["findings"]]
        return lines

    # ---- the established rule

    @staticmethod
    def diagnose_matrix(mat: Any, thres_col: float = 3.0, thres_row: float = 3.0,
                        thres_point: float = 5.0, suppress_points_in_strong_rowscols: bool = True,
                        excluding_zeros: int = 0) -> Dict[str, List[List[Any]]]:
        """Flag the columns, rows and points of a wait matrix that exceed the mean by the given
        factors, as docs/python.md says.

        Returns ``{"abnormal_cols": [[j, mean, normalised]], "abnormal_rows": [[i, mean,
        normalised]], "abnormal_points": [[i, j, value, normalised]]}``.
        """
        return _ratio.diagnose_matrix(mat, thres_col, thres_row, thres_point,
                                      suppress_points_in_strong_rowscols, excluding_zeros)


def _tensors_of(mode: Optional[_Mode]) -> Tuple[Any, Any]:
    return (mode.counters.dispatch, mode.counters.combine) if mode else (None, None)


# ---- the end of the process, and the beginning of another

@atexit.register
def _stop_all() -> None:
    """No thread of C may call into an interpreter that is going down."""
    for diagnose in list(_running):
        diagnose._stop_all()


def _forget_all() -> None:
    """In a forked child: the threads stayed with the parent."""
    _running.clear()
    _lib._sinks.clear()


os.register_at_fork(after_in_child=_forget_all)
