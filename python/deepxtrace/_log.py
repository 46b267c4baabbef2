# SPDX-License-Identifier: Apache-2.0
"""Files that the diagnosis writes: whole lines, rotated at midnight, and never an exception to the
job. The logging module is left alone: it belongs to the program."""
from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import stat
import threading
import time
from typing import List, Optional

from ._text import clean

_KEPT = 2
_TRIES = 100
_renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
_AT_FDCWD, _RENAME_NOREPLACE = -100, 1


def _rename_new(old: str, new: str) -> None:
    """Give a file a name that nothing has, in one step: of two that want it, one gets it, and the
    other a FileExistsError. src/system/rename.h does the same."""
    code = errno.ENOSYS
    if _renameat2 is not None:
        if _renameat2(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new),
                      ctypes.c_uint(_RENAME_NOREPLACE)) == 0:
            return
        code = ctypes.get_errno()
    if code not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(code, os.strerror(code), old)
    try:
        os.link(old, new, follow_symlinks=False)
        os.unlink(old)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise
        if os.path.lexists(new):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), new) from None
        os.rename(old, new)


class LineFile:
    """A file of lines. At midnight, and above ``limit`` bytes, it is renamed to ``NAME.DATE`` and a
    new one begun; of the old ones the two newest are kept. Where it cannot be renamed, it goes on.

    It is opened as a plain file or not at all: links are not followed, and nothing waits for the
    other end of a pipe. A new one is as open to others as the one before. A line that cannot be
    written is dropped whole, and counted; the first one that can be written again is preceded by
    what :meth:`_lost` says. What somebody removes, with its folder or without, is made again.
    Behind half a line, of a process that was killed, a new one begins. Threads: any.
    """

    def __init__(self, path: str, limit: int = 1 << 30, later: bool = False) -> None:
        """``later``: the file is made with its first line."""
        self.path = path
        self._limit = limit
        self._lock = threading.Lock()
        self._fd = -1
        self._day = ""
        self._size = 0
        self._mode: Optional[int] = None  # permissions of the file before this one
        self._torn = False  # the file ends with half a line
        self._dropped = 0
        self._kept_since = ""  # the day on which it could not be renamed
        self.reason = ""  #: why the last line was dropped
        self.anew = 0  #: how often it, or its folder, was found removed
        if not later:
            self._open()

    def write(self, lines: List[str]) -> bool:
        """Append lines, each without its newline. False if they were dropped."""
        with self._lock:
            try:
                if self._fd >= 0 and self._is_gone():
                    self._close()
                    self.anew += 1
                if self._fd < 0:
                    self._open_anew()
                self._rotate()
                if self._torn:
                    self._append("\n")
                    self._torn = False
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
        flags = (os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
                 | os.O_NOCTTY)
        mode = 0o666 if self._mode is None else self._mode
        fd, made = -1, False
        for attempt in range(_TRIES):
            try:
                fd, made = os.open(self.path, flags | os.O_CREAT | os.O_EXCL, mode), True
            except FileExistsError:
                try:
                    fd, made = os.open(self.path, flags), False
                except FileNotFoundError:
                    # Another process has just given it another name.
                    if attempt == _TRIES - 1:
                        raise
            if fd >= 0:
                break
        try:
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode):
                raise OSError(errno.EINVAL, "Not a plain file", self.path)
        except OSError:
            os.close(fd)
            raise
        if made and self._mode is not None:
            with contextlib.suppress(OSError):
                os.fchmod(fd, self._mode)
        self._fd, self._size = fd, about.st_size
        self._torn = about.st_size > 0 and self._last_byte(about) not in (b"\n", b"")
        written = about.st_mtime if about.st_size else time.time()
        self._day = time.strftime("%Y-%m-%d", time.localtime(written))

    def _is_gone(self) -> bool:
        """Somebody has taken the file away, perhaps with its folder: nobody could read it there.
        How many names it has would not tell: some file systems do not count them."""
        try:
            return not os.path.samestat(os.stat(self.path), os.fstat(self._fd))
        except OSError as error:
            return error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE)

    def _open_anew(self) -> None:
        try:
            self._open()
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
            self.anew += 1
            self._open()

    def _last_byte(self, about: os.stat_result) -> bytes:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return b""
        try:
            # The name may lead to another process's file by now.
            same = os.path.samestat(os.fstat(fd), about)
            return os.pread(fd, 1, about.st_size - 1) if same else b""
        except OSError:
            return b""
        finally:
            with contextlib.suppress(OSError):
                os.close(fd)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                self._mode = stat.S_IMODE(os.fstat(fd).st_mode) & 0o777
            # NFS may tell here that there was no room; it is closed all the same.
            with contextlib.suppress(OSError):
                os.close(fd)

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
        if self._kept_since == today:
            return
        name, number, done = f"{self.path}.{self._day}", 0, False
        while not done:
            try:
                _rename_new(self.path, name)
                done = True
            except FileExistsError:
                number += 1
                name = f"{self.path}.{self._day}.{number}"
            except FileNotFoundError:
                done = True  # somebody has taken it away
            except OSError:
                self._kept_since = today  # the next try is tomorrow's
                return
        self._close()
        self._forget_old()
        self._open()

    def _forget_old(self) -> None:
        folder, base = os.path.split(self.path)
        own = re.compile(re.escape(base) + r"\.\d{4}-\d\d-\d\d(\.\d+)?")
        old = []
        for entry in os.scandir(folder or "."):
            if not own.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
                continue
            with contextlib.suppress(FileNotFoundError):  # another process forgets it, too
                old.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path))
        for _, path in sorted(old)[:-_KEPT]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


class TextLog(LineFile):
    """Lines with a time stamp in front."""

    def say(self, *messages: str) -> bool:
        """Established lines: local time in brackets."""
        stamp = self._stamp()
        return self.write([f"{stamp} {clean(message)}" for message in messages])

    @staticmethod
    def _stamp() -> str:
        now = time.time()
        local = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now))
        return f"[{local}.{int(now * 1000) % 1000:03d}]"

    def _lost(self, count: int, reason: str) -> Optional[str]:
        return f"{self._stamp()} [Diagnose] {count} lines could not be written here: {reason}"
