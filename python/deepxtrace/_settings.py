# SPDX-License-Identifier: Apache-2.0
"""The environment variables of the diagnosis, read once at construction. What cannot be understood
is one error that names every variable at fault."""
from __future__ import annotations

import numbers
import os
from dataclasses import dataclass
from typing import Any, Callable, List, Mapping, Optional

from ._lib import default
from ._values import LONGEST_SECONDS, seconds, share, switch

_PREFIX = "DEEPEP_DIAGNOSE_"


def _span(least: float) -> Callable[[str], float]:
    return lambda text: seconds(text, least)


def _threshold(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise ValueError("must be above 0")
    return value


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise ValueError("must be a whole number") from None
    if value < 1:
        raise ValueError("must be at least 1")
    return value


@dataclass(frozen=True)
class Settings:
    """What the environment asks for; times in seconds."""

    enable: bool
    interval: float
    warming_time: float
    sync_step: int
    log_path: str
    log_details: bool
    threshold_col: float
    threshold_row: float
    threshold_point: float
    excluding_zeros: bool
    min_share: Optional[float]

    @classmethod
    def read(cls, interval: float, environment: Optional[Mapping[str, str]] = None) -> "Settings":
        """``interval`` is the caller's, which the environment overrides."""
        variables = os.environ if environment is None else environment
        wrong: List[str] = []

        def get(name: str, default: Any, read: Callable[[str], Any]) -> Any:
            text = variables.get(_PREFIX + name, "").strip()
            if not text:
                return default
            try:
                return read(text)
            except ValueError as error:
                reason = str(error) if str(error).startswith("must ") else "must be a number"
                wrong.append(f"{_PREFIX}{name}={text!r} {reason}")
                return default

        if isinstance(interval, bool) or not isinstance(interval, numbers.Real) or not (
                0.001 <= interval <= LONGEST_SECONDS):
            wrong.append(f"interval={interval!r} must be a number of seconds from 0.001 to "
                         f"{LONGEST_SECONDS:g}")
            interval = default("interval_s")
        length = get("INTERVAL", float(interval), _span(0.001))
        settings = cls(
            enable=get("ENABLE", True, switch), interval=length,
            warming_time=get("WARMING_TIME", length, _span(0)),
            sync_step=get("SYNC_STEP", int(default("sync_step")), _count),
            log_path=variables.get(_PREFIX + "LOG_PATH", "") or ".",
            log_details=get("LOG_DETAILS", False, switch),
            threshold_col=get("THRESHOLD_COL", default("threshold_col"), _threshold),
            threshold_row=get("THRESHOLD_ROW", default("threshold_row"), _threshold),
            threshold_point=get("THRESHOLD_POINT", default("threshold_point"), _threshold),
            excluding_zeros=get("EXCLUDING_ZEROS", False, switch),
            min_share=get("MIN_SHARE", None, share))
        if wrong:
            raise ValueError("the diagnosis cannot be set up: " + "; ".join(wrong))
        return settings
