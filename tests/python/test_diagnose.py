# SPDX-License-Identifier: Apache-2.0
"""Diagnose on CPU tensors, ranks as threads: what it returns, writes and leaves alone."""
import errno
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.distributed as dist  # noqa: E402

import deepxtrace  # noqa: E402
from deepxtrace import _group, _log, _sessions, _tensors, diagnose as ds  # noqa: E402
from deepxtrace._report import Report  # noqa: E402
from threads import Group, make_all, on_all  # noqa: E402

COMMAND = Path(deepxtrace.get_library()).parent.parent / "bin" / "deepxtrace"
RANKS = 4
HZ = 10**9


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith("DEEPEP_DIAGNOSE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DEEPEP_DIAGNOSE_LOG_PATH", str(tmp_path))
    monkeypatch.setenv("DEEPEP_DIAGNOSE_WARMING_TIME", "0")
    # Results come with the call that ends their window, however busy the machine is.
    monkeypatch.setattr(_sessions, "PATIENCE_SECONDS", 2.0)
    # And what is added to the counters is worth a finding, however long their window lasts.
    monkeypatch.setenv("DEEPEP_DIAGNOSE_MIN_SHARE", "0.000001")
    yield tmp_path
    for running in list(_sessions.running):
        running.close()


def count_late(diagnosis, late_dispatch=2, late_combine=3, ticks=1_000_000):
    """What the kernels of a step add when one rank is late in each operator."""
    for tensor, late in zip(diagnosis.get_stats_ll_stats_tensor(), (late_dispatch, late_combine)):
        wait = torch.full((RANKS,), ticks // 50, dtype=torch.int64)
        wait[late] = ticks
        if diagnosis.rank == late:
            wait[:] = 0
        tensor += wait


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def kinds(result):
    return [(f["kind"], f.get("rank")) for f in result["findings"]]


# ---- construction

def test_defaults_and_attributes():
    made = make_all(RANKS)
    diagnosis = made[1]
    assert (diagnosis.rank, diagnosis.group_size, diagnosis.enable_async) == (1, RANKS, False)
    assert isinstance(diagnosis.group, Group) and diagnosis.group.rank() == 1
    assert isinstance(diagnosis.instance_id, uuid.UUID)
    assert {d.get_instance_id() for d in made} == {diagnosis.instance_id}
    assert diagnosis.interval == 20 and diagnosis.sync_step == 580
    dispatch, combine = diagnosis.get_stats_ll_stats_tensor()
    for tensor in (dispatch, combine):
        assert tensor.dtype == torch.int64 and tensor.shape == (RANKS,)
        assert tensor.is_contiguous() and tensor.sum() == 0
    again = diagnosis.get_stats_ll_stats_tensor()
    assert again[0] is dispatch and again[1] is combine
    assert diagnosis.get_stats_normal_stats_tensor() == (None, None)
    assert diagnosis.get_all_stats_tensor() is None
    everything = made[0].get_all_stats_tensor()
    assert everything.shape == (RANKS, 2, RANKS) and everything.dtype == np.int64


def test_two_groups_have_two_ids():
    store = dist.HashStore()
    first = ds.Diagnose(Group(0, 2), store=store, device="cpu")
    second = ds.Diagnose(Group(0, 2), store=store, device="cpu")
    assert first.instance_id != second.instance_id
    _group._constructed.clear()
    assert ds.Diagnose(Group(1, 2), store=store, device="cpu").instance_id == first.instance_id


def test_switched_off(monkeypatch, folder):
    monkeypatch.setenv("DEEPEP_DIAGNOSE_ENABLE", "0")
    diagnosis = ds.Diagnose(Group(0, RANKS), enable_normal_diagnose=True)
    assert diagnosis.get_stats_ll_stats_tensor() == (None, None)
    assert diagnosis.get_stats_normal_stats_tensor() == (None, None)
    assert diagnosis.diagnose_ll_sync(1) is None and diagnosis.diagnose_normal_sync(1) is None
    assert diagnosis.get_all_stats_tensor() is None
    assert isinstance(diagnosis.get_instance_id(), uuid.UUID) and not os.listdir(folder)
    diagnosis = ds.Diagnose(Group(0, RANKS), enable_async=True)
    diagnosis.start_async_diagnose()
    diagnosis.stop_async_diagnose()
    diagnosis.close()


def test_a_rank_alone_has_counters_and_nothing_to_diagnose():
    sync, = make_all(1)
    assert sync.get_stats_ll_stats_tensor()[0].shape == (1,)
    assert sync.diagnose_ll_sync(1) is None and sync.get_all_stats_tensor().shape == (1, 2, 1)
    thread, = make_all(1, enable_async=True)
    thread.start_async_diagnose()
    thread.stop_async_diagnose()


def test_settings_at_fault_are_one_error(monkeypatch):
    monkeypatch.setenv("DEEPEP_DIAGNOSE_SYNC_STEP", "often")
    with pytest.raises(ValueError, match="SYNC_STEP='often' must be a whole number.*interval=-1"):
        try:
            ds.Diagnose(Group(0, RANKS), interval=-1)
        except ValueError as error:  # in any order
            raise ValueError("; ".join(sorted(str(error).split(": ", 1)[1].split("; ")))) from None
    monkeypatch.delenv("DEEPEP_DIAGNOSE_SYNC_STEP")
    for size in (0, 4097):
        with pytest.raises(ValueError, match=f"the group has {size} ranks"):
            ds.Diagnose(Group(0, size))
    with pytest.raises(ValueError, match="local_experts=0"):
        ds.Diagnose(Group(0, 2), local_experts=0)


def test_a_log_that_cannot_be_written_is_an_error(monkeypatch, folder):
    (folder / "file").write_text("")
    monkeypatch.setenv("DEEPEP_DIAGNOSE_LOG_PATH", str(folder / "file" / "below"))
    with pytest.raises(OSError):
        make_all(RANKS)


def test_calls_of_the_other_kind():
    sync, asynchronous = make_all(2)[0], make_all(2, enable_async=True)[0]
    with pytest.raises(RuntimeError, match="enable_async"):
        sync.start_async_diagnose()
    with pytest.raises(RuntimeError, match="enable_async"):
        asynchronous.diagnose_ll_sync()
    with pytest.raises(ValueError, match="negative"):
        sync.diagnose_ll_sync(-1)


# ---- sync

def run_sync(made, steps, each, body=count_late):
    def rank(diagnosis):
        results = []
        for _ in range(steps):
            body(diagnosis)
            results.append(diagnosis.diagnose_ll_sync(diagnose_step=each))
        return results
    return on_all(made, rank)


def told(made, results):
    """What rank 0 was told, two dicts for a window, in order; that of late windows, too."""
    made[0].close()
    pairs = []
    for result in [*results[0], made[0]._ll.results]:
        found = [result[k:k + 2] for k in range(0, len(result or ()), 2)]
        pairs += sorted(found, key=lambda pair: pair[0]["window"])
    return pairs


def test_sync_names_both(folder):
    made = make_all(RANKS, ticks_per_second=HZ)
    results = run_sync(made, 6, 3)
    assert [result is not None for result in results[0]][:5] == [False, False, True, False, False]
    assert all(result is None for other in results[1:] for result in other)
    pairs = told(made, results)
    assert [[result["window"] for result in pair] for pair in pairs] == [[0, 0], [1, 1]]
    for pair in pairs:
        assert [list(result) for result in pair] == [
            ["abnormal_cols", "abnormal_rows", "abnormal_points", "findings", "window"]] * 2
        assert kinds(pair[0]) == [("late_rank", 2)] and kinds(pair[1]) == [("late_rank", 3)]
        waits = made[0].get_all_stats_tensor()
        for index, result in enumerate(pair):
            three = {key: result[key] for key in list(result)[:3]}
            assert three == ds.Diagnose.diagnose_matrix(waits[:, index])
            assert [col[0] for col in three["abnormal_cols"]] == [2 + index]
    assert waits[0, 0].tolist() == [60_000, 60_000, 3_000_000, 60_000]


def test_the_step_of_the_environment(monkeypatch):
    monkeypatch.setenv("DEEPEP_DIAGNOSE_SYNC_STEP", "2")
    results = run_sync(make_all(2), 4, 0, lambda diagnosis: None)
    assert [result is not None for result in results[0]] == [False, True, False, True]


def test_the_log_and_the_recording(folder, monkeypatch):
    monkeypatch.setenv("DEEPEP_DIAGNOSE_LOG_DETAILS", "1")
    made = make_all(RANKS, ticks_per_second=HZ)
    results = run_sync(made, 1, 1)[0]
    time.sleep(0.01)  # the same rows at the same millisecond are a line that was printed twice
    run_sync(made, 1, 1)
    log = (folder / "diagnose_rank0.log").read_text().splitlines()
    stamp = r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\]"
    three = {key: results[0][0][key] for key in list(results[0][0])[:3]}
    head = (rf"{stamp} \[Diagnose\] InstanceID: {made[0].instance_id} EPSize: 4, diagnose: "
            rf"{re.escape(str(three))}, Dispatch Wait Recv Cost Per Token "
            r"Matrix\[src_rank, dst_rank\]")
    assert re.fullmatch(head, log[0])
    for rank in range(RANKS):
        row = [0] * 4 if rank == 2 else [20000, 20000, 1000000, 20000]
        waits = " ".join(f"{value:8d}" for value in row)
        assert re.fullmatch(rf"{stamp} rank={rank} \[{waits}\]", log[1 + rank])
    # How grave it is depends on how long the windows took; that it changed is said as well.
    begins = r"(CRITICAL|MAJOR|MINOR) +20\S+[+-]\d\d:\d\d begins: rank %d .*; next: look at"
    assert re.match(begins % 2, log[10]) and re.match(begins % 3, log[11])
    assert sum("] rank=" in line for line in log) == 16
    assert sum("] [Diagnose] InstanceID" in line for line in log) == 4
    # The library's readers and the command know both files.
    recorded = deepxtrace.Window.read(folder / "diagnose_rank0.jsonl")
    logged = deepxtrace.Window.read(folder / "diagnose_rank0.log")
    assert [w.phase for w in recorded] == ["dispatch", "combine"] * 2 == [w.phase for w in logged]
    for one, other in zip(recorded, logged):
        assert one.wait.tolist() == other.wait.tolist()
        assert one.instance == other.instance == str(made[0].instance_id)
    assert recorded[2].index == 1 and recorded[0].ticks_per_second.tolist() == [HZ] * 4
    assert recorded[0].elapsed_ns > 0 and recorded[0].ops == 0 and recorded[0].samples is None
    assert recorded[0].hosts is not None and recorded[0].nodes.tolist() == [0] * 4
    for words in (["analyze"],
                  ["heatmap", "--phase", "combine", "--window", "1", "--color", "never"]):
        done = subprocess.run([COMMAND, *words, folder / "diagnose_rank0.jsonl"],
                              capture_output=True, text=True, check=True)
        assert "rank 3" in done.stdout


def test_without_details_there_are_no_rows(folder):
    run_sync(make_all(RANKS), 1, 1)
    assert "rank=0" not in (folder / "diagnose_rank0.log").read_text()
    # The others write when there is something to say.
    assert not list(folder.glob("*rank1*"))


def test_nothing_is_lost_between_windows(folder):
    made = make_all(RANKS)
    sums = np.zeros((RANKS, 2, RANKS), np.int64)
    random = np.random.default_rng(3)
    for _ in range(8):
        for diagnosis in made:
            for tensor in diagnosis.get_stats_ll_stats_tensor():
                tensor += torch.from_numpy(random.integers(0, 10**6, RANKS))
        on_all(made, lambda diagnosis: diagnosis.diagnose_ll_sync(1))
        time.sleep(0.05)  # a window that comes more than three late is none
    made[0].close()  # tells of what came late, too
    for window in deepxtrace.Window.read(folder / "diagnose_rank0.jsonl"):
        sums[:, int(window.phase == "combine"), :] += window.wait
    for diagnosis in made:
        for index, tensor in enumerate(diagnosis.get_stats_ll_stats_tensor()):
            assert tensor.tolist() == sums[diagnosis.rank, index].tolist()


def test_thresholds_and_zeros_of_the_environment(monkeypatch):
    monkeypatch.setenv("DEEPEP_DIAGNOSE_THRESHOLD_COL", "100")
    monkeypatch.setenv("DEEPEP_DIAGNOSE_THRESHOLD_POINT", "1.2")
    monkeypatch.setenv("DEEPEP_DIAGNOSE_EXCLUDING_ZEROS", "1")
    made = make_all(RANKS)
    result = run_sync(made, 1, 1)[0][0][0]
    del result["findings"], result["window"]
    waits = made[0].get_all_stats_tensor()[:, 0]
    assert result == ds.Diagnose.diagnose_matrix(waits, 100, 3.0, 1.2, excluding_zeros=1)
    assert not result["abnormal_cols"] and len(result["abnormal_points"]) == 3


def test_normal_mode_alone_and_both(folder):
    def both(diagnosis):
        for tensor in diagnosis.get_stats_normal_stats_tensor():
            if diagnosis.rank != 1:
                tensor[1] += 1_000_000
        return diagnosis.diagnose_ll_sync(1), diagnosis.diagnose_normal_sync(1)

    alone = make_all(RANKS, enable_ll_diagnose=False, enable_normal_diagnose=True)
    low, normal = on_all(alone, both)[0]
    assert low is None and kinds(normal[0]) == kinds(normal[1]) == [("late_rank", 1)]
    assert alone[0].get_stats_ll_stats_tensor() == (None, None)
    assert alone[0].get_all_stats_tensor()[0, 0, 1] == 1_000_000
    log = (folder / "diagnose_rank0.log").read_text()
    assert "Normal Dispatch Wait Recv Cost Per Token Matrix[src_rank, dst_rank]" in log
    made = make_all(RANKS, enable_normal_diagnose=True)
    low, normal = on_all(made, both)[0]
    assert kinds(low[0]) == [] and kinds(normal[1]) == [("late_rank", 1)]
    phases = [w.phase for w in deepxtrace.Window.read(folder / "diagnose_rank0.jsonl")]
    assert phases == ["dispatch", "combine", "normal dispatch", "normal combine"]
    first = deepxtrace.Window.read(alone[0]._report.path + ".jsonl")
    assert [w.phase for w in first] == ["normal dispatch", "normal combine"]


def test_a_rank_that_does_not_call_is_silent_and_blocks_nobody():
    made = make_all(RANKS, ticks_per_second=0)

    def slowly(diagnosis):
        time.sleep(1.1)  # silent is of whom nothing comes for a second
        count_late(diagnosis)
    results = run_sync(made[:3], 4, 1, slowly)[0]
    assert results[0] is None  # its mail might still have come
    said = [kinds(pair[0]) for pair in results[1:] if pair]
    assert said and all(("silent_rank", 3) in one for one in said)
    assert any(("late_rank", 2) in one for one in said)
    # Once it has made up for its calls, its windows are right.
    run_sync(made[3:], 4, 1)
    run_sync(made, 1, 1)
    back = [pair for pair in run_sync(made, 6, 1)[0] if pair][-1]
    assert kinds(back[0]) == [("late_rank", 2)] and kinds(back[1]) == [("late_rank", 3)]


def test_local_experts_divide_the_time():
    wait = {}
    for experts in (1, 8):
        made = make_all(RANKS, ticks_per_second=HZ, local_experts=experts)
        result = run_sync(made, 1, 1, lambda d: count_late(d, ticks=80_000_000))[0][0][0]
        wait[experts] = result["findings"][0]["wait_us"]
    assert wait[1] == pytest.approx(8 * wait[8], rel=0.01) and wait[1] > 50_000


# ---- async

def test_async_names_both(folder):
    made = make_all(RANKS, interval=0.2, enable_async=True, ticks_per_second=HZ)
    for diagnosis in made:
        diagnosis.start_async_diagnose()
        diagnosis.start_async_diagnose()
    stop = threading.Event()

    def job():
        while not stop.is_set():
            for diagnosis in made:
                count_late(diagnosis)
            time.sleep(0.002)

    worker = threading.Thread(target=job)
    worker.start()
    path = folder / "diagnose_rank0.jsonl"
    until(lambda: path.read_text().count("\n") >= 8)
    stop.set()
    worker.join()
    threads = [t for t in os.listdir("/proc/self/task")
               if Path(f"/proc/self/task/{t}/comm").read_text() == "dxt-session\n"]
    assert len(threads) == RANKS
    for diagnosis in made:
        before = time.monotonic()
        diagnosis.stop_async_diagnose()
        assert time.monotonic() - before < 10
        diagnosis.stop_async_diagnose()
    windows = deepxtrace.Window.read(path)[2:]
    for window in windows:
        late = 2 if window.phase == "dispatch" else 3
        assert [(f.kind, f.rank) for f in window.analyze()][0] == ("late_rank", late)
    assert not any(t.name == "dxt-mailroom" for t in threading.enumerate())


def test_warming_time(folder, monkeypatch):
    monkeypatch.setenv("DEEPEP_DIAGNOSE_WARMING_TIME", "0.5")
    made = make_all(2, interval=0.2, enable_async=True)
    begin = time.time()
    for diagnosis in made:
        diagnosis.start_async_diagnose()
    path = folder / "diagnose_rank0.jsonl"
    until(lambda: path.read_text())
    assert time.time() - begin > 0.45


def test_experts_can_be_told_until_it_starts():
    diagnosis = make_all(2, enable_async=True)[0]
    diagnosis.set_local_experts(4)
    with pytest.raises(ValueError):
        diagnosis.set_local_experts(0)
    diagnosis.start_async_diagnose()
    with pytest.raises(RuntimeError):
        diagnosis.set_local_experts(8)


def test_start_again_after_a_stop(folder):
    made = make_all(2, interval=0.1, enable_async=True)
    path = folder / "diagnose_rank0.jsonl"
    for _ in range(3):
        for diagnosis in made:
            diagnosis.start_async_diagnose()
        size = path.stat().st_size
        until(lambda: path.stat().st_size > size)
        for diagnosis in made:
            diagnosis.stop_async_diagnose()
    last = deepxtrace.Window.read(path)[-1]
    assert last.ranks == 2


# ---- no harm

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


def test_the_recording_is_json(folder):
    run_sync(make_all(RANKS), 1, 1)
    for line in (folder / "diagnose_rank0.jsonl").read_text().splitlines():
        assert json.loads(line)["source"] == "deepxtrace.diagnose"
