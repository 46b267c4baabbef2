# SPDX-License-Identifier: Apache-2.0
"""The tensors of deepxtrace.ep: what a call is given is checked, and results are made."""

from __future__ import annotations

from typing import Optional, Sequence

import torch


def require(condition: bool, text: str) -> None:
    if not condition:
        raise RuntimeError(f"deepxtrace.ep: {text}")


def check_tensor(
    name: str, tensor: torch.Tensor, dtype: torch.dtype, shape: Sequence[Optional[int]]
) -> None:
    """`shape`: None where any size will do."""
    require(isinstance(tensor, torch.Tensor), f"{name} is not a tensor")
    require(
        tensor.device.type == "cpu",
        f"{name} is on {tensor.device}; this Buffer is for CPU tensors, deep_ep for those of GPUs",
    )
    require(tensor.dtype == dtype, f"{name} is of {tensor.dtype}, not {dtype}")
    require(
        tensor.dim() == len(shape)
        and all(want in (None, have) for have, want in zip(tensor.shape, shape)),
        f"{name} has shape {list(tensor.shape)}, not {['any' if s is None else s for s in shape]}",
    )
    require(tensor.is_contiguous(), f"{name} is not contiguous")


def empty(shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
    """Whatever type and device are torch's defaults now."""
    return torch.empty(tuple(shape), dtype=dtype, device="cpu")
