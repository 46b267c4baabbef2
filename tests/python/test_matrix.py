# SPDX-License-Identifier: Apache-2.0
"""Diagnose.diagnose_matrix() against the rule stated in NumPy (tests/recorded/ratio_numpy.py), to
the last bit."""
import sys
from pathlib import Path

import numpy as np
import pytest

from deepxtrace import _ratio
from deepxtrace.diagnose import Diagnose

sys.path.insert(0, str(Path(__file__).parent.parent / "recorded"))
import ratio_numpy  # noqa: E402

OPTIONS = [{}, {"excluding_zeros": 1}, {"suppress_points_in_strong_rowscols": False},
           {"thres_col": 1.2, "thres_row": 1.1, "thres_point": 1.7, "excluding_zeros": 1},
           {"thres_col": 0, "thres_row": -1, "thres_point": 0}]


def wanted(matrix, options):
    return ratio_numpy.rule(
        matrix, col=options.get("thres_col", 3.0), row=options.get("thres_row", 3.0),
        point=options.get("thres_point", 5.0),
        keep_points=not options.get("suppress_points_in_strong_rowscols", True),
        excluding_zeros=bool(options.get("excluding_zeros", 0)))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_rule_to_the_last_bit(options):
    random = np.random.default_rng(7)
    flagged = 0
    for ranks in [*range(2, 20), 64, 100, 129]:
        matrix = ratio_numpy.random_matrix(random, ranks)
        got = Diagnose.diagnose_matrix(matrix, **options)
        assert got == wanted(matrix, options)
        flagged += sum(map(len, got.values()))
    assert flagged > 10


def by_numpy(matrix, col=3.0, row=3.0, point=5.0, keep=False, excluding_zeros=False):
    """The rule on any matrix, in NumPy's own float64."""
    def flagged(means, threshold):
        normalised = means / (means.mean() + 1e-8)
        return [[int(k), float(means[k]), float(normalised[k])]
                for k in np.flatnonzero(normalised > threshold)]

    matrix = np.ascontiguousarray(matrix, np.float64)
    cols, rows = flagged(matrix.mean(axis=0), col), flagged(matrix.mean(axis=1), row)
    counted = matrix[matrix != 0] if excluding_zeros else matrix
    normalised = matrix / ((counted.mean() if counted.size else 0.0) + 1e-8)
    hot = normalised > point
    if not keep:
        hot[:, [found[0] for found in cols]] = False
        hot[[found[0] for found in rows], :] = False
    return {"abnormal_cols": cols, "abnormal_rows": rows, "abnormal_points": [
        [int(i), int(j), float(matrix[i, j]), float(normalised[i, j])]
        for i, j in np.argwhere(hot)]}


SHAPES = [(1, 1), (1, 2), (2, 1), (3, 1), (9, 1), (1, 9), (200, 1), (1, 300), (5, 7), (7, 5),
          (2, 129), (129, 2), (16, 16), (40, 1000), (1000, 40), (131, 257), (2, 20_000),
          (20_000, 2), (20_000, 1), (1, 20_000)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_matrix_to_the_last_bit(shape):
    random = np.random.default_rng(9)
    for spread in (0.3, 2.0):
        for options in ({}, {"excluding_zeros": True}, {"keep": True},
                        {"col": 1.1, "row": 1.0, "point": 1.3},
                        {"col": 0, "row": -1, "point": 0, "excluding_zeros": True}):
            matrix = random.lognormal(0, spread, shape) * random.choice([1, 1, 1, 0, -0.1], shape)
            got = Diagnose.diagnose_matrix(
                matrix, options.get("col", 3.0), options.get("row", 3.0),
                options.get("point", 5.0), not options.get("keep", False),
                int(options.get("excluding_zeros", 0)))
            assert got == by_numpy(matrix, **options)


def test_what_cannot_be_compared_is_not_flagged():
    for odd in (np.nan, np.inf, -np.inf):
        matrix = np.ones((6, 6))
        matrix[2, 3], matrix[4, 4] = odd, 1e6
        with np.errstate(invalid="ignore"):
            assert Diagnose.diagnose_matrix(matrix) == by_numpy(matrix)
    turned = np.arange(35.0).reshape(5, 7).T
    assert Diagnose.diagnose_matrix(turned, 1.1, 1.1, 1.5) == by_numpy(turned, 1.1, 1.1, 1.5)


def test_both_ways_of_counting_are_one():
    random = np.random.default_rng(8)
    for ranks in (2, 7, 16, 65):
        matrix = ratio_numpy.random_matrix(random, ranks)
        for options in OPTIONS[:4]:
            values = (options.get("thres_col", 3.0), options.get("thres_row", 3.0),
                      options.get("thres_point", 5.0),
                      options.get("suppress_points_in_strong_rowscols", True),
                      options.get("excluding_zeros", 0))
            assert (_ratio._of_numbers(matrix, *values) ==
                    _ratio.diagnose_matrix(matrix, *values))


def test_what_the_library_has_no_place_for():
    fractions = np.full((8, 8), 0.5)
    fractions[:, 3] = 40.25
    assert [col[0] for col in Diagnose.diagnose_matrix(fractions)["abnormal_cols"]] == [3]
    wide = np.ones((2, 40))
    wide[:, 7] = 1000
    assert [col[0] for col in Diagnose.diagnose_matrix(wide)["abnormal_cols"]] == [7]
    assert Diagnose.diagnose_matrix([[5]]) == {"abnormal_cols": [], "abnormal_rows": [],
                                               "abnormal_points": []}
    zeros = np.zeros((4, 4), int)
    assert Diagnose.diagnose_matrix(zeros, excluding_zeros=1)["abnormal_points"] == []
    with pytest.raises(ValueError):
        Diagnose.diagnose_matrix(np.zeros(4))


def test_the_result_is_plain_lists():
    matrix = np.full((8, 8), 400)
    matrix[:, 2] = 90_000
    matrix[5, 6] = 300_000
    got = Diagnose.diagnose_matrix(matrix, suppress_points_in_strong_rowscols=False)
    assert list(got) == ["abnormal_cols", "abnormal_rows", "abnormal_points"]
    assert [type(x) for x in got["abnormal_cols"][0]] == [int, float, float]
    assert [type(x) for x in got["abnormal_points"][0][:2]] == [int, int]
    assert 300_000 in [point[2] for point in got["abnormal_points"]]
