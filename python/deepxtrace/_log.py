# SPDX-License-Identifier: Apache-2.0
"""Files that the diagnosis writes: whole lines, rotated at midnight, and never an exception to the
job. The logging module is left alone: it belongs to the program."""
from __future__ import annotations

import os
import threading
import time
from typing import List, Optional

_KEPT = 2


class LineFile:
    """A file of lines. At midnight, and above ``limit`` bytes, it is renamed to ``NAME.DATE`` and a
    new one begun; of the old ones the two newest are kept.

    A line that cannot be written is dropped whole, and counted; the first one that can be written
    again is preceded by what :meth:`_lost` says. Threads: any.
    """

    def __init__(self, path: str, limit: int = 1 << 30) -> None:
        self.path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._fd = -1
        self._day = ""
        self._size = 0
        self._dropped = 0
        self.reason = ""  #: why the last line was dropped
        self._open()

    def write(self, lines: List[str]) -> bool:
        """Append lines, each without its newline. False if they were dropped."""
        with self._lock:
            try:
                if self._fd < 0:
                    self._open()
                self._rotate()
                if self._dropped:
                    note = self._lost(self._dropped, self.reason)
                    if note is not None:
                        self._append(note + "\n")
                    self._dropped = 0
                self._append("".join(line + "\n" for line in lines))
                return True
            except (OSError, ValueError) as error:
                self._dropped += len(lines)
                self.reason = getattr(error, "strerror", None) or str(error)
                self._close()
                return False

    def close(self) -> None:
        with self._lock:
            self._close()

    def _lost(self, count: int, reason: str) -> Optional[str]:
        """A line that tells of dropped ones; None where the format has no room for it."""
        return None

    # ---- under the lock

    def _open(self) -> None:
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        about = os.fstat(self._fd)
        self._size = about.st_size
        written = about.st_mtime if about.st_size else time.time()
        self._day = time.strftime("%Y-%m-%d", time.localtime(written))

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _append(self, text: str) -> None:
        data = memoryview(text.encode("utf-8", "replace"))
        done = 0
        try:
            while done < len(data):
                done += os.write(self._fd, data[done:])
        except OSError:
            # Half a line helps nobody. What others wrote behind it stays.
            end = os.lseek(self._fd, 0, os.SEEK_CUR) if done else 0
            if done and os.fstat(self._fd).st_size == end:
                os.ftruncate(self._fd, end - done)
            raise
        self._size += done

    def _rotate(self) -> None:
        today = time.strftime("%Y-%m-%d")
        if self._size == 0 or (self._day == today and self._size < self._limit):
            self._day = today
            return
        self._close()
        name, number = f"{self.path}.{self._day}", 1
        while os.path.exists(name):
            name = f"{self.path}.{self._day}.{number}"
            number += 1
        os.rename(self.path, name)
        self._forget_old()
        self._open()

    def _forget_old(self) -> None:
        folder, base = os.path.split(self.path)
        old = [os.path.join(folder or ".", entry) for entry in os.listdir(folder or ".")
               if entry.startswith(base + ".2")]
        old.sort(key=lambda path: (os.stat(path).st_mtime_ns, path))
        for path in old[:-_KEPT]:
            os.unlink(path)


class TextLog(LineFile):
    """Lines with a time stamp in front."""

    def say(self, *messages: str) -> bool:
        stamp = self._stamp()
        return self.write([f"{stamp} {' '.join(message.splitlines())}" for message in messages])

    @staticmethod
    def _stamp() -> str:
        now = time.time()
        local = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now))
        return f"[{local}.{int(now * 1000) % 1000:03d}]"

    def _lost(self, count: int, reason: str) -> Optional[str]:
        return f"{self._stamp()} [Diagnose] {count} lines could not be written here: {reason}"
