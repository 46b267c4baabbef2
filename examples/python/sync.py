# SPDX-License-Identifier: Apache-2.0
"""Diagnosis in step with the job: every 50 steps, on all ranks alike.

    torchrun --nproc_per_node 4 sync.py
"""
import os

from layer import Layer, join_group

from deepxtrace import diagnose as ds

STEPS = int(os.environ.get("STEPS", "200"))


def main():
    group = join_group()
    layer = Layer(group)
    diagnosis = ds.Diagnose(group)
    dispatch_stats, combine_stats = diagnosis.get_stats_ll_stats_tensor()
    for _ in range(STEPS):
        layer.run(dispatch_stats, combine_stats)
        results = diagnosis.diagnose_ll_sync(diagnose_step=50)
        for number, result in enumerate(results or []):  # rank 0, every 50 steps
            operator = ("dispatch", "combine")[number % 2]
            for finding in result["findings"]:
                print(f"{operator} in window {result['window']}: {finding['text']}", flush=True)


if __name__ == "__main__":
    main()
