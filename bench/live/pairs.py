# SPDX-License-Identifier: Apache-2.0
"""What being attached costs a step of the real DeepEP under CUDA graphs, in pairs: the same job,
attached and not, in turn, in one run. Needs two GPUs:

    PYTHONPATH=python DEEPXTRACE_LIBRARY_PATH=build/lib python3 bench/live/pairs.py [--pairs 40]
"""
import argparse
import statistics
import sys
import tempfile
import time

import job
import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def measure(one, graph, replays):
    """Nanoseconds a pair of operations takes."""
    torch.cuda.synchronize()
    begin = time.monotonic_ns()
    one.run(graph.replay, replays)
    return (time.monotonic_ns() - begin) / replays / one.args.pairs


def worker(rank, args, port):
    import deepxtrace

    torch.cuda.set_device(rank)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("nccl", store=store, rank=rank, world_size=args.ranks)
    one, ratios, plain = job.Rank(args, rank), [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(args.count):
            times = {}
            for attached in ((True, False) if number % 2 else (False, True)):
                if attached:
                    deepxtrace.attach(interval=1, output=folder)
                one.pair(args.tokens)
                torch.cuda.synchronize()
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph):
                    for _ in range(args.pairs):
                        one.pair(args.tokens)
                measure(one, graph, args.replays // 4)
                times[attached] = measure(one, graph, args.replays)
                if attached:
                    deepxtrace.detach()
            ratios.append(times[True] / times[False])
            plain.append(times[False] / 1000)
    if rank == 0:
        error = statistics.stdev(ratios) / len(ratios)**0.5
        print(f"{len(ratios)} pairs: a pair of operations takes {statistics.median(plain):.1f} us;"
              f" attached / not attached {statistics.median(ratios):.4f} (median),"
              f" {statistics.mean(ratios):.4f} +- {error:.4f} (mean)")
    dist.barrier()
    dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=40, dest="count")
    parser.add_argument("--replays", type=int, default=400)
    own = parser.parse_args()
    sys.argv = [sys.argv[0], "--truth", "/dev/null"]
    args = job.read_arguments()
    args.count, args.replays = own.count, own.replays
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    mp.spawn(worker, (args, store.port), nprocs=args.ranks)


if __name__ == "__main__":
    main()
