# SPDX-License-Identifier: Apache-2.0
"""The analysis of one window by the library."""
from __future__ import annotations

import ctypes as c
from typing import Any, Tuple

from . import _lib
from ._lib import default, lib

THRESHOLDS = (default("threshold_col"), default("threshold_row"), default("threshold_point"))
METHODS = {"robust": _lib.METHOD_ROBUST, "ratio": _lib.METHOD_RATIO}
#: Units of waits, by what dxt_window_measure() says.
MEASURES = {_lib.MEASURE_NS_PER_OP: "ns/op", _lib.MEASURE_NS: "ns",
            _lib.MEASURE_CYCLES_PER_OP: "cycles/op", _lib.MEASURE_CYCLES: "cycles"}


def check_method(method: str) -> None:
    """Raise ValueError for one that there is not."""
    if method not in METHODS:
        raise ValueError(f"method={method!r} must be 'robust' or 'ratio'")


class Analysis:
    """dxt_analyze() as a context: the findings live inside. Windows are structs of the library, and
    a history is its handle; a min_share of 0 is the one that the window was recorded with."""

    def __init__(self, struct: Any, method: str = "robust", companion: Any = None,
                 min_share: float = default("min_share"), ranks_per_node: int = 0,
                 thresholds: Tuple[float, float, float] = THRESHOLDS,
                 keep_points: bool = False, excluding_zeros: bool = False,
                 adjacent: Any = None, history: Any = None) -> None:
        check_method(method)
        if not all(value > 0 for value in thresholds) or not min_share >= 0:
            raise ValueError("thresholds must be above 0, and min_share must not be negative")
        self._options = _lib.AnalysisOptions(
            struct_size=c.sizeof(_lib.AnalysisOptions), method=METHODS[method],
            companion=c.pointer(companion) if companion is not None else None,
            adjacent=c.pointer(adjacent) if adjacent is not None else None,
            min_share=min_share, ranks_per_node=ranks_per_node, threshold_col=thresholds[0],
            threshold_row=thresholds[1], threshold_point=thresholds[2],
            keep_points=bool(keep_points), excluding_zeros=bool(excluding_zeros))
        self._struct, self._others = struct, (companion, adjacent)  # alive as long as this
        lib.dxt_history_prior(history, struct, c.byref(self._options))
        self._found = c.c_void_p()

    def __enter__(self) -> c.c_void_p:
        lib.dxt_analyze(self._struct, c.byref(self._options), c.byref(self._found))
        return self._found

    def __exit__(self, *_unused: Any) -> None:
        lib.dxt_findings_free(self._found)
