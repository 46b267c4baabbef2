# SPDX-License-Identifier: Apache-2.0
"""Windows and findings, for notebooks and scripts: from NumPy or from a file, analysed and drawn by
the C library.

    >>> import numpy as np, deepxtrace
    >>> waits = np.full((8, 8), 1000)
    >>> waits[:, 3], waits[3, :] = 90_000, 0
    >>> found = deepxtrace.Window(waits, "dispatch").analyze()
    >>> found.verdict, [finding.rank for finding in found.findings]
    ('slow', [3])
"""
from __future__ import annotations

import ctypes as c
import json
import os
from typing import Any, Dict, Optional, Sequence, Tuple, Union

import numpy as np

from . import _lib
from ._analysis import MEASURES, THRESHOLDS, Analysis
from ._files import Reader
from ._findings import Finding, Findings
from ._lib import default, lib
from ._page import page_of
from ._ranks import device_of, devices_of, known, places_of, upper_median
from ._runs import Recording

__all__ = ["Finding", "Findings", "Window"]

_UNITS = {"cycles": _lib.UNIT_CYCLES, "ns": _lib.UNIT_NS}
_ORIGINS = {None: _lib.ORIGIN_UNKNOWN, "source": _lib.ORIGIN_SOURCE,
            "barrier": _lib.ORIGIN_BARRIER, "duration": _lib.ORIGIN_DURATION}
#: A caption names this many findings.
_NAMED = 6


def _array(values: Any, dtype: Any, shape: Tuple[int, ...], name: str) -> np.ndarray:
    given = np.broadcast_to(np.asarray(values), shape)
    with np.errstate(invalid="ignore"):
        array = np.array(given, dtype=dtype, order="C")
    if np.issubdtype(dtype, np.integer) and not np.array_equal(array, given):
        raise ValueError(f"{name}: the values must be integers that fit {np.dtype(dtype)}")
    return array


class Window:
    """The waits of one operator over one interval; row = waiting rank, column = awaited rank.

    Parameters
    ----------
    wait:
        N×N integers ≥ 0, 2 ≤ N ≤ 4096, in ``unit`` ("cycles" or "ns"), summed over the window.
        None, NaN or :data:`NOT_OBSERVED` is a cell that nobody observed.
    phase:
        Operator: "dispatch", "combine" or another name.
    missing:
        Ranks that sent nothing; their rows do not count.
    ticks_per_second:
        Clock rate of the cycles, one or N.
    samples:
        Waits added into every cell, one number or N×N.
    ops, elapsed_ns:
        Operations in the window, one number or one for each rank (None: not known); its length.
    nodes, hosts:
        Node index and host name of each rank.
    devices:
        Place of each rank: None, or a dict of what is known of "host", "gpu", "uuid", "pci", "pid"
        and "rank" (its rank in the whole job).
    tokens:
        Tokens that each rank received: N, or N×(experts of a rank).
    origin:
        Where the waits come from: "source", "barrier" or "duration"; docs/formats.md.
    min_share, group, mix:
        Smallest share that was worth a finding where the window was recorded; name of the process
        group; which mix of work ran.
    issued:
        Operations that each rank had begun when the window ended, completed or not.
    run_delay_ns:
        How long the thread of each rank that communicates was ready to run, but waited for a CPU
        core.
    index, instance, begin, source, case, extra:
        Number of the window, id of the job, ISO 8601 time, who recorded it, name of the case, and
        a JSON object of anything else.
    """

    def __init__(self, wait: Any, phase: str = "dispatch", *, unit: str = "cycles",
                 missing: Sequence[int] = (), ticks_per_second: Any = None, samples: Any = None,
                 ops: Any = 0, elapsed_ns: int = 0, nodes: Any = None,
                 hosts: Optional[Sequence[str]] = None, index: Optional[int] = None,
                 instance: Optional[str] = None, begin: Optional[str] = None,
                 source: Optional[str] = None, case: Optional[str] = None,
                 bytes: Any = None, last: Any = None, extra: Optional[Dict[str, Any]] = None,
                 devices: Optional[Sequence[Optional[Dict[str, Any]]]] = None,
                 tokens: Any = None, origin: Optional[str] = None, min_share: float = 0,
                 group: Optional[str] = None, mix: Optional[str] = None,
                 issued: Any = None, run_delay_ns: Any = None) -> None:
        shape = np.shape(wait)
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(f"wait: the matrix must be square; its shape is {shape}")
        if unit not in _UNITS:
            raise ValueError(f"unit={unit!r} must be 'cycles' or 'ns'")
        if origin not in _ORIGINS:
            raise ValueError(f"origin={origin!r} must be 'source', 'barrier' or 'duration'")
        n = shape[0]
        square = (n, n)
        self.wait: np.ndarray = _array(known(wait), np.int64, square, "wait")
        self.phase, self.unit, self.index = phase, unit, index
        self.missing: Tuple[int, ...] = tuple(sorted(int(rank) for rank in missing))
        if self.missing and not 0 <= self.missing[0] <= self.missing[-1] < n:
            raise ValueError(f"missing: the ranks must be 0 to {n - 1}")
        self.ticks_per_second = None if ticks_per_second is None else _array(
            ticks_per_second, np.float64, (n,), "ticks_per_second")
        self.samples_each = int(samples) if samples is not None and np.ndim(samples) == 0 else 0
        self.samples = None if samples is None or np.ndim(samples) == 0 else _array(
            samples, np.int64, square, "samples")
        self.bytes = None if bytes is None else _array(bytes, np.int64, square, "bytes")
        self.last = None if last is None else _array(last, np.int64, square, "last")
        self.rank_ops = None if np.ndim(ops) == 0 else _array(known(ops), np.int64, (n,), "ops")
        self.ops = int(ops) if self.rank_ops is None else upper_median(self.rank_ops)
        self.elapsed_ns = int(elapsed_ns)
        self.nodes = None if nodes is None else _array(nodes, np.int32, (n,), "nodes")
        self.hosts = None if hosts is None else tuple(hosts)
        if self.hosts is not None and len(self.hosts) != n:
            raise ValueError(f"hosts: there must be a name for each of {n} ranks, not "
                             f"{len(self.hosts)}")
        self.instance, self.begin, self.source, self.case = instance, begin, source, case
        self.extra = extra
        self.devices = devices_of(devices, n)
        self.tokens = None if tokens is None else _array(
            known(tokens), np.int64, (n, *np.shape(tokens)[1:2]), "tokens")
        self.origin, self.group, self.min_share = origin, group, float(min_share)
        self.mix = None if mix is None else str(mix)
        self.issued = None if issued is None else _array(known(issued), np.int64, (n,), "issued")
        self.run_delay_ns = None if run_delay_ns is None else _array(
            known(run_delay_ns), np.int64, (n,), "run_delay_ns")
        lib.dxt_window_check(self._struct())

    @property
    def ranks(self) -> int:
        """Size of the group."""
        return len(self.wait)

    # ---- to and from C

    def _struct(self) -> _lib.Window:
        """The window as the library reads it; what it points to belongs to Python."""
        def text(value: Optional[str]) -> Optional[bytes]:
            return None if value is None else value.encode("utf-8")

        def pointer(array: Optional[np.ndarray]) -> Optional[int]:
            return None if array is None else array.ctypes.data

        missing = np.zeros(self.ranks, np.uint8)
        missing[list(self.missing)] = 1
        wait = self.wait
        if self.missing:
            wait = wait.copy()
            wait[list(self.missing), :] = 0
        hosts = None
        if self.hosts is not None:
            hosts = (c.c_char_p * self.ranks)(*[host.encode("utf-8") for host in self.hosts])
        struct = _lib.Window(
            struct_size=c.sizeof(_lib.Window), ranks=self.ranks, unit=_UNITS[self.unit],
            phase=self.phase.encode("utf-8"), index=-1 if self.index is None else self.index,
            wait=pointer(wait), missing=pointer(missing) if self.missing else None,
            ticks_per_second=pointer(self.ticks_per_second), samples=pointer(self.samples),
            samples_each=self.samples_each, bytes=pointer(self.bytes), last=pointer(self.last),
            ops=self.ops, elapsed_ns=self.elapsed_ns, nodes=pointer(self.nodes),
            instance=text(self.instance), begin=text(self.begin), source=text(self.source),
            case_name=text(self.case),
            extra=text(json.dumps(self.extra) if self.extra is not None else None),
            origin=_ORIGINS[self.origin], tokens=pointer(self.tokens),
            local_experts=0 if self.tokens is None else self.tokens.size // self.ranks,
            rank_ops=pointer(self.rank_ops), min_share=self.min_share, group=text(self.group),
            mix=text(self.mix), issued=pointer(self.issued),
            run_delay_ns=pointer(self.run_delay_ns))
        if hosts is not None:
            struct.hosts = hosts
        places = places_of(self.devices)
        if places is not None:
            struct.devices = places
        struct._keep = (wait, missing, hosts, places)  # alive as long as the struct
        return struct

    @classmethod
    def _from_c(cls, pointer: Any) -> "Window":
        """Copy a window of the library."""
        raw = pointer.contents
        n = raw.ranks

        def array(address: Optional[int], kind: Any, *shape: int) -> Optional[np.ndarray]:
            if not address:
                return None
            flat = (kind * int(np.prod(shape))).from_address(address)
            return np.ctypeslib.as_array(flat).reshape(shape).copy()

        def text(value: Optional[bytes]) -> Optional[str]:
            return None if value is None else value.decode("utf-8")

        missing = array(raw.missing, c.c_uint8, n)
        samples = array(raw.samples, c.c_int64, n, n)
        extra = text(raw.extra)
        rank_ops = array(raw.rank_ops, c.c_int64, n)
        experts = (raw.local_experts,) if raw.local_experts > 1 else ()
        return cls(
            array(raw.wait, c.c_int64, n, n), raw.phase.decode("utf-8"),
            unit="ns" if raw.unit == _lib.UNIT_NS else "cycles",
            missing=() if missing is None else np.flatnonzero(missing).tolist(),
            ticks_per_second=array(raw.ticks_per_second, c.c_double, n),
            samples=samples if samples is not None else raw.samples_each or None,
            ops=raw.ops if rank_ops is None else rank_ops, elapsed_ns=raw.elapsed_ns,
            nodes=array(raw.nodes, c.c_int32, n),
            hosts=[raw.hosts[r].decode("utf-8") for r in range(n)] if raw.hosts else None,
            index=raw.index if raw.index >= 0 else None, instance=text(raw.instance),
            begin=text(raw.begin), source=text(raw.source), case=text(raw.case_name),
            bytes=array(raw.bytes, c.c_int64, n, n), last=array(raw.last, c.c_int64, n, n),
            extra=json.loads(extra) if extra else None,
            devices=[device_of(raw.devices[r]) for r in range(n)] if raw.devices else None,
            tokens=array(raw.tokens, c.c_int64, n, *experts),
            origin=next(name for name, value in _ORIGINS.items() if value == raw.origin),
            min_share=raw.min_share, group=text(raw.group), mix=text(raw.mix),
            issued=array(raw.issued, c.c_int64, n),
            run_delay_ns=array(raw.run_delay_ns, c.c_int64, n))

    @classmethod
    def read(cls, *paths: Union[str, "os.PathLike[str]"], strict: bool = False) -> Recording:
        """All windows of recordings, logs and matrices in whatever form (docs/formats.md has the
        table), packed or not: a list, whose analyze() judges them as one log. Several files are the
        parts of one log, in any order; a folder stands for the files in it.

        A window that cannot be read is left out with a warning; with ``strict`` it is an error.
        """
        with Reader(strict).open([os.fspath(path) for path in paths]) as reader:
            return cls._read_all(reader.handle)

    @classmethod
    def parse(cls, data: Union[str, bytes], *, strict: bool = False) -> Recording:
        """As :meth:`read`, from memory; plain bytes only."""
        content = data.encode("utf-8") if isinstance(data, str) else data
        with Reader(strict).parse(content) as reader:
            return cls._read_all(reader.handle)

    @classmethod
    def _read_all(cls, reader: c.c_void_p) -> Recording:
        windows = Recording()
        made = c.POINTER(_lib.Window)()
        while lib.dxt_reader_next(reader, c.byref(made)) == _lib.OK:
            try:
                windows.append(cls._from_c(made))
            finally:
                lib.dxt_window_free(made)
        return windows

    def to_json(self) -> str:
        """One line of a recording, without its newline."""
        writer = _lib.Writer()
        lib.dxt_window_write(self._struct(), writer.function, None)
        return writer.text().rstrip("\n")

    # ---- what one does with it

    @property
    def measure(self) -> str:
        """Unit of :meth:`values`: "ns/op", "ns", "cycles/op" or "cycles"."""
        return MEASURES[lib.dxt_window_measure(self._struct())]

    def values(self) -> np.ndarray:
        """The matrix in the window's :attr:`measure`, NaN in rows that are missing and
        in cells that nobody observed."""
        struct = self._struct()
        values = np.empty((self.ranks, self.ranks))
        for row in range(self.ranks):
            lib.dxt_window_row(struct, row, values[row].ctypes.data)
        return values

    def analyze(self, method: str = "robust", *, companion: Optional["Window"] = None,
                adjacent: Optional["Window"] = None, min_share: float = default("min_share"),
                ranks_per_node: int = 0, threshold_col: float = THRESHOLDS[0],
                threshold_row: float = THRESHOLDS[1], threshold_point: float = THRESHOLDS[2],
                keep_points: bool = False,
                excluding_zeros: bool = False) -> Findings:
        """Judge the window.

        ``companion`` is the other operator's window of the same interval; with it a hot expert is
        told from a late rank. ``adjacent`` is that of "combine transfer" for "dispatch" and that of
        "dispatch transfer" for "combine", and the other way round, where a library tells arrival
        from transfer: who leaves the one late enters the other one late. The thresholds,
        all above 0, and the last two options belong to the method "ratio".
        """
        struct = self._struct()
        others = [None if other is None else other._struct() for other in (companion, adjacent)]
        with Analysis(struct, method, others[0], min_share, ranks_per_node,
                      (threshold_col, threshold_row, threshold_point), keep_points,
                      excluding_zeros, others[1]) as found:
            return Findings._from_c(struct, found)

    def heatmap(self, path: Union[str, "os.PathLike[str]", None] = None,
                method: str = "robust") -> Optional[str]:
        """Draw the matrix with the findings marked.

        Written to ``path`` as its ending says: .svg, .html, .txt for the terminal's characters, and
        .png or .pdf where the part that draws them is installed. Without a path the SVG text is
        returned.
        """
        if path is None:
            return self._draw(_lib.FORMAT_SVG, method).decode("utf-8")
        kind = c.c_int(_lib.FORMAT_TERMINAL)
        name = os.fsencode(path)
        if not name.lower().endswith(b".txt"):
            lib.dxt_format_from_name(name, c.byref(kind))
        content = self._draw(kind.value, method)
        with open(path, "wb") as file:
            file.write(content)
        return None

    def _draw(self, kind: int, method: str) -> bytes:
        struct, writer = self._struct(), _lib.Writer()
        marks, count = c.POINTER(_lib.Mark)(), c.c_size_t()
        with Analysis(struct, method) as found:
            lib.dxt_report_marks(struct, found, c.byref(marks), c.byref(count))
            findings = Findings._from_c(struct, found)
        try:
            if kind == _lib.FORMAT_HTML:
                line = json.dumps(findings.to_dict()).encode("utf-8")
                return page_of(struct, line, marks, count.value)
            panel = _lib.HeatmapPanel(window=c.pointer(struct), marks=marks,
                                      mark_count=count.value,
                                      caption=_caption(findings).encode("utf-8"))
            options = _lib.HeatmapOptions(struct_size=c.sizeof(_lib.HeatmapOptions))
            lib.dxt_heatmap_write(c.byref(panel), 1, kind, c.byref(options), writer.function, None)
        finally:
            _lib.libc.free(marks)
        return writer.bytes()

    def __repr__(self) -> str:
        number = "" if self.index is None else f" {self.index}"
        return f"<Window {self.phase}{number}: {self.ranks} ranks>"

    def _repr_svg_(self) -> str:
        return self._draw(_lib.FORMAT_SVG, "robust").decode("utf-8")


def _caption(findings: Findings) -> str:
    lines = [finding.text for finding in findings][:_NAMED]
    if len(findings) > _NAMED:
        lines.append(f"and {len(findings) - _NAMED} more")
    if not lines:
        lines = {"healthy": ["healthy: nobody stands out"],
                 "inconclusive": ["inconclusive: too thin or too noisy to tell"]}.get(
                     findings.verdict, ["see the marks"])
    return "\n".join(lines)
