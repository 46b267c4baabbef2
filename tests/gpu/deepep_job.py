# SPDX-License-Identifier: Apache-2.0
"""A program on the real DeepEP that knows nothing of DeepXTrace: dispatch and combine with work in
between, one process for each GPU, and a plan of who is held up when.

    deepxtrace-run --interval 2 --output logs python3 tests/gpu/deepep_job.py --library ll
        --plan plan.json --truth truth.jsonl

Of a plan, each phase has "seconds", and perhaps "rank", "operator" ("dispatch" or "combine") and
"us": that rank comes so much later to that operator, or earlier; "also": a list of more of these;
"rank" and "slow": true: that rank's stores go along with a copy to its neighbour; "tokens": a
fraction of the tokens on all ranks. The truth has a line for each phase: when it was what, in
seconds of the epoch.

This program and its score.py share nothing with job.py and score.py of bench/live, on purpose: they
are a hold-out. The analysis was made with recordings of those, and is tried with this one.
"""
import argparse
import json
import os
import sys
import threading
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from spin import Spin  # noqa: E402

HIDDEN, TOPK, EXPERTS = 7168, 8, 256


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", choices=("ll", "v2"), required=True)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--fp8", action="store_true")
    parser.add_argument("--eager", action="store_true", help="without CUDA graphs")
    parser.add_argument("--work-us", type=float, default=60.0, help="before each operator")
    parser.add_argument("--jitter", type=float, default=0.05, help="of it, as a share")
    parser.add_argument("--pairs", type=int, default=10, help="in a graph")
    parser.add_argument("--plan", required=True)
    parser.add_argument("--truth", required=True)
    parser.add_argument("--unattached", type=int, default=-1, help="a rank without DeepXTrace")
    parser.add_argument("--rounds", type=int, default=1, help="buffers made one after another")
    parser.add_argument("--buffers", type=int, default=1, help="buffers at a time")
    return parser.parse_args()


class LowLatency:
    """deep_ep.Buffer."""

    def __init__(self, group, tokens, fp8):
        import deep_ep
        size = deep_ep.Buffer.get_low_latency_rdma_size_hint(tokens, HIDDEN, group.size(), EXPERTS)
        self.buffer = deep_ep.Buffer(group, 0, size, low_latency_mode=True,
                                     num_qps_per_rank=EXPERTS // group.size(),
                                     allow_nvlink_for_low_latency_mode=True,
                                     explicitly_destroy=True)
        self.tokens, self.fp8 = tokens, fp8
        self.sent = None

    def dispatch(self, x, topk_idx, weights):
        _, _, self.handle, _, _ = self.buffer.low_latency_dispatch(
            x, topk_idx, self.tokens, EXPERTS, use_fp8=self.fp8)

    def combine(self, topk_idx, weights):
        if self.sent is None:
            ranks = self.buffer.group_size
            self.sent = torch.randn(EXPERTS // ranks, self.tokens * ranks, HIDDEN,
                                    dtype=torch.bfloat16, device="cuda")
        self.buffer.low_latency_combine(self.sent, topk_idx, weights, self.handle)

    def destroy(self):
        self.buffer.destroy()


class V2:
    """deep_ep.ElasticBuffer."""

    def __init__(self, group, tokens, fp8):
        import deep_ep
        self.buffer = deep_ep.ElasticBuffer(
            group, num_max_tokens_per_rank=tokens, hidden=HIDDEN, num_topk=TOPK,
            use_fp8_dispatch=fp8, allow_hybrid_mode=False, explicitly_destroy=True)
        self.fp8, self.sent, self.quantised = fp8, None, {}

    def dispatch(self, x, topk_idx, weights):
        if self.fp8:
            if x.shape[0] not in self.quantised:
                self.quantised[x.shape[0]] = (x.to(torch.float8_e4m3fn), torch.ones(
                    x.shape[0], HIDDEN // 128, dtype=torch.float, device="cuda"))
            x = self.quantised[x.shape[0]]
        received, _, self.weights, self.handle, _ = self.buffer.dispatch(
            x, topk_idx=topk_idx, topk_weights=weights, num_experts=EXPERTS, do_cpu_sync=False)
        self.rows = (received[0] if self.fp8 else received).shape[0]

    def combine(self, topk_idx, weights):
        if self.sent is None:
            self.sent = torch.randn(self.rows, HIDDEN, dtype=torch.bfloat16, device="cuda")
        self.buffer.combine(self.sent, self.handle, topk_weights=self.weights)

    def destroy(self):
        self.buffer.destroy()


LIBRARIES = {"ll": LowLatency, "v2": V2}


class Copies:
    """Copies to the neighbour's GPU, as long as `on`."""

    def __init__(self, rank, ranks):
        self.on = self.ended = False
        self._target = torch.device("cuda", (rank + 1) % ranks)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._device = torch.cuda.current_device()
        self._thread.start()

    def _run(self):
        torch.cuda.set_device(self._device)
        stream, here, there = torch.cuda.Stream(), None, None
        events = []
        while not self.ended:
            if not self.on:
                time.sleep(0.001)
                continue
            if here is None:
                here = torch.zeros(1 << 28, dtype=torch.uint8, device="cuda")
                there = torch.zeros(1 << 28, dtype=torch.uint8, device=self._target)
            with torch.cuda.stream(stream):
                there.copy_(here, non_blocking=True)
                events.append(torch.cuda.Event())
                events[-1].record(stream)
            if len(events) > 3:
                events.pop(0).synchronize()
        torch.cuda.synchronize()


class Job:
    """One rank."""

    def __init__(self, rank, options):
        self.rank, self.options = rank, options
        self.group = dist.new_group(list(range(options.ranks)))
        dist.all_reduce(torch.ones(1, device="cuda"), group=self.group)
        self.buffers = [LIBRARIES[options.library](self.group, options.tokens, options.fp8)
                        for _ in range(options.buffers)]
        generator = torch.Generator().manual_seed(rank)
        work = options.work_us * 1e3
        durations = (work * (1 + options.jitter * torch.randn(4096, generator=generator))
                     ).clamp(min=1000).int().tolist()
        self.spins = (Spin(durations), Spin(durations[2048:] + durations[:2048]))
        torch.manual_seed(rank)
        self.inputs = {}
        for share in (1.0, 0.5):
            tokens = int(options.tokens * share)
            scores = torch.rand(tokens, EXPERTS, device="cuda")
            self.inputs[share] = (
                torch.randn(tokens, HIDDEN, dtype=torch.bfloat16, device="cuda"),
                torch.topk(scores, TOPK, dim=1).indices,
                torch.rand(tokens, TOPK, dtype=torch.float, device="cuda"))
        self.graphs = {}
        self.copies = Copies(rank, options.ranks)

    def pair(self, share):
        x, topk_idx, weights = self.inputs[share]
        for buffer in self.buffers:
            if self.options.work_us > 0:
                self.spins[0]()
            buffer.dispatch(x, topk_idx, weights)
            if self.options.work_us > 0:
                self.spins[1]()
            buffer.combine(topk_idx, weights)

    def prepare(self, shares):
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            for share in shares:
                for _ in range(3):
                    self.pair(share)
                torch.cuda.synchronize()
                dist.barrier()
                if not self.options.eager:
                    graph = torch.cuda.CUDAGraph()
                    with torch.cuda.graph(graph, stream=stream):
                        for _ in range(self.options.pairs):
                            self.pair(share)
                    self.graphs[share] = graph
                torch.cuda.synchronize()
                dist.barrier()
        self.events = [torch.cuda.Event(enable_timing=True) for _ in range(8)]

    def run_phase(self, phase, ends):
        """All ranks do the same number of steps: rank 0 says how long it goes on."""
        for index, spin in enumerate(self.spins):
            spin.more = 1e3 * sum(one["us"] for one in [phase, *phase.get("also", [])]
                                  if one.get("rank") == self.rank
                                  and one.get("operator") == ("dispatch", "combine")[index])
        self.copies.on = bool(phase.get("rank") == self.rank and phase.get("slow"))
        share = phase.get("tokens", 1.0)
        turn, steps, began = 0, 0, time.time()
        more = torch.ones(1, dtype=torch.int32)
        begin = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        begin.record()
        while True:
            for _ in range(20):
                event = self.events[turn % len(self.events)]
                if turn >= len(self.events):
                    event.synchronize()
                if self.options.eager:
                    for _ in range(self.options.pairs):
                        self.pair(share)
                else:
                    self.graphs[share].replay()
                event.record()
                turn += 1
                steps += self.options.pairs
            if self.rank == 0:
                more[0] = time.time() < ends
            dist.broadcast(more, 0, group=ends_group)
            if not more[0]:
                break
        end.record()
        torch.cuda.synchronize()
        self.copies.on = False
        return {"from": began, "to": time.time(), "steps": steps,
                "step_us": begin.elapsed_time(end) * 1e3 / steps}

    def destroy(self):
        self.copies.ended = True
        self.graphs.clear()
        for buffer in self.buffers:
            buffer.destroy()


ends_group = None


def run(rank, options, port):
    global ends_group
    torch.cuda.set_device(rank)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("nccl", store=store, rank=rank, world_size=options.ranks,
                            device_id=torch.device("cuda", rank))
    ends_group = dist.new_group(backend="gloo")
    with open(options.plan, encoding="utf-8") as file:
        plan = json.load(file)
    for round_ in range(options.rounds):
        job = Job(rank, options)
        began = time.time()
        job.prepare(sorted({phase.get("tokens", 1.0) for phase in plan}, reverse=True))
        if rank == 0:
            print(f"round {round_}: ready after {time.time() - began:.1f} s", flush=True)
        for phase in plan:
            done = job.run_phase(phase, time.time() + phase["seconds"])
            if rank == 0:
                with open(options.truth, "a", encoding="utf-8") as file:
                    file.write(json.dumps({**phase, **done, "round": round_}) + "\n")
        job.destroy()
    dist.barrier()
    dist.destroy_process_group()


def main():
    options = arguments()
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    context = mp.get_context("spawn")
    ranks = []
    attached = os.environ.get("DEEPXTRACE")
    for rank in range(options.ranks):
        if rank == options.unattached:
            os.environ["DEEPXTRACE"] = "0"
        elif attached is not None:
            os.environ["DEEPXTRACE"] = attached
        ranks.append(context.Process(target=run, args=(rank, options, store.port)))
        ranks[-1].start()
    for process in ranks:
        process.join()
    sys.exit(max((process.exitcode != 0 for process in ranks), default=0))


if __name__ == "__main__":
    main()
