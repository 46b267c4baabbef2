# SPDX-License-Identifier: Apache-2.0
"""What tests of attach() share: a stand-in of deep_ep in a folder of its own, and of a Diagnose."""

from __future__ import annotations

import importlib
import inspect
import logging
import sys
import threading
import time
from pathlib import Path
from typing import Any, Iterator, List

import pytest
import torch

from deepxtrace import _attach
from deepxtrace._graphs import Operations
from deepxtrace.adapters import _counted
from standins import VERSIONS, write_deep_ep

FULL = "2025-07, both"


class Group:
    """As much of a process group as is used."""

    def __init__(self, size: int = 4) -> None:
        self._size = size

    def size(self) -> int:
        return self._size


class Diagnosis:
    """As much of a Diagnose as is used."""

    def __init__(self, group: Group, device: Any) -> None:
        self.group_size = group.size()
        self.device = device
        self.counters = tuple(
            torch.zeros(group.size(), dtype=torch.int64, device=device) for _ in range(2)
        )
        self.told: List[Any] = []
        self.is_told = False
        self.operations = Operations()

    def get_stats_ll_stats_tensor(self) -> Any:
        return self.counters

    def tell(self, buffer: str, experts: Any, waits: Any) -> None:
        self.is_told = True
        self.told.append((buffer, experts, waits))

    def tokens_of(self, local_experts: int) -> Any:
        self.tokens = torch.zeros(local_experts, dtype=torch.int32)
        return self.tokens

    def close(self) -> None:
        self.closed_by = threading.get_ident()
        self.told.append("closed")


class World:
    """What a test changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: List[Diagnosis] = []
        self.capturing = False
        self.failure: Any = None

    def make(self, group: Any, device: Any, settings: Any, **more: Any) -> Diagnosis:
        if self.failure:
            raise self.failure
        self.made.append(Diagnosis(group, device))
        return self.made[-1]

    def install(self, version: str = FULL) -> None:
        write_deep_ep(self.folder, VERSIONS[version])
        importlib.invalidate_caches()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: Any, caplog: Any) -> Iterator[World]:
    made = World(tmp_path)
    for name in list(sys.modules):
        if name.split(".")[0] == "deep_ep":
            del sys.modules[name]
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("DEEPXTRACE", "DEEPXTRACE_INTERVAL", "DEEPXTRACE_OUTPUT", "DEEPXTRACE_METHOD",
                 "DEEPXTRACE_MODULES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_attach, "_make_diagnose", made.make)
    monkeypatch.setattr(_counted, "_is_process_group", lambda group: group is not None)
    monkeypatch.setattr(_attach, "_accelerator", lambda: "cpu")
    monkeypatch.setattr(_counted, "captured_into", lambda: True if made.capturing else None)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    caplog.set_level(logging.INFO, "deepxtrace")
    yield made
    _attach.detach()
    for name in list(sys.modules):
        if name.split(".")[0] == "deep_ep":
            del sys.modules[name]


def until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def call(buffer: Any, operator: str, how: str, **more: Any) -> Any:
    """As a program does; `more` by name."""
    first = {
        "dispatch": {
            "x": torch.zeros(2, 128),
            "topk_idx": "routes",
            "num_max_dispatch_tokens_per_rank": 16,
            "num_experts": 32,
        },
        "combine": {
            "x": torch.zeros(2, 128),
            "topk_idx": "routes",
            "topk_weights": "weights",
            "handle": "handle",
        },
    }[operator]
    cut = {"positional": 4, "mixed": 2, "by name": 0}[how]
    args = list(first.values())[:cut]
    kwargs = {**dict(list(first.items())[cut:]), **more}
    method = getattr(buffer, "low_latency_" + operator)
    result = method(*args, **kwargs)
    bound = dict(inspect.signature(method).bind(*args, **kwargs).arguments)
    return result, bound, buffer.calls[-1]
