# SPDX-License-Identifier: Apache-2.0
"""The C library, as one table: every function with its result and its arguments, every struct with
its fields, every constant with its value. At import they are compared with what the library that
was found says of itself, so a mismatch is one clear error and never a wild pointer.
"""
from __future__ import annotations

import ctypes as c
import os
import threading
from pathlib import Path
from typing import Any, Callable, List, Optional

LIBRARY_FOLDER_VARIABLE = "DEEPXTRACE_LIBRARY_PATH"

OK, END, AGAIN = 0, 1, 2
ERR_INVALID, ERR_NO_MEMORY, ERR_LIMIT, ERR_IO, ERR_FORMAT = -1, -2, -3, -4, -5
ERR_UNSUPPORTED, ERR_TIMEOUT, ERR_MASKED, ERR_STATE = -6, -7, -8, -9
LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG = 0, 1, 2, 3
MAX_RANKS, MAX_OPERATORS, PROBE_LAYOUT = 4096, 16, 1
DISPATCH, COMBINE = 0, 1
UNIT_CYCLES, UNIT_NS = 0, 1
ORIGIN_UNKNOWN, ORIGIN_SOURCE, ORIGIN_BARRIER, ORIGIN_DURATION = 0, 1, 2, 3
NOT_OBSERVED = -1
MEASURE_NS_PER_OP, MEASURE_NS, MEASURE_CYCLES_PER_OP, MEASURE_CYCLES = 0, 1, 2, 3
METHOD_ROBUST, METHOD_RATIO = 0, 1
RELATION_NONE, RELATION_COMPANION, RELATION_ADJACENT = 0, 1, 2
SESSION_SYNC, SESSION_ASYNC = 0, 1
REMARK_LOST, REMARK_CUT, REMARK_NOTE = 0, 1, 2
FORMAT_TERMINAL, FORMAT_SVG, FORMAT_HTML, FORMAT_PNG, FORMAT_PDF = 0, 1, 2, 3, 4
COLOR_NONE = 0
GATHER_NEWEST = 2**64 - 1

#: Names of this module whose value the library must have, as DXT_NAME.
_CONSTANTS = (
    "OK", "END", "AGAIN", "ERR_INVALID", "ERR_NO_MEMORY", "ERR_LIMIT", "ERR_IO", "ERR_FORMAT",
    "ERR_UNSUPPORTED", "ERR_TIMEOUT", "ERR_MASKED", "ERR_STATE", "LOG_ERROR", "LOG_WARNING",
    "LOG_INFO", "LOG_DEBUG", "MAX_RANKS", "MAX_OPERATORS", "PROBE_LAYOUT", "DISPATCH", "COMBINE",
    "UNIT_CYCLES", "UNIT_NS", "ORIGIN_UNKNOWN", "ORIGIN_SOURCE", "ORIGIN_BARRIER",
    "ORIGIN_DURATION", "NOT_OBSERVED", "MEASURE_NS_PER_OP", "MEASURE_NS", "MEASURE_CYCLES_PER_OP",
    "MEASURE_CYCLES", "METHOD_ROBUST", "METHOD_RATIO",
    "RELATION_NONE", "RELATION_COMPANION", "RELATION_ADJACENT", "REMARK_LOST", "REMARK_CUT",
    "REMARK_NOTE", "SESSION_SYNC", "SESSION_ASYNC",
    "FORMAT_TERMINAL", "FORMAT_SVG", "FORMAT_HTML", "FORMAT_PNG", "FORMAT_PDF", "COLOR_NONE")

Status = c.c_int
LogFn = c.CFUNCTYPE(None, c.c_void_p, c.c_int, c.c_char_p)
WriteFn = c.CFUNCTYPE(Status, c.c_void_p, c.c_void_p, c.c_size_t)
PublishFn = c.CFUNCTYPE(Status, c.c_void_p, c.c_uint64, c.c_void_p, c.c_size_t)
CollectFn = c.CFUNCTYPE(Status, c.c_void_p, c.c_uint32, c.c_uint64, c.c_void_p, c.c_size_t,
                        c.POINTER(c.c_size_t), c.POINTER(c.c_uint64))
ReadFn = c.CFUNCTYPE(Status, c.c_void_p, c.c_void_p, c.c_size_t, c.POINTER(c.c_size_t),
                     use_errno=True)
NextFn = c.CFUNCTYPE(Status, c.c_void_p, c.POINTER(c.c_char_p), use_errno=True)
RemarkFn = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int, c.c_char_p)
DestroyFn = c.CFUNCTYPE(None, c.c_void_p)


class Cell(c.Structure):
    _fields_ = [("wait_ticks_sum", c.c_uint64), ("samples", c.c_uint64),
                ("wait_ticks_max", c.c_uint64), ("bytes", c.c_uint64), ("last_count", c.c_uint64),
                ("last_margin_ticks_sum", c.c_uint64), ("timeouts", c.c_uint64),
                ("reserved", c.c_uint64), ("histogram", c.c_uint32 * 32)]


class OperatorCounters(c.Structure):
    _fields_ = [("ops", c.c_uint64), ("inside_ticks_sum", c.c_uint64),
                ("issued", c.c_uint64), ("durations", c.c_uint64), ("reserved", c.c_uint64 * 4)]


class Probe(c.Structure):
    _fields_ = [("layout", c.c_uint32), ("operators", c.c_uint32), ("sources", c.c_uint32),
                ("flags", c.c_uint32), ("ticks_per_second", c.c_uint64),
                ("durations", c.c_uint64), ("reserved", c.c_uint64 * 4)]


class Snapshot(c.Structure):
    _fields_ = [("time_ns", c.c_int64), ("data", c.POINTER(Probe)),
                ("local_experts", c.c_uint32), ("tokens_count", c.c_uint32),
                ("tokens", c.POINTER(c.c_int64)), ("mix", c.c_uint64)]


class Place(c.Structure):
    _fields_ = [("pid", c.c_int64), ("rank", c.c_int64), ("gpu", c.c_int32),
                ("host", c.c_char * 256), ("uuid", c.c_char * 64), ("pci", c.c_char * 32)]


class Window(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("ranks", c.c_uint32), ("unit", c.c_int),
                ("phase", c.c_char_p), ("index", c.c_int64), ("wait", c.c_void_p),
                ("missing", c.c_void_p), ("ticks_per_second", c.c_void_p),
                ("samples", c.c_void_p), ("samples_each", c.c_int64), ("bytes", c.c_void_p),
                ("last", c.c_void_p), ("ops", c.c_int64), ("elapsed_ns", c.c_int64),
                ("nodes", c.c_void_p), ("hosts", c.POINTER(c.c_char_p)), ("instance", c.c_char_p),
                ("begin", c.c_char_p), ("source", c.c_char_p), ("case_name", c.c_char_p),
                ("extra", c.c_char_p), ("origin", c.c_int), ("devices", c.POINTER(Place)),
                ("tokens", c.c_void_p), ("local_experts", c.c_uint32), ("rank_ops", c.c_void_p),
                ("min_share", c.c_double), ("group", c.c_char_p), ("mix", c.c_char_p),
                ("issued", c.c_void_p), ("run_delay_ns", c.c_void_p)]


class AnalysisOptions(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("method", c.c_int), ("companion", c.POINTER(Window)),
                ("min_share", c.c_double), ("ranks_per_node", c.c_uint32),
                ("threshold_col", c.c_double), ("threshold_row", c.c_double),
                ("threshold_point", c.c_double), ("keep_points", c.c_int),
                ("excluding_zeros", c.c_int), ("cell_spread", c.c_double),
                ("companion_spread", c.c_double), ("adjacent", c.POINTER(Window)),
                ("transfer_ordinary", c.c_double), ("run_delay_before_ns", c.c_void_p)]


class HistoryOptions(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("min_share", c.c_double)]


class Timeline(c.Structure):
    _fields_ = [("ranks", c.c_uint32), ("windows", c.c_size_t), ("measure", c.c_int),
                ("floor", c.c_double), ("index", c.POINTER(c.c_int64)),
                ("lateness", c.POINTER(c.c_double))]


class RatioRule(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("threshold_col", c.c_double),
                ("threshold_row", c.c_double), ("threshold_point", c.c_double),
                ("keep_points", c.c_int), ("excluding_zeros", c.c_int)]


class RatioPlace(c.Structure):
    _fields_ = [("row", c.c_uint32), ("column", c.c_uint32), ("value", c.c_double),
                ("normalised", c.c_double)]


class GatherTransport(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("context", c.c_void_p), ("publish", PublishFn),
                ("collect", CollectFn), ("destroy", DestroyFn)]


class Diagnosis(c.Structure):
    _fields_ = [("window", c.POINTER(Window)), ("findings", c.c_void_p)]


SnapshotFn = c.CFUNCTYPE(Status, c.c_void_p, c.POINTER(Snapshot))
DiagnosisFn = c.CFUNCTYPE(None, c.c_void_p, c.POINTER(Diagnosis), c.c_size_t)


class SessionConfig(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("mode", c.c_int), ("gather", c.c_void_p),
                ("probe", c.c_void_p), ("snapshot", SnapshotFn), ("snapshot_context", c.c_void_p),
                ("operators_count", c.c_uint32), ("operators", c.POINTER(c.c_char_p)),
                ("interval_ops", c.c_uint64), ("interval_ns", c.c_int64),
                ("deadline_ns", c.c_int64), ("warmup_windows", c.c_uint64), ("node", c.c_int32),
                ("host", c.c_char_p), ("instance", c.c_char_p), ("source", c.c_char_p),
                ("analysis", c.POINTER(AnalysisOptions)), ("on_diagnosis", DiagnosisFn),
                ("on_diagnosis_context", c.c_void_p), ("alone", c.c_int),
                ("history", c.c_void_p), ("min_share", c.c_double),
                ("device", c.POINTER(Place)), ("local_experts", c.c_uint32),
                ("group", c.c_char_p), ("patience_ns", c.c_int64), ("origin", c.c_int),
                ("mix", c.c_uint64)]


class Mark(c.Structure):
    _fields_ = [("kind", c.c_int), ("row", c.c_uint32), ("column", c.c_uint32)]


class HeatmapPanel(c.Structure):
    _fields_ = [("window", c.POINTER(Window)), ("marks", c.POINTER(Mark)),
                ("mark_count", c.c_size_t), ("title", c.c_char_p), ("caption", c.c_char_p)]


class HeatmapOptions(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("color", c.c_int), ("columns", c.c_uint32),
                ("heading", c.c_char_p), ("scale_min", c.c_double), ("scale_max", c.c_double),
                ("ascii", c.c_int)]


PackFn = c.CFUNCTYPE(Status, c.c_void_p, c.c_size_t, c.POINTER(c.c_void_p),
                     c.POINTER(c.c_size_t))


class PageOptions(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("title", c.c_char_p), ("pack", PackFn),
                ("most_bytes", c.c_size_t), ("most_raw", c.c_size_t),
                ("most_windows", c.c_uint32), ("advice", c.c_char_p), ("start", c.c_int64),
                ("has_start", c.c_int), ("timeline", c.c_int)]


class PageWindow(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("window", c.POINTER(Window)), ("title", c.c_char_p),
                ("diagnosis", c.c_char_p), ("caption", c.c_char_p), ("marks", c.POINTER(Mark)),
                ("mark_count", c.c_size_t)]


class Source(c.Structure):
    _fields_ = [("struct_size", c.c_size_t), ("context", c.c_void_p), ("read", ReadFn),
                ("next", NextFn)]


class Constant(c.Structure):
    _fields_ = [("name", c.c_char_p), ("value", c.c_int64)]


#: Structs by their name in C.
_STRUCTS = {"dxt_cell": Cell, "dxt_operator_counters": OperatorCounters, "dxt_probe": Probe,
            "dxt_snapshot": Snapshot, "dxt_place": Place, "dxt_window": Window,
            "dxt_analysis_options": AnalysisOptions, "dxt_ratio_rule": RatioRule,
            "dxt_ratio_place": RatioPlace, "dxt_history_options": HistoryOptions,
            "dxt_timeline": Timeline, "dxt_gather_transport": GatherTransport,
            "dxt_diagnosis": Diagnosis, "dxt_session_config": SessionConfig, "dxt_mark": Mark,
            "dxt_source": Source, "dxt_heatmap_panel": HeatmapPanel,
            "dxt_heatmap_options": HeatmapOptions, "dxt_page_options": PageOptions,
            "dxt_page_window": PageWindow}

_P = c.POINTER
_HANDLE = _P(c.c_void_p)
#: Every function: name, result, arguments. A result of Status is checked; see check_status().
_FUNCTIONS = (
    ("dxt_version", c.c_char_p, ()),
    ("dxt_error", c.c_char_p, ()),
    ("dxt_status_string", c.c_char_p, (Status,)),
    ("dxt_set_log", None, (LogFn, c.c_void_p)),
    ("dxt_default", c.c_double, (c.c_char_p,)),
    ("dxt_constants", c.c_size_t, (_P(Constant), c.c_size_t)),
    ("dxt_probe_clock_rate", c.c_uint64, ()),
    ("dxt_probe_create_durations", Status, (c.c_uint32, c.c_uint32, c.c_uint32, _P(_P(Probe)))),
    ("dxt_probe_note_duration", None, (_P(Probe), c.c_uint32, c.c_uint64, c.c_uint64)),
    ("dxt_probe_destroy", None, (_P(Probe),)),
    ("dxt_window_check", Status, (_P(Window),)),
    ("dxt_window_free", None, (_P(Window),)),
    ("dxt_window_measure", c.c_int, (_P(Window),)),
    ("dxt_window_row", None, (_P(Window), c.c_uint32, c.c_void_p)),
    ("dxt_window_write", Status, (_P(Window), WriteFn, c.c_void_p)),
    ("dxt_reader_open", Status, (c.c_char_p, _HANDLE)),
    ("dxt_reader_open_memory", Status, (c.c_char_p, c.c_size_t, c.c_char_p, _HANDLE)),
    ("dxt_reader_open_source", Status, (_P(Source), c.c_char_p, _HANDLE)),
    ("dxt_reader_on_remark", None, (c.c_void_p, RemarkFn, c.c_void_p)),
    ("dxt_reader_next", Status, (c.c_void_p, _P(_P(Window)))),
    ("dxt_reader_close", None, (c.c_void_p,)),
    ("dxt_analyze", Status, (_P(Window), _P(AnalysisOptions), _HANDLE)),
    ("dxt_window_relation", c.c_int, (_P(Window), _P(Window))),
    ("dxt_history_create", Status, (_P(HistoryOptions), _HANDLE)),
    ("dxt_history_destroy", None, (c.c_void_p,)),
    ("dxt_history_continues", c.c_int, (c.c_void_p, _P(Window))),
    ("dxt_history_prior", Status, (c.c_void_p, _P(Window), _P(AnalysisOptions))),
    ("dxt_history_judge", Status, (c.c_void_p, _P(Window), c.c_void_p, _HANDLE)),
    ("dxt_history_windows", c.c_uint64, (c.c_void_p,)),
    ("dxt_history_timeline", Status, (c.c_void_p, c.c_char_p, _P(_P(Timeline)))),
    ("dxt_report_summary_json", Status, (c.c_void_p, WriteFn, c.c_void_p)),
    ("dxt_report_summary_text", Status, (c.c_void_p, WriteFn, c.c_void_p)),
    ("dxt_ratio_matrix", Status, (c.c_void_p, c.c_size_t, c.c_size_t, _P(RatioRule),
                                  _P(_P(RatioPlace)), _P(c.c_size_t))),
    ("dxt_findings_free", None, (c.c_void_p,)),
    ("dxt_report_json", Status, (_P(Window), c.c_void_p, WriteFn, c.c_void_p)),
    ("dxt_report_text", Status, (_P(Window), c.c_void_p, WriteFn, c.c_void_p)),
    ("dxt_report_marks", Status, (_P(Window), c.c_void_p, _P(_P(Mark)), _P(c.c_size_t))),
    ("dxt_heatmap_write", Status, (_P(HeatmapPanel), c.c_size_t, c.c_int, _P(HeatmapOptions),
                                   WriteFn, c.c_void_p)),
    ("dxt_report_advice_json", c.c_char_p, ()),
    ("dxt_page_create", Status, (_P(PageOptions), _HANDLE)),
    ("dxt_page_add", Status, (c.c_void_p, _P(PageWindow))),
    ("dxt_page_write", Status, (c.c_void_p, WriteFn, c.c_void_p)),
    ("dxt_page_free", None, (c.c_void_p,)),
    ("dxt_format_from_name", Status, (c.c_char_p, _P(c.c_int))),
    ("dxt_gather_create", Status, (c.c_uint32, c.c_uint32, _P(GatherTransport), _HANDLE)),
    ("dxt_gather_destroy", None, (c.c_void_p,)),
    ("dxt_session_create", Status, (_P(SessionConfig), _HANDLE)),
    ("dxt_session_step", Status, (c.c_void_p,)),
    ("dxt_session_first_step", Status, (c.c_void_p,)),
    ("dxt_session_windows", c.c_uint64, (c.c_void_p,)),
    ("dxt_session_destroy", None, (c.c_void_p,)),
)


class DeepXTraceError(Exception):
    """A call into the library failed. ``status`` is its dxt_status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def library_folder() -> Optional[Path]:
    """Where the libraries lie: what DEEPXTRACE_LIBRARY_PATH names, else the folder ``lib`` of this
    package; None when it is left to the system's loader."""
    named = os.environ.get(LIBRARY_FOLDER_VARIABLE)
    if named:
        return Path(named)
    folder = Path(__file__).resolve().parent / "lib"
    return folder if folder.is_dir() else None


def load_library(name: str) -> c.CDLL:
    """Load one of our shared objects, such as ``libdeepxtrace.so.0``."""
    folder = library_folder()
    try:
        return c.CDLL(str(folder / name) if folder else name)
    except OSError as error:
        raise ImportError(f"{name} of DeepXTrace cannot be loaded: {error}") from error


def check_status(result: int, function: Any, arguments: Any) -> int:
    """The one error check: a negative status becomes an exception with the library's own words."""
    if result >= 0:
        return result
    text = lib.dxt_error().decode("utf-8", "replace")
    raise DeepXTraceError(result, text or lib.dxt_status_string(result).decode())


def bind(library: c.CDLL, functions: Any, check: Callable[[int, Any, Any], int]) -> c.CDLL:
    """Give the functions of a table their types, and those that return a status their check."""
    for name, result, arguments in functions:
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"the DeepXTrace library that was found has no {name}()") from None
        function.restype, function.argtypes = result, arguments
        if result is Status:
            function.errcheck = check
    return library


def _differences() -> List[str]:
    count = lib.dxt_constants(None, 0)
    table = (Constant * count)()
    lib.dxt_constants(table, count)
    there = {entry.name.decode(): entry.value for entry in table}
    here = {"DXT_" + name: globals()[name] for name in _CONSTANTS}
    for name, struct in _STRUCTS.items():
        here["sizeof " + name] = c.sizeof(struct)
        for field in struct._fields_:
            if field[0] != "reserved":
                here[f"{name}.{field[0]}"] = getattr(struct, field[0]).offset
    return [f"{name} is {there.get(name, 'not known')}, not {value}"
            for name, value in here.items() if there.get(name) != value]


lib = bind(load_library("libdeepxtrace.so.0"), _FUNCTIONS, check_status)
_wrong = _differences()
if _wrong:
    raise ImportError("the DeepXTrace library that was found is of another version than this "
                      "package: " + "; ".join(_wrong[:4]))


def default(name: str) -> float:
    """The default of an option, as the library has it."""
    value = float(lib.dxt_default(name.encode()))
    if value != value:
        raise ImportError("the DeepXTrace library that was found is of another version than this "
                          f"package: it has no default of {name}")
    return value


libc = c.CDLL(None)
libc.free.restype, libc.free.argtypes = None, (c.c_void_p,)
libc.malloc.restype, libc.malloc.argtypes = c.c_void_p, (c.c_size_t,)


class Writer:
    """Collects what the library writes."""

    def __init__(self) -> None:
        self._parts: List[bytes] = []
        self.function = WriteFn(self._write)

    def _write(self, _context: Any, data: int, size: int) -> int:
        self._parts.append(c.string_at(data, size))
        return OK

    def bytes(self) -> bytes:
        return b"".join(self._parts)

    def text(self) -> str:
        return self.bytes().decode("utf-8")


# ---- the library's log, for those who run sessions

_sinks = {}  # type: dict[int, Callable[[int, str], None]]


def _hear(_context: Any, level: int, message: bytes) -> None:
    sink = _sinks.get(threading.get_ident())
    if sink is not None:
        sink(level, message.decode("utf-8", "replace"))


def listen(sink: Optional[Callable[[int, str], None]]) -> None:
    """Send what the library has to say in this thread to ``sink(level, text)``; None ends that."""
    if sink is None:
        _sinks.pop(threading.get_ident(), None)
    else:
        _sinks[threading.get_ident()] = sink


def forget_listener(ident: int) -> None:
    """What a thread that is gone listened to is nobody's any more."""
    _sinks.pop(ident, None)


_on_log = LogFn(_hear)  # must live as long as the library has it
lib.dxt_set_log(_on_log, None)
