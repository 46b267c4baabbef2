# SPDX-License-Identifier: Apache-2.0
"""Start examples/python/unaware.py, which knows nothing of the diagnosis, under deepxtrace-run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import deepxtrace

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parent.parent / "examples" / "python" / "unaware.py"

WARM = {"DEEPEP_DIAGNOSE_WARMING_TIME": "0"}


def start(folder: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    package = str(Path(deepxtrace.__file__).parent.parent)
    env = {
        **{k: v for k, v in os.environ.items()
           if not k.startswith(("DEEPEP_DIAGNOSE", "DEEPXTRACE_NOTES"))},
        "PYTHONPATH": os.pathsep.join([str(HERE / "cpu"), package]),
        "OMP_NUM_THREADS": "1",
        **variables,
    }
    launcher = [sys.executable, "-m", "deepxtrace.run", "--output", str(folder), *options]
    return subprocess.Popen(
        [*launcher, sys.executable, str(PROGRAM)],
        env=env,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, *options: str, **variables: str) -> Any:
    with start(folder, *options, **variables) as process:
        out, _ = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, out)
