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

import os
import threading
import time
import uuid
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from . import _attach, _group, _lib, _place, _ratio, _tensors, _threads
from ._analysis import METHODS
from ._durations import Durations
from ._graphs import Operations
from ._lib import default
from ._mode import Mode
from ._report import Report
from ._sessions import Sessions
from ._settings import Settings

__all__ = ["Diagnose"]

#: The smallest share of the step worth a finding where ranks share processors.


class Diagnose(Sessions):
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
    durations:
        Names of operators of which only durations are known: see :meth:`note_duration`. Instead of
        counters.
    method:
        How findings are made, "robust" or "ratio". The three lists are always the ratio rule's.
    min_share:
        Smallest share of the step that is worth a finding, above 0 and up to 1; by default
        ``DEEPEP_DIAGNOSE_MIN_SHARE``, else 0.01, or 0.1 where ranks on CPUs share processors.

    Raises ValueError for settings that make no sense, OSError where the log cannot be written, and
    RuntimeError where the ranks do not agree in the store within 60 s.
    """

    def __init__(self, group: Any, interval: float = default("interval_s"),
                 enable_ll_diagnose: bool = True,
                 enable_normal_diagnose: bool = False, enable_async: bool = False, *,
                 device: Any = None, ticks_per_second: Optional[int] = None,
                 local_experts: Optional[int] = None, store: Any = None,
                 log_path: Optional[str] = None, method: str = "robust",
                 min_share: Optional[float] = None, durations: Sequence[str] = (),
                 _attached: bool = False, _quiet: bool = True, _counters: Any = None) -> None:
        settings = Settings.read(interval)
        self.group = group
        self.rank = int(group.rank())
        self.group_size = int(group.size())
        if not 1 <= self.group_size <= _lib.MAX_RANKS:
            raise ValueError(f"the group has {self.group_size} ranks, but must have 1 to "
                             f"{_lib.MAX_RANKS}")
        if local_experts is not None and local_experts < 1:
            raise ValueError(f"local_experts={local_experts} must be at least 1")
        if method not in METHODS:
            raise ValueError(f"method={method!r} must be one of {', '.join(METHODS)}")
        self.interval = settings.interval
        self.sync_step = settings.sync_step
        usual = settings.enable and not durations and _counters is None
        self.enable_ll_diagnose = bool(enable_ll_diagnose and usual)
        self.enable_normal_diagnose = bool(enable_normal_diagnose and usual)
        self.enable_async = bool(enable_async)
        self.instance_id = uuid.uuid4()
        self._settings = settings
        self._method = METHODS[method]
        self._local_experts = None if local_experts is None else int(local_experts)
        self._attached = _attached
        self._pid = os.getpid()
        self._ll: Optional[Mode] = None
        self._normal: Optional[Mode] = None
        self._modes: List[Mode] = []
        self._telling, self._told, self._note = threading.Lock(), False, ""
        self._changing = threading.RLock()
        self._closed = False
        has_own = _counters is not None and settings.enable
        self._durations: Optional[Durations] = None
        if durations and settings.enable:
            self._durations = Durations(len(durations), self.group_size)
        if not (self.enable_ll_diagnose or self.enable_normal_diagnose or has_own
                or self._durations):
            return
        self._device = device if device is not None else _tensors.default_device(group)
        self._rate = (_tensors.clock_rate(self._device) if ticks_per_second is None
                      else int(ticks_per_second))
        if self.enable_ll_diagnose:
            self._ll = Mode("ll", ("dispatch", "combine"), self.group_size, self._device)
            self._modes.append(self._ll)
        if self.enable_normal_diagnose:
            self._normal = Mode("normal", ("normal dispatch", "normal combine"), self.group_size,
                                self._device)
            self._modes.append(self._normal)
        if has_own:
            # A library's: operators, read(), waits, samples, operations, strangers().
            self._modes.append(Mode("own", _counters.operators, self.group_size, self._device,
                                    _counters))
        if self._durations is not None:
            self._modes.append(Mode("timed", tuple(durations), self.group_size, self._device,
                                    self._durations))
        self._store = _group.default_store() if store is None else store
        self.instance_id, begin = _group.agree(self._store, group, self.rank)
        self._group_name = _place.group_name(group)
        self._report = Report(settings.log_path if log_path is None else log_path,
                              self._group_name, begin, self.instance_id, self.rank,
                              self.group_size, settings, method)
        self._place = _place.place(self._device, group)
        self._min_share = self._find_min_share(min_share)
        self._on_cuda = str(self._device).startswith("cuda")
        if self._ll is not None and not _attached:
            _attach.watch(self, list(self.get_stats_ll_stats_tensor()))
        if self.enable_async:
            self._prepare()
        else:
            self._start_all()
        if _attached:
            self._report.note()
            if self.rank == 0 and not _quiet:
                self._report.announce()

    def _find_min_share(self, given: Optional[float]) -> float:
        share = self._settings.min_share if given is None else float(given)
        if share is not None:
            if not 0 < share <= 1:
                raise ValueError(f"min_share={given!r} must be above 0 and up to 1")
            return share
        crowded = None
        if str(self._device) == "cpu":
            crowded = _place.crowded(self.group_size, self._store)
        if crowded is None:
            return 0.0  # the library's
        smallest = default("min_share_crowded")
        if self.rank == 0:
            self._say(f"{crowded[0]} ranks share {crowded[1]} processors, so a finding must "
                      f"cost at least {smallest:.0%} of the step (min_share)")
        return smallest

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
            raise RuntimeError("the diagnosis has begun: call set_local_experts() before it")
        if count < 1:
            raise ValueError(f"local_experts={count} must be at least 1")
        self._local_experts = int(count)

    # ---- durations

    def note_duration(self, operator: int, number: int, seconds: float) -> None:
        """How long operation ``number`` of an operator of ``durations`` took this rank, or kept it
        waiting; numbers begin with 0, grow, and are the same on all ranks for the same operation.
        Some may be left out, the same ones on all ranks. No rank may leave the operation before all
        have come: true of a barrier or an all-to-all, not of a broadcast. Threads: one at a time
        for an operator."""
        if self._durations is not None:
            self._durations.note(operator, number, round(seconds * 1e9))

    # ---- operations

    def count_operations(self, dispatch: int = 1, combine: int = 1) -> None:
        """Tell that this rank has issued so many operations since the last call of this; from the
        first one on, only these are counted. Calls of a Buffer that deepxtrace knows and that carry
        the counters, and replays of graphs that hold such calls, are counted without it. While the
        current stream is captured into a CUDA graph, they are counted at each replay of that."""
        if dispatch < 0 or combine < 0:
            raise ValueError(f"dispatch={dispatch}, combine={combine} must not be negative")
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
        self._note = (f"{doing} {buffer}: {experts or None} experts, {waits} waits for a source"
                      f" at a time, counters on {device}")
        if self._attached:
            # Not in this call, which may be inside the capture of a graph, and is somebody's step.
            _threads.start("deepxtrace-start", self._start_attached)

    def _start_attached(self) -> None:
        try:
            self.start_async_diagnose()
        except Exception as error:
            self._say(f"starting the diagnosis failed: {type(error).__name__}: {error}")

    def tell_timed(self, what: str) -> None:
        """What is measured; starts the diagnosis of one that attach() has made."""
        self._say(what)
        with self._telling:
            told, self._told = self._told, True
        if self._attached and not told:
            self._start_attached()

    def tokens_of(self, local_experts: int) -> Any:
        """An int32 tensor for as many local experts, to count tokens received in; None if there is
        none of that size."""
        return self._ll.counters.tokens_of(local_experts) if self._ll is not None else None

    # ---- sync

    def diagnose_ll_sync(self, diagnose_step: int = 0) -> Optional[List[Dict[str, Any]]]:
        """Call this once per step, on all ranks. Every ``diagnose_step`` calls (0 =
        ``DEEPEP_DIAGNOSE_SYNC_STEP``) rank 0 gets a list of two dicts, for dispatch and combine, as
        :meth:`diagnose_matrix` has them, with the keys ``findings`` and ``window`` (its number)
        added. Everybody else, and every other call, gets None.

        Rank 0 waits for the others for a thousandth of the time since the last window, 1 ms at
        least and 200 ms for the first. A window whose counters come later is returned with one of
        the next: the list then begins with the newest and goes on with earlier ones, two dicts
        each; while nothing is complete rank 0 gets None, too. Other ranks never wait. While a CUDA
        graph is captured in this thread the call does nothing.
        """
        return self._step(self._ll, diagnose_step, "diagnose_ll_sync")

    def diagnose_normal_sync(self, diagnose_step: int = 0) -> Optional[List[Dict[str, Any]]]:
        """As :meth:`diagnose_ll_sync`, for normal mode."""
        return self._step(self._normal, diagnose_step, "diagnose_normal_sync")

    def _step(self, mode: Optional[Mode], step: int, name: str) -> Optional[List[Dict[str, Any]]]:
        if self.enable_async:
            raise RuntimeError(f"{name}() is for synchronous diagnosis, and this one was made with "
                               "enable_async=True")
        if step < 0:
            raise ValueError(f"diagnose_step={step} must not be negative")
        if (mode is None or mode.session is None or self._pid != os.getpid() or
                (self._on_cuda and _tensors.is_capturing())):
            return None
        mode.calls += 1
        still = mode.stillness.call(time.monotonic()) if self.rank == 0 else 0.0
        if still:
            self._say(f"{name}() was not called for {still:.0f} s. In sync mode nothing is told "
                      "meanwhile. If an operation was waiting for a hung rank, use async mode: it "
                      "names that rank during the wait")
        if mode.calls % (step or self.sync_step) != 0:
            if mode.calls == mode.ended + 1:
                mode.session.first_step()
            return None
        mode.results, mode.ended = [], mode.calls
        mode.session.step()
        results, mode.results = mode.results, []
        return results or None

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
        self._closed = True
        self._stop_all()
        if not self._attached:
            _attach.unwatch(self)
        if self._modes and self._pid == os.getpid():
            self._report.close()

    # ---- the established rule

    @staticmethod
    def diagnose_matrix(mat: Any, thres_col: float = default("threshold_col"),
                        thres_row: float = default("threshold_row"),
                        thres_point: float = default("threshold_point"),
                        suppress_points_in_strong_rowscols: bool = True,
                        excluding_zeros: int = 0) -> Dict[str, List[List[Any]]]:
        """Flag the columns, rows and points of a wait matrix that exceed the mean by the given
        factors, as docs/python.md says.

        Returns ``{"abnormal_cols": [[j, mean, normalised]], "abnormal_rows": [[i, mean,
        normalised]], "abnormal_points": [[i, j, value, normalised]]}``.
        """
        return _ratio.diagnose_matrix(mat, thres_col, thres_row, thres_point,
                                      suppress_points_in_strong_rowscols, excluding_zeros)


def _tensors_of(mode: Optional[Mode]) -> Tuple[Any, Any]:
    return (mode.counters.dispatch, mode.counters.combine) if mode else (None, None)
