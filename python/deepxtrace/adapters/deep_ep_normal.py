# SPDX-License-Identifier: Apache-2.0
"""DeepEP's Buffer in normal mode, and NIXL EP's in high-throughput mode, which have no counters."""
from __future__ import annotations

from typing import Any, Optional

from ._arguments import find
from ._timed import TimedBuffers


def _event(result: Any) -> Any:
    """Both return their event last."""
    return result[-1]


class DeepEPNormal(TimedBuffers):
    """`deep_ep.Buffer.dispatch` and `combine`; `nixl_ep.Buffer.ht_dispatch` and `ht_combine`."""

    methods = {"dispatch": 0, "combine": 1, "ht_dispatch": 0, "ht_combine": 1}
    operators = ("normal dispatch", "normal combine")
    event_of = staticmethod(_event)

    def concerns(self, cls: type, module: Any) -> bool:
        """A Buffer that has both modes; NIXL's methods of these names are low-latency ones."""
        for name, other in (("dispatch", "combine"), ("ht_dispatch", "ht_combine")):
            method = find(cls, name)
            if (hasattr(cls, "low_latency_dispatch") and hasattr(cls, other) and method
                    and method.arguments and "async_finish" in method.arguments.names):
                return True
        return False

    def group(self, buffer: Any) -> Optional[Any]:
        return getattr(buffer, "group", None)

    def waits_later(self, buffer: Any, *args: Any, **kwargs: Any) -> bool:
        # By name in all that we know of; what comes by position is taken for synchronous.
        return bool(kwargs.get("async_finish", False))


LIBRARY = DeepEPNormal
