# SPDX-License-Identifier: Apache-2.0
"""Run a function on N ranks: processes that are joined to one gloo group."""

from __future__ import annotations

import datetime
import os
import tempfile
import time
from typing import Any, Callable

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

# Generous: the machine may be busy with other things.
PATIENCE_S = 180


def _rank_main(rank: int, ranks: int, folder: str, body: Callable[..., None], args: Any) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder}/rendezvous",
        rank=rank,
        world_size=ranks,
        timeout=datetime.timedelta(seconds=PATIENCE_S),
    )
    body(rank, ranks, *args)
    dist.destroy_process_group()


def run_ranks(ranks: int, body: Callable[..., None], *args: Any) -> None:
    """Call `body(rank, ranks, *args)` on each rank. `body` is a function of a module. Raises what a
    rank raised, or TimeoutError; no process outlives the call."""
    with tempfile.TemporaryDirectory() as folder:
        context = mp.spawn(
            _rank_main, (ranks, folder, body, args), nprocs=ranks, join=False
        )
        deadline = time.monotonic() + PATIENCE_S
        try:
            while not context.join(timeout=1):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{body.__name__} did not finish")
        finally:
            for process in context.processes:
                if process.is_alive():
                    process.kill()
                process.join()


def quit_at_once() -> None:
    """Die like a process that was killed, but without being taken for a failure."""
    os._exit(0)
