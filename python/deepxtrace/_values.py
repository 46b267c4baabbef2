# SPDX-License-Identifier: Apache-2.0
"""Settings as people write them, from the environment, a command line or a call. What makes no
sense is a ValueError that begins with "must", to stand behind the name and the value."""
from __future__ import annotations

import math
from typing import Any

from ._analysis import METHODS

_YES, _NO = ("1", "true", "on", "yes"), ("0", "false", "off", "no")
#: Longest span of time, in seconds, that the library takes: 10 days.
LONGEST_SECONDS = 864_000.0


def switch(value: Any) -> bool:
    """1, true, on, yes, or 0, false, off, no."""
    word = str(int(value) if isinstance(value, bool) else value).lower()
    if word not in _YES + _NO:
        raise ValueError("must be 1 or 0")
    return word in _YES


def seconds(value: Any, least: float) -> float:
    """A span of time."""
    try:
        span = float(value)
    except (TypeError, ValueError):
        span = math.nan
    if not least <= span <= LONGEST_SECONDS:
        raise ValueError(f"must be a number of seconds from {least:g} to {LONGEST_SECONDS:g}")
    return span


def share(value: Any) -> float:
    """A share of the step: 0.05, or 5%."""
    text = str(value).strip()
    try:
        part = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise ValueError("must be a share, such as 5% or 0.05") from None
    if not 0 < part <= 1:
        raise ValueError("must be a share above 0 and up to 100%")
    return part


def method(value: Any) -> str:
    """How findings are made."""
    if value not in METHODS:
        raise ValueError("must be one of " + ", ".join(METHODS))
    return str(value)
