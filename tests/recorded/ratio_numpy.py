#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ratio rule stated in NumPy, and `deepxtrace analyze --method ratio` held against it.

    ratio_numpy.py DEEPXTRACE RECORDING...

Column mean over the mean of the column means above 3.0, rows alike, a point over the mean of the
matrix (or of its non-zero cells) above 5.0; points inside a flagged row or column are dropped unless
they are to be kept. All in float64; every figure must agree to the last bit, on the recordings and
on random matrices.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

TINY = 1e-8
# From NumPy 2.3 on the mean of the cells that are not zero is summed up in another order, and may
# differ in its last place. Everything else is the same in every version.
REORDERED = tuple(int(part) for part in np.__version__.split(".")[:2]) >= (2, 3)


def flagged(means, threshold):
    normalised = means / (means.mean() + TINY)
    return [[int(i), float(means[i]), float(normalised[i])]
            for i in np.flatnonzero(normalised > threshold)]


def rule(wait, col=3.0, row=3.0, point=5.0, keep_points=False, excluding_zeros=False,
         beside=0):
    # What nobody observed is 0.
    known = [[cell or 0 for cell in row] for row in wait]
    matrix = np.array(known, dtype=np.int64).astype(np.float64)
    cols = flagged(matrix.mean(axis=0), col)
    rows = flagged(matrix.mean(axis=1), row)
    counted = matrix[matrix != 0] if excluding_zeros else matrix
    mean = counted.mean() if counted.size else 0.0
    if beside:
        mean = np.nextafter(mean, beside * np.inf)
    normalised = matrix / (mean + TINY)
    hot = normalised > point
    if not keep_points:
        hot[:, [c[0] for c in cols]] = False
        hot[[r[0] for r in rows], :] = False
    points = [[int(i), int(j), float(matrix[i, j]), float(normalised[i, j])]
              for i, j in np.argwhere(hot)]
    return {"abnormal_cols": cols, "abnormal_rows": rows, "abnormal_points": points}


def command_line(col=None, row=None, point=None, keep_points=False, excluding_zeros=False):
    words = []
    for name, value in (("col", col), ("row", row), ("point", point)):
        if value is not None:
            words += ["--threshold-" + name, repr(value)]
    return words + ["--keep-points"] * keep_points + ["--excluding-zeros"] * excluding_zeros


def nearly(got, key, wait, options):
    """Whether a list is that of a mean next to NumPy's, where NumPy's own may be either."""
    return (REORDERED and bool(options.get("excluding_zeros")) and key == "abnormal_points"
            and any(rule(wait, **options, beside=side)[key] == got for side in (-1, 1)))


def check(binary, path, options):
    """Compare every window of a file; return (windows, figures compared, differences)."""
    command = [binary, "analyze", "--json", "--method", "ratio", *command_line(**options), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    answers = done.stdout.splitlines()
    with open(path, encoding="utf-8") as file:
        windows = [json.loads(line) for line in file]
    if len(answers) != len(windows):
        sys.exit(f"{path}: {len(answers)} answers for {len(windows)} windows")
    figures = differences = 0
    for number, (window, answer) in enumerate(zip(windows, answers), 1):
        wanted, got = rule(window["wait"], **options), json.loads(answer)
        slow = any(wanted.values())
        if got["method"] != "ratio" or got["verdict"] != ("slow" if slow else "healthy"):
            differences += 1
            print(f"{path}:{number}: {options}: verdict {got['verdict']} of {got['method']}")
        for key, value in wanted.items():
            figures += sum(len(entry) for entry in value)
            if got[key] != value and not nearly(got[key], key, window["wait"], options):
                differences += 1
                print(f"{path}:{number}: {options}: {key}: {got[key][:3]} is not {value[:3]}")
    return len(windows), figures, differences


def random_matrix(random, ranks):
    kind = random.integers(5)
    if kind == 0:
        wait = random.lognormal(10, 2, (ranks, ranks)).astype(np.int64)
    elif kind == 1:
        wait = random.integers(0, 2**62, (ranks, ranks))
    elif kind == 2:
        wait = random.integers(0, 3, (ranks, ranks))
    elif kind == 3:
        wait = random.poisson(0.02, (ranks, ranks)) * random.integers(1, 10**12)
    else:
        wait = random.integers(400, 2000, (ranks, ranks))
    if random.random() < 0.5:
        wait[:, random.integers(ranks)] = wait.max() // 2 + random.integers(1000)
    if random.random() < 0.5:
        wait[random.integers(ranks), :] = wait.max() // 2 + random.integers(1000)
    if random.random() < 0.5:
        wait[random.integers(ranks), random.integers(ranks)] = min(int(wait.max()) * 20 + 7, 2**62)
    return wait


def write_random(path):
    random = np.random.default_rng(20250915)
    sizes = [*range(2, 41), 63, 64, 65, 100, 127, 128, 129, 136, 200, 255, 256, 257, 300, 513, 700]
    sizes += [int(n) for n in random.integers(2, 60, 200)]
    with open(path, "w", encoding="utf-8") as file:
        for number, ranks in enumerate(sizes):
            line = {"v": 1, "phase": "dispatch", "window": number, "ranks": ranks,
                    "wait": random_matrix(random, ranks).tolist()}
            file.write(json.dumps(line) + "\n")
        file.write(json.dumps({"v": 1, "phase": "dispatch", "ranks": 3,
                               "wait": [[0] * 3] * 3}) + "\n")


def main():
    binary, recordings = sys.argv[1], sys.argv[2:]
    cases = [{}, {"excluding_zeros": True}, {"keep_points": True},
             {"col": 1.2, "row": 1.1, "point": 1.7, "excluding_zeros": True},
             {"col": 0.5, "row": 2.0, "point": 4.25, "keep_points": True}]
    windows = figures = differences = 0
    with tempfile.TemporaryDirectory() as directory:
        made = os.path.join(directory, "random.jsonl")
        write_random(made)
        for path in [*recordings, made]:
            for options in cases:
                counts = check(binary, path, options)
                windows, figures = windows + counts[0], figures + counts[1]
                differences += counts[2]
    print(f"{windows} windows, {figures} figures, {differences} differences (NumPy {np.__version__})")
    return 1 if differences or not figures else 0


if __name__ == "__main__":
    sys.exit(main())
