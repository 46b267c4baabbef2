# SPDX-License-Identifier: Apache-2.0
"""The established rule: the ratio to the mean. The library has it for counters; anything else that
NumPy can average is judged here by the same rule, figure for figure."""
from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from . import _lib
from .window import Window

_TINY = 1e-8


def diagnose_matrix(mat: Any, thres_col: float, thres_row: float, thres_point: float,
                    suppress: bool, excluding_zeros: int) -> Dict[str, List[List[Any]]]:
    """See Diagnose.diagnose_matrix()."""
    matrix = np.asarray(mat)
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f"a matrix is needed, not something of the shape {matrix.shape}")
    if _is_for_the_library(matrix, thres_col, thres_row, thres_point):
        found = Window(matrix).analyze(
            "ratio", threshold_col=thres_col, threshold_row=thres_row, threshold_point=thres_point,
            keep_points=not suppress, excluding_zeros=bool(excluding_zeros))
        return {"abnormal_cols": found.abnormal_cols, "abnormal_rows": found.abnormal_rows,
                "abnormal_points": found.abnormal_points}
    return _by_numpy(matrix.astype(np.float64), thres_col, thres_row, thres_point, suppress,
                     excluding_zeros)


def _is_for_the_library(matrix: np.ndarray, *thresholds: float) -> bool:
    rows, columns = matrix.shape
    return (rows == columns and 2 <= rows <= _lib.MAX_RANKS and
            matrix.dtype in (np.int32, np.int64) and int(matrix.min()) >= 0 and
            all(threshold > 0 for threshold in thresholds))


def _by_numpy(matrix: np.ndarray, thres_col: float, thres_row: float, thres_point: float,
              suppress: bool, excluding_zeros: int) -> Dict[str, List[List[Any]]]:
    def flagged(means: np.ndarray, threshold: float) -> List[List[Any]]:
        normalised = means / (means.mean() + _TINY)
        return [[int(k), float(means[k]), float(normalised[k])]
                for k in np.flatnonzero(normalised > threshold)]

    cols = flagged(matrix.mean(axis=0), thres_col)
    rows = flagged(matrix.mean(axis=1), thres_row)
    counted = matrix[matrix != 0] if excluding_zeros else matrix
    normalised = matrix / ((counted.mean() if counted.size else 0.0) + _TINY)
    hot = normalised > thres_point
    if suppress:
        hot[:, [col[0] for col in cols]] = False
        hot[[row[0] for row in rows], :] = False
    points = [[int(i), int(j), float(matrix[i, j]), float(normalised[i, j])]
              for i, j in np.argwhere(hot)]
    return {"abnormal_cols": cols, "abnormal_rows": rows, "abnormal_points": points}
