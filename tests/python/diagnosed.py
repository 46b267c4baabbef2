# SPDX-License-Identifier: Apache-2.0
"""What tests of Diagnose share: its settings and folder, and what the kernels of a step count."""
import os
import time

import pytest
import torch

from deepxtrace import _sessions
from threads import on_all

RANKS = 4


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
