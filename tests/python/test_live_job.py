# SPDX-License-Identifier: Apache-2.0
"""The live cases of bench/live on CPUs: a program that knows nothing of the diagnosis, whose ranks
are late when a schedule says so, under `deepxtrace run`; and the scorer that counts what was
right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

pytest.importorskip("torch")

import deepxtrace  # noqa: E402

HERE = Path(__file__).resolve().parent
LIVE = HERE.parent.parent / "bench" / "live"
COMMAND = Path(deepxtrace.get_library()).parent.parent / "bin" / "deepxtrace"
sys.path.insert(0, str(LIVE))

import score  # noqa: E402


def run_and_score(folder: Path) -> str:
    """What the scorer says of a run."""
    package = str(Path(deepxtrace.__file__).parent.parent)
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("DEEPEP_DIAGNOSE")},
        "PYTHONPATH": os.pathsep.join([str(HERE / "cpu"), package]),
        "OMP_NUM_THREADS": "1",
    }
    # Two ranks that sleep 6 ms before each operation, and one of them 18 ms when it is late.
    words = ["--hidden", "512", "--tokens", "8", "--experts-per-rank", "4", "--seconds", "2.4",
             "--rounds", "1", "--begin", "5", "--late", "120", "--early", "--no-batch",
             "--trial", "20", "--truth", "truth.jsonl"]
    launcher = [sys.executable, "-m", "deepxtrace.run", "--interval", "0.6", "--min-share", "10%"]
    done = subprocess.run([*launcher, sys.executable, str(LIVE / "job.py"), *words], env=env,
                          cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=250, check=False)
    assert done.returncode == 0, done.stderr
    return subprocess.run(
        [sys.executable, str(LIVE / "score.py"), "diagnose_rank0.jsonl", "truth.jsonl",
         "--command", str(COMMAND), "--least", "0.2", "--verbose", "--label", "labelled.jsonl"],
        cwd=folder, capture_output=True, text=True, timeout=100, check=True).stdout


def test_two_ranks_under_a_schedule(tmp_path: Path) -> None:
    windows = {"healthy": 0, "faulted": 0}
    wrong = dict(windows)
    said = ""
    # On a busy machine steps may be so long that a window has none, or shows no fault in them.
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        scored = run_and_score(folder)
        said += scored
        counts = dict(line.split(": ", 1) for line in scored.splitlines()[-3:])
        for kind in windows:
            seen, not_right = (int(part.split()[0]) for part in counts[kind].split(", "))
            windows[kind] += seen
            wrong[kind] += not_right
        if min(windows.values()) >= 4:
            break
    for kind in windows:
        assert windows[kind] >= 4 and 4 * wrong[kind] <= windows[kind], said
    labels = [json.loads(line)["label"] for line in (folder / "labelled.jsonl").open()]
    assert any(label and label["cols"] for label in labels)


@pytest.mark.parametrize("window, least, seen", [
    ({"ops": 100, "elapsed_ns": 10**9}, 0.2, True),  # 4 ms of 10
    ({"ops": 20, "elapsed_ns": 10**9}, 0.2, False),  # 4 ms of 50
    ({"ops": 20, "elapsed_ns": 10**9}, 0, True),
    ({"ops": [80, None], "elapsed_ns": 10**9}, 0.2, True),
    ({"elapsed_ns": 10**9}, 0.2, False),
])
def test_a_fault_counts_where_it_is_a_part_of_the_step(window: Dict[str, Any], least: float,
                                                       seen: bool) -> None:
    assert score.is_seen(window, {"us": -4000}, least) is seen


def finding(text: str, kind: str = "late_rank", rank: Any = None) -> Dict[str, Any]:
    return {"kind": kind, "rank": rank, "text": text}


LATE = finding("rank 1 (host a) is late in dispatch: +7 us per operation; rank 0 waits", rank=1)
EARLY = finding("rank 0 (host a) is early in dispatch: it waits 7 us longer", "early_rank", 0)
EITHER = finding("rank 1 is late or rank 0 early in dispatch: 7 us per operation", rank=1)
OTHER = finding("rank 0 is late in dispatch", rank=0)
HOT = finding("rank 1 receives more than its share", "hot_expert", 1)


@pytest.mark.parametrize("cols, rows, findings, right", [
    ([1], [], [LATE], True), ([1], [], [EITHER], True), ([1], [], [EARLY], False),
    ([1], [], [], False), ([1], [], [LATE, OTHER], False), ([1], [], [HOT], False),
    ([], [0], [EARLY], True), ([], [0], [EITHER], True), ([], [0], [LATE], False),
    ([], [], [], True), ([], [], [LATE], False), ([], [], [EARLY], False),
])
def test_what_counts_as_right(cols: List[int], rows: List[int], findings: List[Any],
                              right: bool) -> None:
    assert score.is_right({"cols": cols, "rows": rows, "points": []}, findings) is right


def test_only_windows_within_one_phase_count() -> None:
    phases = [{"begin": 100.0, "end": 110.0}, {"begin": 110.0, "end": 120.0}]

    def place(begin: str, seconds: float) -> Any:
        window = {"begin": begin, "elapsed_ns": int(seconds * 1e9)}
        return score.phase_of(window, phases, 0.5)

    assert place("1970-01-01T00:01:41Z", 2) is phases[0]
    assert place("1970-01-01T00:01:51.000Z", 8) is phases[1]
    assert place("1970-01-01T00:01:49Z", 2) is None
    assert place("1970-01-01T00:01:40.2Z", 2) is None
    assert place("1970-01-01T00:03:20Z", 2) is None
