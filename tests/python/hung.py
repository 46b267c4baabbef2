# SPDX-License-Identifier: Apache-2.0
"""A job that knows nothing of the diagnosis, one rank of which sleeps inside its own step for a
while: hung.py RANKS RANK SECONDS."""
import sys
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from deep_ep import Buffer

RANKS, SLEEPER, SECONDS = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
TOKENS, HIDDEN, EXPERTS = 8, 512, 2 * RANKS


def worker(rank, port):
    torch.set_num_threads(1)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=RANKS)
    size = Buffer.get_low_latency_rdma_size_hint(TOKENS, HIDDEN, RANKS, EXPERTS)
    buffer = Buffer(dist.group.WORLD, 0, size, low_latency_mode=True)
    x = torch.randn(TOKENS, HIDDEN).bfloat16()
    weights, routes = torch.rand(TOKENS, EXPERTS).topk(2, dim=-1)
    for step in range(400):
        if step == 200 and rank == SLEEPER:
            time.sleep(SECONDS)
        time.sleep(0.01)
        received, _, handle, _, _ = buffer.low_latency_dispatch(x, routes, TOKENS, EXPERTS,
                                                                use_fp8=False)
        buffer.low_latency_combine(received, routes, weights, handle)
    dist.barrier()


if __name__ == "__main__":
    server = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    mp.spawn(worker, (server.port,), nprocs=RANKS)
