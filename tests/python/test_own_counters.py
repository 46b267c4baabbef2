# SPDX-License-Identifier: Apache-2.0
"""A library's own counters: by what a rank has begun, the one that hangs is named."""
import threading

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.distributed as dist  # noqa: E402

import diagnosed  # noqa: E402
from diagnosed import until  # noqa: E402
from deepxtrace import _group, diagnose as ds  # noqa: E402
from threads import Group  # noqa: E402

RANKS, HANGS = 3, 1
folder = diagnosed.folder


class Own:
    """Of a rank whose GPU does operations in each read, until one is not completed any more.
    `comes_to` are the operators of that one that the rank still begins."""

    operators = ("dispatch", "dispatch transfer", "combine", "combine transfer")

    def __init__(self, stopped, comes_to):
        self._stopped, self._comes_to, self._done = stopped, comes_to, 0
        self.waits = self.samples = np.zeros((4, RANKS), np.int64)

    def read(self, seconds, ordered):
        if not self._stopped.is_set():
            self._done += 100
            self.waits = self.samples = self.waits + 100
        self.operations = np.full(4, 10**6 if self._stopped.is_set() else self._done, np.int64)
        self.begun = self.operations.copy()
        self.begun[:self._comes_to if self._stopped.is_set() else 0] += 1
        return True

    def strangers(self, rank):
        return []


@pytest.mark.parametrize("own, others", [(0, 1), (1, 2), (2, 2)])
def test_a_gpu_that_hangs_in_its_own_work_is_named(folder, own, others):
    """Before a dispatch that the others have begun; inside one at whose exit they are. Where all
    have begun as much, nobody is."""
    stopped, store, made = threading.Event(), dist.HashStore(), []
    for rank in range(RANKS):
        _group._constructed.clear()  # each is the first in its own process
        made.append(ds.Diagnose(
            Group(rank, RANKS), store=store, device="cpu", interval=0.2, enable_async=True,
            ticks_per_second=10**9, _counters=Own(stopped, own if rank == HANGS else others)))
    _group._constructed.clear()
    for diagnosis in made:
        diagnosis.start_async_diagnose()
    log, windows = folder / "diagnose_rank0.log", folder / "diagnose_rank0.jsonl"
    until(lambda: windows.read_text().count("\n") >= 8)
    stopped.set()
    now = windows.read_text().count("\n")
    until(lambda: windows.read_text().count("\n") >= now + 24)
    for diagnosis in made:
        diagnosis.stop_async_diagnose()
    begins = [line for line in log.read_text().splitlines() if "begins: " in line]
    assert bool(begins) == (own < others)
    assert all(f"rank {HANGS} " in line and "takes no part" in line for line in begins)
