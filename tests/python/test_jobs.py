# SPDX-License-Identifier: Apache-2.0
"""What happens to jobs of real processes. Several windows in a row must come in time, so nothing
runs beside that keeps all processors busy (CMakeLists.txt)."""
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from faults import Job  # noqa: E402

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "python"


@pytest.mark.parametrize("rank", ["0", "1", "2"])
def test_an_example_ends_when_one_rank_does(tmp_path, rank):
    (tmp_path / "rank.py").write_text(
        f"import os, sys, time\nif os.environ['RANK'] == '{rank}':\n    sys.exit(3)\n"
        "time.sleep(300)\n")
    done = subprocess.run(
        [EXAMPLES / "start.sh", "3", tmp_path / "rank.py"], timeout=120, check=False,
        env={**os.environ, "PYTHON": sys.executable})
    assert done.returncode == 1


def windows(job):
    path = job.folder / "diagnose_rank0.jsonl"
    if not path.exists():
        return []
    # The job may be writing the last line.
    lines = path.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def log(job, rank):
    path = job.folder / f"diagnose_rank{rank}.log"
    return path.read_text() if path.exists() else ""


def silent(window):
    return [rank for rank, row in enumerate(window["wait"]) if row is None]


def is_right(window):
    """All rows are there, and they are what every step adds."""
    if silent(window) or any(None in row for row in window["wait"]):
        return False
    late = [row[1] // max(row[0], 1) if rank != 1 else 100
            for rank, row in enumerate(window["wait"])]
    return window["phase"] != "dispatch" or all(ratio == 100 for ratio in late)


def wait_for(job, condition, count=4):
    """So many more windows that are as they should be, one after the other."""
    seen = len(windows(job))

    def enough():
        new = windows(job)[seen:]
        good = [condition(window) for window in new]
        return any(all(good[k:k + count]) for k in range(len(good) - count + 1))
    job.until(enough)


def test_who_waits_for_a_rank_that_has_ended_is_told(tmp_path):
    with Job(tmp_path, ranks=2) as job:
        job.until((tmp_path / "diagnose_rank0.jsonl").exists)
        job.processes[1].kill()
        with pytest.raises(AssertionError, match="rank 1 has ended, -9"):
            job.until(lambda: False, 60)


def test_a_rank_is_stopped_and_continued(tmp_path):
    with Job(tmp_path) as job:
        wait_for(job, is_right)
        job.signal(2, signal.SIGSTOP)
        wait_for(job, lambda window: silent(window) == [2])
        assert "rank 2 (host" in log(job, 0) and "sent no counters" in log(job, 0)
        job.signal(2, signal.SIGCONT)
        wait_for(job, is_right)
        for status, out, err in job.finish():
            assert status == 0 and err == "" and "stopped within" in out


def test_a_rank_is_killed(tmp_path):
    with Job(tmp_path) as job:
        wait_for(job, is_right)
        job.signal(3, signal.SIGKILL)
        wait_for(job, lambda window: silent(window) == [3])
        assert re.search(r"^CRITICAL .* begins: rank 3 .*sent no counters", log(job, 0), re.M)
        done = job.finish()
        assert [status for status, _, _ in done] == [0, 0, 0, -9]
        assert all(err == "" for _, _, err in done)


def test_the_store_goes_and_comes_back(tmp_path):
    with Job(tmp_path) as job:
        job.prepare_store()
        wait_for(job, is_right)
        job.kill_store()
        wait_for(job, lambda window: silent(window) == [1, 2, 3])
        job.until(lambda: all("the key-value store is out of reach" in log(job, rank)
                              for rank in range(job.ranks)))
        job.store = job.start_store()
        wait_for(job, is_right)
        for rank in range(job.ranks):
            assert log(job, rank).count("the key-value store is out of reach") == 1
            assert log(job, rank).count("the key-value store answers again") == 1
        assert [status for status, _, _ in job.finish()] == [0] * job.ranks


def test_the_store_goes_for_good(tmp_path):
    with Job(tmp_path) as job:
        wait_for(job, is_right)
        job.kill_store()
        wait_for(job, lambda window: silent(window) == [1, 2, 3])
        assert [status for status, _, _ in job.finish()] == [0] * job.ranks


def test_the_store_is_stopped(tmp_path):
    """It neither answers nor refuses: whoever asks it hangs."""
    with Job(tmp_path) as job:
        wait_for(job, is_right)
        job.store.send_signal(signal.SIGSTOP)
        wait_for(job, lambda window: silent(window) == [1, 2, 3])
        job.store.send_signal(signal.SIGCONT)
        wait_for(job, is_right)
        job.store.send_signal(signal.SIGSTOP)
        wait_for(job, lambda window: silent(window) == [1, 2, 3])
        assert [status for status, _, _ in job.finish()] == [0] * job.ranks


@pytest.mark.parametrize("what", ["log", "jsonl"])
def test_the_disk_of_rank_0_is_full(tmp_path, what):
    full = tmp_path / f"full.{what}"
    full.write_text("")
    with Job(tmp_path) as job:
        if what == "log":
            wait_for(job, is_right)
        else:
            job.until(lambda: "cannot be written: No space left on device" in log(job, 0))
        full.unlink()
        wait_for(job, is_right)
        told = "lines could not be written here" if what == "log" else "is written again"
        job.until(lambda: told in log(job, 0))
        for status, _, err in job.finish():
            assert (status, err) == (0, "")
