# SPDX-License-Identifier: Apache-2.0
"""What counters cost DeepEP V2's kernels: kernels with and without them take turns in one process, on
the same buffer and the same inputs. Whole programs (deepep_turns.py) differ by 1 % from run to run,
since their buffers lie elsewhere; this does not.

    python3 tests/gpu/deepep_kernels.py --seconds 40 OUT.jsonl [--against FOLDER]

FOLDER, as often as you like, has include/ with other headers in it. Of each set of headers there are
some copies of the kernels, since copies lie elsewhere in memory and differ by some tenths of a
percent. OUT gets a line for each copy, with the times of its blocks of replays. Printed is, for each
set, the median over the turns of its copies' mean, divided by that of the plain ones in the same turn,
its 95 % interval, and the ratios of single copies. "plain again" is the same kernels once more: what
it differs by is nothing.

Kernels are told apart by their time-out, a number in their source, which is one more for each copy;
deepep_nvcc.py stands before nvcc, and names the headers.
"""
import argparse
import ctypes
import json
import os
import random
import shlex
import statistics
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deepep_job  # noqa: E402

PLAIN, AGAIN, COUNTED = "plain", "plain again", "counted"
COMPILER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "deepep_nvcc.py")
#: A time-out that nothing else in a buffer is equal to.
SECONDS = 97
FORMATS = ("bf16", "fp8")
#: Of struct Area (deepep_v2.cuh): how many barriers the last SM has seen.
SEEN = 32


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--work-us", type=float, default=0.0)
    parser.add_argument("--jitter", type=float, default=0.0)
    parser.add_argument("--pairs", type=int, default=10, help="in a graph")
    parser.add_argument("--replays", type=int, default=20, help="in a block")
    parser.add_argument("--copies", type=int, default=3, help="of the kernels of each set")
    parser.add_argument("--seconds", type=float, default=30.0, help="for each format")
    parser.add_argument("--against", metavar="FOLDER", action="append", default=[])
    parser.set_defaults(library="v2", eager=False, buffers=1)
    return parser.parse_args()


class Timeout:
    """The time-out of a buffer, wherever the library's object keeps it."""

    def __init__(self, runtime, value):
        # A Python object of pybind11: its header, then a pointer to what it stands for.
        address = ctypes.cast(id(runtime) + 16, ctypes.POINTER(ctypes.c_uint64))[0]
        self._words = ctypes.cast(address, ctypes.POINTER(ctypes.c_int64))
        found = [k for k in range(64) if self._words[k] == value]
        if len(found) != 1:
            sys.exit(f"a buffer has its time-out {len(found)} times, not once")
        self._at, self._first = found[0], value

    def choose(self, number):
        self._words[self._at] = self._first + number


class Counter:
    """The number of barriers in a workspace, and where it is kept how many were seen."""

    def __init__(self, workspace, offset):
        self._copy = ctypes.CDLL("libcuda.so.1").cuMemcpyDtoDAsync_v2
        self._copy.argtypes = (ctypes.c_uint64, ctypes.c_uint64, ctypes.c_size_t, ctypes.c_void_p)
        self._from, self._to = workspace, workspace + offset + SEEN

    def adjust(self):
        """As if all had been seen, those of other kernels, too."""
        if self._copy(self._to, self._from, 8, torch.cuda.current_stream().cuda_stream) != 0:
            sys.exit("the number of barriers cannot be copied")


def first_timeout():
    """Cycles, as the library computes them."""
    rate, clock_rate = ctypes.c_int(), 13  # in kHz; CU_DEVICE_ATTRIBUTE_CLOCK_RATE
    if ctypes.CDLL("libcuda.so.1").cuDeviceGetAttribute(ctypes.byref(rate), clock_rate, 0) != 0:
        sys.exit("the clock rate cannot be read")
    return SECONDS * rate.value * 1000


def run(rank, options, roots, offset, folder, port):
    torch.cuda.set_device(rank)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("nccl", store=store, rank=rank, world_size=options.ranks,
                            device_id=torch.device("cuda", rank))
    control = dist.new_group(backend="gloo")
    first = first_timeout()
    if rank == 0:
        write_compiler(folder, first, roots, options.copies)
    dist.barrier(group=control)
    os.environ["EP_JIT_NVCC_COMPILER"] = os.path.join(folder, "nvcc")
    os.environ["EP_JIT_CACHE_DIR"] = os.path.join(folder, f"kernels-{rank}")
    import deep_ep
    from deepxtrace.adapters.deepep_v2 import _Workspaces
    make = deep_ep.ElasticBuffer
    deep_ep.ElasticBuffer = lambda *args, **more: make(*args, num_gpu_timeout_secs=SECONDS, **more)
    workspaces = _Workspaces(sys.modules["deep_ep._C"].__file__)
    for name in options.formats:
        options.fp8 = name == "fp8"
        with workspaces.watch() as found:
            job = deepep_job.Job(rank, options)
        timeout = Timeout(job.buffers[0].buffer.runtime, first)
        graphs, stream, pool = [], torch.cuda.Stream(), torch.cuda.graph_pool_handle()
        for k in range(len(roots) * options.copies):
            timeout.choose(k)
            graphs.append(capture(job, options.pairs, stream, pool, control))
        measure(rank, options, list(roots), graphs, Counter(found[0], offset), control)
        graphs.clear()
        job.destroy()
    dist.barrier(group=control)
    dist.destroy_process_group()


def capture(job, pairs, stream, pool, control):
    """A graph of pairs. All graphs of a pool have their results in the same places."""
    def pair():
        job.pair(1.0)
        for buffer in job.buffers:
            buffer.handle = buffer.weights = None

    with torch.cuda.stream(stream):
        for _ in range(3):
            pair()
        torch.cuda.synchronize()
        dist.barrier(group=control)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, stream=stream):
            for _ in range(pairs):
                pair()
        torch.cuda.synchronize()
        dist.barrier(group=control)
    return graph


def write_compiler(folder, first, roots, copies):
    """What the library calls in the place of nvcc."""
    from torch.utils.cpp_extension import CUDA_HOME
    settings = os.path.join(folder, "settings.json")
    with open(settings, "w", encoding="utf-8") as file:
        json.dump({"nvcc": os.path.join(CUDA_HOME, "bin/nvcc"), "first": first, "folder": folder,
                   "roots": [root for root in roots.values() for _ in range(copies)]}, file)
    path = os.path.join(folder, "nvcc")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(COMPILER)} "
                   f'{shlex.quote(settings)} "$@"\n')
    os.chmod(path, 0o700)


def measure(rank, options, names, graphs, counter, control):
    """Blocks of replays in turns, each turn in an order of its own."""
    order = random.Random(1)
    times = [[] for _ in graphs]
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    more = torch.ones(1, dtype=torch.int32)
    ends = time.monotonic() + options.seconds
    turn = list(range(len(graphs)))
    while more[0]:
        order.shuffle(turn)
        for k in turn:
            counter.adjust()
            graphs[k].replay()
            begin.record()
            for _ in range(options.replays):
                graphs[k].replay()
            end.record()
            end.synchronize()
            times[k].append(begin.elapsed_time(end) * 1e3 / options.replays / options.pairs)
            dist.barrier(group=control)
        if rank == 0:
            more[0] = time.monotonic() < ends
        dist.broadcast(more, 0, group=control)
    if rank == 0:
        report(options, "fp8" if options.fp8 else "bf16",
               {name: times[k * options.copies:(k + 1) * options.copies]
                for k, name in enumerate(names)})


def report(options, form, times):
    with open(options.out, "a", encoding="utf-8") as file:
        for name, copies in times.items():
            for copy, of in enumerate(copies):
                file.write(json.dumps({"format": form, "name": name, "copy": copy,
                                       "step_us": of}) + "\n")
    means = {name: [statistics.fmean(turn) for turn in zip(*copies)]
             for name, copies in times.items()}
    for name, copies in times.items():
        ratios = sorted(one / other for one, other in zip(means[name], means[PLAIN]))
        count = len(ratios)
        low, high = (ratios[max(0, min(count - 1, round(count / 2 + side * 0.98 * count**0.5)))]
                     for side in (-1, 1))
        each = " ".join(f"{statistics.median(a / b for a, b in zip(of, means[PLAIN])):.4f}"
                        for of in copies)
        print(f"{form} {name}: {statistics.median(means[name]):.2f} us, ratio "
              f"{statistics.median(ratios):.4f} ({low:.4f} to {high:.4f}), copies {each}, "
              f"{count} turns", flush=True)


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        import deep_ep
        from deepxtrace.adapters._deepep_build import Compiler, prepare
        from deepxtrace.adapters.deepep_v2 import _architecture
        from torch.utils.cpp_extension import CUDA_HOME
        plain = os.path.dirname(os.path.abspath(deep_ep.__file__))
        headers = prepare(plain, Compiler(os.path.join(CUDA_HOME, "bin/nvcc"), _architecture(),
                                          deep_ep.find_nccl_root()), folder)
        roots = {PLAIN: plain, AGAIN: plain, COUNTED: headers.root,
                 **{one: os.path.abspath(one) for one in options.against}}
        store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
        mp.spawn(run, args=(options, roots, headers.offset, folder, store.port),
                 nprocs=options.ranks)


if __name__ == "__main__":
    main()
