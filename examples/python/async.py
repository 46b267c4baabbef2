# SPDX-License-Identifier: Apache-2.0
"""Diagnosis on a thread: every second, whatever the job does. Rank 0 writes diagnose_rank0.log and
diagnose_rank0.jsonl.

    torchrun --nproc_per_node 4 async.py
    deepxtrace analyze diagnose_rank0.jsonl
"""
import os

from layer import Layer, join_group

from deepxtrace import diagnose as ds

STEPS = int(os.environ.get("STEPS", "1000"))


def main():
    group = join_group()
    layer = Layer(group)
    diagnosis = ds.Diagnose(group, interval=1, enable_async=True)
    dispatch_stats, combine_stats = diagnosis.get_stats_ll_stats_tensor()
    diagnosis.start_async_diagnose()
    for _ in range(STEPS):
        layer.run(dispatch_stats, combine_stats)
    diagnosis.stop_async_diagnose()


if __name__ == "__main__":
    main()
