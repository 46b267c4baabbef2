# SPDX-License-Identifier: Apache-2.0
"""What attach() adds to a Python call of low_latency_dispatch, which then does nothing. Under CUDA
graphs there is no such call.

    PYTHONPATH=python DEEPXTRACE_LIBRARY_PATH=build/lib python3 bench/attach_cost.py
"""
import statistics
import sys
import time
import types

import torch

from deepxtrace import _attach

CALLS, PAIRS = 20000, 25


class Group:
    def size(self):
        return 8


class Diagnosis:
    group_size = 8

    def __init__(self):
        self.counters = tuple(torch.zeros(8, dtype=torch.int64) for _ in range(2))

    def get_stats_ll_stats_tensor(self):
        return self.counters

    def set_local_experts(self, count):
        pass

    start_async_diagnose = close = _say = lambda *arguments: None


class Buffer:
    def __init__(self, group):
        self.group = group

    def low_latency_dispatch(self, x, topk_idx, num_max_dispatch_tokens_per_rank, num_experts,
                             cumulative_local_expert_recv_stats=None,
                             dispatch_wait_recv_cost_stats=None, use_fp8=True, round_scale=False,
                             use_ue8m0=False, async_finish=False, return_recv_hook=False):
        return dispatch_wait_recv_cost_stats

    def low_latency_combine(self, x, combine_wait_recv_cost_stats=None):
        pass


def microseconds(method, buffer, x):
    begin = time.perf_counter()
    for _ in range(CALLS):
        method(buffer, x, None, 16, 64, use_fp8=True, return_recv_hook=True)
    return (time.perf_counter() - begin) / CALLS * 1e6


def main():
    _attach._make_diagnose = lambda *arguments: Diagnosis()
    _attach._is_process_group = lambda group: True
    sys.modules["deep_ep"] = module = types.ModuleType("deep_ep")
    module.Buffer = Buffer
    plain = Buffer.low_latency_dispatch
    _attach.attach()
    buffer, x = Buffer(Group()), torch.zeros(4)
    assert Buffer.low_latency_dispatch(buffer, x, None, 16, 64) is not None
    added = [microseconds(Buffer.low_latency_dispatch, buffer, x) - microseconds(plain, buffer, x)
             for _ in range(PAIRS)]
    quarters = statistics.quantiles(added)
    print(f"attach() adds {quarters[1]:.2f} us to a call ({quarters[0]:.2f} to {quarters[2]:.2f})")


if __name__ == "__main__":
    main()
