# SPDX-License-Identifier: Apache-2.0
"""Diagnose on counters that CUDA kernels add to. Needs one GPU, torch and pytest:

    PYTHONPATH=python DEEPXTRACE_LIBRARY_PATH=build/lib python3 -m pytest tests/gpu/test_python_cuda.py
"""
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("no CUDA device", allow_module_level=True)
sys.path.insert(0, str(Path(__file__).parent.parent / "python"))

from deepxtrace import Window, _sessions  # noqa: E402
import threads  # noqa: E402
from threads import on_all  # noqa: E402

RANKS = 2
CAPTURES = int(os.environ.get("DXT_CAPTURES", "1000"))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPEP_DIAGNOSE_LOG_PATH", str(tmp_path))
    monkeypatch.setenv("DEEPEP_DIAGNOSE_WARMING_TIME", "0")
    yield tmp_path
    for running in list(_sessions.running):
        running.close()


def make_all(**options):
    """Both ranks in this process, their counters on the same device."""
    return threads.make_all(RANKS, device="cuda", **options)


def sums(path):
    """Per operator what all windows of a recording hold, and how many windows there are."""
    total, count = {}, 0
    for window in Window.read(path):
        assert not window.missing, window
        total[window.phase] = total.get(window.phase, 0) + window.wait
        count += 1
    return total, count // 2


def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def complaints(folder):
    """What the logs say besides diagnoses and findings."""
    return [line for path in folder.glob("*.log") for line in path.read_text().splitlines()
            if "diagnose: {" not in line and line.startswith("[")
            and "counting for" not in line]


def test_counters_are_on_the_device():
    diagnosis = make_all()[0]
    dispatch, combine = diagnosis.get_stats_ll_stats_tensor()
    assert dispatch.is_cuda and combine.is_cuda and dispatch.is_contiguous()
    assert dispatch.data_ptr() == diagnosis.get_stats_ll_stats_tensor()[0].data_ptr()


def test_a_synchronous_window_has_all_that_was_launched_before():
    made = make_all()
    for _ in range(20):
        for diagnosis in made:
            torch.cuda._sleep(10_000_000)  # the kernels below are still waiting when it is called
            diagnosis.get_stats_ll_stats_tensor()[0].add_(3)
        on_all(made, lambda diagnosis: diagnosis.diagnose_ll_sync(1))
        assert made[0].get_all_stats_tensor()[:, 0].tolist() == [[3, 3]] * 2


def test_nothing_is_done_while_this_thread_captures():
    made = make_all()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made[0].get_stats_ll_stats_tensor()[0].add_(1)
        assert made[0].diagnose_ll_sync(1) is None
    assert made[0]._ll.calls == 0


def test_captures_and_replays_beside_the_sampling_thread(folder):
    made = make_all(interval=0.01, enable_async=True)
    for diagnosis in made:
        diagnosis.start_async_diagnose()
    path = folder / "diagnose_rank0.jsonl"
    until(lambda: path.stat().st_size)
    wait = torch.arange(1, RANKS + 1, dtype=torch.int64, device="cuda")
    stats = [diagnosis.get_stats_ll_stats_tensor() for diagnosis in made]
    before = sums(path)[1]
    for number in range(CAPTURES):
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="global"):
            for dispatch, combine in stats:
                dispatch.add_(wait)
                combine.add_(wait, alpha=2)
        for _ in range(3):
            graph.replay()
    torch.cuda.synchronize()
    windows = sums(path)[1]
    assert windows - before > 10, "the thread hardly sampled while graphs were captured"
    until(lambda: sums(path)[1] > windows + 4)
    for diagnosis in made:
        diagnosis.stop_async_diagnose()
    total, _ = sums(path)
    added = np.array([[1, 2], [1, 2]]) * 3 * CAPTURES
    assert total["dispatch"].tolist() == added.tolist()
    assert total["combine"].tolist() == (2 * added).tolist()
    for dispatch, combine in stats:
        assert dispatch.tolist() == added[0].tolist()
    assert complaints(folder) == []


def test_a_device_that_is_busy_costs_nothing_but_mails(folder):
    """The copy is ordered behind nothing: a kernel that runs for long does not hold it up."""
    made = make_all(interval=0.05, enable_async=True)
    for diagnosis in made:
        diagnosis.start_async_diagnose()
    path = folder / "diagnose_rank0.jsonl"
    until(lambda: path.stat().st_size)
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            torch.cuda._sleep(500_000_000)
            torch.cuda.synchronize()

    worker = threading.Thread(target=busy)
    worker.start()
    windows = sums(path)[1]
    until(lambda: sums(path)[1] > windows + 20)
    stop.set()
    worker.join()
    assert complaints(folder) == []
