# SPDX-License-Identifier: Apache-2.0
"""Stand between a loaded library and one function that it imports, for as long as that is wanted.

The library calls such a function through a word of its own that the loader has filled in. It is
found as the loader found it, by the relocations of the library, and exchanged. Nothing has to be
preloaded, no other library is concerned, and afterwards the word is what it was.
"""
from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import platform
import struct
from typing import Any, Dict, Tuple

#: Kinds of relocation whose word holds the address of a function.
_KINDS: Dict[str, Tuple[int, ...]] = {"x86_64": (6, 7), "aarch64": (1025, 1026)}
_DYNAMIC, _LOAD = 2, 1
_STRTAB, _SYMTAB, _RELA, _RELASZ, _JMPREL, _PLTRELSZ = 5, 6, 7, 8, 23, 2
_RELA_SIZE, _SYMBOL_SIZE, _HEADER_SIZE = 24, 24, 56
_PROT_READ, _PROT_WRITE = 1, 2


class NotFound(Exception):
    """The library does not import that function, or is not laid out as expected."""


def slot(library: str, function: str) -> int:
    """Address of the word through which a loaded library calls a function that it imports. Raises
    NotFound."""
    kinds = _KINDS.get(platform.machine())
    if kinds is None:
        raise NotFound(f"imports are not known on {platform.machine()}")
    base = _base(library)
    with open(library, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
        try:
            return base + _find(image, function.encode(), kinds)
        except (struct.error, ValueError, IndexError):
            raise NotFound(f"{library} cannot be read as a library") from None


def _base(library: str) -> int:
    """Where the library's first byte is mapped."""
    wanted = os.stat(library)
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and int(fields[2], 16) == 0 and int(fields[4]) == wanted.st_ino:
                path = fields[5].rstrip("\n")
                with contextlib.suppress(OSError):
                    if os.path.samestat(os.stat(path), wanted):
                        return int(fields[0].split("-")[0], 16)
    raise NotFound(f"{library} is not loaded")


def _find(image: Any, function: bytes, kinds: Tuple[int, ...]) -> int:
    """Address of the word in the image, from its first byte."""
    if image[:6] != b"\x7fELF\x02\x01":
        raise NotFound("no 64-bit library")
    headers, count = struct.unpack_from("<Q", image, 32)[0], struct.unpack_from("<H", image, 56)[0]
    segments = [struct.unpack_from("<IIQQQQQQ", image, headers + _HEADER_SIZE * i)
                for i in range(count)]

    def place(address: int) -> int:
        for kind, _, offset, start, _, size, _, _ in segments:
            if kind == _LOAD and start <= address < start + size:
                return int(offset + address - start)
        raise NotFound("a table is outside the library")

    table: Dict[int, int] = {}
    for kind, _, offset, _, _, size, _, _ in segments:
        if kind == _DYNAMIC:
            for at in range(offset, offset + size - 15, 16):
                tag, value = struct.unpack_from("<qQ", image, at)
                table.setdefault(tag, value)
    strings, symbols = place(table.get(_STRTAB, 0)), place(table.get(_SYMTAB, 0))
    wanted = function + b"\0"
    for start, size in ((_JMPREL, _PLTRELSZ), (_RELA, _RELASZ)):
        if start not in table or not table.get(size):
            continue
        first = place(table[start])
        for at in range(first, first + table[size] - _RELA_SIZE + 1, _RELA_SIZE):
            address, info, _ = struct.unpack_from("<QQq", image, at)
            if info & 0xffffffff in kinds:
                name = strings + struct.unpack_from("<I", image,
                                                    symbols + _SYMBOL_SIZE * (info >> 32))[0]
                if image[name:name + len(wanted)] == wanted:
                    return int(address)
    raise NotFound(f"it does not import {function.decode()}")


def read(address: int) -> int:
    """The word."""
    return ctypes.c_size_t.from_address(address).value


def write(address: int, value: int) -> None:
    """Exchange the word. Its page may be read-only since the loader was done with it."""
    page = address & ~(mmap.PAGESIZE - 1)
    was = _protection(address)
    mprotect = ctypes.CDLL(None, use_errno=True).mprotect
    mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    if not was & _PROT_WRITE and mprotect(page, mmap.PAGESIZE, was | _PROT_WRITE) != 0:
        raise NotFound(f"its table cannot be written: {os.strerror(ctypes.get_errno())}")
    ctypes.c_size_t.from_address(address).value = value
    if not was & _PROT_WRITE:
        mprotect(page, mmap.PAGESIZE, was)


def _protection(address: int) -> int:
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            bounds, flags = line.split(maxsplit=2)[:2]
            first, end = (int(part, 16) for part in bounds.split("-"))
            if first <= address < end:
                return sum(bit for bit, letter in ((1, "r"), (2, "w"), (4, "x")) if letter in flags)
    raise NotFound("the table is not mapped")
