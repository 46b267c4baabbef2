# SPDX-License-Identifier: Apache-2.0
"""Stands for DeepEP where there is no GPU."""
import os

from deepxtrace import ep
from deepxtrace.ep import EventOverlap

__version__ = "1.2.1"
__all__ = ["Buffer", "EventOverlap"]


class Buffer(ep.Buffer):
    """Gives up a silent rank after STAND_IN_TIMEOUT_S seconds, if that is set."""

    def __init__(self, *arguments, **named):
        timeout_s = os.environ.get("STAND_IN_TIMEOUT_S")
        if timeout_s:
            named.setdefault("timeout_s", float(timeout_s))
        super().__init__(*arguments, **named)
