# SPDX-License-Identifier: Apache-2.0
"""A program with DeepEP that knows nothing of DeepXTrace, as servers are: it spawns its workers and
passes no counters. Rank 2 is slow before every dispatch, rank 3 before every combine.

    deepxtrace run --interval 5 --output logs python3 unaware.py

Without DeepEP, let tests/python/cpu of the source tree stand for it:
PYTHONPATH=../../tests/python/cpu.

    cat logs/diagnose_rank0.log
"""
import os
import signal
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from deep_ep import Buffer

RANKS, STEPS = int(os.environ.get("RANKS", "4")), int(os.environ.get("STEPS", "1000"))
DELAY_SECONDS = float(os.environ.get("DELAY_MS", "2")) / 1000
TOKENS, HIDDEN, TOPK, EXPERTS_PER_RANK = 16, 2048, 4, 4

# Python raises KeyboardInterrupt only when a call into C returns, and a rank that waits there for
# one that has ended waits for minutes: Ctrl-C ends all processes at once.
signal.signal(signal.SIGINT, signal.SIG_DFL)


def worker(rank, port):
    # torch has workers end with the program from here on. One whose program ended before that would
    # wait for its store for minutes.
    if not mp.parent_process().is_alive():
        return
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        torch.cuda.set_device(rank)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=RANKS)
    experts = EXPERTS_PER_RANK * RANKS
    size = Buffer.get_low_latency_rdma_size_hint(TOKENS, HIDDEN, RANKS, experts)
    buffer = Buffer(dist.group.WORLD, 0, size, low_latency_mode=True,
                    num_qps_per_rank=EXPERTS_PER_RANK)
    x = torch.randn(TOKENS, HIDDEN, device=device).to(torch.bfloat16)
    weights, topk_idx = torch.rand(TOKENS, experts, device=device).topk(TOPK, dim=-1)

    def hold_up(slow):
        if rank == slow:
            if device == "cuda":
                torch.cuda.synchronize()
            time.sleep(DELAY_SECONDS)

    for _ in range(STEPS):
        hold_up(2)
        received, _, handle, _, hook = buffer.low_latency_dispatch(
            x, topk_idx, TOKENS, experts, use_fp8=False, return_recv_hook=True)
        hook()
        hold_up(3)
        combined, _, hook = buffer.low_latency_combine(
            received, topk_idx, weights, handle, return_recv_hook=True)
        hook()
    expected = x.float() * weights.sum(1, keepdim=True)
    assert torch.allclose(combined.float(), expected, rtol=0.02, atol=0.02)
    dist.barrier()


def main():
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    mp.spawn(worker, (store.port,), nprocs=RANKS)


if __name__ == "__main__":
    main()
