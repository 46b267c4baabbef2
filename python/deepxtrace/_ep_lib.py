# SPDX-License-Identifier: Apache-2.0
"""libdeepxtrace-ep as ctypes sees it: the structures of ep.h and one table of functions."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_int64, c_size_t, c_uint8, c_uint32, c_void_p
from ctypes import sizeof
from typing import Any, Tuple

from . import _lib
from ._lib import COMBINE, DISPATCH, ERR_MASKED, ERR_TIMEOUT, Status

__all__ = ["COMBINE", "DISPATCH", "ERR_MASKED", "ERR_TIMEOUT", "core", "lib"]

OPERATORS = 2
#: Operations of a kind that are sent and not received, at most (DXT_EP_IN_FLIGHT).
IN_FLIGHT = 2
BLOCK = 128
MAX_TOPK = 16
BF16, FP8 = 0, 1
COMBINE_BF16, COMBINE_LOGFMT = 0, 1


class Config(ctypes.Structure):
    """dxt_ep_config"""

    _fields_ = [
        ("struct_size", c_size_t),
        ("engine", c_char_p),
        ("rank", c_uint32),
        ("ranks", c_uint32),
        ("max_tokens", c_uint32),
        ("hidden", c_uint32),
        ("experts", c_uint32),
        ("max_topk", c_uint32),
        ("timeout_ns", c_int64),
        ("probe", c_void_p),
        ("fd", c_int),
        ("memory", c_void_p),
        ("comm", c_void_p),
    ]


class Handle(ctypes.Structure):
    """dxt_ep_handle"""

    _fields_ = [("src_info", c_void_p), ("src_slot", c_void_p), ("layout_range", c_void_p)]


class Dispatch(ctypes.Structure):
    """dxt_ep_dispatch"""

    _fields_ = [
        ("struct_size", c_size_t),
        ("format", c_int),
        ("x", c_void_p),
        ("topk_idx", c_void_p),
        ("tokens", c_uint32),
        ("topk", c_uint32),
        ("recv_x", c_void_p),
        ("recv_scales", c_void_p),
        ("recv_count", c_void_p),
        ("handle", Handle),
        ("stream", c_void_p),
    ]


class Combine(ctypes.Structure):
    """dxt_ep_combine"""

    _fields_ = [
        ("struct_size", c_size_t),
        ("format", c_int),
        ("x", c_void_p),
        ("handle", Handle),
        ("topk_idx", c_void_p),
        ("topk_weights", c_void_p),
        ("tokens", c_uint32),
        ("topk", c_uint32),
        ("out", c_void_p),
        ("stream", c_void_p),
    ]


# name, result, arguments
_FUNCTIONS: Tuple[Tuple[str, Any, Tuple[Any, ...]], ...] = (
    ("dxt_ep_buffer_size", Status, (POINTER(Config), POINTER(c_size_t))),
    ("dxt_ep_create", Status, (POINTER(Config), POINTER(c_void_p))),
    ("dxt_ep_destroy", None, (c_void_p,)),
    ("dxt_ep_error", c_char_p, ()),
    ("dxt_ep_dispatch_send", Status, (c_void_p, POINTER(Dispatch))),
    ("dxt_ep_dispatch_recv", Status, (c_void_p,)),
    ("dxt_ep_combine_send", Status, (c_void_p, POINTER(Combine))),
    ("dxt_ep_combine_recv", Status, (c_void_p,)),
    ("dxt_ep_wait", Status, (c_void_p, c_uint32, c_int64)),
    ("dxt_ep_wait_buffer", Status, (c_void_p, c_uint32, c_void_p, c_int64)),
    ("dxt_ep_masked", c_uint32, (c_void_p, POINTER(c_uint8))),
    ("dxt_ep_delay_path", Status, (c_void_p, c_uint32, c_uint32, c_int64)),
)
_PROBE_FUNCTIONS = (
    ("dxt_probe_create", Status, (c_uint32, c_uint32, POINTER(c_void_p))),
    ("dxt_probe_destroy", None, (c_void_p,)),
)


class EpError(RuntimeError):
    """A call into libdeepxtrace-ep failed; ``status`` is its dxt_status. A RuntimeError, as DeepEP
    raises."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"deepxtrace.ep: {message}")
        self.status = status


def _check(result: int, function: Any, arguments: Any) -> int:
    # "Not yet" is an answer of dxt_ep_wait() and _wait_buffer(), and of no other function here.
    if result not in (_lib.OK, ERR_TIMEOUT):
        raise EpError(result, lib.dxt_ep_error().decode("utf-8", "replace"))
    return result


def _compare_layout() -> None:
    """The library takes a Config that is at least as long as its own, so one that is just long
    enough has its layout."""
    config = Config(sizeof(Config), None, 0, 1, 1, BLOCK, 1, 1)
    size = c_size_t()
    try:
        lib.dxt_ep_buffer_size(byref(config), byref(size))
        config.struct_size -= 1
        lib.dxt_ep_buffer_size(byref(config), byref(size))
    except EpError as error:
        if error.status == _lib.ERR_INVALID and config.struct_size < sizeof(Config):
            return
    raise ImportError(
        "the libdeepxtrace-ep that was found is of another version than this package: install both"
        " from one wheel, and unset DEEPXTRACE_LIBRARY_PATH"
    )


core = _lib.bind(_lib.lib, _PROBE_FUNCTIONS, _lib.check_status)
lib = _lib.bind(_lib.load_library("libdeepxtrace-ep.so.0"), _FUNCTIONS, _check)
_compare_layout()
