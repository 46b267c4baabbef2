# SPDX-License-Identifier: Apache-2.0
"""The established rule, the ratio to the mean, as the library has it: for counters, and for any
other matrix of numbers."""
from __future__ import annotations

import ctypes as c
from typing import Any, Dict, List

import numpy as np

from . import _lib
from ._lib import lib
from .window import Window

_WHOLE = 2**32 - 1


def diagnose_matrix(mat: Any, thres_col: float, thres_row: float, thres_point: float,
                    suppress: bool, excluding_zeros: int) -> Dict[str, List[List[Any]]]:
    """See Diagnose.diagnose_matrix()."""
    matrix = np.asarray(mat)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError("mat must have two dimensions and at least one cell; its shape is "
                         f"{matrix.shape}")
    if _are_counters(matrix, thres_col, thres_row, thres_point):
        found = Window(matrix).analyze(
            "ratio", threshold_col=thres_col, threshold_row=thres_row, threshold_point=thres_point,
            keep_points=not suppress, excluding_zeros=bool(excluding_zeros))
        return {"abnormal_cols": found.abnormal_cols, "abnormal_rows": found.abnormal_rows,
                "abnormal_points": found.abnormal_points}
    return _of_numbers(matrix, thres_col, thres_row, thres_point, suppress, excluding_zeros)


def _are_counters(matrix: np.ndarray, *thresholds: float) -> bool:
    rows, columns = matrix.shape
    return (rows == columns and 2 <= rows <= _lib.MAX_RANKS and
            matrix.dtype in (np.int32, np.int64) and int(matrix.min()) >= 0 and
            all(threshold > 0 for threshold in thresholds))


def _of_numbers(matrix: np.ndarray, thres_col: float, thres_row: float, thres_point: float,
                suppress: bool, excluding_zeros: int) -> Dict[str, List[List[Any]]]:
    values = np.ascontiguousarray(matrix, np.float64)
    rule = _lib.RatioRule(
        struct_size=c.sizeof(_lib.RatioRule), threshold_col=thres_col, threshold_row=thres_row,
        threshold_point=thres_point, keep_points=not suppress,
        excluding_zeros=bool(excluding_zeros))
    places, count = c.POINTER(_lib.RatioPlace)(), c.c_size_t()
    lib.dxt_ratio_matrix(values.ctypes.data, *values.shape, c.byref(rule), c.byref(places),
                         c.byref(count))
    cols: List[List[Any]] = []
    rows: List[List[Any]] = []
    points: List[List[Any]] = []
    try:
        for place in places[:count.value]:
            figures = [place.value, place.normalised]
            if place.row == _WHOLE:
                cols.append([place.column, *figures])
            elif place.column == _WHOLE:
                rows.append([place.row, *figures])
            else:
                points.append([place.row, place.column, *figures])
    finally:
        _lib.libc.free(places)
    return {"abnormal_cols": cols, "abnormal_rows": rows, "abnormal_points": points}
