# SPDX-License-Identifier: Apache-2.0
"""The communication of one Mixture-of-Experts layer, with two ranks that are slow on purpose: rank
2 before every dispatch, rank 3 before every combine. On GPUs with DeepEP, anywhere else with the
CPU stand-in that has the same interface."""
import os
import signal
import time

import torch
import torch.distributed as dist

try:
    from deep_ep import Buffer
    DEVICE = "cuda"
except ImportError:
    from deepxtrace.ep import Buffer
    DEVICE = "cpu"

TOKENS, HIDDEN, TOPK, EXPERTS_PER_RANK = 16, 2048, 4, 4
DELAY_SECONDS = float(os.environ.get("DELAY_MS", "2")) / 1000

signal.signal(signal.SIGINT, signal.SIG_DFL)  # why: see unaware.py


def join_group():
    """As torchrun has set the environment."""
    if DEVICE == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if DEVICE == "cuda" else "gloo")
    return dist.group.WORLD


class Layer:
    """Dispatch and combine of random tokens."""

    def __init__(self, group):
        self.rank, ranks = group.rank(), group.size()
        self.experts = EXPERTS_PER_RANK * ranks
        size = Buffer.get_low_latency_rdma_size_hint(TOKENS, HIDDEN, ranks, self.experts)
        self.buffer = Buffer(group, 0, size, low_latency_mode=True,
                             num_qps_per_rank=EXPERTS_PER_RANK)
        self.x = torch.randn(TOKENS, HIDDEN, device=DEVICE).to(torch.bfloat16)
        scores = torch.rand(TOKENS, self.experts, device=DEVICE)
        self.weights, self.experts_of_token = scores.topk(TOPK, dim=-1)

    def run(self, dispatch_stats, combine_stats):
        """One step; the counters are int64 tensors with one cell for each rank waited for."""
        self.hold_up(2)
        received, _count, handle, _event, _hook = self.buffer.low_latency_dispatch(
            self.x, self.experts_of_token, TOKENS, self.experts,
            dispatch_wait_recv_cost_stats=dispatch_stats, use_fp8=False)
        self.hold_up(3)
        combined, _event, _hook = self.buffer.low_latency_combine(
            received, self.experts_of_token, self.weights, handle,
            combine_wait_recv_cost_stats=combine_stats)
        return combined

    def hold_up(self, rank):
        """What a slow rank does that the others do not."""
        if rank == self.rank:
            if DEVICE == "cuda":
                torch.cuda.synchronize()
            time.sleep(DELAY_SECONDS)
