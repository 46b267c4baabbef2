# SPDX-License-Identifier: Apache-2.0
"""Files as the C library reads them: plain bytes, out of gzip, zip and tar as well, and the parts
of a log one after the other. What a file holds is for the library to tell.
"""
from __future__ import annotations

import ctypes as c
import errno
import io
import os
import re
import tarfile
import warnings
import zipfile
import zlib
from typing import IO, Any, Iterator, List, Optional, Tuple, Union

from . import _lib
from ._lib import DeepXTraceError, lib

Path = Union[str, "os.PathLike[str]"]

_TIME = re.compile(rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d[.\d]*)")
_BEGIN = re.compile(rb'"begin": *"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d[.\d]*)')
_PEEK = 1 << 16
_MOST_REMARKS = 8
#: Deepest packing with gzip and tar, and the largest zip archive.
_DEEPEST = 8
_LARGEST = 1 << 30
_DAMAGED = (EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError)
#: Zip archives within each other, as a zipped folder of .npz has.
_NESTED = 2
#: A head of a tar archive, and where it says so.
_BLOCK, _MARK = 512, slice(257, 262)


class _Gzip(io.RawIOBase):
    """What a gzip file unpacks to, up to where it is damaged; gzip.open() keeps that back."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._stream = zlib.decompressobj(31)
        self._packed = b""

    def read(self, size: int = -1) -> bytes:
        while True:
            if self._stream.eof:
                self._packed = self._stream.unused_data or self._file.read(_PEEK)
                if self._packed[:2] != b"\x1f\x8b":
                    return b""
                self._stream = zlib.decompressobj(31)
            elif not self._packed:
                self._packed = self._file.read(_PEEK)
                if not self._packed:
                    raise EOFError
            data = self._stream.decompress(self._packed, max(size, 1))
            self._packed = self._stream.unconsumed_tail
            if data:
                return data

    def close(self) -> None:
        self._file.close()
        super().close()


class _Peeked(io.RawIOBase):
    """A file whose first bytes have been looked at."""

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self._head, self._file = head, file

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._file.read(size)
        data, self._head = (self._head, b"") if size < 0 else (self._head[:size],
                                                               self._head[size:])
        return data

    def close(self) -> None:
        self._file.close()
        super().close()


class _Damaged(io.RawIOBase):
    """A file of which nothing is left."""

    def read(self, size: int = -1) -> bytes:
        raise EOFError


def _peek(file: IO[bytes]) -> bytes:
    """The first bytes; what cannot be unpacked is told when the file is read."""
    head = b""
    try:
        while len(head) < _BLOCK:
            more = file.read(_BLOCK - len(head))
            if not more:
                break
            head += more
    except _DAMAGED:
        pass
    return head


def _unpack(name: str, file: IO[bytes], depth: int,
            archived: int = 0) -> Iterator[Tuple[str, IO[bytes]]]:
    """The files that are in a file, each with its name: those of an archive, or it alone; out of
    gzip, in an archive or around one."""
    head = _peek(file)
    file = _Peeked(head, file)  # type: ignore[assignment]
    if head[:2] == b"\x1f\x8b" and depth < _DEEPEST:
        yield from _unpack(name, _Gzip(file), depth + 1, archived)  # type: ignore[arg-type]
    elif head[_MARK] == b"ustar" and depth < _DEEPEST:
        yield from _untar(name, file, depth + 1, archived)
    elif head[:4] == b"PK\x03\x04" and archived < _NESTED:
        packed = io.BytesIO()
        with file:
            while packed.tell() <= _LARGEST and packed.write(file.read(_PEEK)):
                pass
        if packed.tell() > _LARGEST:
            raise zipfile.BadZipFile("a zip archive of more than 1 GiB")
        with zipfile.ZipFile(packed) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    yield from _unpack(f"{name}:{member.filename}", archive.open(member), depth,
                                       archived + 1)
    else:
        yield name, file


def _untar(name: str, file: IO[bytes], depth: int,
           archived: int) -> Iterator[Tuple[str, IO[bytes]]]:
    """The plain files of a tar archive, but those that macOS stores beside others."""
    try:
        with file, tarfile.open(fileobj=file, mode="r|") as archive:
            for member in archive:
                data = archive.extractfile(member) if member.isfile() else None
                if data and not os.path.basename(member.name).startswith("._"):
                    yield from _unpack(f"{name}:{member.name}", data, depth, archived)
    except _DAMAGED:
        yield name, _Damaged()  # type: ignore[misc]


def _members(path: str) -> Iterator[Tuple[str, IO[bytes]]]:
    with open(path, "rb") as file:
        head = file.read(_BLOCK)
        plain = head[:2] not in (b"\x1f\x8b", b"PK") and head[_MARK] != b"ustar"
    if plain:
        yield path, open(path, "rb")
    else:
        yield from _unpack(path, open(path, "rb"), 0)


def _time(path: str) -> str:
    """The first time that the file speaks of, "" without one."""
    try:
        for _name, file in _members(path):
            with file:
                head = file.read(_PEEK)
            found = _BEGIN.search(head) or _TIME.search(head)
            return b"T".join(found.groups()).decode() if found else ""
    except (OSError, *_DAMAGED):
        pass
    return ""


def _expand(paths: List[str]) -> List[str]:
    """Files in order of time; a folder stands for the files in it, of a log and a recording of the
    same name for the recording."""
    files: List[str] = []
    for path in paths:
        if not os.path.isdir(path):
            files.append(path)
            continue
        inside = sorted(entry.path for entry in os.scandir(path)
                        if entry.is_file() and not entry.name.startswith("."))
        recorded = {file.split(".jsonl")[0] for file in inside if ".jsonl" in file}
        files += [file for file in inside if ".log" not in os.path.basename(file)
                  or file.split(".log")[0] not in recorded]
    if len(files) < 2:
        return files
    timed = [(_time(file), file) for file in files]
    return [file for _, file in sorted(timed, key=lambda entry: entry[0])]


def _failure(error: OSError) -> DeepXTraceError:
    return DeepXTraceError(_lib.ERR_IO, f"{error.filename}: {error.strerror}")


class Source:
    """Hands the bytes of files to a reader of the library."""

    def __init__(self, paths: List[str]) -> None:
        self._files = self._all(paths)
        self._file: Optional[IO[bytes]] = None
        self._name = b""
        #: What went wrong, to be raised where Python can.
        self.error: Optional[BaseException] = None
        self._advance()
        self.struct = _lib.Source(struct_size=c.sizeof(_lib.Source),
                                  read=_lib.ReadFn(self._read), next=_lib.NextFn(self._next))

    @staticmethod
    def _all(paths: List[str]) -> Iterator[Tuple[str, IO[bytes]]]:
        for path in paths:
            yield from _members(path)

    @property
    def name(self) -> bytes:
        return self._name

    def _advance(self) -> bool:
        self.close()
        name, self._file = next(self._files, ("", None))
        self._name = os.fsencode(name)
        return self._file is not None

    def _read(self, _context: Any, buffer: int, size: int, got: Any) -> int:
        got[0] = 0
        try:
            data = self._file.read(size) if self._file is not None else b""
            c.memmove(buffer, data, len(data))
            got[0] = len(data)
            return _lib.OK
        except _DAMAGED:
            return _lib.ERR_FORMAT
        except BaseException as error:  # nothing may escape into C
            self.error = error
            c.set_errno(getattr(error, "errno", None) or errno.EIO)
            return _lib.ERR_IO

    def _next(self, _context: Any, name: Any) -> int:
        try:
            if not self._advance():
                return _lib.END
            name[0] = self._name
            return _lib.OK
        except BaseException as error:
            self.error = error
            return _lib.ERR_IO

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


class Reader:
    """A reader of the library over files or memory, as a context. What is left out is a warning,
    unless ``strict``: then the first of it is an error."""

    def __init__(self, strict: bool) -> None:
        self.handle = c.c_void_p()
        self.source: Optional[Source] = None
        self._said = 0
        self._strict = strict
        self._hear = _lib.RemarkFn(self._remark)  # alive as long as the reader

    def open(self, paths: List[str]) -> "Reader":
        files = _expand(paths)
        if not files:
            raise DeepXTraceError(_lib.ERR_IO, f"{', '.join(paths)}: no file is there")
        try:
            self.source = Source(files)
        except OSError as error:
            raise _failure(error) from error
        except _DAMAGED as error:
            raise DeepXTraceError(_lib.ERR_FORMAT, f"{files[0]}: {error}") from error
        lib.dxt_reader_open_source(c.byref(self.source.struct), self.source.name,
                                   c.byref(self.handle))
        lib.dxt_reader_on_remark(self.handle, self._hear, None)
        return self

    def parse(self, content: bytes) -> "Reader":
        lib.dxt_reader_open_memory(content, len(content), b"data", c.byref(self.handle))
        lib.dxt_reader_on_remark(self.handle, self._hear, None)
        return self

    def _remark(self, _context: Any, kind: int, message: bytes) -> int:
        if self._strict and kind != _lib.REMARK_NOTE:
            return 0
        self._said += 1
        if self._said <= _MOST_REMARKS:
            what = "" if kind == _lib.REMARK_NOTE else "; it is left out"
            try:
                warnings.warn(message.decode("utf-8", "replace") + what, stacklevel=2)
            except Warning as error:  # the program has made errors of warnings
                if self.source is not None:
                    self.source.error = error
                return 0
        return 1

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, _kind: Any, error: Any, _trace: Any) -> None:
        lib.dxt_reader_close(self.handle)
        self.handle = c.c_void_p()
        if self.source is not None:
            self.source.close()
            cause = self.source.error
            if error is not None and cause is not None:
                raise (_failure(cause) if isinstance(cause, OSError) else cause) from None
