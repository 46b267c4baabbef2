# SPDX-License-Identifier: Apache-2.0
"""One rank of a job whose ranks do not need each other, so that it can be seen what the diagnosis
does to it: job.py RANK RANKS PORT INTERVAL STEPS-FILE|-. Runs until the file `end` appears in the
folder it was started in. Rank 1 is late in dispatch. With a steps file, begin and length of every
step in ns go there. An interval of 0 is a job without a diagnosis, to compare with. While there is
a file `full.log` or `full.jsonl`, there is no room for files of that kind."""
import errno
import os
import sys
import time

import numpy as np
import torch
import torch.distributed as dist

from deepxtrace import _log, diagnose as ds

TICKS = 10**9


class Group:
    def __init__(self, rank, ranks):
        self._rank, self._ranks = rank, ranks

    def rank(self):
        return self._rank

    def size(self):
        return self._ranks


def fill_the_disk():
    real = _log.LineFile._append

    def append(file, text):
        if os.path.exists("full" + os.path.splitext(file.path)[1]):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(file, text)

    _log.LineFile._append = append


def main():
    rank, ranks, port = (int(word) for word in sys.argv[1:4])
    interval, steps_file = float(sys.argv[4]), sys.argv[5]
    torch.set_num_threads(1)
    fill_the_disk()
    store = dist.PrefixStore("job", dist.TCPStore("127.0.0.1", port, None, False,
                                                  wait_for_workers=False))
    diagnosis = ds.Diagnose(Group(rank, ranks), interval=interval or 1, enable_async=True,
                            device="cpu", ticks_per_second=TICKS, store=store)
    dispatch, combine = diagnosis.get_stats_ll_stats_tensor()
    wait = torch.full((ranks,), TICKS // 10**5, dtype=torch.int64)
    waited_dispatch = wait.clone()
    if rank != 1:
        waited_dispatch[1] = TICKS // 1000
    if interval:
        diagnosis.start_async_diagnose()
    steps, work = [], np.ones((160, 160))
    while steps_file != "-" or not os.path.exists("end"):
        begin = time.monotonic_ns()
        np.dot(work, work)
        dispatch += waited_dispatch
        combine += wait
        if steps_file == "-":
            time.sleep(0.005)
            continue
        steps.append((begin, time.monotonic_ns() - begin))
        if len(steps) % 100 == 0 and os.path.exists("end"):
            break
    if steps_file != "-":
        np.save(steps_file, np.array(steps))
    before = time.monotonic()
    diagnosis.stop_async_diagnose()
    print(f"rank {rank} stopped within {time.monotonic() - before:.3f} s", flush=True)


if __name__ == "__main__":
    main()
