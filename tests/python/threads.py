# SPDX-License-Identifier: Apache-2.0
"""A group whose ranks are threads of this process, over a key-value store in memory."""
from __future__ import annotations

import threading
from typing import Any, Callable, List

import torch.distributed as dist

from deepxtrace import _group, diagnose as ds


class Group:
    """As much of a process group as Diagnose asks for."""

    def __init__(self, rank: int, ranks: int) -> None:
        self._rank, self._ranks = rank, ranks

    def rank(self) -> int:
        return self._rank

    def size(self) -> int:
        return self._ranks


def make_all(ranks: int, store: Any = None, device: str = "cpu",
             **options: Any) -> List[ds.Diagnose]:
    """One Diagnose for each rank, with one id."""
    store = dist.HashStore() if store is None else store
    made = []
    for rank in range(ranks):
        _group._constructed.clear()  # each is the first in its own process
        made.append(ds.Diagnose(Group(rank, ranks), store=store, device=device, **options))
    _group._constructed.clear()
    return made


def on_all(items: List[Any], body: Callable[[Any], Any]) -> List[Any]:
    """Call ``body(item)`` on a thread each; the results in order."""
    results: List[Any] = [None] * len(items)

    def run(index: int) -> None:
        results[index] = body(items[index])

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(items))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results
