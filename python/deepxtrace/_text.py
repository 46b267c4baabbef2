# SPDX-License-Identifier: Apache-2.0
"""Text that comes from elsewhere, before a person's terminal sees it. Needs nothing but the
standard library."""
from __future__ import annotations

import time
import unicodedata
from typing import Optional

#: Categories of characters that are not shown but obeyed, or that are none.
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean(text: str) -> str:
    """The same on one line, without anything that would drive a terminal: control characters, those
    that turn the direction of writing, half surrogates, noncharacters become question marks."""
    if text.isascii() and text.isprintable():
        return text
    joined = " ".join(text.splitlines())
    return "".join("?" if unicodedata.category(one) in _UNPRINTABLE else one for one in joined)


def local_time(seconds: Optional[float] = None) -> str:
    """A time of day with its offset, for people: 2026-11-26T03:12:40+01:00. Now by default."""
    now = time.localtime(seconds)
    offset = time.strftime("%z", now)
    return time.strftime("%Y-%m-%dT%H:%M:%S", now) + f"{offset[:3]}:{offset[3:5]}"
