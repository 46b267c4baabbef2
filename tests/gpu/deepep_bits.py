# SPDX-License-Identifier: Apache-2.0
"""A program on DeepEP V2 that knows nothing of DeepXTrace: many operations with inputs that change,
and one number for all results of each rank, that of every bit of them. Run with and without the
adapter it prints the same line.

    python3 tests/gpu/deepep_bits.py --operations 10000 [--graphs] [--fp8]
"""
import argparse

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

HIDDEN, TOPK, EXPERTS, TOKENS, SETS = 7168, 8, 256, 128, 8


def digest(tensor, rows=None):
    """Of all bits; in any order of the rows, those from `rows` on left out."""
    words = tensor.contiguous().view(torch.uint8).reshape(tensor.shape[0], -1).view(torch.int64)
    place = torch.arange(1, 2 * words.shape[1], 2, device=words.device) * 0x9E3779B97F4A7C1
    sums = ((words ^ (words >> 29)) * place).sum(dim=1)
    sums = sums * (sums >> 17 | 1)
    if rows is not None:
        sums = torch.where(torch.arange(len(sums), device=words.device) < rows, sums, 0)
    return sums.sum()


class Rank:
    def __init__(self, rank, options):
        import deep_ep
        group = dist.new_group(list(range(options.ranks)))
        dist.all_reduce(torch.ones(1, device="cuda"), group=group)
        self.buffer = deep_ep.ElasticBuffer(
            group, num_max_tokens_per_rank=TOKENS, hidden=HIDDEN, num_topk=TOPK,
            use_fp8_dispatch=options.fp8, deterministic=not options.graphs,
            allow_hybrid_mode=False, explicitly_destroy=True)
        self.graphs = options.graphs
        torch.manual_seed(1000 + rank)
        self.sets = []
        for _ in range(SETS):
            x = torch.randn(TOKENS, HIDDEN, dtype=torch.bfloat16, device="cuda")
            if options.fp8:
                scales = torch.rand(TOKENS, HIDDEN // 128, dtype=torch.float, device="cuda") + 0.5
                x = (x.to(torch.float8_e4m3fn), scales)
            self.sets.append((
                x, torch.topk(torch.rand(TOKENS, EXPERTS, device="cuda"), TOPK, dim=1).indices,
                torch.rand(TOKENS, TOPK, dtype=torch.float, device="cuda")))
        self.total = torch.zeros((), dtype=torch.int64, device="cuda")

    def operation(self, index):
        x, topk_idx, weights = self.sets[index % SETS]
        received, _, received_weights, handle, _ = self.buffer.dispatch(
            x, topk_idx=topk_idx, topk_weights=weights, num_experts=EXPERTS,
            do_cpu_sync=not self.graphs)
        rows = handle.psum_num_recv_tokens_per_scaleup_rank[-1]
        parts = received if isinstance(received, tuple) else (received,)
        answer = parts[0].to(torch.bfloat16)
        combined, combined_weights, _ = self.buffer.combine(answer, handle,
                                                            topk_weights=received_weights)
        self.total.mul_(0x5851F42D4C957F2D)
        for part in parts:
            self.total.add_(digest(part.view(torch.uint8).reshape(part.shape[0], -1), rows))
        self.total.add_(digest(combined))
        self.total.add_(digest(combined_weights))


def run(rank, options, port):
    torch.cuda.set_device(rank)
    store = dist.TCPStore("127.0.0.1", port, wait_for_workers=False)
    dist.init_process_group("nccl", store=store, rank=rank, world_size=options.ranks,
                            device_id=torch.device("cuda", rank))
    one = Rank(rank, options)
    done = 0
    if options.graphs:
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            for index in range(SETS):
                one.operation(index)
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=stream):
                for index in range(SETS):
                    one.operation(index)
            one.total.zero_()
            while done < options.operations:
                graph.replay()
                done += SETS
    else:
        while done < options.operations:
            one.operation(done)
            done += 1
    torch.cuda.synchronize()
    totals = [torch.zeros_like(one.total) for _ in range(options.ranks)]
    dist.all_gather(totals, one.total)
    if rank == 0:
        print(f"{done} operations:", " ".join(f"{int(total) & (1 << 64) - 1:016x}"
                                              for total in totals), flush=True)
    torch.cuda.synchronize()
    one.buffer.destroy()
    dist.barrier()
    dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--operations", type=int, default=10000)
    parser.add_argument("--graphs", action="store_true")
    parser.add_argument("--fp8", action="store_true")
    options = parser.parse_args()
    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    mp.spawn(run, args=(options, store.port), nprocs=options.ranks)


if __name__ == "__main__":
    main()
