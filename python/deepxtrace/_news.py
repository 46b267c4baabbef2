# SPDX-License-Identifier: Apache-2.0
"""What comes and goes is told the less the more often it does."""
from __future__ import annotations


class News:
    """Whether a trouble has begun or ended, and is to be told: the first, second, fourth, eighth …
    time that it begins, and the end of each that was told."""

    def __init__(self) -> None:
        self._there = self._told = False
        self._times = 0

    def changes(self, there: bool) -> bool:
        """Whether this is to be told."""
        if there == self._there:
            return False
        self._there = there
        if there:
            self._times += 1
            self._told = self._times & (self._times - 1) == 0
        return self._told
