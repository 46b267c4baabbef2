# SPDX-License-Identifier: Apache-2.0
"""One window as a page to look at in a browser, packed where this Python has zlib."""
from __future__ import annotations

import ctypes as c
from typing import Any

from . import _lib
from ._lib import lib

try:
    import zlib
except ImportError:  # a Python that was built without it
    zlib = None  # type: ignore[assignment]


def _pack(data: int, size: int, packed: Any, packed_size: Any) -> int:
    """A dxt_pack_fn. Nothing may escape from it."""
    try:
        stream = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
        made = stream.compress(c.string_at(data, size)) + stream.flush()
    except Exception:  # MemoryError, above all
        return _lib.ERR_NO_MEMORY
    memory = _lib.libc.malloc(len(made))
    if not memory:
        return _lib.ERR_NO_MEMORY
    c.memmove(memory, made, len(made))
    packed[0], packed_size[0] = memory, len(made)
    return _lib.OK


_PACK = _lib.PackFn(_pack)


def page_of(window: Any, diagnosis: bytes, marks: Any, mark_count: int) -> bytes:
    """The page of a window: what was found, with what to do next, beside its matrix."""
    options = _lib.PageOptions(struct_size=c.sizeof(_lib.PageOptions),
                               advice=lib.dxt_report_advice_json())
    if zlib is not None:
        options.pack = _PACK
    shown = _lib.PageWindow(struct_size=c.sizeof(_lib.PageWindow), window=c.pointer(window),
                            diagnosis=diagnosis, marks=marks, mark_count=mark_count)
    page, writer = c.c_void_p(), _lib.Writer()
    lib.dxt_page_create(c.byref(options), c.byref(page))
    try:
        lib.dxt_page_add(page, c.byref(shown))
        lib.dxt_page_write(page, writer.function, None)
    finally:
        lib.dxt_page_free(page)
    return writer.bytes()
