# SPDX-License-Identifier: Apache-2.0
"""The examples of the manual name their slow ranks. In the CMake tests this runs alone."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from deepxtrace import Window  # noqa: E402
from faults import free_port  # noqa: E402

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "python"
RANKS = 4


def run_example(name, folder, **environment):
    done = subprocess.run(
        [EXAMPLES / "start.sh", str(RANKS), EXAMPLES / name], cwd=folder, capture_output=True,
        text=True, timeout=240, check=False,
        env={**os.environ, "PYTHON": sys.executable, "MASTER_PORT": str(free_port()),
             "DELAY_MS": "20", **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_synchronous_example_names_both(tmp_path):
    out = run_example("sync.py", tmp_path, STEPS="150").splitlines()
    for operator, rank in (("dispatch", 2), ("combine", 3)):
        lines = [line for line in out if line.startswith(operator)]
        # Three windows, of which a machine that is busy with something else may spoil one.
        assert sum(f"rank {rank} (host" in line and f"late in {operator}" in line
                   for line in lines) >= 2, out
        assert all(f"rank {rank} (host" in line for line in lines), out


def test_the_asynchronous_example_names_both(tmp_path):
    run_example("async.py", tmp_path, STEPS="100", DEEPEP_DIAGNOSE_WARMING_TIME="0")
    windows = Window.read(tmp_path / "diagnose_rank0.jsonl")
    assert len(windows) >= 4
    whole = windows[2:]  # the first may have begun before the first step
    for window in whole:
        rank = 2 if window.phase == "dispatch" else 3
        worst = window.analyze().findings[0]
        assert worst.rank == rank and worst.kind == "late_rank", str(worst)
