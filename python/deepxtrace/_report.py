# SPDX-License-Identifier: Apache-2.0
"""What a rank writes of a diagnosis: a log, and on rank 0 a recording. The files carry the group,
the begin and the id of the diagnosis in their names; diagnose_rank0.log and diagnose_rank0.jsonl
are links to the newest."""
from __future__ import annotations

import contextlib
import ctypes
import os
import re
import socket
import sys
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from . import _lib, _notes
from ._analysis import Analysis
from ._changes import Changes
from ._findings import Findings
from ._lib import lib
from ._log import LineFile, TextLog
from ._news import News
from ._settings import Settings
from ._text import clean

#: A recording is rotated above this many bytes, and at midnight.
_RECORDING_LIMIT = 1 << 28


class Report:
    """The files of one rank. Threads: any, but diagnosed() one at a time."""

    def __init__(self, folder: str, group: str, begin: str, instance: Any, rank: int, ranks: int,
                 settings: Settings, method: str = "robust") -> None:
        os.makedirs(folder, exist_ok=True)
        self._settings, self._rank, self._ranks = settings, rank, ranks
        self._head = f"[Diagnose] InstanceID: {instance} EPSize: {ranks}"
        self._instance, self._method = str(instance), method
        name = f"diagnose_{re.sub('[^0-9A-Za-z,-]', '_', group)}_{begin}_{self._instance[:8]}"
        self.path = os.path.join(os.path.abspath(folder), f"{name}_rank{rank}")
        self._begin = begin
        self._established = os.path.join(os.path.abspath(folder), f"diagnose_rank{rank}")
        # Of the others there is news only if something is wrong.
        self._log = TextLog(self.path + ".log", later=rank != 0)
        self._recording = LineFile(self.path + ".jsonl", _RECORDING_LIMIT) if rank == 0 else None
        self._linked, self._unrecorded = -1, News()
        self._changes, self._windows = Changes(), 0
        if rank == 0:
            self._link(newest=True)

    def announce(self) -> None:
        """One line on standard error: that there is a diagnosis, and where it writes."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(clean(f"deepxtrace: diagnosing {self._ranks} ranks; "
                                   f"{socket.gethostname()} writes {self.path}.log") + "\n")
            sys.stderr.flush()

    def note(self) -> None:
        """Tell the launcher, if there is one."""
        if self._rank == 0:
            _notes.update(self._instance, ranks=self._ranks, log=self.path + ".log",
                          windows=self._windows, begun=self._changes.begun,
                          open=self._changes.now_open()[:4], method=self._method)
        else:
            _notes.tell("rank", ranks=self._ranks, rank=self._rank, instance=self._instance)

    def say(self, text: str) -> None:
        """News of the diagnosis itself."""
        self._log.say(f"{self._head} Rank: {self._rank}: {text}")
        self._link()

    def close(self) -> None:
        self._log.close()
        if self._recording is not None:
            self._recording.close()

    # ---- what rank 0 does with a window

    def diagnosed(self, operators: Sequence[str], diagnoses: Any,
                  count: int) -> Tuple[List[Dict[str, Any]], List[np.ndarray]]:
        """Write down the diagnoses of a window, one for each operator. What the program gets of
        them, and their waits."""
        results, matrices, lines, records, changes = [], [], [], [], []
        for index in range(count):
            window, found = diagnoses[index].window, diagnoses[index].findings
            findings = Findings._from_c(window, found).to_dict()
            result, waits = self._judge(window)
            lines += self._lines(operators[index], window, result, waits)
            result["findings"], result["window"] = findings["findings"], findings["window"]
            if waits.any() or result["findings"] or window.contents.ops > 0:
                changes += self._changes.follow(operators[index], result["findings"])
            results.append(result)
            matrices.append(waits)
            writer = _lib.Writer()
            lib.dxt_window_write(window, writer.function, None)
            records.append(writer.text().rstrip("\n"))
        self._log.say(*lines)
        if changes:
            self._log.write([clean(line) for line in changes])
        self._record(records)
        self._link()
        self._windows += 1
        self.note()
        return results, matrices

    def _judge(self, window: Any) -> Tuple[Dict[str, Any], np.ndarray]:
        """The established rule on a window, and its waits; 0 where none was observed."""
        s = self._settings
        with Analysis(window, "ratio", thresholds=(s.threshold_col, s.threshold_row,
                                                   s.threshold_point),
                      excluding_zeros=s.excluding_zeros) as found:
            findings = Findings._from_c(window, found)
        raw = window.contents
        waits = np.ctypeslib.as_array(
            (ctypes.c_int64 * raw.ranks**2).from_address(raw.wait)).reshape(raw.ranks, -1)
        return ({"abnormal_cols": findings.abnormal_cols, "abnormal_rows": findings.abnormal_rows,
                 "abnormal_points": findings.abnormal_points}, np.maximum(waits, 0))

    def _lines(self, operator: str, window: Any, result: Dict[str, Any],
               waits: np.ndarray) -> List[str]:
        lines = [f"{self._head}, diagnose: {result}, {operator.title()} Wait Recv Cost Per Token "
                 "Matrix[src_rank, dst_rank]"]
        if self._settings.log_details:
            address = window.contents.missing
            missing = (bytes(len(waits)) if not address
                       else ctypes.string_at(address, len(waits)))
            lines += [f"rank={rank} [{' '.join(f'{value:8d}' for value in row)}]"
                      if not missing[rank] else f"rank={rank} sent no counters"
                      for rank, row in enumerate(waits.tolist())]
        return lines

    def _record(self, records: List[str]) -> None:
        if self._recording is None:
            return
        failed = not self._recording.write(records)
        if not self._unrecorded.changes(failed):
            return
        if failed:
            self.say(f"{self._recording.path} cannot be written: {self._recording.reason}; "
                     "trying again, windows are missing there")
        else:
            self.say(f"{self._recording.path} is written again")

    def _link(self, newest: bool = False) -> None:
        """The established names lead to the newest files. What is no link of ours is left alone.
        ``newest``: these are."""
        seen = self._log.anew + (self._recording.anew if self._recording is not None else 0)
        if self._linked == seen:
            return
        done = True
        for ending in (".log", ".jsonl") if self._rank == 0 else (".log",):
            link, own = self._established + ending, os.path.basename(self.path) + ending
            draft = f"{self.path}{ending}.link"
            try:
                if self._may_lead_here(link, own, newest):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(draft)
                    os.symlink(own, draft)
                    os.rename(draft, link)
            except OSError:
                done = False
                with contextlib.suppress(OSError):
                    os.unlink(draft)
        if done:
            self._linked = seen  # a folder that is removed takes them with it

    def _may_lead_here(self, link: str, own: str, newest: bool) -> bool:
        """Whether an established name is free, leads to nothing or to these files, or, the first
        time, to those of an older diagnosis."""
        if not os.path.lexists(link):
            return True
        try:
            target = os.readlink(link)
        except OSError:
            return False
        if not re.match(r"diagnose_[^/]*$", target):
            return False
        if newest or target == own or not os.path.exists(link):
            return True
        begin = re.search(r"_(\d{8}T\d{6})_[^_]*_rank\d+\.", target)
        return self._linked < 0 and (begin is None or begin[1] <= self._begin)
