# SPDX-License-Identifier: Apache-2.0
"""DeepXTrace: who is slow in expert-parallel communication.

``deepxtrace.diagnose`` diagnoses a running torch program, ``deepxtrace.ep`` is low-latency dispatch
and combine for CPU tensors; both need torch. ``attach()`` diagnoses programs that know nothing of
it. ``Window`` and ``Findings`` are for notebooks and need
NumPy alone.
"""
from __future__ import annotations

from pathlib import Path

from ._attach import attach, detach
from ._lib import NOT_OBSERVED, DeepXTraceError, lib
from ._runs import Judged, Recording, Run, Timeline
from .window import Finding, Findings, Window

__all__ = ["DeepXTraceError", "Finding", "Findings", "Judged", "NOT_OBSERVED", "Recording", "Run",
           "Timeline", "Window", "__version__", "attach", "detach", "get_include", "get_library",
           "read"]

#: All windows of files, whatever form they have.
read = Window.read

__version__: str = lib.dxt_version().decode()


def get_include() -> str:
    """The folder to give to a C compiler with -I, for ``#include <deepxtrace/probe.h>``."""
    return str(Path(__file__).resolve().parent / "include")


def get_library() -> str:
    """The path of the C library that this package uses."""
    return str(lib._name)
