# SPDX-License-Identifier: Apache-2.0
"""How jobs that know nothing of the diagnosis end under deepxtrace-run, and what they leave."""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing as mp
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import deepxtrace  # noqa: E402
from unaware_job import HERE, PROGRAM, WARM, run, start  # noqa: E402


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
