# SPDX-License-Identifier: Apache-2.0
"""What an analysis says of a window, as notebooks and scripts read it."""
from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from html import escape
from typing import Any, Dict, Iterator, List, Optional, Tuple

from . import _lib
from ._lib import lib


@dataclass(frozen=True)
class Finding:
    """One named cause. What does not apply, or is not known, is None; docs/formats.md has the
    meaning of each field."""

    kind: str
    text: str
    severity: str
    confidence: float
    wait_us: Optional[float] = None
    share: Optional[float] = None
    rank: Optional[int] = None
    path: Optional[Tuple[int, int]] = None
    node: Optional[int] = None
    ranks: Optional[Tuple[int, ...]] = None
    path_nodes: Optional[Tuple[int, int]] = None
    wait_cycles: Optional[float] = None
    or_early: Optional[int] = None

    @classmethod
    def _from_json(cls, entry: Dict[str, Any]) -> "Finding":
        known = {key: tuple(value) if isinstance(value, list) else value
                 for key, value in entry.items() if key in cls.__dataclass_fields__}
        return cls(**known)

    def __str__(self) -> str:
        return self.text


class Findings:
    """What an analysis says of one window.

    ``verdict`` is ``"healthy"``, ``"slow"`` or ``"inconclusive"``; ``findings`` are the causes, the
    most expensive first; ``abnormal_cols``, ``abnormal_rows`` and ``abnormal_points`` are the lists
    of docs/formats.md.
    """

    def __init__(self, line: bytes, text: str) -> None:
        self._dict: Dict[str, Any] = json.loads(line)
        self._text = text
        self.phase: str = self._dict["phase"]
        self.window: Optional[int] = self._dict["window"]
        self.ranks: int = self._dict["ranks"]
        self.method: str = self._dict["method"]
        self.verdict: str = self._dict["verdict"]
        self.abnormal_cols: List[List[Any]] = self._dict["abnormal_cols"]
        self.abnormal_rows: List[List[Any]] = self._dict["abnormal_rows"]
        self.abnormal_points: List[List[Any]] = self._dict["abnormal_points"]
        self.findings: List[Finding] = [Finding._from_json(f) for f in self._dict["findings"]]

    @classmethod
    def _from_c(cls, window: Any, findings: Any) -> "Findings":
        line, text = _lib.Writer(), _lib.Writer()
        lib.dxt_report_json(window, findings, line.function, None)
        lib.dxt_report_text(window, findings, text.function, None)
        return cls(line.bytes(), text.text())

    def to_dict(self) -> Dict[str, Any]:
        """The diagnosis format, one window's line of ``deepxtrace analyze --json``."""
        return copy.deepcopy(self._dict)

    def __len__(self) -> int:
        return len(self.findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __str__(self) -> str:
        return self._text.rstrip("\n")

    def __repr__(self) -> str:
        return f"<Findings {self.phase} {self.verdict}: {len(self.findings)}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(f.kind)}</td><td>{escape(f.severity)}</td>"
            f"<td>{'' if f.share is None else f'{100 * f.share:.1f} %'}</td>"
            f"<td style='text-align:left'>{escape(f.text)}</td></tr>" for f in self.findings)
        table = ("<table><tr><th>kind</th><th>severity</th><th>share</th><th>finding</th></tr>"
                 f"{rows}</table>" if rows else "")
        return f"<div><b>{escape(self.phase)}: {escape(self.verdict)}</b>{table}</div>"
