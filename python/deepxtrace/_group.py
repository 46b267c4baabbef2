# SPDX-License-Identifier: Apache-2.0
"""What the ranks of a group have in common: a store, and the id of a diagnosis."""
from __future__ import annotations

import datetime
import hashlib
import os
import time
import uuid
from typing import Any, Dict, Optional, Tuple

#: By how much the clocks of two machines may differ, in seconds.
_SKEW_SECONDS = 10.0
#: How long a construction waits for the group's common id, in seconds.
_ID_SECONDS = 60.0
#: How many generations a construction looks through, and the pauses between them, in seconds: at
#: each it leaves a key in the store.
_GENERATIONS = 100
_PAUSES = (0.001, 0.1)

_constructed: Dict[Tuple[int, ...], int] = {}


def default_store() -> Any:
    import torch.distributed as dist
    return dist.distributed_c10d._get_default_store()


def ranks_of(group: Any) -> Tuple[int, ...]:
    """Global ranks of a group, which tell groups apart on all their members alike."""
    import torch.distributed as dist
    try:
        return tuple(dist.get_process_group_ranks(group))
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError):
        return tuple(range(group.size()))  # a group that torch.distributed does not know


def agree(store: Any, group: Any, rank: int) -> Tuple[uuid.UUID, str]:
    """An id that all ranks of the group agree on, and when it was made, as text: of whoever comes
    first, who is in the middle of it at most.

    Runs are told apart, in a store that outlives them, by generations: a rank takes part in each of
    them once, and in none that was made well before its process was.
    """
    ranks = ranks_of(group)
    number = _constructed[ranks] = _constructed.get(ranks, -1) + 1
    digest = hashlib.sha1(repr(ranks).encode()).hexdigest()[:16]
    base = f"deepxtrace/id/{digest}/{number}"
    generation = max(store.add(base + "/generations", 0), 1)
    began, deadline = _process_start(), time.monotonic() + _ID_SECONDS
    pause, last = _PAUSES
    for _ in range(_GENERATIONS):  # a store that answers anything ends, too
        key = f"{base}/{generation}"
        if store.add(f"{key}/rank/{rank}", 1) == 1:
            own = f"{uuid.uuid4()} {time.time():.3f}"
            word = _first_word(store, key, own, rank, deadline)
            if word == own:
                store.add(base + "/generations", 1)
            try:
                name, made = uuid.UUID(word.partition(" ")[0]), float(word.partition(" ")[2])
                begin = time.strftime("%Y%m%dT%H%M%S", time.localtime(made))
            except (ValueError, OverflowError, OSError):
                raise RuntimeError(f"rank {rank}: what the store holds at {key} is not an id of a "
                                   "diagnosis; something else uses this key") from None
            if word == own or began is None or made > began - _SKEW_SECONDS:
                return name, begin
        generation += 1
        if time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
        pause = min(2 * pause, last)
    raise _no_id(rank)


def _no_id(rank: int) -> RuntimeError:
    return RuntimeError(f"rank {rank}: the group has not agreed on an id for the diagnosis within "
                        f"{_ID_SECONDS:g} s; make the diagnosis on every rank of the group")


def _first_word(store: Any, key: str, own: str, rank: int, deadline: float) -> str:
    """What the first of a generation has written."""
    # Not by compare_set(): torch 1.13 makes what it returns without the interpreter's lock.
    if store.add(key + "/n", 1) == 1:
        store.set(key, own)
        store.add(key + "/set", 1)
        return own
    while store.add(key + "/set", 0) == 0:
        if time.monotonic() > deadline:
            raise _no_id(rank)
        time.sleep(0.001)
    word = _get(store, key, rank, deadline)
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)


def _get(store: Any, key: str, rank: int, deadline: float) -> Any:
    """A value, if it comes in time: get() itself waits as long as the store likes."""
    if hasattr(store, "wait"):
        rest = datetime.timedelta(seconds=max(deadline - time.monotonic(), 0.001))
        try:
            store.wait([key], rest)
        except RuntimeError as error:
            raise _no_id(rank) from error
    return store.get(key)


def _process_start() -> Optional[float]:
    """When this process began, in seconds since 1970; None if the system does not tell."""
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rsplit(b")", 1)[1].split()[19])
        with open("/proc/uptime", "rb") as file:
            uptime = float(file.read().split()[0])
        return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
