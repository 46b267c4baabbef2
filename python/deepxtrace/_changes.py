# SPDX-License-Identifier: Apache-2.0
"""What is worth a line in a log that somebody reads at night: a finding when it begins, now and
then while it lasts, and when it is over."""
from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Tuple

from ._lib import lib
from ._text import local_time

#: While a finding lasts it is said again after this long, in seconds.
REPEAT_SECONDS = 600.0
#: So many windows without it, and it is over.
_OVER_WINDOWS = 2

#: What to do next, a line for each kind, as the library has it; the long form is in
#: docs/diagnosis.md, "At 3 a.m.".
ADVICE: Dict[str, str] = json.loads(lib.dxt_report_advice_json())
_SEVERITIES = ("minor", "major", "critical")
#: What tells two findings of one window apart. Of several paths it is what they have in common:
#: which of them are slow differs from window to window.
_IDENTITY = ("kind", "rank", "source", "node", "path", "path_nodes", "direction", "reason")


@dataclass
class _Episode:
    text: str
    severity: str
    began: float
    said: float
    gone: int = 0


class Changes:
    """The findings of one group, window after window. One thread at a time."""

    def __init__(self) -> None:
        self._open: Dict[Tuple[Any, ...], _Episode] = {}
        self.begun = 0  #: findings so far

    def follow(self, phase: str, findings: List[Mapping[str, Any]], now: float = 0.0) -> List[str]:
        """The lines that a window is worth; ``now`` in seconds since 1970, 0 for the clock's."""
        now = now or time.time()
        lines, seen = [], set()
        for finding in findings:
            key = self._key(phase, finding)
            seen.add(key)
            lines += self._one(key, finding, now)
        for key, episode in list(self._open.items()):
            if key[0] == phase and key not in seen:
                episode.gone += 1
                if episode.gone >= _OVER_WINDOWS:
                    del self._open[key]
                    lines.append(self._line(now, episode.severity, "over: "
                                            f"{episode.text} (since {local_time(episode.began)})"))
        return lines

    def now_open(self) -> List[str]:
        """What lasts, the gravest first."""
        found = sorted(self._open.values(), key=lambda e: -_SEVERITIES.index(e.severity))
        return [episode.text for episode in found]

    def _key(self, phase: str, finding: Mapping[str, Any]) -> Tuple[Any, ...]:
        key = (phase, *(repr(finding.get(name)) for name in _IDENTITY))
        if "paths" not in finding or not finding.get("ranks"):
            return (*key, frozenset())
        rail = frozenset(finding["ranks"])
        for known in self._open:
            if known[:-1] == key and 2 * len(known[-1] & rail) >= max(len(known[-1]), len(rail)):
                return known
        return (*key, rail)

    def _one(self, key: Tuple[Any, ...], finding: Mapping[str, Any], now: float) -> List[str]:
        text, severity = str(finding.get("text", "")), str(finding.get("severity", "minor"))
        severity = severity if severity in _SEVERITIES else "minor"
        advice = ADVICE.get(str(finding.get("kind")), "see docs/diagnosis.md")
        episode = self._open.get(key)
        if episode is None:
            self._open[key] = _Episode(text, severity, now, now)
            self.begun += 1
            return [self._line(now, severity, f"begins: {text}; next: {advice}")]
        worse = _SEVERITIES.index(severity) > _SEVERITIES.index(episode.severity)
        due = worse or now - episode.said >= REPEAT_SECONDS
        episode.text, episode.gone = text, 0
        episode.severity = severity if worse or due else episode.severity
        if not due:
            return []
        episode.said = now
        return [self._line(now, severity, f"goes on since {local_time(episode.began)}: {text};"
                                          f" next: {advice}")]

    @staticmethod
    def _line(now: float, severity: str, text: str) -> str:
        return f"{severity.upper():8} {local_time(now)} {text}"
