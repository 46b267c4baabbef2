# SPDX-License-Identifier: Apache-2.0
"""A program with DeepEP's low-latency Buffer that knows nothing of DeepXTrace, and in which ranks
are late or early when a schedule says so:

    deepxtrace run --interval 2 --output OUT python3 bench/live/job.py --truth OUT/truth.jsonl
    python3 bench/live/score.py OUT/diagnose_rank0.jsonl OUT/truth.jsonl

On GPUs every step is a replay of one CUDA graph with --pairs times: compute, dispatch, compute,
combine. Compute is a kernel that is busy for as long as a table in device memory says, drawn anew
for each rank and step. A fault adds to it on one rank before one of the operators. In phases of
another batch size all ranks replay another graph. Without a GPU compute is a sleep, operations are
made one by one, and times are to be given in larger units (--unit-us 100: 60 become 6 ms).

The truth is a line of JSON for each phase: begin and end in seconds since 1970, what was done, and
the label that tests/recorded uses.

tests/gpu/deepep_job.py and its score.py do nearly the same, and share nothing with this program, on
purpose: they are a hold-out.
"""
import argparse
import json
import os
import random
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from deep_ep import Buffer

HIDDEN, TOPK = 7168, 8
#: Entries of the table of durations, which is gone through again and again.
TABLE = 4096
#: How much longer the compute of a phase of another batch size is, in units.
BATCH_EXTRA = 25

KERNEL = r"""
extern "C" __global__ void busy(const long long *durations, const long long *extra,
                                long long *step, int which, int entries)
{
    long long begin, now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(begin));
    long long wait = durations[2 * (*step % entries) + which] + extra[which];
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    } while (now - begin < wait);
    if (which == 1) *step += 1;
}
"""


def schedule(args):
    """Phases: what is done in each, as (name, operator, rank, units)."""
    faults = [(f"{kind}_{operator}_{rank}_{size}", operator, rank, sign * size)
              for operator in (0, 1) for rank in range(min(args.ranks, 2))
              for kind, sign, sizes in (("late", 1, args.late), ("early", -1, args.early))
              for size in sizes]
    chooser = random.Random(args.seed)
    phases = []
    for _ in range(args.rounds):
        chooser.shuffle(faults)
        for number, fault in enumerate(faults):
            healthy = ("batch" if number % 4 == 3 and not args.no_batch else "healthy", 0, 0, 0)
            phases += [healthy, fault]
    return [("healthy", 0, 0, 0)] * args.begin + phases + [("healthy", 0, 0, 0)]


class GpuCompute:
    """Work of a known length on the current stream, also in a graph."""

    def __init__(self, args, rank):
        self.device = torch.device("cuda", rank)
        self.kernel = torch.cuda._compile_kernel(KERNEL, "busy")
        self.table = durations(args, rank).to(self.device)
        self.extra = torch.zeros(2, dtype=torch.int64, device=self.device)
        self.step = torch.zeros(1, dtype=torch.int64, device=self.device)

    def set_extra(self, nanoseconds):
        self.extra.copy_(torch.tensor(nanoseconds))

    def run(self, which):
        self.kernel(grid=(1, 1, 1), block=(1, 1, 1),
                    args=(self.table, self.extra, self.step, which, TABLE))


class CpuCompute:
    def __init__(self, args, rank):
        self.device = torch.device("cpu")
        self.table = durations(args, rank).tolist()
        self.extra, self.step = [0, 0], 0

    def set_extra(self, nanoseconds):
        self.extra = nanoseconds

    def run(self, which):
        wait = self.table[self.step % TABLE][which] + self.extra[which]
        time.sleep(max(wait, 0) / 1e9)
        self.step += which


def durations(args, rank):
    """Normal around the mean, in ns: [step, before dispatch and before combine]."""
    generator = torch.Generator().manual_seed(1000 * args.seed + rank)
    noise = torch.randn(TABLE, 2, generator=generator, dtype=torch.float64)
    return (args.compute * 1000 * args.unit_us * (1 + args.jitter / 100 * noise)).clamp(0).long()


class Rank:
    """One rank: its Buffer, and a step for each batch size."""

    def __init__(self, args, rank):
        self.args, self.rank, self.on_gpu = args, rank, args.device == "cuda"
        self.compute = (GpuCompute if self.on_gpu else CpuCompute)(args, rank)
        self.experts = args.experts_per_rank * args.ranks
        size = Buffer.get_low_latency_rdma_size_hint(args.tokens, args.hidden, args.ranks,
                                                     self.experts)
        self.buffer = Buffer(dist.group.WORLD, 0, size, low_latency_mode=True,
                             num_qps_per_rank=args.experts_per_rank)
        generator = torch.Generator().manual_seed(rank)
        self.x = torch.randn(args.tokens, args.hidden, generator=generator).bfloat16().to(
            self.compute.device)
        scores = torch.rand(args.tokens, self.experts, generator=generator)
        weights, routes = scores.topk(min(TOPK, self.experts), dim=-1)
        self.weights, self.routes = weights.to(self.compute.device), routes.to(self.compute.device)
        self.received = None

    def pair(self, tokens):
        """Compute and dispatch, compute and combine."""
        x, routes, weights = self.x[:tokens], self.routes[:tokens], self.weights[:tokens]
        self.compute.run(0)
        received, _, handle, _, hook = self.buffer.low_latency_dispatch(
            x, routes, self.args.tokens, self.experts, use_fp8=False,
            return_recv_hook=self.args.hook)
        if self.args.hook:
            hook()
        self.compute.run(1)
        _, _, hook = self.buffer.low_latency_combine(received, routes, weights, handle,
                                                     return_recv_hook=self.args.hook)
        if self.args.hook:
            hook()

    def make_steps(self):
        """A function for each batch size."""
        steps = []
        for tokens in (self.args.tokens, max(self.args.tokens // 2, 1)):
            if not self.on_gpu:
                steps.append(lambda tokens=tokens: self.pair(tokens))
                continue
            for _ in range(3):
                self.pair(tokens)
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                for _ in range(self.args.pairs):
                    self.pair(tokens)
            steps.append(graph.replay)
        return steps

    def run(self, step, count):
        """So many steps; begin and end of them. Not more than 32 are in flight."""
        if not self.on_gpu:
            begin = time.time()
            for _ in range(count):
                step()
            return begin, time.time()
        torch.cuda.synchronize()
        begin, events = time.time(), [None, None]
        for number in range(count):
            step()
            if number % 16 == 15:
                event = torch.cuda.Event()
                event.record()
                events.append(event)
                if events[-2] is not None:
                    events[-2].synchronize()
        torch.cuda.synchronize()
        return begin, time.time()


def worker(rank, args, port):
    if args.device == "cuda":
        torch.cuda.set_device(rank)
    else:
        torch.set_num_threads(1)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("nccl" if args.device == "cuda" else "gloo", store=store, rank=rank,
                            world_size=args.ranks)
    job = Rank(args, rank)
    steps = job.make_steps()
    begin, end = job.run(steps[0], args.trial)
    if rank == 0:
        store.set("steps", str(max(int(args.seconds * args.trial / (end - begin)), 1)))
    count = int(store.get("steps"))
    unit_ns = 1000 * args.unit_us
    for name, operator, slow, units in schedule(args):
        extra = [0, 0]
        if name == "batch":
            extra = [BATCH_EXTRA * unit_ns] * 2
        elif slow == rank:
            extra[operator] = units * unit_ns
        job.compute.set_extra(extra)
        begin, end = job.run(steps[name == "batch"], count)
        if rank == 0:
            labels = [{"cols": [], "rows": [], "points": []} for _ in range(2)]
            if units:
                labels[operator]["cols" if units > 0 else "rows"] = [slow]
            with open(args.truth, "a", encoding="utf-8") as file:
                file.write(json.dumps({
                    "begin": begin, "end": end, "case": f"{name}_j{args.jitter:g}",
                    "steps": count, "operator": ("dispatch", "combine")[operator], "rank": slow,
                    "us": units * args.unit_us,
                    "label": dict(zip(("dispatch", "combine"), labels))}) + "\n")
    dist.barrier()
    dist.destroy_process_group()


def read_arguments():
    has_gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description="a job with faults, for a diagnosis to find")
    parser.add_argument("--truth", required=True, help="file to append the truth to")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda" if has_gpu else "cpu")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8.2, help="of a phase")
    parser.add_argument("--rounds", type=int, default=2, help="of all faults")
    parser.add_argument("--begin", type=int, default=3, help="healthy phases at the beginning")
    parser.add_argument("--compute", type=float, default=60, help="before an operator, in units")
    parser.add_argument("--jitter", type=float, default=5, help="of it, in percent")
    parser.add_argument("--late", type=float, nargs="*", default=[7, 15, 40], help="in units")
    parser.add_argument("--early", type=float, nargs="*", default=[40], help="in units")
    parser.add_argument("--no-batch", action="store_true", help="no other batch size")
    parser.add_argument("--unit-us", type=float, default=1 if has_gpu else 100)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--hidden", type=int, default=HIDDEN)
    parser.add_argument("--experts-per-rank", type=int, default=128)
    parser.add_argument("--pairs", type=int, default=10, help="in a CUDA graph")
    parser.add_argument("--hook", action="store_true", help="use return_recv_hook, as servers do")
    parser.add_argument("--trial", type=int, default=100, help="steps that tell their length")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def main():
    args = read_arguments()
    os.makedirs(os.path.dirname(os.path.abspath(args.truth)), exist_ok=True)
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    mp.spawn(worker, (args, store.port), nprocs=args.ranks)


if __name__ == "__main__":
    main()
