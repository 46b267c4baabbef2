# SPDX-License-Identifier: Apache-2.0
"""Diagnose does no harm: errors, full disks, the end of the interpreter, forks."""
import errno
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import deepxtrace  # noqa: E402
import diagnosed  # noqa: E402
from diagnosed import RANKS, kinds, run_sync, told, until  # noqa: E402
from deepxtrace import _log, _tensors  # noqa: E402
from deepxtrace._report import Report  # noqa: E402
from deepxtrace._settings import Settings  # noqa: E402
from threads import make_all, on_all  # noqa: E402

folder = diagnosed.folder


def test_logging_is_left_alone():
    before = (dict(logging.Logger.manager.loggerDict), list(logging.root.handlers),
              logging.root.level, list(logging._handlerList))
    made = make_all(2, interval=0.05, enable_async=True)
    for diagnosis in made:
        diagnosis.start_async_diagnose()
    until(lambda: (Path(made[0]._report.path + ".log").stat().st_size))
    for diagnosis in made:
        diagnosis.stop_async_diagnose()
    assert before == (dict(logging.Logger.manager.loggerDict), list(logging.root.handlers),
                      logging.root.level, list(logging._handlerList))


@pytest.mark.parametrize("where", ["read", "judge"])
def test_an_exception_in_the_thread_is_told_once_and_the_thread_goes_on(where, folder, monkeypatch,
                                                                        capfd):
    made = make_all(2, interval=0.05, enable_async=True)
    failing = threading.Event()
    failing.set()
    calls = []

    def broken(*arguments, real):
        calls.append(1)
        if failing.is_set():
            raise ZeroDivisionError("a fault")
        return real(*arguments)

    for diagnosis in made:
        diagnosis.start_async_diagnose()
    if where == "read":
        real_read = _tensors.Counters.read
        monkeypatch.setattr(_tensors.Counters, "read",
                            lambda *a: broken(*a, real=real_read))
    else:
        real_judge = Report._judge
        monkeypatch.setattr(Report, "_judge", lambda *a: broken(*a, real=real_judge))
    until(lambda: len(calls) > 4)
    failing.clear()
    path = folder / "diagnose_rank0.jsonl"
    size = path.stat().st_size
    until(lambda: path.stat().st_size > size)
    for diagnosis in made:
        diagnosis.stop_async_diagnose()
    log = (folder / "diagnose_rank0.log").read_text()
    assert log.count("ZeroDivisionError: a fault") == 1
    assert capfd.readouterr() == ("", "")


def test_an_interrupt_reaches_the_job(capfd):
    made = make_all(2)
    session = made[0]._ll.session

    def interrupted(out, ordered):
        raise KeyboardInterrupt

    real, session._read = session._read, interrupted
    with pytest.raises(KeyboardInterrupt):
        made[0].diagnose_ll_sync(1)
    session._read = real
    made[1].diagnose_ll_sync(1)
    # It missed a window, so that rank 0 does not wait for it in the next.
    assert any(on_all(made, lambda diagnosis: diagnosis.diagnose_ll_sync(1))[0] for _ in range(3))
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def disk(monkeypatch):
    """A disk for the files of diagnoses; `full` holds the endings of those that have no room."""
    class Disk:
        full = set()

    real = _log.LineFile._append

    def append(file, text):
        if any(file.path.endswith(ending) for ending in Disk.full):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file, text)

    monkeypatch.setattr(_log.LineFile, "_append", append)
    return Disk


def test_no_room_on_the_disk(folder, disk):
    made = make_all(RANKS)
    disk.full = {".log", ".jsonl"}
    run_sync(made, 1, 1)
    disk.full = set()
    told(made, run_sync(made, 1, 1))
    log = (folder / "diagnose_rank0.log").read_text()
    assert re.search(r"\[Diagnose\] \d+ lines could not be written here: No space left on device",
                     log)
    assert "rank0.jsonl is written again" in log
    windows = deepxtrace.Window.read(folder / "diagnose_rank0.jsonl")
    assert [w.index for w in windows] == [1, 1]
    assert windows[0].wait[0].tolist() == [20_000, 20_000, 1_000_000, 20_000]


def test_a_recording_without_room_is_told_in_the_log(folder, disk):
    disk.full = {".jsonl"}
    run_sync(make_all(RANKS), 3, 1)
    log = (folder / "diagnose_rank0.log").read_text()
    assert log.count("cannot be written: No space left on device; trying again") == 1


PROGRAM = """
import atexit, os, sys, time

def count():
    folder = "/proc/self/task"
    tasks = [open(f"{{folder}}/{{task}}/comm").read() for task in os.listdir(folder)]
    print(tasks.count("dxt-session\\n"))

atexit.register(count)  # before the package's own, so it is called after that
sys.path.insert(0, {tests!r})
from threads import make_all
made = make_all(2, interval=0.01, enable_async=True)
for diagnosis in made:
    diagnosis.start_async_diagnose()
time.sleep(0.3)
count()
{end}
"""


@pytest.mark.parametrize("end, status", [("", 0), ("sys.exit(3)", 3), ("1 / 0", 1),
                                         ("os.kill(os.getpid(), 2); time.sleep(9)", -2)])
def test_the_interpreter_ends_cleanly_with_running_threads(end, status):
    code = PROGRAM.format(tests=str(Path(__file__).parent), end=end)
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == status, done.stderr
        assert done.stderr == "" or "Error" in done.stderr or "Interrupt" in done.stderr
        assert "Fatal" not in done.stderr and done.stdout == "2\n0\n"


def test_a_forked_child_has_no_diagnosis_and_does_no_harm(folder):
    made = make_all(2, interval=0.02, enable_async=True)
    sync = make_all(2)
    for diagnosis in made:
        diagnosis.start_async_diagnose()
    for _ in range(5):
        child = os.fork()
        if child == 0:
            try:
                signal.alarm(60)
                made[0].stop_async_diagnose()
                made[0].start_async_diagnose()
                assert sync[0].diagnose_ll_sync(1) is None
                made[0].close()
                deepxtrace.Window(np.ones((2, 2))).analyze()
                os._exit(0)
            except BaseException:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
    path = Path(made[0]._report.path + ".jsonl")
    size = path.stat().st_size
    until(lambda: path.stat().st_size > size)


def test_a_folder_that_is_removed_is_made_again(folder):
    made = make_all(2, interval=0.02, enable_async=True)
    for diagnosis in made:
        diagnosis.start_async_diagnose()
    established = folder / "diagnose_rank0.jsonl"
    until(lambda: established.stat().st_size)
    shutil.rmtree(folder)
    until(lambda: established.is_file() and established.stat().st_size)
    until(lambda: (folder / "diagnose_rank0.log").stat().st_size)


def report(output, begin, name, rank=0):
    return Report(str(output), "world", begin, name, rank, 4, Settings.read(1.0))


def leads_to(folder, ending=".log", rank=0):
    return os.readlink(folder / f"diagnose_rank{rank}{ending}")


def test_the_established_names_stay_with_the_newest(tmp_path):
    older = report(tmp_path, "20260101T000000", "a" * 8)
    newer = report(tmp_path, "20260101T000001", "b" * 8)
    os.unlink(older.path + ".log")
    older.say("again")
    assert leads_to(tmp_path) == os.path.basename(newer.path) + ".log"
    os.unlink(newer.path + ".log")  # whose name then leads to nothing
    os.unlink(older.path + ".log")
    older.say("again")
    assert leads_to(tmp_path) == os.path.basename(older.path) + ".log"


def test_the_first_line_of_an_older_diagnosis_takes_no_name(tmp_path):
    older = report(tmp_path, "20260101T000000", "a" * 8, 1)
    newer = report(tmp_path, "20260101T000001", "b" * 8, 1)
    for one in (newer, older):
        one.say("first")
    assert leads_to(tmp_path, rank=1) == os.path.basename(newer.path) + ".log"


@pytest.mark.parametrize("left", [False, True])
def test_the_established_names_after_a_change_of_folder(tmp_path, monkeypatch, left):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    made = report("out", "20260101T000000", "a" * 8)
    monkeypatch.chdir("elsewhere")
    shutil.rmtree(tmp_path / "out")
    if left:  # by a process that was killed in the middle
        (tmp_path / "out").mkdir()
        os.symlink("nothing", made.path + ".log.link")
    made.say("again")
    made._record(["{}"])
    made.say("and again")
    for ending in (".log", ".jsonl"):
        assert leads_to(tmp_path / "out", ending) == os.path.basename(made.path) + ending
    assert not list(tmp_path.rglob("*.link")) and not list((tmp_path / "elsewhere").iterdir())


def test_no_draft_of_a_link_stays(tmp_path, monkeypatch):
    def refuse(*names):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        made = report(tmp_path, "20260101T000000", "a" * 8)
    assert not list(tmp_path.glob("*.link"))
    made.say("hello")
    assert (tmp_path / "diagnose_rank0.log").is_file()


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_diagnoses_of_a_process_either_may_end_first(folder, first):
    both = [make_all(2, interval=0.02, enable_async=True) for _ in range(2)]
    for made in both:
        for diagnosis in made:
            diagnosis.start_async_diagnose()
    for diagnosis in both[first]:
        diagnosis.close()
    left = both[1 - first]
    path = Path(left[0]._report.path + ".jsonl")
    before = path.read_text().count("\n")

    def newer():
        lines = path.read_text().splitlines(keepends=True)[before + 2:]
        return [json.loads(line) for line in lines if line.endswith("\n")]

    until(lambda: any(None not in window["wait"] for window in newer()))
    for diagnosis in left:
        diagnosis.close()


def test_a_session_that_gives_up_says_so_once_and_the_job_goes_on(folder):
    made = make_all(2)
    on_all(made, lambda diagnosis: diagnosis.diagnose_ll_sync(1))
    made[0]._ll.session._rate = lambda: 2**63  # which no clock has, and which stays
    for _ in range(3):
        assert made[0].diagnose_ll_sync(1) is None
    log = (folder / "diagnose_rank0.log").read_text()
    assert log.count("switched off") == 1


def test_counters_that_run_backwards_cost_one_row():
    made = make_all(RANKS)
    results = [run_sync(made, 1, 1)[0]]
    made[1].get_stats_ll_stats_tensor()[0].zero_()
    results.append(run_sync(made, 1, 1, lambda d: None)[0])
    results.append(run_sync(made, 1, 1)[0])
    pairs = told(made, [[one for result in results for one in result]])
    late = [("late_rank", 2)]
    # In between it is there, but says nothing of that window.
    assert [kinds(pair[0]) for pair in pairs] == [late, [], late]
