# SPDX-License-Identifier: Apache-2.0
"""A job that knows nothing of the diagnosis, under deepxtrace-run, from its first step to the named
ranks."""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing as mp
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import deepxtrace  # noqa: E402

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


@pytest.mark.parametrize("method", ["robust", "ratio"])
def test_names_the_slow_ranks(tmp_path: Path, method: str) -> None:
    done = run(
        tmp_path, "--interval", "1", "--method", method, STEPS="60", DELAY_MS="50", RANKS="4"
    )
    assert done.returncode == 0 and "DeepXTrace" not in done.stdout, done.stdout
    first, last = done.stdout.splitlines()
    assert first.startswith("deepxtrace: diagnosing 4 ranks; ") and first.endswith("_rank0.log")
    found = {"robust": r"\d+ findings.*", "ratio": "judged by the ratio rule"}[method]
    assert re.fullmatch(rf"deepxtrace: \d+ windows of 4 ranks, {found}; see .*_rank0.log", last)
    log = (tmp_path / "diagnose_rank0.log").read_text()
    assert "attached to deep_ep.Buffer: 16 experts, 1 waits for a source" in log
    assert "failed" not in log, log
    for phase, slow in (("dispatch", 2), ("combine", 3)):
        # The most expensive of each window comes first; a loaded machine may add others to it.
        windows = [w for w in deepxtrace.Window.read(tmp_path / "diagnose_rank0.jsonl")
                   if w.phase == phase]
        assert len(windows) >= 2
        named = Counter(max(found, key=lambda col: col[1])[0] for found in
                        (w.analyze(method).abnormal_cols for w in windows) if found)
        assert named.most_common(1)[0][0] == slow and 2 * named[slow] > len(windows)
        # The hosts are known, and that they are one node.
        assert all(len(set(w.hosts)) == 1 and set(w.nodes) == {0} for w in windows)
        if method == "robust":
            assert re.search(rf"^[A-Z]+ +\S+ begins: rank {slow} .* in {phase}: ", log, re.M), log
    assert all(name.startswith("diagnose_") for name in os.listdir(tmp_path))
    assert all(w.ops > 0 for w in windows)


def test_two_jobs_in_one_folder_have_files_of_their_own(tmp_path: Path) -> None:
    # The first one ends by Ctrl-C. A rank that waited for one that had ended went on waiting for
    # the 100 seconds of the engine, or the 300 of gloo.
    with start(tmp_path, "--interval", "0.3", STEPS="100000", DELAY_MS="50", RANKS="3",
               **WARM) as process:
        written = tmp_path.glob
        while process.poll() is None and not any(p.stat().st_size for p in written("*.jsonl")):
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT and "Traceback" not in out, out
    assert re.search(r"^deepxtrace: \d+ windows? of 3 ranks, .*_rank0.log$", out, re.M), out
    done = run(tmp_path, "--interval", "0.3", STEPS="30", DELAY_MS="50", RANKS="3", **WARM)
    assert done.returncode == 0, done.stdout
    recordings = [p for p in tmp_path.glob("*.jsonl") if not p.is_symlink()]
    assert len(recordings) == 2
    for path in recordings:
        assert len({w.instance for w in deepxtrace.Window.read(path)}) == 1
    newest = max(recordings, key=lambda p: p.stat().st_mtime)
    assert (tmp_path / "diagnose_rank0.jsonl").resolve() == newest.resolve()


def orphan(queue: Any) -> None:
    """The program: it ends before its worker has begun."""
    context = mp.get_context("fork")
    go, stay = context.Pipe(duplex=False)
    context.Process(target=worker_of, args=(go, stay, queue)).start()
    stay.close()
    os._exit(0)


def worker_of(go: Any, stay: Any, queue: Any) -> None:
    stay.close()
    with contextlib.suppress(EOFError):
        go.recv()  # its program has ended
    sys.path.insert(0, str(HERE / "cpu"))
    spec = importlib.util.spec_from_file_location("unaware", PROGRAM)
    assert spec and spec.loader
    unaware = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(unaware)
    unaware.worker(0, 1)  # no store is there
    queue.put("ended")


def test_a_worker_whose_program_has_ended_waits_for_nobody() -> None:
    # Killed in its first seconds, the program left its workers: they waited for its store for the
    # 300 seconds of torch.
    context = mp.get_context("fork")
    queue = context.Queue()
    context.Process(target=orphan, args=(queue,)).start()
    assert queue.get(timeout=60) == "ended"


def test_switched_off_it_leaves_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, STEPS="3", DELAY_MS="0", RANKS="2", DEEPXTRACE="0")
    assert (done.returncode, done.stdout, os.listdir(tmp_path)) == (0, "", [])
