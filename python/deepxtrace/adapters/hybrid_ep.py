# SPDX-License-Identifier: Apache-2.0
"""DeepEP's HybridEPBuffer, which has no counters."""
from __future__ import annotations

from typing import Any, Optional

from ._timed import TimedBuffers


class HybridEP(TimedBuffers):
    """`deep_ep.HybridEPBuffer`."""

    operators = ("hybrid dispatch", "hybrid combine")
    #: Those with more to do call the others in some versions; that is one operation.
    methods = {"dispatch": 0, "combine": 1, "dispatch_with_permute": 0, "combine_with_unpermute": 1}

    def concerns(self, cls: type, module: Any) -> bool:
        return cls.__name__.lower() == "hybridepbuffer"

    def group(self, buffer: Any) -> Optional[Any]:
        return getattr(buffer, "group", None)


LIBRARY = HybridEP
