# SPDX-License-Identifier: Apache-2.0
"""DeepEP's Buffer in low-latency mode, also that of the package deep_ep_v25, and UCCL's."""
from __future__ import annotations

from typing import Any

from ._counted import CountedBuffers


class DeepEP(CountedBuffers):
    """`deep_ep.Buffer`."""

    operators = (("low_latency_dispatch", "dispatch_wait_recv_cost_stats"),
                 ("low_latency_combine", "combine_wait_recv_cost_stats"))
    since = ". DeepEP has them since July 2025"

    def concerns(self, cls: type, module: Any) -> bool:
        # Where ranks come later: nixl_ep.py.
        return not hasattr(cls, "connect_ranks")

    def ready(self, buffer: Any) -> bool:
        # In normal mode durations tell, unless it dispatches with low latency all the same.
        return bool(getattr(buffer, "low_latency_mode", True))


LIBRARY = DeepEP
