# SPDX-License-Identifier: Apache-2.0
"""deepxtrace.ep.Buffer against a reference in plain torch."""

from __future__ import annotations

import os
import resource
import signal
import time
import weakref
from typing import Any, List, Tuple

import numpy as np
import pytest

torch = pytest.importorskip("torch")
import torch.distributed as dist  # noqa: E402

from deepxtrace import _ep_memory, ep  # noqa: E402
from ranks import quit_at_once, run_ranks  # noqa: E402

HIDDEN = 512
TOKENS = 12
BLOCK = 128


def make_buffer(ranks: int, experts: int, group: Any = None, **more: Any) -> ep.Buffer:
    group = group or dist.group.WORLD
    size = ep.Buffer.get_low_latency_rdma_size_hint(TOKENS, HIDDEN, ranks, experts)
    return ep.Buffer(group, 0, size, low_latency_mode=True, **more)


def inputs(step: int, rank: int, experts: int, topk: int) -> Tuple[Any, Any, Any]:
    """x, topk_idx and topk_weights of a rank; all ranks can work out those of the others."""
    generator = torch.Generator().manual_seed(1000 * step + rank)
    tokens = (0, 1, TOKENS, 5)[(step + rank) % 4]
    x = torch.randn(tokens, HIDDEN, generator=generator).bfloat16()
    scores = torch.rand(tokens, experts, generator=generator)
    topk_idx = torch.topk(scores, topk, dim=1).indices
    unused = torch.rand(tokens, topk, generator=generator) < 0.2
    topk_idx = topk_idx.masked_fill(unused, -1)
    weights = torch.rand(tokens, topk, generator=generator)
    return x, topk_idx, weights


def e4m3_values() -> np.ndarray:
    """The value of each code, from the definition of the format."""
    code = np.arange(256)
    exponent, mantissa = code >> 3 & 15, code & 7
    value = np.where(
        exponent == 0, mantissa * 2.0**-9, (1 + mantissa / 8) * 2.0 ** (exponent - 7.0)
    )
    value[(code & 127) == 127] = np.nan
    return np.where(code >= 128, -value, value)


def check_fp8(codes: np.ndarray, scales: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Every code is the nearest to x / scale, and scale is amax / 448. Returns what they mean."""
    blocks = x.reshape(len(x), HIDDEN // BLOCK, BLOCK)
    np.testing.assert_allclose(scales, np.abs(blocks).max(2) / 448, rtol=1e-6)
    values = e4m3_values()
    finite = np.sort(values[np.isfinite(values)])
    exact = (blocks / scales[:, :, None]).astype(np.float64)
    got = values[codes].reshape(exact.shape)
    below = np.clip(np.searchsorted(finite, exact) - 1, 0, len(finite) - 2)
    best = np.minimum(np.abs(exact - finite[below]), np.abs(exact - finite[below + 1]))
    assert (np.abs(exact - got) <= best + 1e-4 * np.abs(exact)).all()
    return (got * scales[:, :, None]).reshape(x.shape)


def expert(number: int, x: Any) -> Any:
    return (x.float() * (number % 5 - 2.25)).bfloat16()


def round_trip(
    buffer: ep.Buffer, step: int, experts: int, topk: int, fp8: bool, logfmt: bool, hooks: bool
) -> None:
    rank, ranks = buffer.rank, buffer.group_size
    local = experts // ranks
    everybody = [inputs(step, r, experts, topk) for r in range(ranks)]
    x, topk_idx, weights = everybody[rank]
    seen = torch.full((local,), 7, dtype=torch.int32)
    recv, count, handle, event, hook = buffer.low_latency_dispatch(
        x,
        topk_idx,
        TOKENS,
        experts,
        cumulative_local_expert_recv_stats=seen,
        use_fp8=fp8,
        async_finish=not hooks,
        return_recv_hook=hooks,
    )
    if hooks:
        assert seen.eq(7).all()
        hook()
    else:
        assert hook is None
        event.current_stream_wait()
    assert torch.equal(seen - 7, count)
    y = torch.full((local, ranks * TOKENS, HIDDEN), float("nan"), dtype=torch.bfloat16)
    for index in range(local):
        number = rank * local + index
        sent: List[Any] = []
        for source, (their_x, their_idx, _) in enumerate(everybody):
            chosen = (their_idx == number).any(1).nonzero()[:, 0]
            begin = sum(len(s) for s in sent)
            sent.append(their_x[chosen])
            packed = int(handle[1][index, source])
            assert (packed >> 32, packed & 0xFFFFFFFF) == (begin, len(chosen))
            assert handle[0][index, begin:begin + len(chosen)].tolist() == chosen.tolist()
        expected = torch.cat(sent)
        got = int(count[index])
        assert got == len(expected)
        if fp8:
            codes = recv[0][index, :got].view(torch.uint8).numpy()
            meant = check_fp8(codes, recv[1][index, :got].numpy(), expected.float().numpy())
            y[index, :got] = expert(number, torch.from_numpy(meant).bfloat16())
        else:
            assert torch.equal(recv[index, :got], expected)
            y[index, :got] = expert(number, expected)
    out = torch.empty_like(x)
    result, event, hook = buffer.low_latency_combine(
        y,
        topk_idx,
        weights,
        handle,
        use_logfmt=logfmt,
        async_finish=not hooks,
        return_recv_hook=hooks,
        out=out,
    )
    if hooks:
        hook()
    assert result is out
    used = topk_idx >= 0
    terms = torch.stack([expert(e, x).float() for e in range(experts)], 1)
    terms = terms.gather(1, topk_idx.clamp(min=0)[:, :, None].expand(-1, -1, HIDDEN))
    terms = terms * (weights * used)[:, :, None]
    size = terms.abs().sum(1)
    # BF16 rounds to 1/256; LogFMT is within 2.2 %, and E4M3 within 1/16 of the largest of its block
    # divided by 448 at worst.
    limit = 0.008 + 0.022 * logfmt + 0.065 * fp8
    floor = 0.02 * fp8 + 0.001
    assert ((result.float() - terms.sum(1)).abs() <= limit * size + floor).all()


FORMATS = [(False, False), (True, False), (False, True), (True, True)]


def body_matches(rank: int, ranks: int, experts: int, topk: int) -> None:
    buffer = make_buffer(ranks, experts)
    assert (buffer.rank, buffer.group_size) == (rank, ranks)
    step = 0
    for hooks in (False, True):
        for fp8, logfmt in FORMATS:
            for _ in range(4):
                round_trip(buffer, step, experts, topk, fp8, logfmt, hooks)
                step += 1


@pytest.mark.parametrize("ranks, experts, topk", [(1, 4, 2), (2, 8, 8), (3, 6, 4), (4, 16, 3)])
def test_matches_the_reference(ranks: int, experts: int, topk: int) -> None:
    run_ranks(ranks, body_matches, experts, topk)


def small(rank: int, tokens: int = 2) -> Tuple[Any, Any, Any]:
    x = torch.full((tokens, HIDDEN), float(rank + 1)).bfloat16()
    return x, torch.zeros(tokens, 1, dtype=torch.int64) + rank, torch.ones(tokens, 1)


def body_forms(rank: int, ranks: int) -> None:
    experts = 4 * ranks
    buffer = make_buffer(ranks, experts, num_qps_per_rank=4, allow_mnnvl=True, unheard_of=1)
    x, topk_idx, weights = small(rank)
    slots = ranks * TOKENS
    torch.set_default_dtype(torch.bfloat16)  # as servers do
    recv, count, handle, event, hook = buffer.low_latency_dispatch(x, topk_idx, TOKENS, experts)
    assert recv[0].shape == (4, slots, HIDDEN) and recv[0].dtype == ep.fp8_dtype
    assert recv[1].shape == (4, slots, HIDDEN // BLOCK) and recv[1].dtype == torch.float32
    assert count.shape == (4,) and count.dtype == torch.int32
    assert hook is None and isinstance(event, ep.EventOverlap)
    src_info, layout_range, most, hidden, all_experts = handle
    assert (most, hidden, all_experts) == (TOKENS, HIDDEN, experts)
    assert src_info.shape == (4, slots) and src_info.dtype == torch.int32
    assert layout_range.shape == (4, ranks) and layout_range.dtype == torch.int64
    zeros = torch.zeros(4, slots, HIDDEN).bfloat16()
    buffer.low_latency_combine(zeros, topk_idx, weights, handle)
    with event:
        pass
    buffer.clean_low_latency_buffer(TOKENS, HIDDEN, experts)
    torch.set_default_dtype(torch.float32)
    # Several operations under way, received out of order, and hooks that are called twice.
    sent = [
        buffer.low_latency_dispatch(
            (x + i).bfloat16(), topk_idx, TOKENS, experts, use_fp8=False, return_recv_hook=True
        )
        for i in range(2)
    ]
    with pytest.raises(RuntimeError, match="not received yet"):
        buffer.low_latency_dispatch(x, topk_idx, TOKENS, experts, use_fp8=False)
    with pytest.raises(RuntimeError, match="not been received"):
        buffer.low_latency_combine(sent[0][0], topk_idx, weights, sent[0][2])
    for number in (1, 0, 1, 0):
        sent[number][4]()
        assert int(sent[1][1].sum()) == (2 * ranks if rank == 0 else 0)
    for number, (recv, count, handle, _, _) in enumerate(sent):
        assert int(count.sum()) == (2 * ranks if rank == 0 else 0)
        combined, _, hook = buffer.low_latency_combine(recv, topk_idx, weights, handle)
        assert hook is None and torch.equal(combined, (x + number).bfloat16())
    # The outputs in the Buffer's own tensor.
    recv, _, handle, _, _ = buffer.low_latency_dispatch(
        x, topk_idx, TOKENS, experts, use_fp8=False
    )
    buffer.get_next_low_latency_combine_buffer(handle)[:] = recv
    combined, _, _ = buffer.low_latency_combine(
        torch.empty(0), topk_idx, weights, handle, zero_copy=True
    )
    assert torch.equal(combined, x)
    # A handle does not keep what was received.
    received = weakref.ref(recv)
    del recv, sent
    assert handle[2] == TOKENS and received() is None
    # A hook keeps the Buffer that it belongs to.
    _, count, _, _, hook = buffer.low_latency_dispatch(
        x, topk_idx, TOKENS, experts, return_recv_hook=True
    )
    del buffer
    hook()
    assert int(count.sum()) == (2 * ranks if rank == 0 else 0)


def test_forms_of_results_and_hooks() -> None:
    run_ranks(2, body_forms)


def body_counters(rank: int, ranks: int) -> None:
    experts = 2 * ranks
    buffer = make_buffer(ranks, experts)
    x, topk_idx, weights = small(rank)
    assert buffer.ticks_per_second > 1e6

    def zeros() -> Any:
        return torch.zeros(ranks, dtype=torch.int64)

    odd, combined = zeros(), zeros()
    with torch.inference_mode():
        even = zeros()
    for step in range(6):
        stats = odd if step % 2 else even
        if rank == 1:
            time.sleep(0.05)
        before = stats.clone()
        recv, _, handle, _, hook = buffer.low_latency_dispatch(
            x, topk_idx, TOKENS, experts, None, stats, use_fp8=False, return_recv_hook=True
        )
        assert torch.equal(stats, before)
        hook()
        if rank == 2:
            time.sleep(0.05)
        _, _, hook = buffer.low_latency_combine(
            recv,
            topk_idx,
            weights,
            handle,
            return_recv_hook=True,
            combine_wait_recv_cost_stats=combined,
        )
        hook()
        after = combined.clone()
        hook()
        assert torch.equal(combined, after)
    # Nobody's counters: an operation without counters leaves them alone.
    before = (odd.clone(), even.clone(), combined.clone())
    recv, _, handle, _, _ = buffer.low_latency_dispatch(x, topk_idx, TOKENS, experts, use_fp8=False)
    buffer.low_latency_combine(recv, topk_idx, weights, handle)
    assert all(torch.equal(a, b) for a, b in zip(before, (odd, even, combined)))
    # Whatever the pace of the machine, nobody waits for itself, and everybody most for the late.
    dispatched = odd + even
    assert int(dispatched[rank]) == 0 and int(combined[rank]) == 0
    assert (dispatched >= 0).all() and (combined >= 0).all()
    if rank != 1:
        assert int(dispatched.argmax()) == 1 and min(int(odd[1]), int(even[1])) > 0
    if rank != 2:
        assert int(combined.argmax()) == 2
    # An arrival that is held back counts, by at least what it is held back behind the send.
    buffer.delay_path("dispatch", (rank + 1) % ranks, 0.2)
    dist.barrier()
    held = zeros()
    buffer.low_latency_dispatch(x, topk_idx, TOKENS, experts, dispatch_wait_recv_cost_stats=held)
    assert int(held.argmax()) == (rank + 1) % ranks


def test_wait_counters_grow_when_received() -> None:
    run_ranks(3, body_counters)


def body_interrupted(rank: int, ranks: int) -> None:
    buffer = make_buffer(ranks, 4)
    x, topk_idx, _ = small(rank)
    dist.barrier()
    if rank == 1:
        dist.barrier()  # rank 0 has been interrupted
    _, count, _, _, hook = buffer.low_latency_dispatch(
        x, topk_idx, TOKENS, 4, return_recv_hook=True)
    if rank == 0:
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            hook()
        dist.barrier()
    hook()  # the operation is under way still
    sent = [int(n) for r in range(ranks) for n in small(r)[1].flatten()]
    assert count.tolist() == [sent.count(2 * rank), sent.count(2 * rank + 1)]


def test_a_signal_ends_the_wait_for_a_rank() -> None:
    # It was heard after timeout_s, 100 s.
    run_ranks(2, body_interrupted)


def body_interrupted_send(rank: int, ranks: int) -> None:
    buffer = make_buffer(ranks, 4)
    x, topk_idx, _ = small(rank)
    dist.barrier()

    def send() -> Any:
        return buffer.low_latency_dispatch(x, topk_idx, TOKENS, 4, return_recv_hook=True)

    sent = [send() for _ in range(2)]
    dist.barrier()
    if rank == 0:
        sent[0][4]()
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            send()  # rank 1 has not read what is in the buffer
        with pytest.raises(RuntimeError, match="names expert 4"):
            buffer.low_latency_dispatch(x, topk_idx + 4, TOKENS, 4)
    dist.barrier()
    if rank == 1:
        sent[0][4]()
    sent.append(send())
    for _, _, _, _, hook in sent[1:]:
        hook()
    expected = [int(n) for r in range(ranks) for n in small(r)[1].flatten()]
    for _, count, _, _, _ in sent:
        assert count.tolist() == [expected.count(2 * rank), expected.count(2 * rank + 1)]


def test_a_signal_ends_the_wait_for_a_buffer() -> None:
    # It was heard after timeout_s, 100 s.
    run_ranks(2, body_interrupted_send)


def body_interrupted_without_hooks(rank: int, ranks: int) -> None:
    buffer = make_buffer(ranks, 4)
    x, topk_idx, _ = small(rank)
    stats = torch.zeros(2, dtype=torch.int32)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    dist.barrier()
    if rank == 0:  # as many as there are buffers for
        with pytest.raises(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            buffer.low_latency_dispatch(x, topk_idx, TOKENS, 4, stats)
        with pytest.raises(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            # Nobody has this hook any more.
            buffer.low_latency_dispatch(x, topk_idx, TOKENS, 4, return_recv_hook=True)[4]()
    dist.barrier()
    if rank == 1:
        for _ in range(2):
            buffer.low_latency_dispatch(x, topk_idx, TOKENS, 4)
    _, count, _, _, _ = buffer.low_latency_dispatch(x, topk_idx, TOKENS, 4)
    sent = [int(n) for r in range(ranks) for n in small(r)[1].flatten()]
    assert count.tolist() == [sent.count(2 * rank), sent.count(2 * rank + 1)]
    assert stats.tolist() == (count.tolist() if rank == 0 else [0, 0])
    # Who holds the hooks receives them.
    held = [buffer.low_latency_dispatch(x, topk_idx, TOKENS, 4, return_recv_hook=True)[4]
            for _ in range(2)]
    with pytest.raises(RuntimeError, match="2 operations of dispatch were sent and not received"):
        buffer.low_latency_dispatch(x, topk_idx, TOKENS, 4)
    dist.barrier()
    for hook in held:
        hook()


def test_a_buffer_is_of_use_after_interrupts() -> None:
    # "2 operations were sent and not received", for ever.
    run_ranks(2, body_interrupted_without_hooks)


def body_handlers(rank: int, ranks: int, does: str) -> None:
    buffer = make_buffer(ranks, 4, explicitly_destroy=True)
    x, topk_idx, _ = small(rank)
    stats = torch.zeros(ranks, dtype=torch.int64)
    dist.barrier()
    if rank == 1:
        dist.barrier()
    hooks = [buffer.low_latency_dispatch(
        x, topk_idx, TOKENS, 4, return_recv_hook=True, dispatch_wait_recv_cost_stats=stats)[4]
        for _ in range(2)]
    if rank == 0:
        def handle(*_: Any) -> None:
            dist.barrier()  # the other rank sends
            hooks[1]() if does == "receive" else buffer.destroy()

        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        if does == "receive":
            hooks[0]()
            assert int(stats[1]) > 0
        else:
            with pytest.raises(RuntimeError, match="the Buffer was destroyed"):
                hooks[0]()
    if does == "receive":
        hooks[1]()
        _, count, _, _, _ = buffer.low_latency_dispatch(x, topk_idx, TOKENS, 4)
        sent = [int(n) for r in range(ranks) for n in small(r)[1].flatten()]
        assert count.tolist() == [sent.count(2 * rank), sent.count(2 * rank + 1)]
    dist.barrier()


@pytest.mark.parametrize("does", ["receive", "destroy"])
def test_what_a_signal_handler_may_do_meanwhile(does: str) -> None:
    # An IndexError where it destroyed the Buffer, or received everything.
    run_ranks(2, body_handlers, does)


def body_shapes(rank: int, ranks: int) -> None:
    size = ep.Buffer.get_low_latency_rdma_size_hint(32, 1024, ranks, 8)
    buffer = ep.Buffer(dist.group.WORLD, 0, size, True)
    for tokens, hidden, experts in [(4, 256, 4), (32, 1024, 8), (4, 256, 4), (8, 128, 2)] * 2:
        x = torch.full((3, hidden), 2.0 + rank).bfloat16()
        topk_idx = torch.full((3, 1), experts - 1, dtype=torch.int64)
        recv, count, handle, _, _ = buffer.low_latency_dispatch(
            x, topk_idx, tokens, experts, use_fp8=False
        )
        assert int(count.sum()) == (3 * ranks if rank == ranks - 1 else 0)
        out, _, _ = buffer.low_latency_combine(recv, topk_idx, torch.ones(3, 1), handle)
        assert torch.equal(out, x)
    # A group of some of the ranks, and another way to be given one.
    for group in [dist.new_group([r]) for r in range(ranks)]:
        if dist.get_rank(group) == 0:
            own = make_buffer(1, 4, group)
            assert (own.rank, own.group_size, own.group) == (0, 1, group)
            round_trip(own, 3, 4, 2, False, False, False)
    other = ep.Buffer(None, 0, size, True, comm=Communicator(), explicitly_destroy=True)
    round_trip(other, 5, 4, 2, False, False, True)
    dist.barrier()
    other.destroy()
    with pytest.raises(RuntimeError, match="destroyed"):
        round_trip(other, 6, 4, 2, False, False, True)
    with pytest.raises(AssertionError, match="explicitly_destroy"):
        buffer.destroy()
    # Ranks that do not agree are told so, and nobody waits for ever.
    apart = ep.Buffer(dist.group.WORLD, 0, size, True, timeout_s=2)
    x, topk_idx, _ = small(rank)
    dist.barrier()
    with pytest.raises(RuntimeError, match="num_max|max_tokens"):
        apart.low_latency_dispatch(x, topk_idx, 4 + rank, 4)
        raise RuntimeError("the max_tokens of this rank came first")


class Communicator:
    """As much of an mpi4py communicator as is used."""

    def Get_rank(self) -> int:
        return dist.get_rank()

    def Get_size(self) -> int:
        return dist.get_world_size()

    def allgather(self, item: Any) -> List[Any]:
        items: List[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(items, item)
        return items


def test_shapes_change_and_groups_differ() -> None:
    run_ranks(2, body_shapes)


def body_errors(rank: int, ranks: int) -> None:
    buffer = make_buffer(ranks, 4)
    x, topk_idx, weights = small(rank)
    good = dict(x=x, topk_idx=topk_idx, num_max_dispatch_tokens_per_rank=TOKENS, num_experts=4)
    stats = torch.zeros(ranks, dtype=torch.int64)
    for change, words in [
        ({"x": x.float()}, "x is of torch.float32"),
        ({"x": x[0]}, "x has shape"),
        ({"x": x.t().contiguous().t()}, "not contiguous"),
        ({"x": x.to("meta")}, "for CPU tensors"),
        ({"topk_idx": topk_idx.int()}, "topk_idx is of"),
        ({"topk_idx": topk_idx[:1]}, "topk_idx has shape"),
        ({"topk_idx": topk_idx + 9}, "names expert"),
        ({"num_max_dispatch_tokens_per_rank": 1}, "tokens is 2, but must be at most max_tokens, 1"),
        ({"num_max_dispatch_tokens_per_rank": 0}, "max_tokens is 0, but must be 1 to"),
        ({"num_max_dispatch_tokens_per_rank": 4 * TOKENS}, "num_rdma_bytes"),
        ({"num_experts": 3}, "spread over"),
        ({"round_scale": True}, "round_scale"),
        ({"use_ue8m0": True}, "use_ue8m0"),
        ({"async_finish": True, "return_recv_hook": True}, "async_finish"),
        ({"dispatch_wait_recv_cost_stats": stats.int()}, "cost_stats is of"),
        ({"dispatch_wait_recv_cost_stats": stats[:1]}, "cost_stats has shape"),
        ({"cumulative_local_expert_recv_stats": stats}, "recv_stats is of"),
    ]:
        with pytest.raises(RuntimeError, match=words):
            buffer.low_latency_dispatch(**{**good, **change})
    recv, _, handle, _, _ = buffer.low_latency_dispatch(**good, use_fp8=False)
    good = dict(x=recv, topk_idx=topk_idx, topk_weights=weights, handle=handle)
    for change, words in [
        ({"x": recv[0]}, "x has shape"),
        ({"handle": tuple(handle)}, "handle"),
        ({"topk_weights": weights.double()}, "topk_weights is of"),
        ({"topk_weights": weights[:1]}, "topk_weights has shape"),
        ({"out": torch.empty(1, HIDDEN)}, "out is of"),
        ({"zero_copy": True}, "get_next_low_latency_combine_buffer"),
        ({"combine_wait_recv_cost_stats": stats[:1]}, "cost_stats has shape"),
    ]:
        with pytest.raises(RuntimeError, match=words):
            buffer.low_latency_combine(**{**good, **change})
    # None of that has left a trace.
    out, _, _ = buffer.low_latency_combine(**good)
    assert torch.equal(out, x)
    normal = ep.Buffer(dist.group.WORLD, num_rdma_bytes=1 << 30)
    with pytest.raises(RuntimeError, match="low_latency_mode"):
        normal.low_latency_dispatch(x, topk_idx, TOKENS, 4)
    with pytest.raises(ValueError, match="group or comm"):
        ep.Buffer(None)


def test_mistakes_are_named() -> None:
    run_ranks(2, body_errors)


def fails(error: Exception) -> Any:
    def call(*args: Any) -> Any:
        raise error

    return call


def body_refused(rank: int, ranks: int) -> None:
    """What one rank cannot do, all are told, and none waits for it."""
    for who, name, instead, words in (
        (0, "_create", fails(OSError(24, "Too many open files")), "rank 0 cannot make.*many"),
        (1, "_open", fails(PermissionError(13, "Permission denied")), "rank 1 cannot open"),
        (1, "_machine", fails(FileNotFoundError(2, "No /proc")), "rank 1 cannot make.*No /proc"),
        (1, "_machine", lambda: ("another", "boot"), "rank 1 .*must be on one machine"),
    ):
        with pytest.MonkeyPatch.context() as patch:
            if rank == who:
                patch.setattr(_ep_memory, name, instead)
            with pytest.raises(RuntimeError, match=words):
                make_buffer(ranks, 4)
    # A limit on the size of files would end the process, not the call, if it were not looked at.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, hard))
    buffer = make_buffer(ranks, 4)
    x, topk_idx, _ = small(rank)
    with pytest.raises(RuntimeError, match="no room"):
        buffer.low_latency_dispatch(x, topk_idx, TOKENS, 4)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    round_trip(make_buffer(ranks, 4), 1, 4, 2, False, False, False)


def test_memory_that_cannot_be_shared() -> None:
    run_ranks(2, body_refused)


def body_dies(rank: int, ranks: int) -> None:
    buffer = make_buffer(ranks, ranks, timeout_s=1.5)
    x, topk_idx, weights = small(rank)
    for step in range(3):
        if step == 1 and rank == 1:
            quit_at_once()
        recv, count, handle, _, _ = buffer.low_latency_dispatch(
            x, topk_idx, TOKENS, ranks, use_fp8=False
        )
        out, _, _ = buffer.low_latency_combine(recv, topk_idx, weights, handle)
        assert torch.equal(out, x)
    masked = torch.full((ranks,), 5, dtype=torch.int32)
    buffer.low_latency_query_mask_buffer(masked)
    assert masked.tolist() == [0, 1, 0]
    os._exit(0)  # gloo would wait for the rank that is gone


def test_a_rank_that_dies_is_given_up_and_leaves_nothing() -> None:
    before = set(os.listdir("/dev/shm"))
    run_ranks(3, body_dies)
    assert not [name for name in set(os.listdir("/dev/shm")) - before if "deepxtrace" in name]
