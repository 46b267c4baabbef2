# SPDX-License-Identifier: Apache-2.0
"""The low-latency part of DeepEP's Buffer, for CPU tensors.

A program that dispatches and combines through `deep_ep.Buffer` on GPUs runs on a laptop when it
imports `Buffer` from here: same names, same arguments, results of the same shape and type, the same
wait counters. The tokens travel through shared memory (libdeepxtrace-ep), so all ranks must be on
one machine.

    import torch.distributed as dist
    from deepxtrace.ep import Buffer

    buffer = Buffer(dist.group.WORLD, 0, size, low_latency_mode=True)
    recv_x, count, handle, event, hook = buffer.low_latency_dispatch(x, topk_idx, 128, 64)

docs/python.md says what differs: the scales of FP8 are not rounded to powers of two, and the wait
counters are in ticks of the host's clock.
"""

from __future__ import annotations

import ctypes
import weakref
from ctypes import c_uint8
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

import numpy as np
import torch
import torch.distributed as dist

from . import _ep_lib as c
from ._ep_engine import Engine, Operation, Shape, engine_config, segment_size
from ._ep_memory import GroupMemory
from ._ep_tensors import check_tensor, empty, require

__all__ = ["Buffer", "EventOverlap", "Handle", "fp8_dtype", "topk_idx_t"]

#: What FP8 results are: E4M3, as bare bytes where this torch has no such type.
fp8_dtype: torch.dtype = getattr(torch, "float8_e4m3fn", torch.uint8)
topk_idx_t: torch.dtype = torch.int64


class EventOverlap:
    """Stands where DeepEP returns a CUDA event: there is nothing left to wait for."""

    def __init__(self, event: Any = None, extra_tensors: Optional[Tuple[Any, ...]] = None) -> None:
        self.event = event
        self.extra_tensors = extra_tensors

    def current_stream_wait(self) -> None:
        """Return at once."""

    def __enter__(self) -> "EventOverlap":
        return self

    def __exit__(self, *args: Any) -> None:
        pass


class Handle(Tuple[torch.Tensor, torch.Tensor, int, int, int]):
    """What low_latency_combine needs of a dispatch: DeepEP's five entries (src_info, layout_range,
    num_max_dispatch_tokens_per_rank, hidden, num_experts) and, as an attribute, which of the top-k
    routes of its token each slot came from."""

    src_slot: torch.Tensor
    operation: Operation


class Buffer:
    """Dispatch and combine of one group of ranks in low-latency mode.

    Attributes, as DeepEP's: group, rank, group_size, num_nvl_bytes, num_rdma_bytes,
    low_latency_mode, explicitly_destroy. One thread at a time may use a Buffer; it may be a
    different one each time.
    """

    num_sms: int = 20
    #: Waits that an operation adds to the counter of a source: one, where DeepEP adds up those of
    #: all local experts.
    waits_per_source: int = 1

    def __init__(
        self,
        group: Optional[Any],
        num_nvl_bytes: int = 0,
        num_rdma_bytes: int = 0,
        low_latency_mode: bool = False,
        num_qps_per_rank: int = 24,
        allow_nvlink_for_low_latency_mode: bool = True,
        allow_mnnvl: bool = False,
        use_fabric: bool = False,
        explicitly_destroy: bool = False,
        enable_shrink: bool = False,
        comm: Optional[Any] = None,
        *,
        timeout_s: float = 100.0,
        **more: Any,
    ) -> None:
        """Join the group; every rank must do so.

        group: a torch.distributed process group, or None with `comm`, an mpi4py communicator.
        num_rdma_bytes: at least get_low_latency_rdma_size_hint() of what will be dispatched.
        timeout_s: how long a silent rank is waited for before it is given up.
        The other arguments are DeepEP's, those of later versions too; they change nothing here.
        """
        if group is not None:
            self.rank, self.group_size = group.rank(), group.size()
        elif comm is not None:
            self.rank, self.group_size = comm.Get_rank(), comm.Get_size()
        else:
            raise ValueError("deepxtrace.ep: give group or comm")
        self.group = group if group is not None else comm
        self.num_nvl_bytes = num_nvl_bytes
        self.num_rdma_bytes = num_rdma_bytes
        self.low_latency_mode = low_latency_mode
        self.explicitly_destroy = explicitly_destroy
        require(timeout_s > 0, "timeout_s must be above 0")
        self._timeout_ns = int(timeout_s * 1e9)
        self._engines: Dict[Shape, Engine] = {}
        self._memory = GroupMemory(self.rank, _all_gather(group, comm, self.group_size))

    def destroy(self) -> None:
        """Leave the group. As in DeepEP, only with `explicitly_destroy`."""
        assert self.explicitly_destroy, "`explicitly_destroy` flag must be set"
        self._close()

    def _close(self) -> None:
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()
        self._memory.close()

    def __del__(self) -> None:
        if hasattr(self, "_memory"):
            self._close()

    @staticmethod
    def set_num_sms(new_num_sms: int) -> None:
        """Changes nothing here."""
        assert new_num_sms % 2 == 0, "The SM count must be even"
        Buffer.num_sms = new_num_sms

    @staticmethod
    def capture() -> EventOverlap:
        """An event that has happened."""
        return EventOverlap()

    @staticmethod
    def get_low_latency_rdma_size_hint(
        num_max_dispatch_tokens_per_rank: int, hidden: int, num_ranks: int, num_experts: int
    ) -> int:
        """The least `num_rdma_bytes` for dispatches of this shape."""
        shape = Shape(num_max_dispatch_tokens_per_rank, hidden, num_experts)
        return -(-segment_size(engine_config(num_ranks, shape)) // num_ranks)

    @property
    def ticks_per_second(self) -> int:
        """Of the clock that the wait counters are in: the same for all ranks, but for rounding."""
        return int(c.core.dxt_probe_clock_rate())

    def clean_low_latency_buffer(
        self, num_max_dispatch_tokens_per_rank: int, hidden: int, num_experts: int
    ) -> None:
        """Nothing has to be cleaned here: an operation leaves nothing that the next could see."""

    def _engine(self, shape: Shape) -> Engine:
        engine = self._engines.get(shape)
        if engine is None:
            require(self.low_latency_mode, "the Buffer was made without low_latency_mode=True")
            require(
                shape.experts % self.group_size == 0,
                f"{shape.experts} experts cannot be spread over {self.group_size} ranks",
            )
            least = self.get_low_latency_rdma_size_hint(
                shape.max_tokens, shape.hidden, self.group_size, shape.experts
            )
            require(
                self.num_rdma_bytes >= least,
                f"num_rdma_bytes is {self.num_rdma_bytes}, but this shape needs {least}",
            )
            engine = Engine(self.rank, self.group_size, shape, self._timeout_ns, self._memory)
            self._engines[shape] = engine
        return engine

    def _start(
        self, engine: Engine, index: int, operation: Operation, return_recv_hook: bool
    ) -> Optional[Callable[[], None]]:
        def receive(buffer: "Buffer" = self) -> None:
            # The default argument keeps the Buffer, and with it the engine, until it is received.
            engine.receive(index, operation)

        if return_recv_hook:
            operation.hook = weakref.ref(receive)
        engine.send(index, operation)
        if return_recv_hook:
            return receive
        receive()
        return None

    def _check_stats(self, name: str, stats: Optional[torch.Tensor]) -> None:
        if stats is not None:
            check_tensor(name, stats, torch.int64, (self.group_size,))

    def low_latency_dispatch(
        self,
        x: torch.Tensor,
        topk_idx: torch.Tensor,
        num_max_dispatch_tokens_per_rank: int,
        num_experts: int,
        cumulative_local_expert_recv_stats: Optional[torch.Tensor] = None,
        dispatch_wait_recv_cost_stats: Optional[torch.Tensor] = None,
        use_fp8: bool = True,
        round_scale: bool = False,
        use_ue8m0: bool = False,
        async_finish: bool = False,
        return_recv_hook: bool = False,
    ) -> Tuple[
        Union[torch.Tensor, Tuple[torch.Tensor, torch.Tensor]],
        torch.Tensor,
        Handle,
        EventOverlap,
        Optional[Callable[[], None]],
    ]:
        """Send tokens to the ranks that own their experts, and receive those of this rank's.

        With N ranks, L = num_experts / N local experts and S = N * max tokens slots:

        x: [tokens, hidden], bfloat16.
        topk_idx: [tokens, topk], int64; -1 = not used; no expert twice in one token.
        cumulative_local_expert_recv_stats: [L], int32; what was received is added.
        dispatch_wait_recv_cost_stats: [N], int64; ticks waited for each rank are added.
        round_scale, use_ue8m0: must be False.
        return_recv_hook: only send; calling the returned hook receives.

        Returns (recv_x, recv_count, handle, event, hook). recv_x: [L, S, hidden] bfloat16, or with
        use_fp8 a pair: fp8_dtype and the scales [L, S, hidden / 128] float32. recv_count: [L],
        int32; slots behind it hold anything. hook is None without return_recv_hook.
        """
        check_tensor("x", x, torch.bfloat16, (None, None))
        tokens, hidden = x.shape
        check_tensor("topk_idx", topk_idx, torch.int64, (tokens, None))
        require(
            not (round_scale or use_ue8m0), "round_scale and use_ue8m0 are not supported here"
        )
        require(not (async_finish and return_recv_hook), "async_finish with return_recv_hook")
        self._check_stats("dispatch_wait_recv_cost_stats", dispatch_wait_recv_cost_stats)
        shape = Shape(num_max_dispatch_tokens_per_rank, hidden, num_experts)
        engine = self._engine(shape)
        local, slots = engine.local_experts, engine.slots
        if cumulative_local_expert_recv_stats is not None:
            check_tensor(
                "cumulative_local_expert_recv_stats",
                cumulative_local_expert_recv_stats,
                torch.int32,
                (local,),
            )
        dtype = fp8_dtype if use_fp8 else torch.bfloat16
        recv_x = empty((local, slots, hidden), dtype)
        scales = empty((local, slots, hidden // c.BLOCK if use_fp8 else 0), torch.float32)
        recv_count = empty((local,), torch.int32).zero_()
        handle = Handle(
            (
                empty((local, slots), torch.int32),
                empty((local, self.group_size), torch.int64).zero_(),
                num_max_dispatch_tokens_per_rank,
                hidden,
                num_experts,
            )
        )
        handle.src_slot = empty((local, slots), torch.uint8)
        arguments = c.Dispatch(
            struct_size=ctypes.sizeof(c.Dispatch),
            format=c.FP8 if use_fp8 else c.BF16,
            x=x.data_ptr(),
            topk_idx=topk_idx.data_ptr(),
            tokens=tokens,
            topk=topk_idx.shape[1],
            recv_x=recv_x.data_ptr(),
            recv_scales=scales.data_ptr(),
            recv_count=recv_count.data_ptr(),
            handle=_pointers(handle),
        )
        tensors = (x, topk_idx, recv_x, scales, recv_count, *handle[:2], handle.src_slot)
        operation = handle.operation = Operation(arguments, tensors)
        operation.wait_stats = dispatch_wait_recv_cost_stats
        if cumulative_local_expert_recv_stats is not None:
            operation.count_stats = (cumulative_local_expert_recv_stats, recv_count)
        hook = self._start(engine, c.DISPATCH, operation, return_recv_hook)
        event = EventOverlap(None, tensors if async_finish else None)
        return (recv_x, scales) if use_fp8 else recv_x, recv_count, handle, event, hook

    def low_latency_combine(
        self,
        x: torch.Tensor,
        topk_idx: torch.Tensor,
        topk_weights: torch.Tensor,
        handle: Any,
        use_logfmt: bool = False,
        zero_copy: bool = False,
        async_finish: bool = False,
        return_recv_hook: bool = False,
        out: Optional[torch.Tensor] = None,
        combine_wait_recv_cost_stats: Optional[torch.Tensor] = None,
    ) -> Tuple[torch.Tensor, EventOverlap, Optional[Callable[[], None]]]:
        """Send the experts' outputs home, and sum up those of this rank's tokens.

        x: [L, S, hidden], bfloat16, laid out as received.
        topk_idx: as given to the dispatch.
        topk_weights: [tokens, topk], float32.
        handle: of the dispatch that x answers.
        zero_copy: x is not looked at; the outputs are in get_next_low_latency_combine_buffer().
        out: receives the result, [tokens, hidden], bfloat16; None = a new tensor.
        combine_wait_recv_cost_stats: [N], int64; ticks waited for each rank are added.

        Returns (combined_x, event, hook).
        """
        dispatched = _dispatched(handle)
        _, _, max_tokens, hidden, experts = handle
        engine = self._engine(Shape(max_tokens, hidden, experts))
        if zero_copy:
            require(
                engine.zero_copy_x is not None,
                "zero_copy: call get_next_low_latency_combine_buffer() before the combine",
            )
            x, engine.zero_copy_x = engine.zero_copy_x, None
        check_tensor("x", x, torch.bfloat16, (engine.local_experts, engine.slots, hidden))
        check_tensor("topk_idx", topk_idx, torch.int64, (None, None))
        tokens, topk = topk_idx.shape
        check_tensor("topk_weights", topk_weights, torch.float32, (tokens, topk))
        require(not (async_finish and return_recv_hook), "async_finish with return_recv_hook")
        self._check_stats("combine_wait_recv_cost_stats", combine_wait_recv_cost_stats)
        require(dispatched.received, "the dispatch of this handle has not been received yet")
        if out is None:
            out = empty((tokens, hidden), torch.bfloat16)
        check_tensor("out", out, torch.bfloat16, (tokens, hidden))
        arguments = c.Combine(
            struct_size=ctypes.sizeof(c.Combine),
            format=c.COMBINE_LOGFMT if use_logfmt else c.COMBINE_BF16,
            x=x.data_ptr(),
            handle=_pointers(handle),
            topk_idx=topk_idx.data_ptr(),
            topk_weights=topk_weights.data_ptr(),
            tokens=tokens,
            topk=topk,
            out=out.data_ptr(),
        )
        tensors = (x, topk_idx, topk_weights, out, handle)
        operation = Operation(arguments, tensors)
        operation.wait_stats = combine_wait_recv_cost_stats
        hook = self._start(engine, c.COMBINE, operation, return_recv_hook)
        return out, EventOverlap(None, tensors if async_finish else None), hook

    def get_next_low_latency_combine_buffer(self, handle: Any) -> torch.Tensor:
        """A tensor [L, S, hidden], bfloat16, to be filled for the next combine with zero_copy."""
        _dispatched(handle)
        _, _, max_tokens, hidden, experts = handle
        engine = self._engine(Shape(max_tokens, hidden, experts))
        shape = (engine.local_experts, engine.slots, hidden)
        engine.zero_copy_x = empty(shape, torch.bfloat16)
        return engine.zero_copy_x

    def low_latency_query_mask_buffer(self, mask_status: torch.Tensor) -> None:
        """Fill `mask_status`, [N] int32, with 1 for each rank that was given up, else 0."""
        check_tensor("mask_status", mask_status, torch.int32, (self.group_size,))
        mask_status.zero_()
        for engine in self._engines.values():
            masked = (c_uint8 * self.group_size)()
            c.lib.dxt_ep_masked(engine.ep, masked)
            mask_status.numpy()[:] |= np.asarray(masked)

    def delay_path(self, operator: str, source: int, delay_s: float) -> None:
        """Make what `source` sends in "dispatch" or "combine" arrive later here, to try a
        diagnosis out. For what is dispatched in shapes used so far; not in DeepEP."""
        index = ("dispatch", "combine").index(operator)
        for engine in self._engines.values():
            c.lib.dxt_ep_delay_path(engine.ep, index, source, int(delay_s * 1e9))


def _dispatched(handle: Any) -> Operation:
    require(isinstance(handle, Handle), "the handle is not one that low_latency_dispatch returned")
    operation: Operation = handle.operation
    return operation


def _pointers(handle: Handle) -> c.Handle:
    return c.Handle(handle[0].data_ptr(), handle.src_slot.data_ptr(), handle[1].data_ptr())


def _all_gather(group: Any, comm: Any, size: int) -> Callable[[Any], List[Any]]:
    if group is None:
        allgather: Callable[[Any], List[Any]] = comm.allgather
        return allgather

    def gather(item: Any) -> List[Any]:
        items: List[Any] = [None] * size
        dist.all_gather_object(items, item, group)
        return items

    return gather
