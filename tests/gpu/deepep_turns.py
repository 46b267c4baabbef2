# SPDX-License-Identifier: Apache-2.0
"""Runs of deepep_job.py's program, one attached and one not, which take turns on the same GPUs: what
being attached costs, in pairs.

    python3 tests/gpu/deepep_turns.py --library v2 --work-us 0 --blocks 4 --rounds 10 OUT.jsonl

With --against FOLDER, as often as you like, one more run takes turns with these, attached with the
package deepxtrace that lies in FOLDER, such as one with other headers. Each round starts all anew.
OUT gets a line for each block; printed are the median ratios to the run that is not attached.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import deepep_job  # noqa: E402

ATTACHED, PLAIN = "attached", "plain"
#: After this long a run that another one waits for is taken for lost.
PATIENCE = 120.0


def parser():
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("out")
    made.add_argument("--library", choices=("ll", "v2"), required=True)
    made.add_argument("--ranks", type=int, default=2)
    made.add_argument("--tokens", type=int, default=128)
    made.add_argument("--formats", nargs="+", choices=("bf16", "fp8"), default=["bf16"])
    made.add_argument("--work-us", type=float, default=0.0)
    made.add_argument("--jitter", type=float, default=0.0)
    made.add_argument("--pairs", type=int, default=10)
    made.add_argument("--blocks", type=int, default=4)
    made.add_argument("--block-seconds", type=float, default=0.4)
    made.add_argument("--rounds", type=int, default=1)
    made.add_argument("--interval", type=float, default=1.0)
    made.add_argument("--against", metavar="FOLDER", action="append", default=[])
    made.add_argument("--name", help=argparse.SUPPRESS)
    made.add_argument("--folder", help=argparse.SUPPRESS)
    made.set_defaults(eager=False, buffers=1)
    return made


def names_of(options):
    """Of the runs, in their turn."""
    return [ATTACHED, PLAIN, *options.against]


def wait_for(folder, what):
    """Until a file has that content, or is there at all."""
    name, content = what
    deadline = time.monotonic() + PATIENCE
    path = os.path.join(folder, name)
    while time.monotonic() < deadline:
        try:
            with open(path, encoding="utf-8") as file:
                if content is None or file.read() == content:
                    return
        except FileNotFoundError:
            pass
        time.sleep(0.0005)
    raise TimeoutError(f"another run does not come: {path}")


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(path + ".new", path)


def meet(folder, what, own, runs):
    """Until all runs have come to this."""
    write(folder, f"{what}-{own}", "")
    for one in range(runs):
        wait_for(folder, (f"{what}-{one}", None))


def run(rank, options, port):
    torch.cuda.set_device(rank)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("nccl", store=store, rank=rank, world_size=options.ranks,
                            device_id=torch.device("cuda", rank))
    deepep_job.ends_group = dist.new_group(backend="gloo")
    jobs = {}
    for name in options.formats:
        options.fp8 = name == "fp8"
        jobs[name] = deepep_job.Job(rank, options)
        jobs[name].prepare([1.0])
        jobs[name].run_phase({}, time.time() + options.block_seconds)
    names = names_of(options)
    own = names.index(options.name)
    following = names[(own + 1) % len(names)]
    if rank == 0:
        meet(options.folder, "ready", own, len(names))
    for block in range(options.blocks):
        if rank == 0:
            wait_for(options.folder, ("turn", options.name))
        dist.barrier(group=deepep_job.ends_group)
        for name, job in jobs.items():
            done = job.run_phase({}, time.time() + options.block_seconds)
            if rank == 0:
                with open(options.out, "a", encoding="utf-8") as file:
                    file.write(json.dumps({"name": options.name, "format": name, "block": block,
                                           **done}) + "\n")
        if rank == 0:
            write(options.folder, "turn", following)
    if rank == 0:
        meet(options.folder, "ended", own, len(names))
    dist.barrier(group=deepep_job.ends_group)
    for job in jobs.values():
        job.destroy()
    dist.destroy_process_group()


def start(name, folder):
    command = [sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--name", name, "--folder",
               folder]
    environment = dict(os.environ, DEEPXTRACE="0")
    if name != PLAIN:
        environment["DEEPXTRACE"] = "1"
        if name != ATTACHED:
            environment["PYTHONPATH"] = name + os.pathsep + environment.get("PYTHONPATH", "")
        command = [sys.executable, "-m", "deepxtrace.run", "--interval", sys_interval(),
                   "--output", os.path.join(folder, "logs"), *command]
    return subprocess.Popen(command, env=environment)


def sys_interval():
    return str(parser().parse_args().interval)


def main():
    options = parser().parse_args()
    if options.name is not None:
        store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
        mp.spawn(run, args=(options, store.port), nprocs=options.ranks)
        return
    began = 0
    if os.path.exists(options.out):
        os.unlink(options.out)
    names = names_of(options)
    ratios = {(name, run): [] for name in options.formats for run in names if run != PLAIN}
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            write(folder, "turn", names[number % len(names)])
            for job in [start(name, folder) for name in names]:
                if job.wait() != 0:
                    sys.exit("a run failed")
        with open(options.out, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file][began:]
        began += len(lines)
        for (name, attached), found in ratios.items():
            found.append(report(number, name, attached,
                                [line for line in lines if line["format"] == name]))
    for (name, attached), found in ratios.items():
        print(f"{options.library} {name} {attached}: median ratio {statistics.median(found):.4f}, "
              f"from {min(found):.4f} to {max(found):.4f}, {options.rounds} rounds")


def report(number, name, attached, lines):
    """The ratio of one round."""
    with_it, without = ([line["step_us"] for line in lines if line["name"] == who]
                        for who in (attached, PLAIN))
    pairs = [one / other for one, other in zip(with_it, without)]
    ratio = statistics.median(pairs)
    print(f"round {number} {name}: {attached} {statistics.median(with_it):.2f} us, plain "
          f"{statistics.median(without):.2f} us, ratio {ratio:.4f} ({len(pairs)} pairs)", flush=True)
    return ratio


if __name__ == "__main__":
    main()
