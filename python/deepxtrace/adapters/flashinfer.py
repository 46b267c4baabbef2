# SPDX-License-Identifier: Apache-2.0
"""FlashInfer's MoeAlltoAll, which has no counters, and no process group either: only its rank among
so many."""
from __future__ import annotations

from typing import Any, List, Optional

from .._group import ranks_of
from ._timed import TimedBuffers


class FlashInfer(TimedBuffers):
    """`flashinfer.comm.MoeAlltoAll`."""

    def concerns(self, cls: type, module: Any) -> bool:
        return cls.__name__ == "MoeAlltoAll"

    def group(self, buffer: Any) -> Optional[Any]:
        """The group of torch.distributed in which this rank has that rank; None if there is none,
        or if there are several with different members."""
        import torch.distributed as dist

        rank, size = getattr(buffer, "ep_rank", None), getattr(buffer, "ep_size", None)
        if not isinstance(rank, int) or not isinstance(size, int) or not dist.is_initialized():
            return None
        found = [group for group in _groups() if (group.size(), group.rank()) == (size, rank)]
        return found[0] if len({ranks_of(group) for group in found}) == 1 else None


def _groups() -> List[Any]:
    """All groups that this rank is in."""
    import torch.distributed as dist

    c10d = dist.distributed_c10d
    world = getattr(c10d, "_world", None)
    known = world.pg_map if world is not None else c10d._pg_map
    return [dist.group.WORLD, *known]


LIBRARY = FlashInfer
