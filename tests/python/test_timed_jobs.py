# SPDX-License-Identifier: Apache-2.0
"""Jobs whose libraries have no counters, from their first step to the named rank."""
from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, List

import pytest

pytest.importorskip("torch")

import deepxtrace  # noqa: E402

PROGRAM = Path(__file__).resolve().parent / "timed_job.py"
LATE = 2


def run(folder: Path, kind: str, *options: str) -> str:
    """The log of rank 0."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("DEEPEP_DIAGNOSE")}
    env.update(PYTHONPATH=str(Path(deepxtrace.__file__).parent.parent), OMP_NUM_THREADS="1",
               DEEPEP_DIAGNOSE_WARMING_TIME="0")
    launcher = [sys.executable, "-m", "deepxtrace.run", "--interval", "1", "--output", str(folder)]
    done = subprocess.run(
        [*launcher, *options, sys.executable, str(PROGRAM), kind, "3", "300", str(LATE), "8", "12"],
        env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout
    log = next(folder.glob("*rank0*.log")).read_text()
    assert "failed" not in log + done.stdout, log + done.stdout
    return log


def windows(folder: Path, phase: str) -> List[Any]:
    found = [window for path in folder.glob("*.jsonl") for window in deepxtrace.Window.read(path)
             if window.phase == phase and np_any(window)]
    assert len(found) >= 3
    return found


def np_any(window: Any) -> bool:
    return bool((window.wait > 0).any())


@pytest.mark.parametrize("kind, phase, what", [
    ("collectives", "all-to-all", "torch.distributed.all_to_all_single"),
    ("normal", "normal dispatch", "__mp_main__.Buffer"),
    ("hybrid", "hybrid dispatch", "__mp_main__.HybridEPBuffer"),
    ("flashinfer", "dispatch", "__mp_main__.MoeAlltoAll")])
def test_the_late_rank_is_named(tmp_path: Path, kind: str, phase: str, what: str) -> None:
    log = run(tmp_path, kind, *(["--collectives"] if kind == "collectives" else []))
    assert f"attached to {what}: durations of " in log and "one operation of 1 by the clock" in log
    named: "Counter[Any]" = Counter()
    for window in windows(tmp_path, phase):
        assert window.origin == "duration" and window.unit == "ns"
        assert 0 < window.samples_each <= 2 * 300
        late = [f for f in window.analyze().findings if f.kind == "late_rank"]
        named[late[0].rank if late else None] += 1
    assert named.most_common(1)[0][0] == LATE and 2 * named[LATE] > sum(named.values())
