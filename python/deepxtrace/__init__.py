# SPDX-License-Identifier: Apache-2.0
"""DeepXTrace: who is slow in expert-parallel communication.

``deepxtrace.diagnose`` diagnoses a running torch program, ``deepxtrace.ep`` is low-latency dispatch
and combine for CPU tensors; both need torch. ``attach()`` diagnoses programs that know nothing of
it. ``Window`` and ``Findings`` are for notebooks and need
NumPy alone.
"""
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, List

from ._lib import NOT_OBSERVED, DeepXTraceError, lib

if TYPE_CHECKING:
    from . import adapters as adapters  # noqa: F401
    from ._attach import attach, detach
    from ._runs import Judged, Recording, Run, Timeline
    from .window import Finding, Findings, Window

    read = Window.read

__all__ = ["DeepXTraceError", "Finding", "Findings", "Judged", "NOT_OBSERVED", "Recording", "Run",
           "Timeline", "Window", "__version__", "attach", "detach", "get_include", "get_library",
           "read"]

# Where the rest is. It is imported when it is asked for: the wheel's commands need no NumPy.
_HOMES = {"attach": "_attach", "detach": "_attach", "Judged": "_runs", "Recording": "_runs",
          "Run": "_runs", "Timeline": "_runs", "Finding": "window", "Findings": "window",
          "Window": "window"}
_MODULES = {*_HOMES.values(), "adapters"}

__version__: str = lib.dxt_version().decode()


def _late(name: str) -> Any:
    value: Any
    if name == "read":
        #: All windows of files, whatever form they have.
        value = importlib.import_module(".window", __name__).Window.read
    elif name in _HOMES:
        value = getattr(importlib.import_module("." + _HOMES[name], __name__), name)
    elif name in _MODULES:
        return importlib.import_module("." + name, __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


if not TYPE_CHECKING:  # which would take any name for one of ours
    __getattr__ = _late


def __dir__() -> List[str]:
    return sorted({*globals(), *__all__})


def get_include() -> str:
    """The folder to give to a C compiler with -I, for ``#include <deepxtrace/probe.h>``."""
    from pathlib import Path

    return str(Path(__file__).resolve().parent / "include")


def get_library() -> str:
    """The path of the C library that this package uses."""
    return str(lib._name)
