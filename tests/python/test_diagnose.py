# SPDX-License-Identifier: Apache-2.0
"""Diagnose on CPU tensors, ranks as threads: what it returns, writes and leaves alone."""
import json
import os
import re
import subprocess
import threading
import time
import uuid
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.distributed as dist  # noqa: E402

import deepxtrace  # noqa: E402
import diagnosed  # noqa: E402
from diagnosed import RANKS, count_late, kinds, run_sync, told, until  # noqa: E402
from deepxtrace import _group, diagnose as ds  # noqa: E402
from threads import Group, make_all, on_all  # noqa: E402

COMMAND = Path(deepxtrace.get_library()).parent.parent / "bin" / "deepxtrace"
HZ = 10**9
folder = diagnosed.folder


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


def test_the_recording_is_json(folder):
    run_sync(make_all(RANKS), 1, 1)
    for line in (folder / "diagnose_rank0.jsonl").read_text().splitlines():
        assert json.loads(line)["source"] == "deepxtrace.diagnose"
