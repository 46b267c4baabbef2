# SPDX-License-Identifier: Apache-2.0
"""The sample of the established interface, as written, on the real DeepEP: ranks are held up for 1 ms
on purpose, and are to be named, with sizes within 10 %, and nobody else; in sync and in async mode.
How late they are is measured: at least as long as they slept, which is more than 1 ms, at most until
their call of the operator has returned. Neither experts nor operations are told by the program.
Needs two GPUs (with four, two ranks are late), torch and DeepEP:

    PYTHONPATH=python DEEPXTRACE_LIBRARY_PATH=build/lib python3 tests/gpu/sample_deepep.py
        [--steps 6000] [--modes sync async] [--keep FOLDER]
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

TOKENS, HIDDEN, TOPK, EXPERTS_PER_RANK, DELAY_US = 64, 2048, 8, 32, 1000


class Held:
    """How long a rank was held up before one operator, µs."""

    def __init__(self, file):
        self.file, self.slept, self.called, self._began = file, [], [], 0.0

    def hold_up(self):
        torch.cuda.synchronize()
        self._began = time.perf_counter()
        time.sleep(DELAY_US / 1e6)
        self.slept.append(1e6 * (time.perf_counter() - self._began))

    def has_called(self):
        self.called.append(1e6 * (time.perf_counter() - self._began))

    def tell(self):
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump([statistics.mean(self.slept), statistics.mean(self.called)], file)


def held_file(folder, operator):
    return os.path.join(folder, f"held_{('dispatch', 'combine')[operator]}.json")


def worker(rank, ranks, port, mode, late, steps):
    from deep_ep import Buffer

    from deepxtrace import diagnose as ds

    torch.cuda.set_device(rank)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("nccl", store=store, rank=rank, world_size=ranks)
    group, experts = dist.group.WORLD, EXPERTS_PER_RANK * ranks
    buffer = Buffer(group, 0, Buffer.get_low_latency_rdma_size_hint(TOKENS, HIDDEN, ranks, experts),
                    low_latency_mode=True, num_qps_per_rank=EXPERTS_PER_RANK)
    x = torch.randn(TOKENS, HIDDEN).bfloat16().cuda()
    weights, routes = torch.rand(TOKENS, experts).topk(TOPK, dim=-1)
    weights, routes = weights.cuda(), routes.cuda()

    folder = os.environ["DEEPEP_DIAGNOSE_LOG_PATH"]
    held = {operator: Held(held_file(folder, operator))
            for operator in (0, 1) if late[operator] == rank}

    def hold_up(operator):
        if operator in held:
            held[operator].hold_up()

    def has_called(operator):
        if operator in held:
            held[operator].has_called()

    diagnosis = ds.Diagnose(group, interval=2, enable_async=mode == "async")
    dispatch_stats, combine_stats = diagnosis.get_stats_ll_stats_tensor()
    if mode == "async":
        diagnosis.start_async_diagnose()
    for _ in range(steps):
        hold_up(0)
        received, _, handle, _, _ = buffer.low_latency_dispatch(
            x, routes, TOKENS, experts, dispatch_wait_recv_cost_stats=dispatch_stats, use_fp8=False)
        has_called(0)
        hold_up(1)
        buffer.low_latency_combine(received, routes, weights, handle,
                                   combine_wait_recv_cost_stats=combine_stats)
        has_called(1)
        if mode == "sync":
            diagnosis.diagnose_ll_sync(diagnose_step=100)
    torch.cuda.synchronize()
    for one in held.values():
        one.tell()
    dist.barrier()
    diagnosis.close()
    dist.destroy_process_group()


def judge(folder, late, ranks):
    """Lines of what is wrong; how many windows were looked at."""
    command = os.environ.get("DEEPXTRACE_COMMAND", "build/bin/deepxtrace")
    recording = os.path.join(folder, "diagnose_rank0.jsonl")
    done = subprocess.run([command, "analyze", "--json", recording], stdout=subprocess.PIPE,
                          check=True)
    windows = [line for line in map(json.loads, done.stdout.splitlines()) if "phase" in line]
    with open(recording, encoding="utf-8") as file:
        recorded = [json.loads(line) for line in file]
    held = []
    for operator in (0, 1):
        with open(held_file(folder, operator), encoding="utf-8") as file:
            held.append(json.load(file))
    wrong = []
    for window, line in list(zip(windows, recorded))[2:]:  # the first has the start of the job
        operator = ("dispatch", "combine").index(window["phase"])
        truth, (least, most) = late[operator], held[operator]
        said = [(f["kind"], f.get("rank"), f.get("wait_us")) for f in window["findings"]]
        right = [one for one in said if one[:2] == ("late_rank", truth)
                 and 0.9 * least <= one[2] <= 1.1 * most]
        either = ranks == 2 and any(" or rank " in f["text"] for f in window["findings"])
        if not (len(said) == 1 and (right or either)):
            kept = {key: line.get(key) for key in ("ops", "samples", "elapsed_ns", "run_delay_ns",
                                                   "wait")}
            wrong.append(f"{window['phase']} {window['window']}: {window['verdict']}, {said}, of "
                         f"{json.dumps(kept)}")
    return wrong, len(windows), held


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--modes", nargs="+", choices=("sync", "async"), default=["sync", "async"])
    parser.add_argument("--keep", help="folder for the recordings")
    args = parser.parse_args()
    ranks = min(torch.cuda.device_count(), 4)
    if ranks < 2:
        print("needs two GPUs")
        sys.exit(77)
    late, failed = ((2, 3) if ranks == 4 else (1, 1)), False
    for mode in args.modes:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["DEEPEP_DIAGNOSE_LOG_PATH"] = folder
            store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
            mp.spawn(worker, (ranks, store.port, mode, late, args.steps), nprocs=ranks)
            wrong, count, held = judge(folder, late, ranks)
            if args.keep:
                shutil.copytree(folder, os.path.join(args.keep, mode), dirs_exist_ok=True)
        lengths = " and ".join(f"{least:.0f} to {most:.0f} us" for least, most in held)
        print(f"{mode}: {ranks} ranks, late by {lengths}: {count} windows, {len(wrong)} wrong",
              *wrong, sep="\n  ")
        failed = failed or bool(wrong) or count < 6
    sys.exit(failed)


if __name__ == "__main__":
    main()
