# SPDX-License-Identifier: Apache-2.0
"""A job that knows nothing of the diagnosis, under deepxtrace-run, from its first step to the named
ranks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import deepxtrace  # noqa: E402

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / "examples" / "python" / "unaware.py"


def run(folder: Path, *options: str, **variables: str) -> Any:
    package = str(Path(deepxtrace.__file__).parent.parent)
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith("DEEPEP_DIAGNOSE")},
        "PYTHONPATH": os.pathsep.join([str(HERE / "cpu"), package]),
        "OMP_NUM_THREADS": "1",
        **variables,
    }
    launcher = [sys.executable, "-m", "deepxtrace.run", "--output", str(folder), *options]
    return subprocess.run(
        [*launcher, sys.executable, str(PROGRAM)],
        env=env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("method", ["robust", "ratio"])
def test_names_the_slow_ranks(tmp_path: Path, method: str) -> None:
    done = run(
        tmp_path, "--interval", "1", "--method", method, STEPS="60", DELAY_MS="50", RANKS="4"
    )
    assert done.returncode == 0 and "DeepXTrace" not in done.stdout, done.stdout
    log = (tmp_path / "diagnose_rank0.log").read_text()
    assert "attached to deepxtrace.ep.Buffer: 16 experts, 1 waits for a source" in log
    assert "failed" not in log, log
    for phase, slow in (("dispatch", 2), ("combine", 3)):
        # The most expensive of each window comes first; a loaded machine may add others to it.
        windows = [w for w in deepxtrace.Window.read(tmp_path / "diagnose_rank0.jsonl")
                   if w.phase == phase]
        assert len(windows) >= 2
        named = Counter(w.analyze(method).abnormal_cols[0][0] for w in windows
                        if w.analyze(method).abnormal_cols)
        assert named.most_common(1)[0][0] == slow and 2 * named[slow] > len(windows)
        # The hosts are known, and that they are one node.
        assert all(len(set(w.hosts)) == 1 and set(w.nodes) == {0} for w in windows)
        if method == "robust":
            said = Counter(re.findall(rf"finding: rank (\d) .* in {phase}: ", log))
            assert said.most_common(1)[0][0] == str(slow), log
    assert set(os.listdir(tmp_path)) == {"diagnose_rank0.jsonl"} | {
        f"diagnose_rank{rank}.log" for rank in range(4)
    }


def test_a_folder_that_cannot_be_written_costs_the_job_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(
        tmp_path, "--output", str(tmp_path / "file" / "below"), STEPS="3", DELAY_MS="0", RANKS="2"
    )
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 2 and all("starting the diagnosis failed" in line for line in lines)


def test_switched_off_it_leaves_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, STEPS="3", DELAY_MS="0", RANKS="2", DEEPXTRACE="0")
    assert (done.returncode, done.stdout, os.listdir(tmp_path)) == (0, "", [])
