# SPDX-License-Identifier: Apache-2.0
"""A job that knows nothing of the diagnosis: processes that compute and exchange with an all-to-all
of torch, or through a stand-in for a library whose Buffer has no counters.

    timed_job.py collectives|normal|hybrid|flashinfer RANKS STEPS LATE COMPUTE_MS LATE_MS
"""
from __future__ import annotations

import random
import socket
import sys
import time
import types
from typing import Any, Tuple

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def exchange(x: Any) -> Any:
    out = torch.empty_like(x)
    dist.all_to_all_single(out, x)
    return out


class Buffer:
    """deep_ep.Buffer in normal mode."""

    def __init__(self, group: Any) -> None:
        self.group, self.low_latency_mode = group, False

    def low_latency_dispatch(self, x: Any, topk_idx: Any, num_max_dispatch_tokens_per_rank: int,
                             num_experts: int, dispatch_wait_recv_cost_stats: Any = None) -> None:
        raise NotImplementedError

    def dispatch(self, x: Any, handle: Any = None, async_finish: bool = False) -> Tuple[Any, ...]:
        return exchange(x), None, None, None, None, None

    def combine(self, x: Any, handle: Any = None, async_finish: bool = False) -> Tuple[Any, ...]:
        return exchange(x), None, None


class HybridEPBuffer:
    """deep_ep.HybridEPBuffer; what permutes calls what does not."""

    def __init__(self, group: Any) -> None:
        self.group = group

    def dispatch(self, hidden: Any) -> Any:
        return exchange(hidden)

    def combine(self, hidden: Any) -> Any:
        return exchange(hidden)

    def dispatch_with_permute(self, *, hidden: Any) -> Any:
        return self.dispatch(hidden)


class MoeAlltoAll:
    """flashinfer.comm.MoeAlltoAll."""

    def __init__(self, group: Any) -> None:
        self.ep_rank, self.ep_size = group.rank(), group.size()

    def dispatch(self, payload: Any) -> Any:
        return exchange(payload)

    def combine(self, payload: Any) -> Any:
        return exchange(payload)


def operators(kind: str) -> Any:
    """Dispatch and combine of a program."""
    if kind == "collectives":
        return exchange, exchange
    if kind == "hybrid":
        hybrid = HybridEPBuffer(dist.group.WORLD)
        return lambda x: hybrid.dispatch_with_permute(hidden=x), hybrid.combine
    made: Any = (Buffer if kind == "normal" else MoeAlltoAll)(dist.group.WORLD)
    return made.dispatch, made.combine


def worker(rank: int, port: int, kind: str, ranks: int, steps: int, late: int, compute: float,
           late_by: float) -> None:
    # As if it had been imported: the layer looks at modules that are there.
    if kind != "collectives":
        cls = {"normal": Buffer, "hybrid": HybridEPBuffer, "flashinfer": MoeAlltoAll}[kind]
        name = "flashinfer" if kind == "flashinfer" else "deep_ep"
        sys.modules[name] = module = types.ModuleType(name)
        setattr(module, cls.__name__, cls)
        import deepxtrace
        deepxtrace.attach()
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=ranks)
    dispatch, combine = operators(kind)
    x = torch.ones(ranks * 64)
    chance = random.Random(rank)
    for _ in range(steps):
        time.sleep(compute * chance.uniform(0.9, 1.1) + (late_by if rank == late else 0))
        dispatch(x)
        combine(x)
    dist.barrier()


def main() -> None:
    kind, ranks, steps, late = sys.argv[1], *map(int, sys.argv[2:5])
    compute, late_by = (float(word) / 1000 for word in sys.argv[5:7])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(worker, (port, kind, ranks, steps, late, compute, late_by), nprocs=ranks)


if __name__ == "__main__":
    main()
