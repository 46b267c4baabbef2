# SPDX-License-Identifier: Apache-2.0
"""What the ranks of a group have in common: a store, and the id of a diagnosis."""
from __future__ import annotations

import hashlib
import time
import uuid
from typing import Any, Dict, Tuple

#: How long a construction waits for the group's common id, in seconds.
_ID_SECONDS = 60.0

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


def common_id(store: Any, group: Any, rank: int) -> uuid.UUID:
    """An id that all ranks of the group agree on: of whoever comes first. Nobody waits for anybody,
    but for the moment between that rank's first word and its second."""
    ranks = ranks_of(group)
    number = _constructed[ranks] = _constructed.get(ranks, -1) + 1
    digest = hashlib.sha1(repr(ranks).encode()).hexdigest()[:16]
    key = f"deepxtrace/id/{digest}/{number}"
    if store.add(key + "/n", 1) == 1:
        made = uuid.uuid4()
        store.set(key, str(made))
        store.add(key + "/set", 1)
        return made
    deadline = time.monotonic() + _ID_SECONDS
    while store.add(key + "/set", 0) == 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"rank {rank}: the group has not agreed on an id for the diagnosis "
                               f"within {_ID_SECONDS:g} s")
        time.sleep(0.001)
    return uuid.UUID(store.get(key).decode())
