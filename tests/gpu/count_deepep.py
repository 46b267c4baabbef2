# SPDX-License-Identifier: Apache-2.0
"""Counted operations equal what the kernels did, on the real DeepEP: replays of several graphs with
eager calls between, some from another thread. Routing is fixed, so that each dispatch brings a rank
the same number of tokens; the kernels count tokens, and their sum divided by that number is how many
dispatches there were. Needs two GPUs, better four, torch and DeepEP:

    PYTHONPATH=python DEEPXTRACE_LIBRARY_PATH=build/lib python3 tests/gpu/count_deepep.py
"""
import argparse
import random
import sys
import tempfile
import threading

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

TOKENS, HIDDEN, TOPK, EXPERTS_PER_RANK = 16, 2048, 8, 32


class Job:
    def __init__(self, rank, ranks):
        from deep_ep import Buffer

        self.experts = EXPERTS_PER_RANK * ranks
        size = Buffer.get_low_latency_rdma_size_hint(TOKENS, HIDDEN, ranks, self.experts)
        self.buffer = Buffer(dist.group.WORLD, 0, size, low_latency_mode=True,
                             num_qps_per_rank=EXPERTS_PER_RANK)
        generator = torch.Generator().manual_seed(7)  # the same on all ranks
        self.x = torch.randn(TOKENS, HIDDEN, generator=generator).bfloat16().cuda()
        scores = torch.rand(TOKENS, self.experts, generator=generator)
        weights, routes = scores.topk(TOPK, dim=-1)
        mine = (routes // EXPERTS_PER_RANK == rank).sum().item()
        self.tokens_of_one = mine * ranks
        self.weights, self.routes = weights.cuda(), routes.cuda()
        self.done = 0

    def pairs(self, count):
        for number in range(count):
            hooked = number % 2 == 1
            received, _, handle, _, hook = self.buffer.low_latency_dispatch(
                self.x, self.routes, TOKENS, self.experts, use_fp8=False, return_recv_hook=hooked)
            if hooked:
                hook()
            _, _, hook = self.buffer.low_latency_combine(
                received, self.routes, self.weights, handle, return_recv_hook=hooked)
            if hooked:
                hook()

    def graph(self, count):
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.pairs(count)
        return graph


def worker(rank, ranks, port, replays):
    import deepxtrace

    torch.cuda.set_device(rank)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("nccl", store=store, rank=rank, world_size=ranks)
    with tempfile.TemporaryDirectory() as folder:
        deepxtrace.attach(interval=1, output=folder)
        job = Job(rank, ranks)
        job.pairs(2)
        torch.cuda.synchronize()
        sizes = (1, 3, 10)
        graphs = [job.graph(size) for size in sizes]
        expected, chooser = 2, random.Random(1)
        for number in range(replays):
            which = chooser.randrange(len(graphs))
            if number % 100 == 50:  # in another thread, as some servers do
                thread = threading.Thread(target=graphs[which].replay)
                thread.start()
                thread.join()
            else:
                graphs[which].replay()
            expected += sizes[which]
            if number % 37 == 0:
                job.pairs(1)
                expected += 1
            if number % 64 == 63:
                torch.cuda.synchronize()
            if number == replays // 2:
                torch.cuda.synchronize()
                graphs[1] = job.graph(sizes[1])  # the old one is destroyed
        torch.cuda.synchronize()
        diagnose = vars(job.buffer)["_deepxtrace_state"].diagnose
        counted = diagnose.operations.issued()
        received = diagnose._ll.counters
        received.read(np.zeros((2, ranks), np.int64), 10, True)
        dispatches, rest = divmod(int(received.tokens.sum()), job.tokens_of_one)
        print(f"rank {rank}: {replays} replays, counted {counted}, the kernels {dispatches}"
              f" dispatches, the program {expected}", flush=True)
        assert counted == (expected, expected), (counted, expected)
        assert rest == 0 and dispatches == expected, (dispatches, rest, expected)
        dist.barrier()
        deepxtrace.detach()
    dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--replays", type=int, default=10000)
    args = parser.parse_args()
    gpus = torch.cuda.device_count()
    if gpus < 2:
        print("needs two GPUs")
        sys.exit(77)
    ranks = 4 if gpus >= 4 else 2
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    mp.spawn(worker, (ranks, store.port, args.replays), nprocs=ranks)


if __name__ == "__main__":
    main()
